import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint import peaks as peaks_module
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import Density, Peaks, extract, strongest
from tunes import RATE_HZ, excerpt, noise, tune

PARAMS = Params()


@pytest.mark.parametrize("samples", [0, 1, 1023, 1024, 80_000])
def test_silence_and_scraps_have_no_peaks(samples: int) -> None:
    assert len(extract(np.zeros(samples, np.float32), PARAMS, dense="query")) == 0


def test_a_constant_and_a_steady_tone_have_no_time_and_so_hardly_a_peak() -> None:
    steady = np.sin(2 * np.pi * 440 * np.arange(80_000) / RATE_HZ).astype(np.float32)
    assert len(extract(np.full(80_000, 0.5, np.float32), PARAMS, dense="query")) == 0
    assert len(extract(steady, PARAMS, dense="query")) < 20


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(bad: float) -> None:
    pcm = noise(2)
    pcm[5000] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        extract(pcm, PARAMS, dense="query")


def test_other_shapes_and_types_are_refused() -> None:
    for wrong in (np.zeros((2, 4000), np.float32), np.zeros(4000, np.float64), np.zeros(4000, np.int16)):
        with pytest.raises(ValueError, match="one-dimensional float32"):
            extract(wrong, PARAMS, dense="query")  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(frequency_hz=st.floats(200, 3700), at_s=st.floats(0.5, 1.5))
def test_a_burst_is_found_where_it_is(frequency_hz: float, at_s: float) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    burst = np.exp(-(((time_s - at_s) / 0.05) ** 2)) * np.sin(2 * np.pi * frequency_hz * time_s)
    found = extract(burst.astype(np.float32), PARAMS, dense="reference")
    assert len(found) >= 1
    best = int(np.argmax(found.levels))
    assert abs(found.freqs_hz[best] - frequency_hz) < 1
    assert abs(found.times_s[best] - at_s) < 0.005


@settings(max_examples=10, deadline=None)
@given(gain_db=st.floats(-30, 6))
def test_loudness_does_not_matter(gain_db: float) -> None:
    pcm = excerpt(tune(3), 5, 6)
    plain = extract(pcm, PARAMS, dense="query")
    scaled = extract((pcm * np.float32(10 ** (gain_db / 20))).astype(np.float32), PARAMS, dense="query")
    assert _shared(plain, scaled) > 0.97


@settings(max_examples=15, deadline=None)
@given(hops=st.integers(1, 500))
def test_a_later_start_moves_all_peaks_alike(hops: int) -> None:
    pcm = excerpt(tune(4), 2, 22)
    moved = pcm[hops * PARAMS.hop_samples :]
    whole, later = extract(pcm, PARAMS, dense="query"), extract(moved, PARAMS, dense="query")
    shift_s = hops * PARAMS.hop_samples / RATE_HZ
    inside = whole.times_s > shift_s + 1.5
    there = later.times_s > 1.5
    np.testing.assert_allclose(whole.times_s[inside] - shift_s, later.times_s[there], atol=1e-3)
    np.testing.assert_allclose(whole.freqs_hz[inside], later.freqs_hz[there], atol=0.05)


def test_a_long_recording_is_computed_in_chunks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = excerpt(tune(5), 0, 30)
    whole = extract(pcm, PARAMS, dense="reference")
    monkeypatch.setattr(peaks_module, "_CHUNK_FRAMES", 100)
    parts = extract(pcm, PARAMS, dense="reference")
    assert len(parts) == len(whole)
    np.testing.assert_allclose(parts.times_s, whole.times_s, atol=2e-3)
    np.testing.assert_allclose(parts.freqs_hz, whole.freqs_hz, atol=0.1)


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("dense", ["reference", "query"])
def test_density_is_bounded_and_times_rise(profile: str, dense: Density) -> None:
    params = PROFILES[profile]
    found = extract(noise(20), params, dense=dense)
    per_s = params.reference_peaks_per_s if dense == "reference" else params.query_peaks_per_s
    assert 0.7 * per_s * 20 < len(found) <= 1.3 * per_s * 20
    assert np.all(np.diff(found.times_s) >= 0)
    assert found.duration_s == 20
    assert found.times_s.dtype == found.freqs_hz.dtype == found.levels.dtype == np.float32


def test_what_a_reference_keeps_a_query_of_the_same_sound_keeps_too() -> None:
    pcm = excerpt(tune(6), 3, 15)
    few, many = extract(pcm, PARAMS, dense="reference"), extract(pcm, PARAMS, dense="query")
    everything = set(zip(many.times_s.tolist(), many.freqs_hz.tolist(), strict=True))
    assert set(zip(few.times_s.tolist(), few.freqs_hz.tolist(), strict=True)) <= everything
    assert len(strongest(many, 10)) < len(few) < len(many)


def _shared(one: Peaks, other: Peaks) -> float:
    """Share of the peaks of `one` that `other` has within 2 ms and 1 Hz."""
    near = np.abs(one.times_s[:, None] - other.times_s) < 0.002
    return float((near & (np.abs(one.freqs_hz[:, None] - other.freqs_hz) < 1)).any(axis=1).mean())


@pytest.mark.parametrize(
    "wrong",
    [
        {"times_s": [2, 1]},
        {"times_s": [-1, 1]},
        {"times_s": [1, 99]},
        {"times_s": [1, np.nan]},
        {"freqs_hz": [100, 5000]},
        {"freqs_hz": [-1, 100]},
        {"freqs_hz": [np.nan, 100]},
        {"levels": [np.inf, 1]},
        {"levels": [1, 1, 1]},
    ],
)
def test_peaks_that_no_sound_has_are_refused(wrong: dict[str, list[float]]) -> None:
    good = {"times_s": [1, 2], "freqs_hz": [100, 200], "levels": [5, 5]}
    arrays = {name: np.array(values, np.float32) for name, values in (good | wrong).items()}
    with pytest.raises(ValueError, match=r"[Pp]eaks"):
        Peaks(**arrays, duration_s=5.0)
    with pytest.raises(ValueError, match="length of a sound"):
        Peaks.empty(float("nan"))
