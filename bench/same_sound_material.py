"""What the same-sound bench compares: programmes as they are sent twice, and what only looks like it.

A programme is some minutes of music and talk. It is sent in nine ways (codec, bitrate, level, bandwidth, radio
processing, delay, a clock that drifts); and there are programmes that share something with it without being it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from airledger.audio.resample import to_8k
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import Peaks, extract, strongest
from airledger.fingerprint.same_sound import PEAKS_PER_S
from airledger.testing.encode import encode
from airledger.testing.voice import speak

F32 = NDArray[np.float32]
RATE_HZ = 24_000
WAYS = 9
LOOK_S = 180.0
MARGIN_S = 60.0  # before and behind a look: what delayed copies carry
MOST_LATE_S = 44.0  # so that any two lie within the greatest delay
WHOLE_S = LOOK_S + 2 * MARGIN_S
CODECS = (
    ("mp3", 24), ("mp3", 64), ("mp3", 128), ("mp3", 320), ("adts", 32), ("adts", 48), ("adts", 128), ("opus", 24),
    ("opus", 32), ("opus", 64), ("ogg", 64),
)  # fmt: skip
NEWS_S = 80.0
NEWS = slice(round((MARGIN_S + 60) * RATE_HZ), round((MARGIN_S + 60 + NEWS_S) * RATE_HZ))
SHARING = ("order", "alignment", "speed", "news", "jingles", "song")


@dataclass(frozen=True, eq=False)
class Sent:
    """What one stream carried in a look.

    Attributes:
        programme: Which programme; streams of one programme are pairs.
        kind: `sent` for the programme itself, else what it shares with it.
        how: Codec and the like, for the table.
        peaks: As listeners keep them.
        delay_s: How much later it has the programme.
    """

    programme: int
    kind: str
    how: str
    peaks: Peaks
    delay_s: float = 0.0


class Records:
    """Music and talk to make programmes of."""

    def __init__(self, music: Sequence[Path], talk: Sequence[Path]) -> None:
        self._music, self._talk = list(music), list(talk)

    def song(self, number: int, seconds: float) -> F32:
        """So many seconds of a piece of music, from its beginning; round and round where it is shorter."""
        pcm = _decoded(self._music[number % len(self._music)], seconds)
        return np.resize(pcm, round(seconds * RATE_HZ)).astype(np.float32)

    def speech(self, number: int, seconds: float) -> F32:
        """So many seconds of talk: recorded prompts where there are some, else the demo's announcer."""
        if self._talk:
            chance = np.random.default_rng([3, number])
            parts: list[F32] = []
            while sum(map(len, parts)) < seconds * RATE_HZ:
                spoken = _decoded(self._talk[int(chance.integers(len(self._talk)))], 30.0)
                parts += [spoken, np.zeros(int(0.25 * RATE_HZ), np.float32)]
        else:
            parts = [
                signal.resample_poly(speak(5, 1000 * number + part), 320, 441).astype(np.float32) for part in range(40)
            ]
        return np.resize(np.concatenate(parts), round(seconds * RATE_HZ)).astype(np.float32)

    @property
    def songs(self) -> int:
        """How many pieces of music there are."""
        return len(self._music)


def sendings(records: Records, number: int) -> Iterator[Sent]:
    """One programme in nine ways, and what shares something with it."""
    chance = np.random.default_rng([11, number])
    parts = _parts(records, number, chance)
    whole = _spliced(parts)
    whole[NEWS] = records.speech(7_000 + number, NEWS_S)
    for way in range(WAYS):
        yield _sent(number, whole, way)
    other = _spliced(_parts(records, number + records.songs // 6, np.random.default_rng([12, number])))
    for sharing in SHARING:
        made = _look(_shared(parts, whole, other.copy(), sharing, chance), 0.0)
        yield Sent(number, sharing, "uncompressed", _peaks(to_8k(made, RATE_HZ)))


def _sent(number: int, whole: F32, way: int) -> Sent:
    """One programme as one stream has it."""
    chance = np.random.default_rng([11, number, way])
    delay_s = 0.0 if way == 0 else float(chance.uniform(-MOST_LATE_S, MOST_LATE_S))
    kind, kbps = CODECS[int(chance.integers(len(CODECS)))]
    sound, processed = _processed(_look(whole, delay_s), way, chance)
    return Sent(number, "sent", f"{kind} {kbps}{processed}", _peaks(_through(sound, kind, kbps)), delay_s)


def artificial() -> Iterator[Sent]:
    """What no programme is: silence, tones, hum, noise nobody hears, a test signal."""
    time_s = np.arange(round(LOOK_S * RATE_HZ)) / RATE_HZ
    chance = np.random.default_rng(4)
    sounds = {
        "silence": np.zeros(len(time_s)),
        "dither": 1e-4 * chance.standard_normal(len(time_s)),
        "hum": 0.002 * np.sin(2 * np.pi * 150 * time_s),
        "tone": 0.5 * np.sin(2 * np.pi * 1_000 * time_s),
        "tones": 0.2 * np.sum([np.sin(2 * np.pi * hz * time_s) for hz in (261.6, 329.6, 392.0)], axis=0),
        "beeps": 0.5 * np.sin(2 * np.pi * 1_000 * time_s) * (time_s % 1 < 0.1),
    }
    for number, (name, sound) in enumerate(sounds.items()):
        yield Sent(-1 - number, "artificial", name, _peaks(to_8k(sound.astype(np.float32), RATE_HZ)))


def _parts(records: Records, number: int, chance: np.random.Generator) -> list[F32]:
    """Songs with talk between them: what is aired, in order."""
    parts: list[F32] = []
    left_s, song = WHOLE_S, 3 * number
    while left_s > 0:
        seconds = float(chance.uniform(60, 120))
        parts += [records.song(song, seconds), records.speech(100 * number + song, float(chance.uniform(6, 20)))]
        left_s -= sum(len(part) for part in parts[-2:]) / RATE_HZ
        song += 1
    return parts


def _spliced(parts: Sequence[F32]) -> F32:
    return np.resize(np.concatenate(parts), round(WHOLE_S * RATE_HZ)).astype(np.float32)


def _look(whole: F32, delay_s: float) -> F32:
    begin = round((MARGIN_S - delay_s) * RATE_HZ)
    return whole[begin : begin + round(LOOK_S * RATE_HZ)]


def _shared(parts: list[F32], whole: F32, other: F32, sharing: str, chance: np.random.Generator) -> F32:
    """Another programme that has something of this one; `other` may be changed."""
    samples = len(whole)
    if sharing == "order":
        return _spliced(parts[::-1])
    if sharing == "alignment":  # the song that is on comes again, somewhat later, among other things
        song, at = parts[2], round((MARGIN_S + chance.uniform(20, 70)) * RATE_HZ)
        return np.concatenate([other[:at], song, other[at:]])[:samples]
    if sharing == "speed":
        factor = 1 + float(chance.choice([-0.04, -0.02, 0.015, 0.03]))
        stretched: F32 = np.interp(np.arange(samples) * factor, np.arange(samples), whole).astype(np.float32)
        return stretched
    if sharing == "news":
        other[NEWS] = whole[NEWS]
        return other
    if sharing == "jingles":
        for at in range(0, samples, 40 * RATE_HZ):
            other[at : at + 6 * RATE_HZ] = whole[at : at + 6 * RATE_HZ]
        return other
    begin, end = round((MARGIN_S + 30) * RATE_HZ), round((MARGIN_S + 140) * RATE_HZ)
    return np.concatenate([other[:begin], whole[begin:end], other[end:]])  # one song at one moment on both


def _processed(sound: F32, way: int, chance: np.random.Generator) -> tuple[F32, str]:
    """What chains do on the way: level, a processor, a narrow band, a clock that drifts."""
    level_db = float(chance.uniform(-20, 0))
    made = sound * np.float32(10 ** (level_db / 20))
    told = f", {level_db:.0f} dB"
    if way % 3 == 1:
        drift = float(chance.uniform(-2e-4, 2e-4))
        samples = np.arange(len(made))
        made = np.interp(samples * (1 + drift), samples, made).astype(np.float32)
        told += f", drift {drift * 1e6:.0f} ppm"
    if way % 3 == 2:  # a multiband processor, roughly: bass and presence up, then squashed
        low = signal.sosfilt(signal.butter(2, 150, "lowpass", fs=RATE_HZ, output="sos"), made)
        high = signal.sosfilt(signal.butter(2, 3_000, "highpass", fs=RATE_HZ, output="sos"), made)
        loud = made + 0.5 * low + 0.5 * high
        made = (0.7 * np.tanh(3 * loud / (np.abs(loud).max() + 1e-9))).astype(np.float32)
        told += ", processed"
    if way % 3 == 0 and chance.random() < 0.5:
        band = signal.butter(4, [200, 3_500], "bandpass", fs=RATE_HZ, output="sos")
        made = signal.sosfilt(band, made).astype(np.float32)
        told += ", narrow"
    return made, told


def _through(sound: F32, kind: str, kbps: int) -> F32:
    """Sound encoded and decoded again, at 8 kHz."""
    coded = encode(np.clip(sound, -1, 1), RATE_HZ, kind, bitrate_kbps=kbps)
    blocks: list[F32] = []
    with av.open(BytesIO(coded), "r") as container:
        for frame in container.decode(audio=0):
            blocks.append(frame.to_ndarray()[0].astype(np.float32))  # both channels of Vorbis are the same
            rate = frame.sample_rate
    return to_8k(np.concatenate(blocks), rate)


def _peaks(sound: F32) -> Peaks:
    return strongest(extract(sound, PROFILES["balanced"], dense="query"), PEAKS_PER_S)


def _decoded(path: Path, seconds: float) -> F32:
    """The first seconds of a file, mono; at least one."""
    blocks: list[F32] = []
    had = 0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        for frame in container.decode(audio=0):
            for each in resampler.resample(frame):
                blocks.append(each.to_ndarray()[0])
                had += len(blocks[-1])
            if had >= seconds * RATE_HZ:
                break
    pcm = np.concatenate(blocks) if blocks else np.zeros(RATE_HZ, np.float32)
    return (pcm * np.float32(0.5 / (np.abs(pcm).max() + 1e-6))).astype(np.float32)
