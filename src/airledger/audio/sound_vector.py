"""The vector that learned verification sees of a piece of sound: named, versioned columns.

`SOUND_COLUMNS` is a contract with trained models: a change of any column, or of how one is computed, needs another
`SOUND_VERSION`, and models trained anew.

What tells kinds of sound apart is computed at 8 kHz, so that a studio stream and a telephone line are judged by the
same; what tells quality is computed at the rate that the stream was sent with.
"""

from dataclasses import astuple, fields

import numpy as np
from numpy.typing import NDArray

from airledger.audio.features import SILENCE_DBFS, SOUND_RATE_HZ, level_dbfs, pause_share
from airledger.audio.fidelity import Fidelity, measure_fidelity
from airledger.audio.loop import measure_loop
from airledger.audio.loudness import loudness_lufs
from airledger.audio.mfcc import log_mel, mel_filters, mfcc
from airledger.audio.short_time import (
    bin_frequencies,
    centroid_hz,
    crossing_rate,
    flatness,
    flux,
    power_spectra,
    rolloff_hz,
)
from airledger.audio.texture import HELD_LAGS, beat_strength, fine_structure, held, in_blocks, modulation_shares

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SOUND_VERSION = "sound-1"
LEAST_S = 4.0
SIZE, HOP = 256, 128
LONG_SIZE = 512
FRAMES_PER_S = SOUND_RATE_HZ / HOP
BANDS, COEFFICIENTS = 26, 13
LOWEST_HZ, HIGHEST_HZ = 100.0, 3800.0
BLOCK_S = 2.0
DEPTH_DB = 60.0
LOOP_S = (2.0, 30.0)
WIDE_FRAME_S = 0.04
_SPREAD = (10, 50, 90)

SOUND_COLUMNS: tuple[str, ...] = (
    *(one.name for one in fields(Fidelity)),
    "loudness_lufs",
    *(f"wide_{name}_{how}" for name in ("centroid_hz", "rolloff_hz", "flatness") for how in ("mean", "std")),
    "sample_rate_hz",
    *(f"mfcc_{number}_mean" for number in range(1, COEFFICIENTS)),
    *(f"mfcc_{number}_std" for number in range(COEFFICIENTS)),
    *(f"mfcc_{number}_change" for number in range(COEFFICIENTS)),
    *(
        f"{name}_{how}"
        for name in ("centroid_hz", "rolloff_hz", "flatness", "crossings", "flux", "loudest_bin", "level_db")
        for how in ("mean", "std")
    ),
    "crossings_skew",
    "loudest_second_dbfs",
    "silent_seconds",
    "pauses",
    *(f"swing_{number}" for number in range(5)),
    *(f"held_{lag}" for lag in HELD_LAGS),
    "beat",
    *(f"{name}_p{share}" for name in ("pauses", "held", "flux", "flatness", "level_db") for share in _SPREAD),
    "loop_period_s",
    "loop_likeness",
)


WINDOW_VERSION = "window-1"
WINDOW_S, WINDOW_STEP_S = 3, 2
WINDOW_COLUMNS = SOUND_COLUMNS[SOUND_COLUMNS.index("mfcc_1_mean") : SOUND_COLUMNS.index("loop_period_s")]


def window_vectors(narrow: F32) -> F32:
    """Describe sound window by window: 3 s every 2 s, by `WINDOW_COLUMNS`, all of which are computed at 8 kHz.

    Args:
        narrow: float32[n], mono at 8 kHz, full scale ±1, at least 3 s.

    Returns:
        float32[windows, len(WINDOW_COLUMNS)], all finite.

    Raises:
        ValueError: It is shorter than a window.
    """
    size, step = WINDOW_S * SOUND_RATE_HZ, WINDOW_STEP_S * SOUND_RATE_HZ
    if len(narrow) < size:
        raise ValueError(f"A window of sound lasts {WINDOW_S} s.")
    windows = [narrow[at : at + size] for at in range(0, len(narrow) - size + 1, step)]
    rows = np.array([_narrow(one - one.mean()) for one in windows], np.float32)
    return np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)


def sound_vector(pcm: F32, rate_hz: int, narrow: F32) -> F32:
    """Describe a piece of sound.

    Args:
        pcm: float32[n, channels], one or two channels, full scale ±1, at least 4 s.
        rate_hz: Its sample rate.
        narrow: The same sound as float32[m], mono at 8 kHz (`resample.to_8k`).

    Returns:
        float32[len(SOUND_COLUMNS)], all finite.

    Raises:
        ValueError: It is shorter than 4 s.
    """
    if len(narrow) < LEAST_S * SOUND_RATE_HZ:
        raise ValueError(f"A piece of sound needs at least {LEAST_S:g} s.")
    values = [
        *astuple(measure_fidelity(pcm, rate_hz)),
        loudness_lufs(pcm, rate_hz),
        *_wide(pcm.mean(axis=1), rate_hz),
        float(rate_hz),
        *_narrow(narrow - narrow.mean()),
        *measure_loop(narrow, *LOOP_S),
    ]
    return np.nan_to_num(np.array(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _wide(mono: F32, rate_hz: int) -> list[float]:
    size = 2 * round(rate_hz * WIDE_FRAME_S / 2)
    power = _sounding(power_spectra(mono, size, size))
    frequencies = bin_frequencies(size, rate_hz)
    return _means_and_spreads(centroid_hz(power, frequencies), rolloff_hz(power, frequencies), flatness(power))


def _narrow(sound: F32) -> list[float]:
    every = power_spectra(sound, SIZE, HOP)
    loud = _sounding(every)
    frequencies = bin_frequencies(SIZE, SOUND_RATE_HZ)
    levels = log_mel(every, mel_filters(SIZE, SOUND_RATE_HZ, BANDS, LOWEST_HZ, HIGHEST_HZ))
    coefficients = mfcc(np.maximum(levels, levels.max() - DEPTH_DB), COEFFICIENTS)
    crossings = crossing_rate(sound, SIZE, HOP)
    change = flux(every)
    frame_db = 10 * np.log10(every.sum(axis=1) + 1e-9)
    frame_db = np.maximum(frame_db, frame_db.max() - DEPTH_DB)
    fine = fine_structure(power_spectra(sound, LONG_SIZE, HOP))
    seconds = level_dbfs(sound)
    return [
        *coefficients[:, 1:].mean(axis=0),
        *coefficients.std(axis=0),
        *np.abs(np.diff(coefficients, axis=0)).mean(axis=0),
        *_means_and_spreads(
            centroid_hz(loud, frequencies),
            rolloff_hz(loud, frequencies),
            flatness(loud),
            crossings,
            change,
            loud.max(axis=1) / np.maximum(loud.sum(axis=1), 1e-12),
            frame_db - frame_db.max(),
        ),
        _skew(crossings),
        float(seconds.max()),
        float((seconds < SILENCE_DBFS).mean()),
        pause_share(sound),
        *modulation_shares(np.maximum(levels, levels.max() - DEPTH_DB), FRAMES_PER_S),
        *(float(held(fine, lag).mean()) for lag in HELD_LAGS),
        beat_strength(change, FRAMES_PER_S),
        *_spreads(sound, held(fine, HELD_LAGS[-1]), change, flatness(every), frame_db - frame_db.max()),
    ]


def _sounding(power: F64) -> F64:
    """Leave out frames that are 50 dB below the loudest: their spectra are those of pauses."""
    energy = power.sum(axis=1)
    kept = power[energy > energy.max() * 1e-5]
    return kept if len(kept) else power


def _means_and_spreads(*series: F64) -> list[float]:
    return [float(how) for one in series for how in (one.mean(), one.std())]


def _spreads(sound: F32, *series: F64) -> list[float]:
    """How blocks of 2 s differ from each other, as percentiles: programmes that alternate show here."""
    block = int(BLOCK_S * SOUND_RATE_HZ)
    pauses = np.array([pause_share(sound[at : at + block]) for at in range(0, len(sound) - block + 1, block)])
    blocks = [pauses, *(in_blocks(one, round(BLOCK_S * FRAMES_PER_S)) for one in series)]
    return [float(value) for one in blocks for value in np.percentile(one, _SPREAD)]


def _skew(values: F64) -> float:
    spread = float(values.std())
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
