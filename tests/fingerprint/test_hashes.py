import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.bank import BANK, UNCHANGED, Warp
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import KEY_BITS, Params
from airledger.fingerprint.peaks import Peaks, extract
from tunes import excerpt, tune

PARAMS = Params()


@st.composite
def made_peaks(draw: st.DrawFn) -> Peaks:
    """Any peaks at all, in order of time."""
    count = draw(st.integers(0, 60))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    times_s = np.sort(chance.uniform(0, 5, count)).astype(np.float32)
    return Peaks(times_s, chance.uniform(0, 4000, count).astype(np.float32), np.ones(count, np.float32), 5.0)


@settings(max_examples=60, deadline=None)
@given(peaks=made_peaks(), fan=st.integers(1, 12))
def test_pairs_are_those_of_brute_force(peaks: Peaks, fan: int) -> None:
    expected = []
    for i in range(len(peaks)):
        gaps_s = peaks.times_s - peaks.times_s[i]
        near = (gaps_s >= PARAMS.pair_min_s) & (gaps_s <= PARAMS.pair_max_s)
        near &= np.abs(peaks.freqs_hz - peaks.freqs_hz[i]) <= PARAMS.pair_max_hz
        expected += [(i, int(j)) for j in np.flatnonzero(near) if j > i][:fan]
    first, second = pairs(peaks, PARAMS, fan)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == expected


@settings(max_examples=60, deadline=None)
@given(peaks=made_peaks())
def test_pairs_in_one_cell_and_only_they_share_a_key(peaks: Peaks) -> None:
    first, second = pairs(peaks, PARAMS, 10)
    made = keys(peaks, first, second, PARAMS)
    low, high = peaks.freqs_hz[first].astype(np.float64), peaks.freqs_hz[second].astype(np.float64)
    gaps_s = peaks.times_s[second].astype(np.float64) - peaks.times_s[first]
    cells = np.stack(
        [
            low // PARAMS.key_step_hz,
            (high - low + PARAMS.pair_max_hz) // PARAMS.key_step_hz,
            gaps_s // PARAMS.key_step_s,
        ]
    )
    inside = made != NO_KEY
    assert np.all(made[inside] < 1 << KEY_BITS)
    both = {(int(key), *map(int, cell)) for key, cell in zip(made[inside], cells.T[inside], strict=True)}
    # A value on the border of two cells may fall to either side in single precision: allow one in a hundred.
    assert abs(len({one[0] for one in both}) - len({one[1:] for one in both})) <= 1 + len(both) // 100


@settings(max_examples=20, deadline=None)
@given(speed=st.floats(0.9, 1.1), pitch=st.floats(0.9, 1.02))
def test_undoing_a_change_of_speed_and_pitch_gives_the_keys_of_the_reference(speed: float, pitch: float) -> None:
    peaks = extract(excerpt(tune(7), 4, 10), PARAMS, dense="reference")
    changed = Peaks(
        (peaks.times_s / np.float32(speed)).astype(np.float32),
        (peaks.freqs_hz * np.float32(pitch)).astype(np.float32),
        peaks.levels,
        peaks.duration_s / speed,
    )
    first, second = pairs(peaks, PARAMS, 4)
    same = keys(changed, first, second, PARAMS, speed=speed, pitch=pitch) == keys(peaks, first, second, PARAMS)
    assert same.mean() > 0.98


def test_the_bank_holds_each_hypothesis_once() -> None:
    assert len(set(BANK)) == len(BANK) == 38
    assert UNCHANGED not in BANK
    assert Warp(1.02, 1.02) in BANK
