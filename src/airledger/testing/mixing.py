"""Mix a composition to sound: play every note, add room, glue and level, as a produced record has them."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, oaconvolve, sosfilt

from airledger.testing.composing import TICKS_PER_BEAT, Composition, Note, Style
from airledger.testing.drumkit import DrumKit, draw_kit, strike
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, amplitude, level_dbfs
from airledger.testing.timbres import Timbre, draw_timbre, play_note

TAIL_S = 1.2
PROGRAMME_LEVEL_DBFS = -16.0
FADE_S = 6.0
GAINS = {"lead": 0.34, "chords": 0.15, "bass": 0.42, "drums": 0.5}


def mix(composition: Composition) -> Pcm:
    """Render a composition.

    Args:
        composition: what to play.

    Returns:
        float32 (n,) at 44.1 kHz, about -16 dBFS RMS, peaks below full scale. The same samples for the same
        composition.
    """
    rng = np.random.default_rng(composition.style.seed)
    instruments = {role: draw_timbre(rng, role) for role in ("lead", "chords", "bass")}
    kit = draw_kit(rng)
    count = int((composition.lead_in_s + composition.bar_s * len(composition.bars) + TAIL_S) * SONG_RATE_HZ)
    pitched, rhythm = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    for index, bar in enumerate(composition.bars):
        bar_at_s = composition.lead_in_s + index * composition.bar_s
        for note in bar.notes:
            at = int((bar_at_s + _note_s(composition.style, note.start_ticks, rng)) * SONG_RATE_HZ)
            _add(rhythm if note.part == "drums" else pitched, at, _sound(note, composition, instruments, kit, rng))
    return _master(_room(pitched, rng) + rhythm, rng, fades=composition.fades)


def _note_s(style: Style, ticks: int, rng: np.random.Generator) -> float:
    """Swing the off-beats and let the player be up to 6 ms off: people are."""
    late = style.swing * TICKS_PER_BEAT / 2 if ticks % TICKS_PER_BEAT == TICKS_PER_BEAT // 2 else 0.0
    return (ticks + late) / TICKS_PER_BEAT * 60.0 / style.tempo_bpm + float(rng.uniform(0, 0.006))


def _sound(
    note: Note, composition: Composition, instruments: dict[str, Timbre], kit: DrumKit, rng: np.random.Generator
) -> Pcm:
    gain = np.float32(GAINS[note.part])
    if note.part == "drums":
        return strike(kit, note.pitch, note.velocity, rng) * gain
    length_s = note.length_ticks / TICKS_PER_BEAT * 60.0 / composition.style.tempo_bpm * float(rng.uniform(0.85, 1.0))
    return play_note(instruments[note.part], note.pitch, length_s, note.velocity, float(rng.random())) * gain


def _add(bus: Pcm, at: int, sound: Pcm) -> None:
    end = min(at + len(sound), len(bus))
    bus[at:end] += sound[: end - at]


def _room(dry: Pcm, rng: np.random.Generator) -> Pcm:
    decay_s = float(rng.uniform(0.08, 0.35))
    length = int(min(4 * decay_s, 0.9) * SONG_RATE_HZ)
    falling = np.exp(np.arange(length, dtype=np.float32) * np.float32(-1 / (decay_s * SONG_RATE_HZ)))
    reflections = rng.standard_normal(length).astype(np.float32) * falling
    reflections /= np.sqrt(np.sum(np.square(reflections)))
    wet = oaconvolve(dry, reflections)[: len(dry)]
    return np.asarray(dry + np.float32(rng.uniform(0.15, 0.4)) * wet, dtype=np.float32)


def _master(sound: Pcm, rng: np.random.Generator, *, fades: bool) -> Pcm:
    clean = sosfilt(butter(2, 30, "highpass", fs=SONG_RATE_HZ, output="sos").astype(np.float32), sound)
    driven = np.tanh(clean * np.float32(amplitude(-11.0 - level_dbfs(np.asarray(clean))) * rng.uniform(0.8, 1.3)))
    level = np.asarray(driven * np.float32(amplitude(PROGRAMME_LEVEL_DBFS - level_dbfs(driven))), dtype=np.float32)
    ending = int((FADE_S if fades else TAIL_S / 2) * SONG_RATE_HZ)
    level[-ending:] *= np.linspace(1, 0, ending, dtype=np.float32) ** np.float32(2 if fades else 1)
    return np.asarray(np.clip(level, -0.999, 0.999), dtype=np.float32)
