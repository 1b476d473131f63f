"""A drum kit of its own for every song; no two hits of it are the same samples.

Noise comes from a long buffer at a random place, pitches and decays are drawn per kit and wander per hit, so songs do
not share drum samples and a song does not repeat its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from airledger.testing.composing import HAT, KICK, OPEN_HAT, SNARE
from airledger.testing.pcm import SONG_RATE_HZ, Pcm

NOISE_S = 4.0


@dataclass(frozen=True)
class DrumKit:
    """Drawn once per song: pitches (Hz), decays (s), and two buffers of filtered noise (float32, 4 s each)."""

    kick_hz: float
    kick_decay_s: float
    snare_hz: float
    snare_decay_s: float
    hat_decay_s: float
    tom_hz: float
    body_noise: Pcm
    hat_noise: Pcm


def draw_kit(rng: np.random.Generator) -> DrumKit:
    """Draw a kit; 30 ms, most of it for filtering the noise."""
    noise = rng.standard_normal(int(NOISE_S * SONG_RATE_HZ)).astype(np.float32)
    centre_hz = float(rng.uniform(1200, 3500))
    body = butter(2, [centre_hz * 0.5, min(centre_hz * 2.2, 12_000)], "bandpass", fs=SONG_RATE_HZ, output="sos")
    high = butter(4, float(rng.uniform(5000, 8500)), "highpass", fs=SONG_RATE_HZ, output="sos")
    return DrumKit(
        kick_hz=float(rng.uniform(42, 62)),
        kick_decay_s=float(rng.uniform(0.09, 0.22)),
        snare_hz=float(rng.uniform(160, 240)),
        snare_decay_s=float(rng.uniform(0.06, 0.16)),
        hat_decay_s=float(rng.uniform(0.015, 0.05)),
        tom_hz=float(rng.uniform(80, 150)),
        body_noise=_loudest_one(sosfilt(body, noise)),
        hat_noise=_loudest_one(sosfilt(high, noise)),
    )


def strike(kit: DrumKit, piece: int, velocity: float, rng: np.random.Generator) -> Pcm:
    """Sound one hit.

    Args:
        kit: the song's kit.
        piece: one of the drum numbers of `airledger.testing.composing`.
        velocity: 0..1.
        rng: moves pitch and noise a little from hit to hit.

    Returns:
        float32 (n,) at 44.1 kHz, up to 0.6 s.
    """
    wander = float(rng.uniform(0.97, 1.03))
    if piece == KICK:
        sound = _drop(kit.kick_hz * wander, 4.0, 0.03, kit.kick_decay_s) + 0.25 * _burst(kit.body_noise, 0.004, rng)
    elif piece == SNARE:
        tone = _drop(kit.snare_hz * wander, 1.4, 0.02, kit.snare_decay_s * 0.6)
        sound = 0.5 * tone + 0.8 * _burst(kit.body_noise, kit.snare_decay_s, rng)
    elif piece in {HAT, OPEN_HAT}:
        sound = 0.45 * _burst(kit.hat_noise, kit.hat_decay_s * (6 if piece == OPEN_HAT else 1), rng)
    else:
        sound = 0.9 * _drop(kit.tom_hz * wander * float(rng.choice([1.0, 1.25, 1.5])), 1.6, 0.05, 0.14)
    return np.asarray(sound * np.float32(velocity), dtype=np.float32)


HIT_LENGTH = int(0.6 * SONG_RATE_HZ)
_AT = (np.arange(HIT_LENGTH) / SONG_RATE_HZ).astype(np.float32)


def _drop(frequency_hz: float, rise: float, sweep_s: float, decay_s: float) -> Pcm:
    bend = (rise - 1) * sweep_s * (1 - np.exp(-_AT / np.float32(sweep_s)))
    cycles = np.float32(frequency_hz) * (_AT + bend)
    return np.asarray(np.sin(2 * np.pi * cycles) * np.exp(-_AT / np.float32(decay_s)), dtype=np.float32)


def _burst(noise: Pcm, decay_s: float, rng: np.random.Generator) -> Pcm:
    start = int(rng.integers(len(noise) - HIT_LENGTH))
    return np.asarray(noise[start : start + HIT_LENGTH] * np.exp(-_AT / np.float32(decay_s)), dtype=np.float32)


def _loudest_one(noise: npt.NDArray[np.floating[Any]]) -> Pcm:
    return np.asarray(noise / (3 * np.std(noise)), dtype=np.float32)
