"""A synthetic announcer: babble in no language, for talk-over.

Source and filter, after D. H. Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 67, 1980): a train of
glottal pulses with a falling pitch contour, or noise for consonants, through a cascade of three formant resonators
whose frequencies are those of vowels (Peterson and Barney 1952, men, rounded). Syllables and pauses are drawn.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from airledger.testing.chances import chance
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, amplitude, level_dbfs

LEVEL_DBFS = -16.0
VOWELS_HZ = (
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440), (570, 840, 2410),
    (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip
BANDWIDTHS_HZ = (70.0, 110.0, 170.0)


def speak(seed: int, number: int, length_s: float = 8.0) -> Pcm:
    """Speak nonsense.

    Args:
        seed: the library's seed.
        number: which announcement; each has a voice (pitch, tract length) and syllables of its own.
        length_s: how long.

    Returns:
        float32 (n,) at 44.1 kHz, -16 dBFS RMS.
    """
    rng = np.random.default_rng([seed, number, 13])
    sound = np.zeros(int(length_s * SONG_RATE_HZ), dtype=np.float32)
    pitch_hz, tract = float(rng.uniform(95, 210)), float(rng.uniform(0.95, 1.15))
    at_s, phrase_s = 0.05, 0.0
    while at_s < length_s - 0.45:
        sentence_fall = 1.12 - 0.25 * min(1.0, phrase_s / 2.5)
        syllable = _syllable(rng, pitch_hz * sentence_fall, tract)
        at = int(at_s * SONG_RATE_HZ)
        end = min(at + len(syllable), len(sound))
        sound[at:end] += syllable[: end - at]
        step_s = len(syllable) / SONG_RATE_HZ * 0.9
        at_s, phrase_s = at_s + step_s, phrase_s + step_s
        if phrase_s > float(rng.uniform(1.5, 3.5)):
            at_s, phrase_s = at_s + float(rng.uniform(0.15, 0.4)), 0.0
    return np.asarray(np.clip(sound * amplitude(LEVEL_DBFS - level_dbfs(sound)), -0.999, 0.999), dtype=np.float32)


def _syllable(rng: np.random.Generator, pitch_hz: float, tract: float) -> Pcm:
    consonant = _consonant(rng)
    vowel = _vowel(rng, pitch_hz, tract)
    overlap = min(len(consonant) // 3, len(vowel) // 3)
    whole = np.zeros(len(consonant) + len(vowel) - overlap, dtype=np.float32)
    whole[: len(consonant)] += consonant
    whole[len(consonant) - overlap :] += vowel
    return whole


def _vowel(rng: np.random.Generator, pitch_hz: float, tract: float) -> Pcm:
    count = int(rng.uniform(0.09, 0.22) * SONG_RATE_HZ)
    bend = np.linspace(1.04, 0.94, count) * (1 + 0.01 * np.sin(np.arange(count) * (2 * np.pi * 5 / SONG_RATE_HZ)))
    turns = np.cumsum(pitch_hz * float(rng.uniform(0.92, 1.1)) * bend / SONG_RATE_HZ)
    glottal = np.where(np.diff(np.floor(turns), prepend=0.0) > 0, 1.0, 0.0)
    source = lfilter([1.0], [1.0, -0.97], glottal) + 0.01 * rng.standard_normal(count)
    first = VOWELS_HZ[int(rng.integers(len(VOWELS_HZ)))]
    second = VOWELS_HZ[int(rng.integers(len(VOWELS_HZ)))]
    glide = np.linspace(0, 1, count)
    voiced = (1 - glide) * _tract(source, first, tract) + glide * _tract(source, second, tract)
    ramp = int(0.012 * SONG_RATE_HZ)
    voiced[:ramp] *= np.linspace(0, 1, ramp)
    voiced[-2 * ramp :] *= np.linspace(1, 0, 2 * ramp)
    return np.asarray(voiced / (np.std(voiced) + 1e-9), dtype=np.float32)


def _consonant(rng: np.random.Generator) -> Pcm:
    count = int(rng.uniform(0.02, 0.08) * SONG_RATE_HZ)
    hiss = _resonate(rng.standard_normal(count), float(rng.uniform(2200, 6500)), 1500.0)
    shape = np.hanning(count) if chance(rng, 0.6) else np.exp(-np.arange(count) / (0.006 * SONG_RATE_HZ))
    return np.asarray(hiss / (np.std(hiss) + 1e-9) * shape * rng.uniform(0.1, 0.5), dtype=np.float32)


def _tract(source: np.ndarray[tuple[int, ...], np.dtype[np.float64]], formants: tuple[int, ...], tract: float) -> Pcm:
    sound = source
    for frequency_hz, bandwidth_hz in zip(formants, BANDWIDTHS_HZ, strict=True):
        sound = _resonate(sound, frequency_hz * tract, bandwidth_hz)
    return np.asarray(np.diff(sound, prepend=0.0), dtype=np.float32)


def _resonate(
    source: np.ndarray[tuple[int, ...], np.dtype[np.float64]], frequency_hz: float, bandwidth_hz: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Klatt's digital resonator: y[n] = A x[n] + B y[n-1] + C y[n-2]."""
    c = -float(np.exp(-2 * np.pi * bandwidth_hz / SONG_RATE_HZ))
    b = 2 * float(np.exp(-np.pi * bandwidth_hz / SONG_RATE_HZ) * np.cos(2 * np.pi * frequency_hz / SONG_RATE_HZ))
    return np.asarray(lfilter([1 - b - c], [1.0, -b, -c], source), dtype=np.float64)
