"""The day's requests are shared fairly, and never more than the account allows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.recognition.outside.share import Limits, Usage, refusal

LIMITS = Limits(per_day=100, per_minute=45, concurrent=5)


def usage(by_sharer: dict[str, int], passed: float, *, last_minute: int = 0, out: int = 0) -> Usage:
    return Usage(by_sharer, last_minute, out, passed)


def test_each_limit_has_its_word() -> None:
    assert refusal(usage({"a": 100}, 0.5), "a", 1, LIMITS) == "day"
    assert refusal(usage({}, 0.5, last_minute=45), "a", 1, LIMITS) == "minute"
    assert refusal(usage({}, 0.5, out=5), "a", 1, LIMITS) == "concurrent"
    assert refusal(usage({"a": 10}, 0.0), "a", 10, LIMITS) == "share"
    assert refusal(usage({"a": 9}, 0.0), "a", 10, LIMITS) is None


def test_what_others_leave_unused_is_returned_as_the_day_goes() -> None:
    def most(passed: float) -> int:
        asked = 0
        while refusal(usage({"a": asked}, passed), "a", 10, LIMITS) is None:
            asked += 1
        return asked

    assert [most(passed) for passed in (0.0, 0.5, 1.0)] == [10, 55, 100]


def test_one_station_alone_has_all() -> None:
    assert refusal(usage({"a": 99}, 0.0), "a", 1, LIMITS) is None


def test_more_stations_than_requests_still_ask_once_each() -> None:
    assert refusal(usage({f"s{n}": 1 for n in range(99)}, 0.0), "new", 1_000, LIMITS) is None


def test_nothing_allowed_is_nothing_asked() -> None:
    assert refusal(usage({}, 0.0), "a", 3, Limits(per_day=0)) == "day"


STATIONS = [f"s{number}" for number in range(6)]


@settings(max_examples=60)
@given(
    asks=st.lists(st.tuples(st.sampled_from(STATIONS[:5]), st.integers(0, 3)), max_size=150),
    late=st.integers(0, 95),
)
def test_greed_never_takes_a_silent_stations_share_of_the_hours_to_come(asks: list[tuple[str, int]], late: int) -> None:
    """However the others ask, the sixth station, silent so far, still gets its share of the rest of the day."""
    limits = Limits(per_day=60)
    used: dict[str, int] = {}
    step = 0
    for sharer, pause in asks:
        step = min(step + pause, late)
        if refusal(usage(used, step / 96), sharer, len(STATIONS), limits) is None:
            used[sharer] = used.get(sharer, 0) + 1
    assert sum(used.values()) <= 60
    promised = int(10 * (1 - late / 96))
    got = 0
    while got < promised and refusal(usage(used, late / 96), "s5", len(STATIONS), limits) is None:
        got += 1
        used["s5"] = got
    assert got == promised
