"""The port: what a provider is asked and what it answers, whoever it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Outcome = Literal["hit", "none", "unfit", "failed", "refused", "throttled", "budget", "circuit", "off"]
"""What became of a question.

`hit` and `none` are answers. `unfit`: the provider cannot fingerprint this sound. `failed`: no answer could be had.
`refused`: the provider will not answer this, however often it is asked. `throttled`: it wants to be asked more slowly.
The rest never left the house: `budget` (today's share is used up: ask again tomorrow), `circuit` (the provider is
given a rest), `off` (nobody is configured, or asking is switched off).
"""
Advice = Literal["settled", "retry", "backoff", "slower", "open", "alert"]
"""What to do next: nothing; ask again; again, later and later; more slowly; stop asking altogether; tell a human."""

ACRCLOUD, AUDD = "acrcloud", "audd"
ANSWERED: frozenset[Outcome] = frozenset({"hit", "none", "unfit"})


@dataclass(frozen=True)
class Writer:
    """Who wrote the work, as a provider tells it. `ipi` has eleven digits."""

    name: str
    role: str | None = None
    ipi: str | None = None


@dataclass(frozen=True)
class OutsideMatch:
    """One recording that a provider heard in the sound.

    Attributes:
        provider: Who says so.
        provider_id: The provider's own id of the recording.
        title: Its title.
        artists: Who perform.
        isrcs: In stored form, the first one most likely; others are re-issues.
        score: As the provider gives it: not a probability.
        sample_begin_ms: Where in the sent sound the match begins.
        sample_end_ms: Where in the sent sound it ends.
        reference_begin_ms: Which place of the recording that is.
        is_custom: From the operator's own bucket at the provider.
        links: Ids at other services, by their names.
    """

    provider: str
    provider_id: str
    title: str
    artists: tuple[str, ...] = ()
    album: str | None = None
    label: str | None = None
    release_date: str | None = None
    duration_ms: int | None = None
    isrcs: tuple[str, ...] = ()
    upcs: tuple[str, ...] = ()
    iswcs: tuple[str, ...] = ()
    writers: tuple[Writer, ...] = ()
    genres: tuple[str, ...] = ()
    score: float | None = None
    sample_begin_ms: int | None = None
    sample_end_ms: int | None = None
    reference_begin_ms: int | None = None
    is_custom: bool = False
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def artist(self) -> str:
        """All performers in one line."""
        return ", ".join(self.artists)


@dataclass(frozen=True)
class OutsideAnswer:
    """What a provider said to one request.

    Attributes:
        outcome: What became of it.
        advice: What to do next.
        matches: Best first; empty unless `hit`.
        code: The provider's own status, or that of HTTP.
        message: In words, for people.
        billed_halves: What it counts on the bill, in halves of a hit.
        wait_s: How long the provider asks us to wait, where it says so.
        raw: The answer itself, trimmed.
    """

    outcome: Outcome
    advice: Advice = "settled"
    matches: tuple[OutsideMatch, ...] = ()
    code: int | None = None
    message: str = ""
    billed_halves: int = 0
    wait_s: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write the answer as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "OutsideAnswer":
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError: Another version wrote it.
        """
        return cls(**{**row, "matches": tuple(match_from_json(one) for one in row["matches"])})


class Provider(Protocol):
    """One service that names a sound."""

    @property
    def name(self) -> str:
        """The name under which calls are counted and detections are marked."""

    def identify(self, wav: bytes, started_at: datetime) -> OutsideAnswer:
        """Ask once. Never raises for what the provider or the network does: the answer tells it.

        Args:
            wav: 10 to 12 s of 8 kHz mono 16-bit WAV, at most 192 KB.
            started_at: When its first sample was aired.
        """

    def close(self) -> None:
        """Give back connections."""


def match_from_json(row: Mapping[str, Any]) -> OutsideMatch:
    """Read a match that was written as JSON.

    Raises:
        KeyError, TypeError: Another version wrote it.
    """
    many = ("artists", "isrcs", "upcs", "iswcs", "genres")
    return OutsideMatch(
        **{
            **row,
            **{name: tuple(row[name]) for name in many},
            "writers": tuple(Writer(**one) for one in row["writers"]),
        }
    )
