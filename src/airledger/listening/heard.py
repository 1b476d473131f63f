"""What the listener heard, for those who want more of it than plays: evidence, unknown music, outside services."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.listening.outbox import Target
from airledger.listening.tracker import Step
from airledger.recognition.answer import Answer


@dataclass(frozen=True, eq=False)
class HeardWindow:
    """A window of one station's sound, and what recognition said of it.

    Attributes:
        target: What is listened to, and for whom.
        start_s: Air time of the first sample, seconds since 1970.
        end_s: Air time of the last.
        pcm: int16[n], mono, 8 kHz. Shared by all observers: whoever changes it takes a copy.
        answer: What was found; with `peaks` unless the window is silent.
        position: Of the first sample in its connection; air times may slide a little, positions do not.
        connection: Which connection of the session it is from.
    """

    target: Target
    start_s: float
    end_s: float
    pcm: NDArray[np.int16]
    answer: Answer
    position: int = 0
    connection: int = 0


Observer = Callable[[HeardWindow, Step], None]
"""Called with each window once it is tracked, on that station's recogniser thread and in order of air time.

Hundreds of stations wait behind it: it must be quick (hand work to a queue or to the outbox), and must not raise.
"""
