"""What recognition answers. Apart from the engine, so that those who only read answers do not load its kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from airledger.fingerprint.peaks import Peaks  # noqa: TC004  # would load the kernels; nobody evaluates it


@dataclass(frozen=True)
class Identified:
    """One recording that a sound may be.

    Attributes:
        recording_id: The recording.
        offset_s: Place in the recording of the sound's first sample.
        speed: Above 1: played faster than the recording.
        score: Probability that this is right.
        first_s: Time in the sound of the first agreement.
        last_s: Time in the sound of the last agreement.
        audible_from_s: Where the recording begins to the ear.
        audible_to_s: Where it ends to the ear.
        votes: Agreeing hashes.
        recording_class: music, jingle, advert or bed.
    """

    recording_id: UUID
    offset_s: float
    speed: float
    score: float
    first_s: float
    last_s: float
    audible_from_s: float
    audible_to_s: float
    votes: int = 0
    recording_class: str = "music"


@dataclass(frozen=True)
class Answer:
    """What was found in a sound, best first, and what it cost.

    `peaks` are those that were asked with ("query" density, times from the sound's first sample); None for silence.
    `usual_speed` is how fast the station usually plays, where a station was heard and that is known.
    """

    found: tuple[Identified, ...]
    is_silent: bool
    cpu_ms: float
    peaks: Peaks | None = None
    usual_speed: float | None = None
