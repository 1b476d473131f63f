import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airledger.listening.windows import RATE_HZ, WindowCutter


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=30))
def test_windows_are_the_same_however_the_sound_arrives(sizes: list[int]) -> None:
    sound = np.arange(sum(sizes), dtype=np.int64).astype(np.int16)
    cutter, cuts, position = WindowCutter(4.0, 2.0), [], 0
    for size in sizes:
        cuts += list(cutter.add(sound[position : position + size], position))
        position += size
    whole = list(WindowCutter(4.0, 2.0).add(sound, 0))
    assert [cut.position for cut in cuts] == [cut.position for cut in whole]
    for cut in cuts:
        assert len(cut.pcm) == 4 * RATE_HZ
        assert np.array_equal(cut.pcm, sound[cut.position : cut.position + 4 * RATE_HZ])


def test_sound_out_of_sequence_starts_anew() -> None:
    cutter = WindowCutter(1.0, 1.0)
    block = np.zeros(RATE_HZ // 2, np.int16)
    assert list(cutter.add(block, 0)) == []
    assert list(cutter.add(block, 5 * RATE_HZ)) == []
    (cut,) = cutter.add(block, 5 * RATE_HZ + len(block))
    assert cut.position == 5 * RATE_HZ
