"""What recognition tells: apart from the engine, so that whoever listens need not load it."""

from typing import ClassVar
from uuid import UUID

from airledger.platform.events import Event


class RecordingEnrolled(Event):
    """A recording is listened for from now on, for the first time or by a new fingerprint."""

    name: ClassVar[str] = "recording.enrolled"
    recording_id: UUID
    track: int


class RecordingRemoved(Event):
    """A recording is no longer listened for."""

    name: ClassVar[str] = "recording.removed"
    recording_id: UUID
