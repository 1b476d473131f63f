"""Labelled vectors for the classifier of sound: real pieces, mixtures and loops of them, and made ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from airledger.audio.sound_vector import sound_vector
from airledger.stations.verdict.eyes import Eyes
from airledger.stations.verdict.teaching import invent
from airledger.stations.verdict.teaching.pieces import (
    MUSIC,
    RATE_HZ,
    SPEECH,
    Source,
    level_dbfs,
    music_pieces,
    narrow,
    speech_pieces,
)
from airledger.stations.verdict.teaching.send import Sent, process, send

F32 = NDArray[np.float32]

PIECE_TENTHS = (120, 240)
LOOP_TOTAL_S = 46
LOOP_S = (4.0, 15.0)
TALK_OVER_DB = (-2.0, 12.0)
LEAST_SHARE = 0.3
MADE = "made"
INVENTED = frozenset({"noise", "tone", "silence"})


@dataclass(frozen=True)
class Lesson:
    """One labelled vector.

    Attributes:
        label: Its class.
        source: Where it comes from, `made` for what no one recorded.
        is_test: Whether it is kept from training.
        vector: float32[columns of `sound_vector`].
    """

    label: str
    source: str
    is_test: bool
    vector: F32


class Lessons:
    """Draws lessons for one half of the sources: those to train on, or those of the test."""

    def __init__(self, sources: list[Source], eyes: Eyes, seed: int, *, is_test: bool) -> None:
        """Prepare to draw, the same from the same seed."""
        self._eyes = eyes
        self._is_test = is_test
        self._rng = np.random.default_rng([seed, int(is_test)])
        mine = [one for one in sources if one.is_test == is_test]
        self._music = _in_turn([one for one in mine if one.kind == MUSIC], music_pieces, eyes, self._rng)
        self._speech = _in_turn([one for one in mine if one.kind == SPEECH], speech_pieces, eyes, self._rng)

    def draw(self, per_class: int) -> Iterator[Lesson]:
        """Draw so many lessons of each class; of made ones, which are easily told, a third."""
        kinds: dict[str, Callable[[], tuple[str, F32]]] = {
            "music": self._cut_music,
            "speech": self._cut_speech,
            "mixed": self._mix,
            "advert_loop": self._loop,
            "noise": lambda: (MADE, invent.noise(self._rng, self._samples())),
            "tone": lambda: (MADE, invent.tone(self._rng, self._samples())),
            "silence": lambda: (MADE, invent.silence(self._rng, self._samples())),
        }
        for number in count():
            if number >= per_class:
                return
            for label, make in kinds.items():
                if label in INVENTED and number % 3:
                    continue
                source, sound = make()
                vector = vector_of(self._sent(label, sound))
                yield Lesson(label, source, self._is_test, vector)

    def _sent(self, label: str, sound: F32) -> Sent:
        """Silence keeps its level, and noise its colour; everything else goes through the studio."""
        processed = sound if label in {"silence", "noise", "tone"} else process(sound, self._rng)
        return send(processed, self._eyes, self._rng)

    def _samples(self) -> int:
        """Draw a length in whole tenths of a second: transforms of other lengths cost many times more."""
        return int(self._rng.integers(*PIECE_TENTHS)) * RATE_HZ // 10

    def _cut_music(self) -> tuple[str, F32]:
        source, piece = next(self._music)
        return source, piece[: self._samples()]

    def _cut_speech(self) -> tuple[str, F32]:
        source, piece = next(self._speech)
        return source, piece[: self._samples()]

    def _mix(self) -> tuple[str, F32]:
        """Speech over music, or speech after music: at least three tenths of either."""
        music_source, music = self._cut_music()
        speech_source, speech = self._cut_speech()
        source = f"{music_source}+{speech_source}"
        length = min(len(music), len(speech))
        music, speech = music[:length], speech[:length]
        above_db = self._rng.uniform(*TALK_OVER_DB)
        gain = 10 ** ((level_dbfs(music) - level_dbfs(speech) + above_db) / 20)
        if self._rng.random() < 0.5:  # noqa: PLR2004  a coin
            return source, music + speech * np.float32(gain)
        equal = np.float32(10 ** ((level_dbfs(music) - level_dbfs(speech) + self._rng.uniform(-3, 3)) / 20))
        cut = int(length * self._rng.uniform(LEAST_SHARE, 1 - LEAST_SHARE))
        parts = [music[:cut], speech[cut:] * equal]
        if self._rng.random() < 0.5:  # noqa: PLR2004  a coin
            parts = [speech[:cut] * equal, music[cut:]]
        return source, np.concatenate(parts)

    def _loop(self) -> tuple[str, F32]:
        """An advert, an announcement or a jingle of 4 to 15 s, for three quarters of a minute."""
        makers = (self._cut_speech, self._mix, self._mix, self._cut_music)
        source, sound = makers[int(self._rng.integers(len(makers)))]()
        piece = sound[: int(self._rng.uniform(*LOOP_S) * RATE_HZ)]
        if self._rng.random() < 0.5:  # noqa: PLR2004  a coin: with a pause behind it
            piece = np.concatenate([piece, np.zeros(int(self._rng.uniform(0.1, 2) * RATE_HZ), np.float32)])
        length = LOOP_TOTAL_S * RATE_HZ
        begin = int(self._rng.integers(len(piece)))
        return source, np.tile(piece, length // len(piece) + 2)[begin : begin + length]


def vector_of(sent: Sent) -> F32:
    """Describe a piece as it arrived."""
    return sound_vector(sent.pcm, sent.seen.rate_hz, narrow(sent.pcm.mean(axis=1), sent.seen.rate_hz))


def _in_turn(
    sources: list[Source],
    cut: Callable[[Source, Eyes, np.random.Generator, float], Iterator[F32]],
    eyes: Eyes,
    rng: np.random.Generator,
) -> Iterator[tuple[str, F32]]:
    """Go round the sources, a piece of each, so that a large one does not outweigh the others."""
    cutters = [(one.name, cut(one, eyes, rng, PIECE_TENTHS[1] // 10)) for one in sources]
    while cutters:
        for each in list(cutters):
            piece = list(islice(each[1], 1))
            if piece:
                yield each[0], piece[0]
            else:
                cutters.remove(each)
