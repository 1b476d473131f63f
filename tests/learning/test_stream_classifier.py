"""Answers are probabilities, shipped models say what they see, and predicting loads no training library."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from airledger.audio.sound_vector import WINDOW_COLUMNS
from airledger.learning.onnx_model import LARGEST_BYTES, SHIPPED, ModelError, open_model, read_model
from airledger.learning.stream_classifier import LOOP, SOUND_CLASSES, WINDOW_CLASSES, PieceFacts, classify, combine

NAMES = ("stream_classifier", "quality_predictor")


@given(
    arrays(np.float32, (4, 6), elements=st.floats(0.015625, 1, width=32)),
    st.floats(0, 1),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_answers_are_probabilities(windows: np.ndarray, loop: float, speech: float, music: float) -> None:
    found = combine(windows / windows.sum(axis=1, keepdims=True), PieceFacts(loop, speech, music))
    assert set(found) == set(SOUND_CLASSES)
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert all(-1e-6 <= share <= 1 + 1e-6 for share in found.values())


def sure(*names: str) -> np.ndarray:
    return np.array([[float(name == one) for one in WINDOW_CLASSES] for name in names], np.float32)


def likeliest(windows: np.ndarray, facts: PieceFacts) -> str:
    found = combine(windows, facts)
    return max(found, key=lambda name: found[name])


def test_music_and_speech_in_turn_are_mixed() -> None:
    assert likeliest(sure("music", "music", "speech", "speech"), PieceFacts()) == "mixed"
    assert likeliest(sure(*["music"] * 11, "speech"), PieceFacts()) == "music"


def test_what_repeats_is_a_loop_unless_it_is_a_tone_or_silent() -> None:
    loop = PieceFacts(loop_likeness=0.95)
    assert likeliest(sure("music", "speech", "mixed"), loop) == LOOP
    assert likeliest(sure("tone", "tone"), loop) == "tone"
    assert likeliest(sure("silence", "silence"), loop) == "silence"


def test_the_ear_decides_where_the_model_wavers_and_stays_out_of_noise() -> None:
    wavering = np.tile(np.array([[0.34, 0.33, 0, 0, 0.33, 0]], np.float32), (3, 1))
    assert likeliest(wavering, PieceFacts(0, speech_share=0.9, music_share=0.0)) == "speech"
    assert likeliest(wavering, PieceFacts(0, speech_share=0.0, music_share=0.9)) == "music"
    assert likeliest(sure("noise", "noise"), PieceFacts(0, speech_share=0.9, music_share=0.0)) == "noise"


@pytest.mark.parametrize("name", NAMES)
def test_shipped_models_are_small_and_have_a_card(name: str) -> None:
    model = open_model(name)
    assert model.facts.name == name
    assert (SHIPPED / f"{name}.onnx").stat().st_size <= LARGEST_BYTES
    card = (SHIPPED / f"{name}.md").read_text()
    assert model.facts.version in card
    assert "## Limits" in card


def test_a_model_refuses_vectors_that_lack_a_column() -> None:
    model = open_model("stream_classifier")
    with pytest.raises(ModelError, match="needs the column"):
        classify(np.zeros((1, 2), np.float32), ("a", "b"), PieceFacts(), model)


def test_columns_are_found_by_name_in_any_order() -> None:
    model = open_model("stream_classifier")
    windows = np.random.default_rng(1).normal(0, 1, (3, len(WINDOW_COLUMNS))).astype(np.float32)
    straight = classify(windows, WINDOW_COLUMNS, PieceFacts(), model)
    turned = classify(windows[:, ::-1], WINDOW_COLUMNS[::-1], PieceFacts(), model)
    assert straight == turned


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="no ONNX model"):
        read_model(path)
    with pytest.raises(ModelError, match="missing"):
        read_model(tmp_path / "y.onnx")


def test_judging_loads_no_training_library() -> None:
    code = (
        "import sys, numpy as np\n"
        "from airledger.stations.verdict.trained import Models\n"
        "from airledger.stations.verdict.take import take_look\n"
        "models = Models.open()\n"
        "columns = models.predictor.facts.columns\n"
        "models.predictor.numbers(np.zeros((1, len(columns)), 'f'), columns)\n"
        "print([one for one in ('sklearn', 'skl2onnx', 'onnx') if one in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
