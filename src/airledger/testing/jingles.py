"""Station jingles: 3 to 8 seconds, a short bright tune with a hit at the end."""

from __future__ import annotations

import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ, Pcm, amplitude, level_dbfs
from airledger.testing.timbres import draw_timbre, play_note

LEVEL_DBFS = -15.0
_CHORD = (0, 4, 7, 11, 12, 16)


def make_jingle(seed: int, number: int) -> Pcm:
    """Make a jingle.

    Args:
        seed: the library's seed.
        number: which of them.

    Returns:
        float32 (n,) at 44.1 kHz, 3 to 8 s.
    """
    rng = np.random.default_rng([seed, number, 11])
    length_s = float(rng.uniform(3.0, 7.8))
    sound = np.zeros(int(length_s * SONG_RATE_HZ), dtype=np.float32)
    bell, pad = draw_timbre(rng, "lead"), draw_timbre(rng, "chords")
    tonic, beat_s = int(rng.integers(60, 72)), length_s / float(rng.integers(8, 13))
    at_s = 0.0
    while at_s < length_s - 1.5:
        _add(sound, at_s, play_note(bell, tonic + int(rng.choice(_CHORD)), beat_s, 0.5, float(rng.random())))
        at_s += beat_s * float(rng.choice([0.5, 0.5, 1.0, 1.5]))
    for step in _CHORD[:4]:
        _add(sound, max(0.0, length_s - 1.5), play_note(pad, tonic - 12 + step, 1.2, 0.4, float(rng.random())))
        _add(sound, 0.0, play_note(pad, tonic - 24 + step, length_s - 1.6, 0.2, float(rng.random())))
    fade = int(0.2 * SONG_RATE_HZ)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(np.clip(sound * amplitude(LEVEL_DBFS - level_dbfs(sound)), -0.999, 0.999), dtype=np.float32)


def _add(bus: Pcm, at_s: float, sound: Pcm) -> None:
    at = int(at_s * SONG_RATE_HZ)
    end = min(at + len(sound), len(bus))
    bus[at:end] += sound[: end - at]
