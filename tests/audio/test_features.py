import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.features import is_silent, level_dbfs
from airledger.audio.rate import measure_rate
from made_sound import melody

RATE_HZ = 8000


def test_a_full_scale_sine_has_minus_three_dbfs_and_a_tenth_of_it_minus_twenty_three() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE_HZ) / RATE_HZ).astype(np.float32)
    assert level_dbfs(sine) == pytest.approx([-3.01, -3.01], abs=0.01)
    assert level_dbfs((sine * 3276.8).astype(np.int16)) == pytest.approx([-23.01, -23.01], abs=0.01)


def test_silence_is_silence_whatever_its_offset_and_music_is_not() -> None:
    chance = np.random.default_rng(1)
    dither = chance.integers(-2, 3, 20 * RATE_HZ).astype(np.int16)
    assert is_silent(dither)
    assert is_silent((dither + 4000).astype(np.int16))
    assert is_silent(np.zeros(0, np.int16))
    assert is_silent(np.zeros(100, np.int16))
    assert not is_silent(melody(20, RATE_HZ))
    assert not is_silent(melody(0.5, RATE_HZ))


def test_a_quiet_second_half_is_not_silence() -> None:
    sound = melody(20, RATE_HZ)
    sound[10 * RATE_HZ :] = 0
    assert not is_silent(sound)


@given(kbps=st.floats(24, 320), burst_kib=st.integers(0, 256), seconds=st.floats(6, 60), packet=st.integers(400, 1448))
def test_pace_and_burst_are_told_apart(kbps: float, burst_kib: int, seconds: float, packet: int) -> None:
    burst = burst_kib * 1024
    step_s = packet / (kbps * 125)
    count = int(seconds / step_s)
    arrivals = [(0.001 * n, min((n + 1) * 16384, burst)) for n in range(-(-burst // 16384))]
    arrivals += [(0.02 + n * step_s, burst + n * packet) for n in range(1, count)]
    rate = measure_rate(arrivals)
    assert rate.sustained_kbps == pytest.approx(kbps, rel=0.05)
    assert rate.burst_bytes == pytest.approx(burst, abs=0.05 * kbps * 125 * seconds + 2 * packet)


def test_lumps_of_segments_are_measured_from_lump_to_lump() -> None:
    arrivals = [(6.0 * n, 96_000 * (n + 1)) for n in range(6)]
    assert measure_rate(arrivals).sustained_kbps == pytest.approx(128, rel=0.02)


def test_a_burst_alone_tells_no_rate() -> None:
    assert measure_rate([(0.0, 65536)]).sustained_kbps is None
    assert measure_rate([]).sustained_kbps is None
    assert measure_rate([(0.0, 16384), (0.01, 32768), (0.02, 65536)]).sustained_kbps is None
