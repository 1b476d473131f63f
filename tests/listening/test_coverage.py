import itertools

from hypothesis import given
from hypothesis import strategies as st

from airledger.listening.coverage import GAP, HEARD, SILENT, Stretch, extend


def run(parts: list[tuple[str, float, float]]) -> list[Stretch]:
    current, stored = None, {}
    for kind, start_s, end_s in parts:
        step = extend(current, kind, start_s, end_s, lost_by="stalled")
        current = step.current
        stored.update({one.id: one for one in step.changed})
    return sorted(stored.values(), key=lambda one: one.start_s)


def test_overlapping_windows_are_one_stretch() -> None:
    (one,) = run([(HEARD, 0, 10), (HEARD, 5, 15), (HEARD, 10, 20)])
    assert (one.start_s, one.end_s) == (0, 20)


def test_a_hole_becomes_a_gap_with_its_cause() -> None:
    heard, gap, again = run([(HEARD, 0, 10), (HEARD, 25, 35)])
    assert (gap.kind, gap.start_s, gap.end_s, gap.cause) == (GAP, 10, 25, "stalled")
    assert heard.kind == again.kind == HEARD


def test_silence_is_a_stretch_of_its_own() -> None:
    kinds = [one.kind for one in run([(HEARD, 0, 10), (SILENT, 5, 15), (SILENT, 10, 20), (HEARD, 15, 25)])]
    assert kinds == [HEARD, SILENT, HEARD]


@given(st.lists(st.tuples(st.sampled_from([HEARD, SILENT]), st.floats(0, 20)), min_size=1, max_size=40))
def test_stretches_cover_the_time_once_and_without_holes(parts: list[tuple[str, float]]) -> None:
    moment, windows = 0.0, []
    for kind, step_s in parts:
        moment += step_s
        windows.append((kind, moment, moment + 10))
    stretches = run(windows)
    for one, following in itertools.pairwise(stretches):
        assert one.end_s <= following.start_s + 1e-9
        assert following.start_s - one.end_s <= 2.0
