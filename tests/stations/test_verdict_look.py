"""Close looks: a child decodes strangers' bytes, survives what breaks it, and collected bytes become a verdict."""

import io
from dataclasses import replace

import numpy as np
import pytest

from airledger.audio.look_frames import Looked, LookError, read_answer, write_answer
from airledger.learning.fraud_detector import Signs
from airledger.stations.cause import Cause
from airledger.stations.verdict.collect import Collected, Wanted
from airledger.stations.verdict.eyes import Eyes, nothing
from airledger.stations.verdict.take import take_look
from airledger.stations.verdict.teaching.send import SENDINGS, encode
from airledger.stations.verdict.trained import Models

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def models() -> Models:
    return Models.open()


def flac(sound: np.ndarray) -> bytes:
    return encode(sound.astype(np.float32), RATE_HZ, SENDINGS["flac"], 0)


def looked(data: bytes, models: Models, container: str = "flac") -> tuple[str | None, bool | None]:
    with Eyes() as eyes:
        found = take_look(eyes, Collected(Wanted(1, "http://a.example/"), data, container), Signs(), models)
    return found.label, found.is_valid


def test_sound_comes_at_its_own_rate() -> None:
    sound = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE_HZ) / RATE_HZ)
    with Eyes() as eyes:
        seen = eyes.look(flac(sound), "flac")
    assert (seen.rate_hz, seen.codec, seen.error) == (RATE_HZ, "flac", "")
    np.testing.assert_allclose(seen.pcm[:, 0] / 32768, sound, atol=2e-4)


def test_no_more_is_decoded_than_is_asked_for() -> None:
    with Eyes() as eyes:
        assert eyes.look(flac(np.zeros(5 * RATE_HZ)), "flac", most_s=2).sound_s == pytest.approx(2)


def test_bytes_that_are_no_sound_are_told_and_the_next_look_works() -> None:
    with Eyes() as eyes:
        assert eyes.look(b"no sound at all" * 1000, "mp3").error
        assert eyes.look(b"", "flac").error
        assert eyes.look(flac(np.zeros(RATE_HZ)), "flac").error == ""


def test_a_child_that_dies_is_replaced() -> None:
    with Eyes(patience_s=0.0) as eyes:
        assert "failed" in eyes.look(flac(np.zeros(RATE_HZ)), "flac").error
    with Eyes() as eyes:
        eyes.look(flac(np.zeros(RATE_HZ)), "flac")
        assert eyes._child is not None
        eyes._child.process.kill()
        assert "failed" in eyes.look(flac(np.zeros(RATE_HZ)), "flac").error
        assert eyes.look(flac(np.zeros(RATE_HZ)), "flac").error == ""


SOUND = replace(nothing(""), pcm=np.zeros((8_000, 1), np.int16), rate_hz=8_000)


def answered(seen: Looked) -> Looked:
    wire = io.BytesIO()
    write_answer(wire.write, seen)
    wire.seek(0)
    return read_answer(wire.read)


def test_an_answer_comes_as_it_was_sent() -> None:
    assert answered(SOUND).sound_s == 1


@pytest.mark.parametrize(
    "hostile",
    [
        replace(SOUND, rate_hz=1),
        replace(SOUND, rate_hz=-8_000),
        replace(SOUND, rate_hz=10**9),
        replace(SOUND, rate_hz=0),
        replace(SOUND, pcm=np.zeros((62 * 8_000, 1), np.int16)),
        replace(SOUND, times_s=np.full(1, np.nan), thumbs=np.zeros((1, 90, 160, 3), np.uint8)),
        replace(SOUND, times_s=np.zeros(2)),
    ],
)
def test_a_child_that_was_taken_over_is_not_believed(hostile: Looked) -> None:
    with pytest.raises(LookError):
        answered(hostile)


def test_silence_is_silence_by_rule(models: Models) -> None:
    assert looked(flac(np.zeros(8 * RATE_HZ)), models) == ("silence", False)


def test_a_tone_and_noise_are_no_programme(models: Models) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE_HZ) / RATE_HZ)
    assert looked(flac(tone), models) == ("tone", False)
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE_HZ)
    assert looked(flac(noise), models) == ("noise", False)


def test_a_page_instead_of_sound_is_an_error_page(models: Models) -> None:
    with Eyes() as eyes:
        found = take_look(eyes, Collected(Wanted(1, "u"), cause=Cause.NOT_MEDIA), Signs(), models)
    assert (found.label, found.is_valid, found.risk_score) == ("error_page", False, 1.0)


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.SERVER_ERROR])
def test_what_cannot_be_heard_is_not_judged(models: Models, cause: Cause) -> None:
    with Eyes() as eyes:
        found = take_look(eyes, Collected(Wanted(1, "u"), cause=cause), Signs(), models)
    assert (found.label, found.is_valid, found.confidence) == (None, None, None)
    assert cause.value in found.error
