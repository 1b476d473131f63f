"""What a check does to a stream's state, and when the next one is due. Values in, values out.

    unproven --success--> playing --3 failures--> failing --2 successes--> playing

Some causes need no second look (a 404, silence, a loop), a refused connection needs one more. The first success is
followed at once by a long proof, because only much sound tells a loop. Later checks come more often the less is known.
"""

import zlib
from dataclasses import dataclass, field, replace

from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, UNPROVEN
from airledger.stations.proof import Proof
from airledger.stations.score import Evidence, faded, lower_bound, observed

FAILURES_TO_FAIL = 3
SUCCESSES_TO_PLAY = 2
CERTAIN_AFTER = {
    Cause.NOT_FOUND: 1,
    Cause.NOT_MEDIA: 1,
    Cause.SILENT: 1,
    Cause.LOOPED: 1,
    Cause.REDIRECT_LOOP: 1,
    Cause.ADDRESS_REFUSED: 1,
    Cause.UNSUPPORTED: 1,
    Cause.REFUSED: 2,
}
LONG_PROOF_AFTER_S = 2.0
LOOK_AGAIN_S = 20.0
MAX_PAUSE_S = 86_400.0
SPREAD = 0.1  # of the pause, so that streams added together do not stay together


@dataclass(frozen=True, slots=True)
class Standing:
    """A stream's state and the evidence behind it.

    Attributes:
        needs_long_proof: Its next proof shall hear enough to tell a loop.
    """

    state: str = UNPROVEN
    evidence: Evidence = field(default_factory=Evidence)
    failures_in_row: int = 0
    successes_in_row: int = 0
    needs_long_proof: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """How often checks come, in seconds: with nothing else known, and for streams of doubtful state."""

    nominal_s: float = 3_600.0
    doubtful_s: float = 7_200.0


def after(standing: Standing, proof: Proof, elapsed_s: float) -> Standing:
    """Return how a stream stands after a proof that came `elapsed_s` seconds after the one before."""
    evidence = observed(faded(standing.evidence, elapsed_s), is_healthy=proof.is_healthy)
    counted = replace(
        standing,
        evidence=evidence,
        failures_in_row=0 if proof.is_healthy else standing.failures_in_row + 1,
        successes_in_row=standing.successes_in_row + 1 if proof.is_healthy else 0,
        needs_long_proof=_needs_long_proof(standing, proof),
    )
    return replace(counted, state=_state(counted, proof))


def pause_s(standing: Standing, proof: Proof, pace: Pace, stream_id: int) -> float:
    """Return how long to wait for the next check."""
    if proof.is_healthy:
        wait_s = _pause_after_success(standing, pace)
    elif standing.state != FAILING:
        return LOOK_AGAIN_S * 2.0 ** (standing.failures_in_row - 1)
    else:
        wait_s = _pause_while_failing(standing, proof, pace)
    return min(wait_s, MAX_PAUSE_S) * (1 + SPREAD * _spread(stream_id)) if wait_s > LOOK_AGAIN_S else wait_s


def _needs_long_proof(standing: Standing, proof: Proof) -> bool:
    if proof.is_healthy:
        return standing.needs_long_proof and not proof.is_long
    # A loop may be mended in a way that only much sound shows.
    return standing.needs_long_proof or proof.cause is Cause.LOOPED


def _state(counted: Standing, proof: Proof) -> str:
    if proof.is_healthy:
        is_back = counted.state != FAILING or counted.successes_in_row >= SUCCESSES_TO_PLAY
        return PLAYING if is_back else FAILING
    enough = CERTAIN_AFTER.get(proof.cause, FAILURES_TO_FAIL) if proof.cause else FAILURES_TO_FAIL
    return FAILING if counted.failures_in_row >= enough else counted.state


def _pause_after_success(standing: Standing, pace: Pace) -> float:
    if standing.needs_long_proof:
        return LONG_PROOF_AFTER_S
    if standing.state == FAILING:
        return LOOK_AGAIN_S
    # 0.5 of the nominal pause while little is known, twice as long for what has always played.
    return pace.nominal_s * (0.5 + 1.5 * lower_bound(standing.evidence))


def _pause_while_failing(standing: Standing, proof: Proof, pace: Pace) -> float:
    doublings = min(max(standing.failures_in_row - FAILURES_TO_FAIL, 0), 10)
    return pace.doubtful_s * (2.0**doublings if proof.permanent else 1.0)


def _spread(stream_id: int) -> float:
    """Return a number between -1 and 1 that stays with the stream."""
    return zlib.crc32(stream_id.to_bytes(8, "big")) / 0xFFFFFFFF * 2 - 1
