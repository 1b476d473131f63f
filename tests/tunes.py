"""Music made for tests of recognition: chords, a melody and drums, at 8 kHz."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
RATE_HZ = 8000


@lru_cache(maxsize=64)
def tune(seed: int, seconds: float = 40.0, bpm: float = 0.0, loop_bars: int = 0, drums: float = 0.0) -> F32:
    """One melody, sound and tempo per seed, in 4/4.

    Args:
        seed: which tune.
        seconds: how long.
        bpm: its tempo instead of its own; tunes of one tempo are harder to tell apart.
        loop_bars: repeat its first bars for ever.
        drums: how loud the drums are, the same for all tunes.
    """
    chance = np.random.default_rng(seed)
    half_beat_s = 30 / (bpm or chance.uniform(90, 150))
    brightness = chance.uniform(0.6, 1.6)
    steps = int(seconds / half_beat_s) + 1
    melody, bass = chance.integers(0, 25, steps), chance.integers(-14, 0, steps)
    if loop_bars:
        melody, bass = np.resize(melody[: loop_bars * 8], steps), np.resize(bass[: loop_bars * 8], steps)
    sound = np.zeros(int(seconds * RATE_HZ) + RATE_HZ)
    time_s = np.arange(int(half_beat_s * 1.5 * RATE_HZ)) / RATE_HZ
    fade = np.exp(-4 * time_s)
    for step in range(steps):
        start = int(step * half_beat_s * RATE_HZ)
        if start + len(time_s) > len(sound):
            break
        for half_tone, loudness in ((melody[step], 1.0), (bass[step], 0.6)):
            base_hz = 330 * 2 ** (half_tone / 12)
            partials = [
                np.sin(2 * np.pi * base_hz * k * time_s) / k**brightness
                for k in range(1, 9)
                if base_hz * k < RATE_HZ / 2
            ]
            sound[start : start + len(time_s)] += loudness * fade * np.sum(partials, axis=0)
        if drums:
            hit = _drum(step % 4)
            sound[start : start + len(hit)] += drums * hit
    made: F32 = (0.5 * sound[: int(seconds * RATE_HZ)] / np.abs(sound).max()).astype(np.float32)
    made.setflags(write=False)
    return made


@lru_cache(maxsize=4)
def _drum(kind: int) -> NDArray[np.float64]:
    time_s = np.arange(RATE_HZ // 5) / RATE_HZ
    noise = np.random.default_rng(1000 + kind).standard_normal(len(time_s))
    return noise * np.exp(-(15 + 15 * (kind % 2)) * time_s)


def noise(seconds: float, seed: int = 0) -> F32:
    """White noise."""
    return (0.2 * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def noisy(pcm: F32, snr_db: float, seed: int = 0) -> F32:
    """The sound under white noise."""
    added = np.random.default_rng(seed).standard_normal(len(pcm))
    level = np.sqrt(np.mean(np.square(pcm))) * 10 ** (-snr_db / 20)
    made: F32 = (pcm + level * added).astype(np.float32)
    return made


def excerpt(pcm: F32, start_s: float, seconds: float) -> F32:
    """A part of a sound."""
    start = round(start_s * RATE_HZ)
    return pcm[start : start + round(seconds * RATE_HZ)].copy()


def faster(pcm: F32, speed: float) -> F32:
    """The sound played `speed` times faster, its pitch as much higher."""
    count = int(len(pcm) / speed)
    spectrum = np.fft.rfft(pcm)
    wanted = np.zeros(count // 2 + 1, complex)
    shared = min(len(spectrum), len(wanted))
    wanted[:shared] = spectrum[:shared]
    made: F32 = (np.fft.irfft(wanted, count) * count / len(pcm)).astype(np.float32)
    return made
