"""What a stream sends: music, speech, both, silence, a tone, noise, or the same piece again and again.

The model sees vectors of `audio/sound_vector.py`, by the names of their columns; it was trained on `learning/models/`'s
own lessons and is run by ONNX Runtime. `error_page` (bytes that are a page instead of sound) and `slate` (a card
instead of a picture) are no classes of sound; they are told by exact rules, which `airledger.stations.verdict` adds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from airledger.learning.onnx_model import OnnxModel, open_model

F32 = NDArray[np.float32]

MODEL_NAME = "stream_classifier"
SOUND_CLASSES = ("advert_loop", "mixed", "music", "noise", "silence", "speech", "tone")
PROGRAMME = frozenset({"music", "speech", "mixed"})
"""Classes that make a stream worth hearing."""


@dataclass(frozen=True, slots=True)
class Classified:
    """A verdict on a vector.

    Attributes:
        label: The likeliest class.
        probabilities: Of each class; they sum to 1.
        model_version: What said so.
    """

    label: str
    probabilities: dict[str, float]
    model_version: str

    @property
    def programme(self) -> float:
        """Probability that it is a programme: music, speech, or both."""
        return sum(self.probabilities[name] for name in PROGRAMME)


@lru_cache(maxsize=1)
def classifier() -> OnnxModel:
    """Open the classifier that is shipped, once a process."""
    return open_model(MODEL_NAME)


def classify(vector: F32, columns: tuple[str, ...], model: OnnxModel | None = None) -> Classified:
    """Classify a piece of sound.

    Args:
        vector: float32[len(columns)].
        columns: The names of its columns.
        model: Another model than the shipped one.

    Raises:
        ModelError: The model needs a column that the vector lacks.
    """
    asked = model or classifier()
    row = asked.probabilities(vector[None, :], columns)[0]
    probabilities = {name: float(share) for name, share in zip(asked.classes, row, strict=True)}
    return Classified(max(probabilities, key=lambda name: probabilities[name]), probabilities, asked.version)
