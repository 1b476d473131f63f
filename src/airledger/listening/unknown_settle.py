"""What people do with unknown recordings, from one call: name them (as a new recording, if need be), or ignore them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from airledger.fingerprint.params import Params
from airledger.listening.unknown_find import find_unknown
from airledger.listening.unknown_names import Named, describe_unknown, enrol_longest, name_unknown
from airledger.platform.audit import Actor
from airledger.platform.db import Database
from airledger.platform.errors import InputError
from airledger.platform.storage import Storage
from airledger.repertoire.describe import Description


@dataclass(frozen=True)
class Settled:
    """What came of naming: how many plays were written, and whether its sound is listened for from now on."""

    unknown_id: UUID
    recording_id: UUID
    plays: int
    is_enrolled: bool


def settle_name(
    database: Database,
    storage: Storage,
    actor: Actor,
    unknown_id: UUID,
    now: datetime,
    *,
    recording_id: UUID | None = None,
    described: Description | None = None,
    enrol_with: Params | None = None,
) -> Settled:
    """Name an unknown recording and write all its plays.

    Args:
        database: Where the rows are.
        storage: Where the objects are.
        actor: Who says so, with their organisation.
        unknown_id: Which.
        now: The present.
        recording_id: What it is, if that is in the library.
        described: What it is, if that is not: a recording of this description is added.
        enrol_with: Parameters by which its longest airing becomes the recording's fingerprint; None: it does not.

    Raises:
        InputError: Neither or both of recording and description are given.
        NotFoundError: There is no such unknown recording, or no such recording.
    """
    if (recording_id is None) == (described is None):
        raise InputError("give either the id of a recording of your library, or a title (and artist) of a new one")
    with database.unit() as unit:
        if described is not None:
            cluster = find_unknown(unit.session, actor.organisation_id, unknown_id)
            recording_id = describe_unknown(unit, actor, cluster, described, now).id
        if recording_id is None:
            raise InputError("a recording is needed")
        named: Named = name_unknown(unit, actor, unknown_id, recording_id, now)
    is_enrolled = enrol_with is not None and enrol_longest(
        database, storage, named.unknown_id, named.recording_id, enrol_with, now
    )
    return Settled(named.unknown_id, named.recording_id, named.plays, is_enrolled)
