"""What a broadcast does to sound: the conditions of the recognition bench. float32 mono at 44.1 kHz in and out."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.voice import speak

F32 = NDArray[np.float32]
RATE_HZ = SONG_RATE_HZ
QUERY_S = 20
_RADIO = (
    "highpass=f=40,bass=g=3:f=90,equalizer=f=3200:t=q:w=1:g=3,treble=g=3:f=8000,"
    "acompressor=threshold=0.06:ratio=6:attack=5:release=80:makeup=4,alimiter=limit=0.8:attack=2:release=40,"
    "lowpass=f=15000"
)


def conditions(sound: F32, number: int) -> Iterator[tuple[str, F32]]:
    """An excerpt under each condition.

    Args:
        sound: 30 s of a song; conditions that play faster need more than the 20 s of a query.
        number: seeds noise and speech.
    """
    plain = sound[: QUERY_S * RATE_HZ]
    rng = np.random.default_rng([20_261, number])
    yield from _with_shorter("clean", plain)
    for level_db in (10, 5, 0):
        made = _mixed(plain, rng.standard_normal(len(plain)), -level_db)
        yield from _with_shorter("noise_5", made) if level_db == 5 else [(f"noise_{level_db}", made)]
    for level_db in (-6, 0):
        made = _mixed(plain, _speech(number, len(plain)), level_db)
        yield from _with_shorter("voice_0", made) if level_db == 0 else [(f"voice_{level_db}", made)]
    for percent in (1, 2, 4, -2):
        yield f"speed{percent:+d}", _faster(sound, percent)
    yield "tel_8k", _telephone(plain)
    if shutil.which("ffmpeg"):
        yield from _coded(sound, plain)


def _coded(sound: F32, plain: F32) -> Iterator[tuple[str, F32]]:
    """What takes FFmpeg: codecs, radio processing, tempo and pitch."""
    yield from _with_shorter("mp3_64", _through(plain, ["-b:a", "64k"], "mp3"))
    yield "aac_48", _through(plain, ["-b:a", "48k"], "m4a")
    yield "opus_32", _through(plain, ["-b:a", "32k"], "opus")
    yield "radio", _through(plain, ["-af", _RADIO], "wav")
    on_air = _through(_faster(sound, 1), ["-af", _RADIO], "wav")
    yield from _with_shorter("radio_sp1_aac48", _through(on_air, ["-b:a", "48k"], "m4a"))
    yield "tempo+3", _through(sound, ["-af", "atempo=1.03"], "wav")[: QUERY_S * RATE_HZ]
    yield "pitch+1st", _through(plain, ["-af", "asetrate=46722,aresample=44100,atempo=0.943874"], "wav")


def on_air(sound: F32) -> F32:
    """Radio processing alone, for negatives; the sound as it is without FFmpeg."""
    return _through(sound, ["-af", _RADIO], "wav") if shutil.which("ffmpeg") else sound


def speech(number: int) -> F32:
    """20 s of made-up speech."""
    return _speech(number, QUERY_S * RATE_HZ).astype(np.float32)


def artificial() -> Iterator[tuple[str, F32]]:
    """What no song is: silence, tones, a sweep, noise, clicks, a chord."""
    time_s = np.arange(QUERY_S * RATE_HZ) / RATE_HZ
    rng = np.random.default_rng(11)
    made: dict[str, Callable[[], NDArray[np.floating]]] = {
        "silence": lambda: np.zeros(len(time_s)),
        "tone": lambda: 0.5 * np.sin(2 * np.pi * 440 * time_s),
        "sweep": lambda: 0.5 * signal.chirp(time_s, 50, QUERY_S, 10_000),
        "noise": lambda: 0.1 * rng.standard_normal(len(time_s)),
        "clicks": lambda: 0.9 * (rng.random(len(time_s)) < 1e-4),
        "square": lambda: 0.3 * signal.square(2 * np.pi * 110 * time_s),
        "chord": lambda: 0.2 * np.sum([np.sin(2 * np.pi * hz * time_s) for hz in (261.6, 329.6, 392.0)], axis=0),
    }
    for name, make in made.items():
        yield name, make().astype(np.float32)


def _with_shorter(name: str, sound: F32) -> Iterator[tuple[str, F32]]:
    yield name, sound
    for seconds in (10, 5):
        yield f"{name}@{seconds}", sound[: seconds * RATE_HZ]


def _rms(sound: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) + 1e-9


def _mixed(sound: F32, other: NDArray[np.floating], level_db: float) -> F32:
    """Something else over it, `level_db` louder than it; turned down where it would clip."""
    mixed = sound + other * (_rms(sound) / _rms(other) * 10 ** (level_db / 20))
    return np.asarray(mixed * min(1.0, 0.97 / float(np.abs(mixed).max())), np.float32)


def _speech(number: int, samples: int) -> NDArray[np.floating]:
    parts = [speak(77, 100 * number + part) for part in range(3)]
    return np.resize(np.concatenate(parts), samples)


def _faster(sound: F32, percent: int) -> F32:
    return signal.resample_poly(sound, 100, 100 + percent).astype(np.float32)[: QUERY_S * RATE_HZ]


def _telephone(sound: F32) -> F32:
    band = signal.butter(6, [300, 3400], "bandpass", fs=8000, output="sos")
    heard = signal.sosfilt(band, signal.resample_poly(sound, 80, 441))
    heard /= np.abs(heard).max() + 1e-9
    coded = np.round(np.sign(heard) * np.log1p(255 * np.abs(heard)) / np.log(256) * 127) / 127
    decoded = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
    return (0.5 * signal.resample_poly(decoded, 441, 80)).astype(np.float32)


def _through(sound: F32, arguments: list[str], kind: str) -> F32:
    """Sound encoded or filtered by FFmpeg, and decoded again."""
    raw = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"made.{kind}")
        ffmpeg = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1"]
        subprocess.run([*ffmpeg, *raw, "-i", "pipe:0", *arguments, file], input=sound.tobytes(), check=True)
        decoded = subprocess.run([*ffmpeg, "-i", file, *raw, "pipe:1"], capture_output=True, check=True).stdout
    return np.frombuffer(decoded, np.float32)
