from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, OFF_HOURS, PLAYING, UNPROVEN
from airledger.stations.proof import Proof
from airledger.stations.score import reliability
from airledger.stations.standing import MAX_PAUSE_S, Pace, Standing, after, pause_s

GOOD = Proof(level=4, is_healthy=True, sound_s=12)
LONG = Proof(level=4, is_healthy=True, sound_s=65)


def bad(cause: Cause) -> Proof:
    return Proof(level=0, is_healthy=False, cause=cause, permanent=cause.permanent)


CAUSES = st.sampled_from([cause for cause in Cause if cause is not Cause.FALSE_BITRATE])
PROOFS = st.one_of(st.sampled_from([GOOD, LONG]), CAUSES.map(bad))


def played(*proofs: Proof, start: Standing | None = None) -> Standing:
    standing = start or Standing()
    for proof in proofs:
        standing = after(standing, proof, 60)
    return standing


def test_the_first_success_plays() -> None:
    assert played(GOOD).state == PLAYING


def test_three_failures_fail_and_two_successes_mend() -> None:
    down = bad(Cause.TIMEOUT)
    assert played(GOOD, down, down).state == PLAYING
    failing = played(GOOD, down, down, down)
    assert failing.state == FAILING
    assert played(GOOD, start=failing).state == FAILING
    assert played(GOOD, down, GOOD, start=failing).state == FAILING
    assert played(GOOD, GOOD, start=failing).state == PLAYING
    assert played(down, down).state == UNPROVEN


def test_certain_causes_need_no_second_look() -> None:
    for cause in (Cause.NOT_FOUND, Cause.NOT_MEDIA, Cause.SILENT, Cause.LOOPED, Cause.REDIRECT_LOOP):
        assert played(GOOD, bad(cause)).state == FAILING
    assert played(GOOD, bad(Cause.REFUSED)).state == PLAYING
    assert played(GOOD, bad(Cause.REFUSED), bad(Cause.REFUSED)).state == FAILING


def test_the_second_proof_is_long_and_comes_at_once() -> None:
    first = played(GOOD)
    assert first.needs_long_proof
    assert pause_s(first, GOOD, Pace(), 1) < 30
    second = played(LONG, start=first)
    assert not second.needs_long_proof
    assert pause_s(second, LONG, Pace(), 1) > 600
    assert played(bad(Cause.LOOPED), start=second).needs_long_proof


def test_the_less_is_known_the_sooner_it_is_looked_at_again() -> None:
    young, old, shaky = played(LONG), played(*[LONG] * 40), played(*[LONG, bad(Cause.TIMEOUT)] * 10, LONG)
    pauses = [pause_s(one, LONG, Pace(), 1) for one in (young, shaky, old)]
    assert pauses == sorted(set(pauses))
    assert 600 < pauses[0] < 1_800
    assert 3_000 < pauses[-1] <= 3_600


@given(st.lists(PROOFS, min_size=1, max_size=60), st.integers(1, 10**9))
def test_what_plays_is_looked_at_within_the_hour(proofs: list[Proof], stream_id: int) -> None:
    standing = played(*proofs, LONG, LONG)
    assert pause_s(standing, LONG, Pace(), stream_id) <= 3_600


def test_what_is_dead_for_good_is_asked_ever_less() -> None:
    gone, standing, waits = bad(Cause.NOT_FOUND), played(LONG, bad(Cause.NOT_FOUND)), [600.0]
    for _ in range(40):
        standing = after(standing, gone, waits[-1])
        waits.append(pause_s(standing, gone, Pace(), 7))
    assert waits[1:] == sorted(waits[1:])
    assert waits[-1] > 20 * 3_600


def test_what_fails_for_a_while_is_asked_often_at_first_and_every_two_hours_in_the_end() -> None:
    late, standing, waits = bad(Cause.TIMEOUT), played(LONG, *[bad(Cause.TIMEOUT)] * 3), [600.0]
    for _ in range(40):
        standing = after(standing, late, waits[-1])
        waits.append(pause_s(standing, late, Pace(), 7))
    assert waits[1] <= 660
    assert 6_000 < waits[-1] <= 7_200


def test_being_off_when_it_always_is_costs_nothing() -> None:
    playing, down = played(*[LONG] * 10), bad(Cause.TIMEOUT)
    standing = playing
    for _ in range(3):
        standing = after(standing, down, 20, is_expected_off=True)
    assert standing.state == OFF_HOURS
    assert reliability(standing.evidence) == reliability(playing.evidence) == 1
    assert standing.recent == playing.recent
    assert pause_s(standing, down, Pace(), 1, expected_on_in_s=1_000) <= 1_000
    assert after(standing, GOOD, 60).state == PLAYING
    assert after(standing, down, 3_600).state == FAILING  # it should be back by now


def test_what_broke_before_closing_time_is_broken() -> None:
    failing = played(LONG, *[bad(Cause.TIMEOUT)] * 3)
    assert after(failing, bad(Cause.TIMEOUT), 60, is_expected_off=True).state == FAILING


def test_a_stream_that_comes_and_goes_flaps_until_it_is_calm() -> None:
    down = bad(Cause.TIMEOUT)
    assert not played(*[LONG] * 20, down, down, down, *[GOOD] * 10).is_flapping
    flapping = played(*[LONG] * 10, *[GOOD, down] * 5)
    assert flapping.is_flapping
    assert played(*[GOOD] * 8, start=flapping).is_flapping
    assert not played(*[GOOD] * 21, start=flapping).is_flapping


@given(st.lists(PROOFS, max_size=30), st.integers(1, 10**9))
def test_whatever_happens_the_standing_is_sound(proofs: list[Proof], stream_id: int) -> None:
    standing = played(*proofs)
    assert min(standing.failures_in_row, standing.successes_in_row) == 0
    assert standing.state in {UNPROVEN, PLAYING, FAILING}
    if proofs:
        assert 1 <= pause_s(standing, proofs[-1], Pace(), stream_id) <= MAX_PAUSE_S
        assert proofs[-1].is_healthy or standing.failures_in_row >= 1
    if standing.state == PLAYING:
        assert any(proof.is_healthy for proof in proofs)
