"""One check, decided: the standing, the habit and the pause that follow from it. Values in, values out.

`record.py` reads these values from rows and writes them back; `tests/acceptance/test_watching_year.py` runs a year of
ten thousand streams through the same function.
"""

from typing import NamedTuple

from airledger.stations.models import FAILING, OFF_HOURS, PLAYING
from airledger.stations.proof import Proof
from airledger.stations.standing import Pace, Standing, after, pause_s
from airledger.stations.watching.habit import NO_HABIT, Habit, expected_on_in_s, is_expected_off, seen

NEAR_S = 3 * 3_600.0


class Decision(NamedTuple):
    """What a check leads to.

    Attributes:
        pause_s: Until the next one.
    """

    standing: Standing
    habit: Habit
    pause_s: float


def decide(
    standing: Standing, habit: Habit, proof: Proof, *, elapsed_s: float, clock_s: float, pace: Pace, stream_id: int
) -> Decision:
    """Decide what a proof leads to.

    Args:
        standing: How the stream stood.
        habit: What was seen of its hours; `NO_HABIT` for one that has never failed.
        proof: What was found.
        elapsed_s: Seconds since the check before.
        clock_s: The station's clock at the time of the proof, in seconds since 1970.
        pace: How often checks come at most.
        stream_id: Spreads the pauses.
    """
    is_healthy = proof.is_healthy
    is_excused = not is_healthy and habit is not NO_HABIT and is_expected_off(habit, clock_s)
    now = after(standing, proof, elapsed_s, is_expected_off=is_excused)
    is_off = not is_healthy and now.state in (FAILING, OFF_HOURS)
    if is_off or (is_healthy and habit is not NO_HABIT and now.state == PLAYING):
        was_off = standing.state in (FAILING, OFF_HOURS)
        was_alike = was_off if is_off else standing.state == PLAYING and not standing.failures_in_row
        if was_off and not is_off:  # it came back some time since the last check, nobody knows when
            habit = seen(habit, clock_s, is_on=False, since_s=clock_s - elapsed_s if elapsed_s <= NEAR_S else None)
        habit = seen(habit, clock_s, is_on=is_healthy, since_s=clock_s - elapsed_s if was_alike else None)
    back_in_s = expected_on_in_s(habit, clock_s) if now.state == OFF_HOURS else None
    return Decision(now, habit, pause_s(now, proof, pace, stream_id, expected_on_in_s=back_in_s))
