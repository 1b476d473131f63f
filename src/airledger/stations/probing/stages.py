"""How a stream is checked this time: asked, looked at, or listened to. Values in, values out.

The mission wants health every hour and verification every two. So a stream that is known to play is only asked (a
knock, level 1) as long as its last deep proof is younger than the verification's age; what the knock doubts is listened
to at once, so a knock never takes a stream off the air. A stream that is not known to play is looked at first (64 KiB,
level 2): that is enough to tell most of the dead, and 2,000 of them at once cost what a handful of listeners cost.
Whatever a playlist stands in front of is listened to, because a playlist that answers proves nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from airledger.stations.models import PLAYING
from airledger.stations.proof_job import ProofJob

SLACK = 0.05  # of the age, so that checks every hour do not miss two hours by a second


class Stage(StrEnum):
    """What is done first."""

    ASK = "ask"
    LOOK = "look"
    LISTEN = "listen"


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a stream.

    Attributes:
        state: As stored.
        failures_in_row: Since the last success.
        deep_proof_at: When it was last heard well.
        is_long_due: Its next proof must hear enough to tell a loop.
        is_wrapped: A playlist stands in front of it.
    """

    state: str
    failures_in_row: int = 0
    deep_proof_at: datetime | None = None
    is_long_due: bool = False
    is_wrapped: bool = False


@dataclass(frozen=True, slots=True)
class CheckJob:
    """A stream to check.

    Attributes:
        job: What to prove, should it come to listening.
        stage: What is done first.
        was_playing: What the catalogue believes.
    """

    job: ProofJob
    stage: Stage = Stage.LISTEN
    was_playing: bool = False


def first_stage(known: Known, now: datetime, deep_every_s: float) -> Stage:
    """Return how to begin."""
    if known.state != PLAYING or known.failures_in_row:
        return Stage.LISTEN if known.is_wrapped else Stage.LOOK
    if known.is_long_due or known.is_wrapped or known.deep_proof_at is None:
        return Stage.LISTEN
    age = now - known.deep_proof_at
    return Stage.ASK if age < timedelta(seconds=deep_every_s * (1 - SLACK)) else Stage.LISTEN
