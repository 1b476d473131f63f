"""A trained model: an ONNX file that names its columns, its classes and its version, and ONNX Runtime that asks it.

No pickled model is ever loaded. ONNX Runtime is imported with the first model that is opened.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

F32 = NDArray[np.float32]

SHIPPED = Path(__file__).with_name("models")
LARGEST_BYTES = 10 << 20
META_KEY = "airledger"


class ModelError(ValueError):
    """A file is no model of ours, or cannot be asked this."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model's file says of itself.

    Attributes:
        name: As in `stream_classifier`.
        version: Names the training: date and digest of its data.
        features: Version of the vectors that it sees, as `sound-1`.
        columns: The columns that it sees, in order.
        classes: Its classes, in order; none for a model that predicts a number.
    """

    name: str
    version: str
    features: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]

    def to_json(self) -> str:
        """Write for the file's metadata."""
        return json.dumps(self.__dict__)

    @classmethod
    def from_json(cls, text: str) -> "ModelFacts":
        """Read what `to_json` wrote.

        Raises:
            ModelError: it is something else.
        """
        try:
            values = json.loads(text)
            return cls(
                name=str(values["name"]),
                version=str(values["version"]),
                features=str(values["features"]),
                columns=tuple(str(one) for one in values["columns"]),
                classes=tuple(str(one) for one in values["classes"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"the model does not say what it sees: {error}") from None


class OnnxModel:
    """An open model. Safe to be asked from several threads."""

    def __init__(self, facts: ModelFacts, session: "InferenceSession") -> None:
        self.facts = facts
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[-1].name

    @property
    def version(self) -> str:
        """What it is called in verdicts."""
        return f"{self.facts.name} {self.facts.version}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Its classes, in the order of its probabilities."""
        return self.facts.classes

    def probabilities(self, vectors: F32, columns: tuple[str, ...]) -> F32:
        """Ask for the probability of each class.

        Args:
            vectors: float32[n, len(columns)].
            columns: What the vectors hold.

        Returns:
            float32[n, len(classes)].

        Raises:
            ModelError: A column that it needs is missing.
        """
        return self._ask(vectors, columns)

    def numbers(self, vectors: F32, columns: tuple[str, ...]) -> F32:
        """Ask a model that predicts a number: float32[n].

        Raises:
            ModelError: A column that it needs is missing.
        """
        return self._ask(vectors, columns).reshape(-1)

    def _ask(self, vectors: F32, columns: tuple[str, ...]) -> F32:
        place = {name: number for number, name in enumerate(columns)}
        missing = [name for name in self.facts.columns if name not in place]
        if missing:
            raise ModelError(f"{self.facts.name} needs the column {missing[0]!r}, which these vectors lack")
        chosen = np.ascontiguousarray(vectors[:, [place[name] for name in self.facts.columns]], np.float32)
        answer: F32 = np.asarray(self._session.run([self._output], {self._input: chosen})[0], np.float32)
        return answer


def open_model(name: str, folder: Path | None = None) -> OnnxModel:
    """Open a model: the one in `folder` if it is there, else the shipped one.

    Raises:
        ModelError: It is missing, too large, or no model of ours.
    """
    own = folder / f"{name}.onnx" if folder is not None else None
    return read_model(own if own is not None and own.is_file() else SHIPPED / f"{name}.onnx")


def read_model(path: Path) -> OnnxModel:
    """Open a model's file.

    Raises:
        ModelError: It is missing, too large, or no model of ours.
    """
    import onnxruntime

    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        raise ModelError(f"{path.name} is missing or larger than {LARGEST_BYTES >> 20} MiB")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  ONNX Runtime's own exceptions share no public base
        raise ModelError(f"{path.name} is no ONNX model that can be run: {str(error)[:200]}") from None
    text = session.get_modelmeta().custom_metadata_map.get(META_KEY, "{}")
    return OnnxModel(ModelFacts.from_json(text), session)
