"""Which of a station's streams a player should take, and why. Values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass

from airledger.stations.catalogue import StreamView
from airledger.stations.models import FAILING, PLAYING, RETIRED

RELIABILITY_WEIGHT, QUALITY_WEIGHT = 0.6, 0.4
TOO_FAST, NOT_PROVEN, FAILS, UNPLAYABLE, GONE = 0.3, 0.3, 0.05, 0.0, 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A stream and how well it suits.

    Attributes:
        score: 0 to 1: reliability's lower bound and quality, weighted, times what speaks against it.
        is_playable: Whether the client can play it at all, as far as is known.
        reasons: Sentences that explain the score.
    """

    stream: StreamView
    score: float
    is_playable: bool
    reasons: list[str]


def rank_streams(streams: Iterable[StreamView], client: str | None = None, max_kbps: int | None = None) -> list[Ranked]:
    """Order streams by how well they suit a client, the best first.

    Args:
        streams: Of one station.
        client: A kind of player (`probing/playable.py`); None where any will do.
        max_kbps: What the listener's connection carries.
    """
    ranked = [_judge(stream, client, max_kbps) for stream in streams]
    return sorted(ranked, key=lambda one: (-one.score, not one.is_playable, one.stream.id))


def _judge(stream: StreamView, client: str | None, max_kbps: int | None) -> Ranked:
    reasons = [
        f"reliability at least {stream.reliability_lower_bound:.2f} (weight {RELIABILITY_WEIGHT})",
        f"quality {stream.quality_score:.2f} (weight {QUALITY_WEIGHT})",
    ]
    score = RELIABILITY_WEIGHT * stream.reliability_lower_bound + QUALITY_WEIGHT * stream.quality_score
    is_playable = client is None or client in stream.playable_in
    for factor, reason in (*_state(stream), *_speed(stream, max_kbps)):
        score *= factor
        reasons.append(f"{reason} (times {factor})")
    if client is not None:
        reasons.append(
            f"plays in {client}" if is_playable else f"not known to play in {client} (times {UNPLAYABLE:.0f})"
        )
        score *= 1.0 if is_playable else UNPLAYABLE
    return Ranked(stream, round(score, 4), is_playable, reasons)


def _state(stream: StreamView) -> list[tuple[float, str]]:
    if stream.state == PLAYING:
        return []
    if stream.state == RETIRED:
        return [(GONE, "retired")]
    if stream.state == FAILING:
        return [(FAILS, f"does not play at present: {stream.cause or 'unknown cause'}")]
    return [(NOT_PROVEN, "not proven to play at present")]


def _speed(stream: StreamView, max_kbps: int | None) -> list[tuple[float, str]]:
    kbps = stream.bitrate_measured_kbps or stream.bitrate
    if max_kbps is None or kbps is None or kbps <= max_kbps:
        return []
    return [(TOO_FAST, f"{kbps} kbit/s, more than {max_kbps}")]
