from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, UNPROVEN
from airledger.stations.proof import Proof
from airledger.stations.standing import MAX_PAUSE_S, SPREAD, Pace, Standing, after, pause_s

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
    young, old = played(LONG), played(*[LONG] * 40)
    assert pause_s(young, LONG, Pace(), 1) < 3_600 < pause_s(old, LONG, Pace(), 1)


def test_what_is_dead_for_good_is_asked_ever_less() -> None:
    gone = bad(Cause.NOT_FOUND)
    pauses = [pause_s(played(*[gone] * times), gone, Pace(), 7) for times in range(3, 12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10 * pauses[0]


@given(st.lists(PROOFS, max_size=30), st.integers(1, 10**9))
def test_whatever_happens_the_standing_is_sound(proofs: list[Proof], stream_id: int) -> None:
    standing = played(*proofs)
    assert min(standing.failures_in_row, standing.successes_in_row) == 0
    assert standing.state in {UNPROVEN, PLAYING, FAILING}
    if proofs:
        assert 1 <= pause_s(standing, proofs[-1], Pace(), stream_id) <= MAX_PAUSE_S * (1 + SPREAD)
        assert proofs[-1].is_healthy or standing.failures_in_row >= 1
    if standing.state == PLAYING:
        assert any(proof.is_healthy for proof in proofs)
