"""What a stream sends: music, speech, both, silence, a tone, noise, or the same piece again and again.

A model judges windows of 3 s by vectors of `audio/sound_vector.py`; it is run by ONNX Runtime. `combine` makes one
answer of them by rules: several windows of either make a programme of music and speech in turn, and sound that equals
itself throughout is a loop, whatever it holds. `error_page` (bytes that are a page) and `slate` (a card instead of
a picture) are no classes of sound; `airledger.stations.verdict` tells them, by rules too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.learning.onnx_model import OnnxModel

F32 = NDArray[np.float32]

MODEL_NAME = "stream_classifier"
WINDOW_CLASSES = ("mixed", "music", "noise", "silence", "speech", "tone")
LOOP = "advert_loop"
SOUND_CLASSES = (LOOP, *WINDOW_CLASSES)
PROGRAMME = frozenset({"music", "speech", "mixed"})
"""Classes that make a stream worth hearing."""
EAR_FROM, EAR_FULL = 0.05, 0.35
EAR_WEIGHT = 0.65
UNHEARD = -1.0
TURNS_FROM, TURNS_FULL = 0.12, 0.2
LOOP_FROM, LOOP_FULL = 0.45, 0.75
SURE_LOOP = 0.97


@dataclass(frozen=True, slots=True)
class PieceFacts:
    """What is known of a piece as a whole.

    Attributes:
        loop_likeness: How far it repeats itself, 0 to 1 (`audio.loop.measure_loop`).
        speech_share: How much of its time holds speech by `audio.speech`; -1 where that package is not installed.
        music_share: Likewise music or singing.
    """

    loop_likeness: float = 0.0
    speech_share: float = UNHEARD
    music_share: float = UNHEARD


@dataclass(frozen=True, slots=True)
class Classified:
    """An answer.

    Attributes:
        label: The likeliest class.
        probabilities: Of each of `SOUND_CLASSES`; they sum to 1.
        model_version: What said so.
    """

    label: str
    probabilities: dict[str, float]
    model_version: str

    @property
    def programme(self) -> float:
        """Probability that it is a programme: music, speech, or both."""
        return sum(self.probabilities[name] for name in PROGRAMME)


def classify(windows: F32, columns: tuple[str, ...], facts: PieceFacts, model: OnnxModel) -> Classified:
    """Classify a piece of sound.

    Args:
        windows: float32[k, len(columns)], a vector for each window, k at least 1.
        columns: The names of their columns.
        facts: What is known of the piece as a whole.
        model: The classifier.

    Raises:
        ModelError: The model needs a column that the vectors lack.
    """
    found = model.probabilities(windows, columns)
    place = {name: number for number, name in enumerate(model.classes)}
    ordered = found[:, [place[name] for name in WINDOW_CLASSES]]
    probabilities = combine(ordered, facts)
    return Classified(max(probabilities, key=lambda name: probabilities[name]), probabilities, model.version)


def combine(windows: F32, facts: PieceFacts) -> dict[str, float]:
    """Make one answer of many windows.

    Args:
        windows: float32[k, len(WINDOW_CLASSES)], probabilities of each window.
        facts: What is known of the piece as a whole.

    Returns:
        Probabilities of `SOUND_CLASSES`, which sum to 1.
    """
    mean = {name: float(share) for name, share in zip(WINDOW_CLASSES, windows.mean(axis=0), strict=True)}
    likeliest = windows.argmax(axis=1)
    lesser = min(float((likeliest == WINDOW_CLASSES.index(name)).mean()) for name in ("music", "speech"))
    in_turn = _ramp(lesser, TURNS_FROM, TURNS_FULL)
    mean["mixed"] += in_turn * (mean["music"] + mean["speech"])
    mean["music"] *= 1 - in_turn
    mean["speech"] *= 1 - in_turn
    mean = _with_ear(mean, facts)
    loop = SURE_LOOP * _ramp(facts.loop_likeness, LOOP_FROM, LOOP_FULL) * (1 - mean["silence"] - mean["tone"])
    return {LOOP: loop} | {name: share * (1 - loop) for name, share in mean.items()}


def _with_ear(mean: dict[str, float], facts: PieceFacts) -> dict[str, float]:
    """Let the small neural network of `audio.speech` have its say on music and speech, where it heard either."""
    speech, music = (_ramp(share, EAR_FROM, EAR_FULL) for share in (facts.speech_share, facts.music_share))
    told = {"mixed": speech * music, "music": music * (1 - speech), "speech": speech * (1 - music)}
    heard = EAR_WEIGHT * sum(told.values())
    programme = sum(mean[name] for name in PROGRAMME)
    sure = sum(told.values()) or 1.0
    return mean | {name: mean[name] * (1 - heard) + programme * heard * told[name] / sure for name in sorted(PROGRAMME)}


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
