"""Which way a sound goes, and who is believed. Pure."""

from dataclasses import dataclass
from typing import Literal

Way = Literal["local", "ask", "nobody"]
Source = Literal["local", "acrcloud", "audd", "hybrid", "none"]
Reason = Literal["disagreement", "unsure"]


@dataclass(frozen=True)
class Routes:
    """The mission's thresholds: they choose the way. What becomes a play is the tracker's own."""

    local: float = 0.8
    outside: float = 0.7
    is_hybrid: bool = True


@dataclass(frozen=True)
class Verdict:
    """Who is believed, how far, and whether people should look."""

    source: Source
    probability: float
    review: Reason | None = None


def way(local_score: float | None, routes: Routes) -> Way:
    """Tell whether our own answer suffices, or the outside shall be asked."""
    if local_score is not None and local_score >= routes.local:
        return "local"
    return "ask" if routes.is_hybrid else "nobody"


def settle(
    local_score: float | None,
    outside_score: float | None,
    provider: Source,
    routes: Routes,
    *,
    do_agree: bool,
) -> Verdict:
    """Decide between what we found and what the outside found.

    Args:
        local_score: Probability of our best candidate, None without one.
        outside_score: Calibrated probability of the outside's best match, None without one.
        provider: Whose match it is.
        routes: The thresholds.
        do_agree: Whether both name the same recording.

    Returns:
        Agreement makes `hybrid`: it is wrong only if both are wrong, each for its own reasons, so
        1 - (1 - local)(1 - outside). Where both are to be believed and differ, nobody is, until people decide.
    """
    if outside_score is None:
        return Verdict("none", 0.0) if local_score is None else Verdict("local", local_score)
    if local_score is not None and do_agree:
        joint = 1 - (1 - local_score) * (1 - outside_score)
        return Verdict("hybrid", max(joint, local_score, outside_score))  # never less by rounding
    is_believed = outside_score >= routes.outside
    if local_score is not None:
        return Verdict("none", 0.0, "disagreement") if is_believed else Verdict("local", local_score)
    if is_believed:
        return Verdict(provider, outside_score)
    return Verdict("none", outside_score, "unsure")
