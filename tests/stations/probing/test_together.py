"""What failures mean together: pure decisions."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.cause import Cause
from airledger.stations.probing.together import BAN_REST_S, Finding, settle
from airledger.stations.proof_job import ProofJob
from stations.rows import bad


def failed(host: str, cause: Cause, *, number: int = 0, was_playing: bool = True) -> Finding:
    proof = replace(bad(cause), cause_confidence=0.75)
    return Finding(ProofJob(number, f"http://{host}/{number}", 12), proof, was_playing)


def causes(found: list[Finding]) -> list[Cause | None]:
    return [one.proof.cause for one in found]


def test_names_that_all_fail_at_once_are_our_network() -> None:
    batch = [failed(f"h{n}.example", Cause.DEAD_HOST) for n in range(8)]
    assert set(causes(settle(batch, []))) == {Cause.OUR_NETWORK}
    assert set(causes(settle(batch, ["there.example"]))) == {Cause.OUR_NETWORK}
    assert set(causes(settle(batch, [f"up{n}.example" for n in range(8)]))) == {Cause.DEAD_HOST}


def test_one_dead_name_is_a_dead_host_and_less_surely_so_where_nothing_else_was_reached() -> None:
    [alone] = settle([failed("h.example", Cause.DEAD_HOST)], [])
    [among_others] = settle([failed("h.example", Cause.DEAD_HOST)], ["up.example"])
    assert causes([alone, among_others]) == [Cause.DEAD_HOST, Cause.DEAD_HOST]
    assert alone.proof.cause_confidence is not None
    assert among_others.proof.cause_confidence is not None
    assert alone.proof.cause_confidence < among_others.proof.cause_confidence


def test_a_host_all_of_whose_streams_say_403_at_once_has_banned_us() -> None:
    batch = [failed("h.example", Cause.FORBIDDEN, number=n) for n in range(4)]
    found = settle([*batch, failed("other.example", Cause.FORBIDDEN)], ["h.example"])
    assert causes(found) == [Cause.BANNED] * 4 + [Cause.FORBIDDEN]
    assert found[0].proof.retry_after_s == BAN_REST_S
    never_played = [replace(one, was_playing=False) for one in batch]
    assert set(causes(settle(never_played, []))) == {Cause.FORBIDDEN}
    one_differs = [*batch, failed("h.example", Cause.NOT_FOUND, number=9)]
    assert Cause.BANNED not in causes(settle(one_differs, []))


findings = st.builds(
    failed,
    st.sampled_from(["a", "b", "c", "d", "e", "f"]),
    st.sampled_from([Cause.DEAD_HOST, Cause.FORBIDDEN, Cause.TIMEOUT, Cause.UNREACHABLE, Cause.NOT_FOUND]),
    number=st.integers(0, 5),
    was_playing=st.booleans(),
)


@given(st.lists(findings, max_size=20), st.sets(st.sampled_from(["a", "x", "y"])))
def test_nothing_is_lost_and_what_is_plain_stays(batch: list[Finding], reached: set[str]) -> None:
    found = settle(batch, reached)
    assert [one.job for one in found] == [one.job for one in batch]
    for before, after in zip(batch, found, strict=True):
        if before.proof.cause in {Cause.TIMEOUT, Cause.NOT_FOUND}:
            assert after == before
