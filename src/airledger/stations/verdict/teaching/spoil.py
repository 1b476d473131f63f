"""Lessons in quality: real sound, spoilt in known ways, and how far from what it had been it ends up.

The label compares what arrived with what was sent off, so it needs no ear: the levels of 36 bands of 40 ms frames, at
most 15 dB apart each, over all frames that sound. Their mean distance of 0 dB is quality 1, of 10 dB and more 0.
Dropouts are short and so hardly move that mean, though nobody overhears them: each one a minute costs 0.02, up to 0.6.
The label measures fidelity; no people rated anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.audio.fidelity import bandwidth_hz
from airledger.audio.mfcc import mel_filters
from airledger.audio.short_time import power_spectra
from airledger.audio.sound_vector import sound_vector
from airledger.learning.quality_predictor import sent_values
from airledger.stations.verdict.eyes import Eyes
from airledger.stations.verdict.teaching.pieces import MUSIC, Source, level_dbfs, music_pieces, narrow, resampled
from airledger.stations.verdict.teaching.send import SENDINGS, send

F32 = NDArray[np.float32]
Generator = np.random.Generator

STUDIO_HZ = 44_100
PIECE_S = 8
WIDE_HZ = 14_000.0
FRAME = 1_764
BANDS, HIGHEST_HZ = 36, 16_000.0
MOST_DB, WORST_DB = 15.0, 10.0
SOUNDING_DB = 50.0
COST_OF_GAP, MOST_COST_OF_GAPS = 0.02, 0.6
LONGEST_DELAY_S = 0.2


@dataclass(frozen=True)
class QualityLesson:
    """One piece as it arrived: its vector (`sound_vector` and `sent_values`), and its quality."""

    quality: float
    source: str
    is_test: bool
    vector: F32


def quality_lessons(
    sources: list[Source], eyes: Eyes, seed: int, *, is_test: bool, count: int
) -> Iterator[QualityLesson]:
    """Draw lessons in quality for one half of the sources.

    Only music of full bandwidth is taken: what is narrow already has no known quality.
    """
    rng = np.random.default_rng([seed, int(is_test), 2])
    music = [one for one in sources if one.kind == MUSIC and one.is_test == is_test]
    cutters = [(one.name, music_pieces(one, eyes, rng, PIECE_S, STUDIO_HZ)) for one in music]
    given = 0
    while given < count and cutters:
        for each in list(cutters):
            piece = next(each[1], None)
            if piece is None:
                cutters.remove(each)
            elif bandwidth_hz(piece, STUDIO_HZ) >= WIDE_HZ and given < count:
                given += 1
                yield _lesson(each[0], piece, eyes, rng, is_test=is_test)


def _lesson(source: str, piece: F32, eyes: Eyes, rng: Generator, *, is_test: bool) -> QualityLesson:
    level = 10 ** ((rng.uniform(-26, -14) - level_dbfs(piece)) / 20)
    clean = np.clip(piece * np.float32(level), -0.99, 0.99).astype(np.float32)
    spoilt, gaps = spoil(clean, rng)
    codec = str(rng.choice(["mp3", "aac", "opus", "flac", "flac"]))
    sent = send(spoilt, eyes, rng, rate_hz=STUDIO_HZ, codec=codec)
    got = resampled(sent.pcm.mean(axis=1), sent.seen.rate_hz, STUDIO_HZ)
    label = quality_of(clean, got, gaps * 60 / PIECE_S)
    kbps = sent.kbps if SENDINGS[codec].bitrates_kbps else 0.0
    heard = sound_vector(sent.pcm, sent.seen.rate_hz, narrow(sent.pcm.mean(axis=1), sent.seen.rate_hz))
    return QualityLesson(label, source, is_test, np.concatenate([heard, sent_values(sent.seen.codec, kbps)]))


def spoil(sound: F32, rng: Generator) -> tuple[F32, int]:
    """Spoil sound in up to two of four ways, or not at all; give it and the number of holes in it."""
    gaps = 0
    for way in rng.permutation(4)[: int(rng.choice([0, 1, 1, 2]))]:
        if way == 0:
            sound = np.clip(sound * 10 ** (rng.uniform(3, 24) / 20), -0.9, 0.9).astype(np.float32)
        elif way == 1:
            gaps = int(rng.integers(1, 13))
            sound = _with_holes(sound, gaps, rng)
        elif way == 2:  # noqa: PLR2004  the third way
            noise = rng.standard_normal(len(sound)).astype(np.float32)
            sound = sound + noise * np.float32(10 ** ((level_dbfs(sound) - rng.uniform(8, 50)) / 20))
        else:
            low_hz = int(rng.choice([8_000, 11_025, 16_000, 22_050]))
            sound = resampled(resampled(sound, STUDIO_HZ, low_hz), low_hz, STUDIO_HZ)[: len(sound)]
    return np.clip(sound, -1, 1).astype(np.float32), gaps


def quality_of(clean: F32, got: F32, gaps_per_minute: float) -> float:
    """Say how near what arrived is to what was sent off, 0 to 1; see this file's head."""
    early, late = aligned(clean, got)
    filters = mel_filters(FRAME, STUDIO_HZ, BANDS, 50.0, HIGHEST_HZ)
    power = power_spectra(early, FRAME, FRAME // 2) @ filters
    other = power_spectra(late, FRAME, FRAME // 2) @ filters
    other *= power.sum() / max(float(other.sum()), 1e-12)
    floor = float(power.max()) * 10 ** (-7.0)
    sounding = power.sum(axis=1) > float(power.sum(axis=1).max()) * 10 ** (-SOUNDING_DB / 10)
    apart = np.abs(10 * np.log10((power[sounding] + floor) / (other[sounding] + floor)))
    distance = float(np.minimum(apart, MOST_DB).mean()) if sounding.any() else WORST_DB
    fidelity = max(0.0, 1 - distance / WORST_DB)
    return fidelity * (1 - min(MOST_COST_OF_GAPS, COST_OF_GAP * gaps_per_minute))


def aligned(clean: F32, got: F32) -> tuple[F32, F32]:
    """Cut what codecs add in front, up to 0.2 s, by the best correlation."""
    longest = int(LONGEST_DELAY_S * STUDIO_HZ)
    size = 1 << int(np.ceil(np.log2(len(clean) + len(got))))
    likeness = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(clean, size)), size)
    lags = np.concatenate([likeness[:longest], likeness[-longest:]])
    best = int(np.argmax(lags))
    delay = best if best < longest else best - 2 * longest
    early, late = (clean, got[delay:]) if delay >= 0 else (clean[-delay:], got)
    length = min(len(early), len(late))
    return early[:length], late[:length]


def _with_holes(sound: F32, count: int, rng: Generator) -> F32:
    holed = sound.copy()
    for _ in range(count):
        length = int(rng.uniform(0.01, 0.25) * STUDIO_HZ)
        start = int(rng.integers(len(sound) - length))
        holed[start : start + length] = 0
    return holed
