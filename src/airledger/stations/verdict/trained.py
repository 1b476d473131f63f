"""The models of this installation: its own where it has retrained them, else the shipped ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from airledger.learning import quality_predictor, stream_classifier
from airledger.learning.onnx_model import OnnxModel, open_model

FOLDER = "models"


@dataclass(frozen=True, slots=True)
class Models:
    """What judges looks."""

    classifier: OnnxModel
    predictor: OnnxModel

    @classmethod
    def open(cls, data: Path | None = None) -> Self:
        """Open them; `data` is the installation's folder, None takes the shipped ones.

        Raises:
            ModelError: One is missing or damaged.
        """
        folder = data / FOLDER if data is not None else None
        return cls(
            open_model(stream_classifier.MODEL_NAME, folder),
            open_model(quality_predictor.MODEL_NAME, folder),
        )
