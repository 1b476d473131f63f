"""Predicting countries with the shipped model, offline: words to margins, clues to probabilities."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_clues import VERSION as CLUES_VERSION
from airledger.learning.where_clues import Detective, IpCountry, Memory
from airledger.learning.where_gazetteer import gazetteer
from airledger.learning.where_rank import Calibration, held, probabilities
from airledger.learning.where_told import Told
from airledger.learning.where_words import VERSION as WORDS_VERSION
from airledger.learning.where_words import bags

MODELS = Path(__file__).parent / "models"
BATCH = 256
Shares = list[tuple[str, float]]


class WhereModel:
    """Tells countries. Thread-safe; holds about 300 MB with the gazetteer, and one thread of CPU while it works."""

    def __init__(self, folder: Path = MODELS, ip_country: IpCountry | None = None) -> None:
        """Load the model.

        Args:
            folder: Where `where.json` and its ONNX files lie.
            ip_country: Country of a numeric address; None without a database.

        Raises:
            ValueError: The files are of another version of our code.
        """
        told: dict[str, Any] = json.loads((folder / "where.json").read_text(encoding="utf-8"))
        if told["versions"] != {"words": WORDS_VERSION, "clues": CLUES_VERSION}:
            raise ValueError(f"the model in {folder} was trained for another version of the features: train it anew")
        self.version = str(told["version"])
        self._text = _session(folder / "where_words.onnx")
        self._trees = _session(folder / "where_rank.onnx")
        self._calibration = Calibration(**told["calibration"])
        nothing = {"places": np.zeros((1, 1), np.int32), "values": np.zeros((1, 1), np.float32)}
        self._vocabulary = self._text.run(["vocabulary"], nothing)[0]
        memory = Memory(told["hosts"], told["prior"])
        self._detective = Detective(told["classes"][:-1], gazetteer(), memory, ip_country)

    def predict(self, rows: Sequence[Told]) -> Iterator[Shares]:
        """Yield each row's candidates with probabilities that sum to at most one, the likeliest first."""
        for start in range(0, len(rows), BATCH):
            yield from self._predict(rows[start : start + BATCH])

    def _predict(self, rows: Sequence[Told]) -> list[Shares]:
        clues = [self._detective.gather(row, margin) for row, margin in zip(rows, self._margins(rows), strict=True)]
        streams = np.repeat(np.arange(len(rows)), [len(one.countries) for one in clues])
        values = np.concatenate([one.values for one in clues])
        odds = held(self._trees.run(["odds"], {"clues": values})[0][:, 0])
        shares = probabilities(streams, odds, self._calibration)
        ends = np.cumsum([0, *(len(one.countries) for one in clues)])
        return [
            sorted(zip(one.countries, map(float, shares[start:end]), strict=True), key=lambda pair: (-pair[1], pair[0]))
            for one, start, end in zip(clues, ends, ends[1:], strict=False)
        ]

    def _margins(self, rows: Sequence[Told]) -> NDArray[np.float32]:
        places, values = bags(rows, self._vocabulary)
        return np.asarray(self._text.run(["margins"], {"places": places, "values": values})[0])


@lru_cache(maxsize=1)
def is_shipped() -> bool:
    """Whether this installation carries the model."""
    return (MODELS / "where.json").is_file()


def _session(path: Path) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
