"""Changing what is told of a recording, and having everybody who listens for it know."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from airledger.platform.audit import Actor
from airledger.platform.db import Unit
from airledger.recognition.changes import touch_tracks
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import change_description


def change_recording(
    unit: Unit,
    actor: Actor,
    organisation_id: UUID,
    recording_id: UUID,
    changes: Mapping[str, str | None],
    now: datetime,
) -> Recording:
    """Change title, artist, album, label, ISRC or class of a recording.

    Its class decides how it is heard: a jingle or an advert counts from a few seconds on, music from fifteen.

    Raises:
        NotFoundError: The organisation has no such recording.
        InputError: A value cannot be used.
    """
    row = change_description(unit, actor, organisation_id, recording_id, changes, at=now)
    touch_tracks(unit, [recording_id])
    return row
