from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.same_sound import Sameness, peaks_same, sounds_same
from airledger.testing.encode import encode
from made_sound import decoded_8k, melody

RATE_HZ = 22_050
SAME = 0.9
OTHER = 0.1


@cache
def programme(seed: int, seconds: int = 80) -> NDArray[np.float32]:
    return melody(seconds, RATE_HZ, seed)


def part(sound: NDArray[np.float32], from_s: float, to_s: float) -> NDArray[np.float32]:
    return sound[round(from_s * RATE_HZ) : round(to_s * RATE_HZ)]


def sent(sound: NDArray[np.float32], kind: str, bit_rate: int) -> NDArray[np.int16]:
    return decoded_8k(encode(sound, RATE_HZ, {"aac": "adts"}.get(kind, kind), bitrate_kbps=bit_rate), kind)


def spliced(*parts: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate(parts)


def judged(one: NDArray[np.float32], other: NDArray[np.float32]) -> Sameness:
    return sounds_same(one, other, rate_hz=RATE_HZ)


@pytest.mark.parametrize(
    ("kind", "bit_rate", "level", "delay_s"),
    [("opus", 24, 0.2, 11.3), ("aac", 64, 1.0, -17.25), ("mp3", 32, 0.6, 0.0)],
)
def test_one_programme_in_two_codecs_is_one_sound(kind: str, bit_rate: int, level: float, delay_s: float) -> None:
    whole = programme(1)
    here = sent(part(whole, max(0.0, -delay_s), 80), "mp3", 64)
    there = sent(level * part(whole, max(0.0, delay_s), 80), kind, bit_rate)
    found = sounds_same(here, there)
    assert found.probability > SAME
    assert found.delay_s == pytest.approx(-delay_s, abs=0.2)  # encoders add up to 0.1 s of their own
    assert not found.is_related


def test_encoders_whose_clocks_drift_apart_are_one_sound() -> None:
    whole = programme(2)
    stretched = np.interp(np.arange(len(whole)) * 1.0002, np.arange(len(whole)), whole).astype(np.float32)
    assert judged(whole, stretched).probability > SAME


def test_other_programmes_are_not_one_sound() -> None:
    found = judged(programme(1), programme(3))
    assert found.probability < OTHER
    assert not found.is_related


def test_one_song_at_the_same_time_is_related_but_not_the_same() -> None:
    one, other, song = programme(4), programme(5), programme(6)
    here = spliced(part(one, 0, 16), part(song, 0, 40), part(one, 16, 40))
    there = spliced(part(other, 0, 25), part(song, 0, 40), part(other, 20, 35))
    found = judged(here, there)
    assert found.probability < OTHER
    assert found.is_related


def test_one_song_in_another_speed_is_not_the_same() -> None:
    whole = programme(7)
    faster = np.interp(np.arange(len(whole)) * 1.02, np.arange(len(whole)), whole).astype(np.float32)
    assert judged(whole, faster).probability < OTHER


def test_a_network_with_its_own_adverts_is_related() -> None:
    network, adverts = programme(8), programme(9)
    here = spliced(part(network, 0, 25), part(adverts, 0, 30), part(network, 55, 80))
    found = judged(network, here)
    assert found.probability < OTHER
    assert found.is_related


@pytest.mark.parametrize("sound", ["silence", "tone", "hum"])
def test_silence_and_tones_tell_nothing(sound: str) -> None:
    time_s = np.arange(60 * 8_000) / 8_000
    made = {
        "silence": np.zeros(len(time_s)),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time_s),
        "hum": 0.001 * np.sin(2 * np.pi * 150 * time_s),
    }[sound].astype(np.float32)
    assert sounds_same(made, made).probability < OTHER


def test_a_quarter_of_a_minute_convinces_of_nothing() -> None:
    assert judged(part(programme(1), 0, 15), part(programme(1), 0, 15)).probability < 0.5


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_peaks_have_a_judgement_and_it_does_not_depend_on_the_order(data: st.DataObject) -> None:
    one, other = (_drawn(data) for _ in range(2))
    found, turned = peaks_same(one, other), peaks_same(other, one)
    for each in (found, turned):
        assert 0 <= each.probability <= 1
        assert each.agreed_s + each.contradicted_s <= max(one.duration_s, other.duration_s) + 4
    if found.probability > 0.5:
        assert turned.probability > 0.4
        assert turned.delay_s == pytest.approx(-(found.delay_s or 0.0), abs=0.2)


def _drawn(data: st.DataObject) -> Peaks:
    seed = data.draw(st.integers(0, 2**16))
    count = data.draw(st.integers(0, 3000))
    chance = np.random.default_rng(seed)
    steps = data.draw(st.sampled_from([1, 8, 10_000]))
    times_s = np.sort(chance.uniform(0, 100, count)).astype(np.float32)
    freqs_hz = (chance.integers(0, steps, count) / steps * 3500 + 150).astype(np.float32)
    return Peaks(times_s, freqs_hz, chance.uniform(1, 30, count).astype(np.float32), 100.0)


def test_what_is_no_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="int16"):
        sounds_same(np.zeros(8_000), np.zeros(8_000))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="NaN"):
        sounds_same(np.full(80_000, np.nan, np.float32), np.zeros(80_000, np.float32))
