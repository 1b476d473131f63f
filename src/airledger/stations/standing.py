"""What a check does to a stream's state, and when the next one is due. Values in, values out.

    unproven --success--> playing --3 failures--> failing --2 successes--> playing
                          playing --3 failures when it is usually off--> off_hours --success--> playing

Some causes need no second look (a 404, silence, a loop), a refused connection needs one more. The first success is
followed at once by a long proof, because only much sound tells a loop. Later checks come more often the less is known,
never later than the nominal hour: a fault of more than an hour is seen.
"""

import zlib
from typing import NamedTuple

from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, OFF_HOURS, PLAYING, UNPROVEN
from airledger.stations.proof import Proof
from airledger.stations.score import Evidence, faded, observed, sure_share
from airledger.stations.watching.flapping import NOTHING, flaps, remembered

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
LEAST_PAUSE_SHARE = 0.25
FAILING_PAUSE_SHARE = 0.5  # of how long it has failed: what has just stopped may come back any minute
LEAST_FAILING_PAUSE_S = 600.0
MAX_PAUSE_S = 86_400.0
SPREAD = 0.1  # of the pause, so that streams added together do not stay together


class Standing(NamedTuple):
    """A stream's state and the evidence behind it.

    Attributes:
        needs_long_proof: Its next proof shall hear enough to tell a loop.
        recent: The last 21 results, as `watching.flapping` packs them.
        is_flapping: It comes and goes.
        failing_s: How long it has been known to fail, or to be off.
    """

    state: str = UNPROVEN
    evidence: Evidence = Evidence()
    failures_in_row: int = 0
    successes_in_row: int = 0
    needs_long_proof: bool = True
    recent: int = NOTHING
    is_flapping: bool = False
    failing_s: float = 0.0


class Pace(NamedTuple):
    """How often checks come at most, in seconds: of streams that play, and of those in doubtful state."""

    nominal_s: float = 3_600.0
    doubtful_s: float = 7_200.0


def after(standing: Standing, proof: Proof, elapsed_s: float, *, is_expected_off: bool = False) -> Standing:
    """Return how a stream stands after a proof.

    Args:
        standing: How it stood.
        proof: What was found.
        elapsed_s: Seconds since the proof before.
        is_expected_off: It is usually off at this time: failing now is no fault and costs no reliability.
    """
    is_healthy = proof.is_healthy
    evidence = faded(standing.evidence, elapsed_s)
    recent, is_flapping = standing.recent, standing.is_flapping
    is_excused = is_expected_off and not is_healthy and standing.state != FAILING
    if not is_excused:
        evidence = observed(evidence, is_healthy=is_healthy)
        recent = remembered(recent, is_healthy=is_healthy)
        is_flapping = flaps(recent, was_flapping=is_flapping)
    if is_healthy:
        failures, successes = 0, standing.successes_in_row + 1
        state = _state_after_success(standing.state, successes)
    else:
        failures, successes = standing.failures_in_row + 1, 0
        state = _state_after_failure(standing.state, proof.cause, failures, is_expected_off=is_expected_off)
    is_down = state in (FAILING, OFF_HOURS)
    return Standing(
        state,
        evidence,
        failures,
        successes,
        _needs_long_proof(standing, proof),
        recent,
        is_flapping,
        standing.failing_s + elapsed_s if is_down and standing.state == state else 0.0,
    )


def pause_s(
    standing: Standing, proof: Proof, pace: Pace, stream_id: int, *, expected_on_in_s: float | None = None
) -> float:
    """Return how long to wait for the next check.

    Args:
        standing: After the proof.
        proof: The newest.
        pace: How often checks come at most.
        stream_id: Spreads streams that would come together.
        expected_on_in_s: When a stream that is off is usually back; None where it has no such hours.
    """
    if proof.is_healthy:
        wait_s = _pause_after_success(standing, pace)
    elif standing.state == OFF_HOURS:
        wait_s = min(max(expected_on_in_s or 0.0, LEAST_FAILING_PAUSE_S), pace.doubtful_s)
    elif standing.state == FAILING:
        most_s = MAX_PAUSE_S if proof.permanent else pace.doubtful_s
        wait_s = min(max(FAILING_PAUSE_SHARE * standing.failing_s, LEAST_FAILING_PAUSE_S), most_s)
    else:
        return LOOK_AGAIN_S * 2.0 ** min(standing.failures_in_row - 1, 7)
    return wait_s * (1 - SPREAD * _spread(stream_id)) if wait_s > LOOK_AGAIN_S else wait_s


def _needs_long_proof(standing: Standing, proof: Proof) -> bool:
    if proof.is_healthy:
        return standing.needs_long_proof and not proof.is_long
    # A loop may be mended in a way that only much sound shows.
    return standing.needs_long_proof or proof.cause is Cause.LOOPED


def _state_after_success(state: str, successes: int) -> str:
    return FAILING if state == FAILING and successes < SUCCESSES_TO_PLAY else PLAYING


def _state_after_failure(state: str, cause: Cause | None, failures: int, *, is_expected_off: bool) -> str:
    enough = CERTAIN_AFTER.get(cause, FAILURES_TO_FAIL) if cause else FAILURES_TO_FAIL
    if state == FAILING or failures < enough:
        return state
    # What has never played has no hours, and what broke before its closing time is broken.
    return OFF_HOURS if is_expected_off and state in (PLAYING, OFF_HOURS) else FAILING


def _pause_after_success(standing: Standing, pace: Pace) -> float:
    if standing.needs_long_proof:
        return LONG_PROOF_AFTER_S
    if standing.state == FAILING:
        return LOOK_AGAIN_S
    return pace.nominal_s * (LEAST_PAUSE_SHARE + (1 - LEAST_PAUSE_SHARE) * sure_share(standing.evidence))


def _spread(stream_id: int) -> float:
    """Return a number from 0 to 1 that stays with the stream."""
    return zlib.crc32(stream_id.to_bytes(8, "big")) / 0xFFFFFFFF
