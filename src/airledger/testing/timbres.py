"""Instruments: how one note sounds. Additive wavetables that darken as they decay, and two-operator FM.

A wavetable is one period, 2,048 samples, built from a list of partials; each instrument has a bright and a dark one and
blends from one to the other along the note, which is what a closing filter does to a sawtooth (subtractive synthesis
at the price of a table look-up).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from airledger.testing.chances import chance
from airledger.testing.pcm import SONG_RATE_HZ, Pcm

TABLE = 2048
PHASE_STEPS = 2**32
_SHIFT = np.uint32(21)  # 32 phase bits less 11 bits of table index


@dataclass(frozen=True)
class Timbre:
    """An instrument.

    ``slope`` is the fall of partial amplitudes (1 = sawtooth), ``odd_only`` leaves even partials out (clarinet,
    square), ``formant_hz`` lifts partials near it, times are seconds, ``detune_cents`` > 0 adds a second
    oscillator, ``fm_ratio`` > 0 makes it an FM instrument with index ``fm_index``.
    """

    slope: float
    odd_only: bool
    formant_hz: float
    attack_s: float
    decay_s: float
    sustain: float
    release_s: float
    darkening_s: float
    detune_cents: float
    vibrato_cents: float
    fm_ratio: float
    fm_index: float
    seed: int


def draw_timbre(rng: np.random.Generator, role: str) -> Timbre:
    """Draw an instrument for a role: "lead", "chords" or "bass"."""
    plucked = chance(rng, {"lead": 0.35, "chords": 0.4, "bass": 0.5}[role])
    return Timbre(
        slope=float(rng.uniform(0.7, 1.5)),
        odd_only=chance(rng, 0.3),
        formant_hz=float(rng.uniform(500, 3000)),
        attack_s=float(rng.uniform(0.002, 0.01) if plucked else rng.uniform(0.01, 0.06)),
        decay_s=float(rng.uniform(0.2, 0.9)),
        sustain=0.05 if plucked else float(rng.uniform(0.5, 0.85)),
        release_s=float(rng.uniform(0.04, 0.25)),
        darkening_s=float(rng.uniform(0.1, 0.8)),
        detune_cents=float(rng.uniform(4, 14)) if chance(rng, 0.6) else 0.0,
        vibrato_cents=float(rng.uniform(5, 30)) if role == "lead" and not plucked else 0.0,
        fm_ratio=float(rng.choice([1.0, 2.0, 3.0, 3.5, 7.0])) if chance(rng, 0.3) else 0.0,
        fm_index=float(rng.uniform(0.8, 3.0)),
        seed=int(rng.integers(1 << 31)),
    )


def play_note(timbre: Timbre, pitch: float, length_s: float, velocity: float, phase: float) -> Pcm:
    """Sound one note.

    Args:
        timbre: the instrument.
        pitch: MIDI number, may be fractional.
        length_s: until the key is released; the release sounds beyond it.
        velocity: 0..1.
        phase: where in its period the oscillator starts, 0..1.

    Returns:
        float32 (n,) at 44.1 kHz, peak about ``velocity``.
    """
    count = int((length_s + timbre.release_s) * SONG_RATE_HZ)
    frequency_hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    envelope = _envelope(timbre, count, length_s) * np.float32(velocity)
    if timbre.fm_ratio > 0:
        return _fm(timbre, frequency_hz, count, phase) * envelope
    sound = _blend(timbre, frequency_hz, count, phase)
    if timbre.detune_cents > 0:
        sound += _blend(timbre, frequency_hz * 2 ** (timbre.detune_cents / 1200), count, phase + 0.37)
        sound *= np.float32(0.6)
    return sound * envelope


def _envelope(timbre: Timbre, count: int, length_s: float) -> Pcm:
    at = np.arange(count, dtype=np.float32) / np.float32(SONG_RATE_HZ)
    falling = timbre.sustain + (1 - timbre.sustain) * np.exp(-at / np.float32(timbre.decay_s))
    attack = np.minimum(at / np.float32(timbre.attack_s), 1)
    release = np.clip(1 - (at - np.float32(length_s)) / np.float32(timbre.release_s), 0, 1)
    return np.asarray(falling * attack * release, dtype=np.float32)


def _phases(frequency_hz: float, count: int, phase: float, vibrato_cents: float = 0.0) -> npt.NDArray[np.uint32]:
    increment = np.uint32(frequency_hz / SONG_RATE_HZ * PHASE_STEPS)
    turns = np.arange(count, dtype=np.uint32) * increment + np.uint32(int(phase % 1.0 * (PHASE_STEPS - 1)))
    if vibrato_cents > 0:
        rate_hz = 5.3
        depth = frequency_hz * (2 ** (vibrato_cents / 1200) - 1) / (2 * np.pi * rate_hz) * PHASE_STEPS
        wobble = depth * np.sin(np.arange(count) * (2 * np.pi * rate_hz / SONG_RATE_HZ))
        turns += wobble.astype(np.int64).astype(np.uint32)
    return turns


def _blend(timbre: Timbre, frequency_hz: float, count: int, phase: float) -> Pcm:
    partials = max(1, min(96, int(0.45 * SONG_RATE_HZ / frequency_hz)))
    bright, dark = _tables(timbre, partials, round(12 * np.log2(frequency_hz / 27.5)))
    index = _phases(frequency_hz, count, phase, timbre.vibrato_cents) >> _SHIFT
    decay = np.exp(np.arange(count, dtype=np.float32) * np.float32(-1 / (timbre.darkening_s * SONG_RATE_HZ)))
    low = dark[index]
    return np.asarray(low + (bright[index] - low) * decay, dtype=np.float32)


@lru_cache(maxsize=2048)
def _tables(timbre: Timbre, partials: int, semitone: int) -> tuple[Pcm, Pcm]:
    rng = np.random.default_rng([timbre.seed, 7])
    number = np.arange(1, partials + 1)
    colour = rng.uniform(0.4, 1.0, size=96)[:partials]
    angles = rng.uniform(0, 2 * np.pi, size=96)[:partials]
    strength = number ** (-timbre.slope) * colour
    if timbre.odd_only:
        strength[1::2] *= 0.08
    hertz = 27.5 * 2 ** (semitone / 12) * number
    strength *= 1 + 2.0 * np.exp(-(np.log2(hertz / timbre.formant_hz) ** 2) * 4)
    return _period(strength, angles), _period(strength * number**-1.0, angles)


def _period(strength: npt.NDArray[np.float64], angles: npt.NDArray[np.float64]) -> Pcm:
    spectrum = np.zeros(TABLE // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(strength) + 1] = strength * np.exp(1j * angles)
    period = np.fft.irfft(spectrum)
    return np.asarray(period / np.max(np.abs(period)), dtype=np.float32)


def _fm(timbre: Timbre, frequency_hz: float, count: int, phase: float) -> Pcm:
    sine = _sine()
    modulator = sine[_phases(frequency_hz * timbre.fm_ratio, count, 0.0) >> _SHIFT]
    decay = np.exp(np.arange(count, dtype=np.float32) * np.float32(-1 / (timbre.darkening_s * SONG_RATE_HZ)))
    swing = (modulator * (0.3 + decay)) * np.float32(timbre.fm_index / (2 * np.pi) * PHASE_STEPS)
    index = (_phases(frequency_hz, count, phase) + swing.astype(np.int64).astype(np.uint32)) >> _SHIFT
    return np.asarray(sine[index], dtype=np.float32)


@lru_cache(maxsize=1)
def _sine() -> Pcm:
    return np.asarray(np.sin(np.arange(TABLE) * (2 * np.pi / TABLE)), dtype=np.float32)
