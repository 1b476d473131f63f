"""Labelled pieces for the classifier of sound: real ones, mixtures and loops of them, and made ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from airledger.audio.loop import measure_loop
from airledger.audio.sound_vector import LOOP_S as LOOP_SOUGHT_S
from airledger.audio.sound_vector import window_vectors
from airledger.audio.speech import listen_wide
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
    resampled,
    speech_pieces,
)
from airledger.stations.verdict.teaching.send import process, send

F32 = NDArray[np.float32]

PIECE_TENTHS = (120, 240)
LOOP_TOTAL_S = 44
LOOP_S = (4.0, 15.0)
TALK_OVER_DB = (-2.0, 12.0)
LEAST_SHARE = 0.3
ENCODED_SHARE = 0.4
MADE = "made"
INVENTED = frozenset({"noise", "tone", "silence"})


@dataclass(frozen=True)
class Lesson:
    """One labelled piece.

    Attributes:
        label: Its class.
        source: Where it comes from, `made` for what no one recorded.
        is_test: Whether it is kept from training.
        windows: float32[k, len(WINDOW_COLUMNS)].
        loop_likeness: How far it repeats itself.
        speech_share: Of its time, by `audio.speech`; -1 where it was not asked.
        music_share: Likewise.
    """

    label: str
    source: str
    is_test: bool
    windows: F32
    loop_likeness: float
    speech_share: float = -1.0
    music_share: float = -1.0


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
        """Draw so many lessons of each class; of made ones, which are easily told, a third.

        To train on, mixed sound is speech over music alone: each window holds what the label says. The test has speech
        and music in turn as well, and loops, which are told by their waveform and need no training.
        """
        kinds: dict[str, Callable[[], tuple[str, F32]]] = {
            "music": self._cut_music,
            "speech": self._cut_speech,
            "mixed": self._mix if self._is_test else self._talk_over,
            "noise": lambda: (MADE, invent.noise(self._rng, self._samples())),
            "tone": lambda: (MADE, invent.tone(self._rng, self._samples())),
            "silence": lambda: (MADE, invent.silence(self._rng, self._samples())),
        }
        if self._is_test:
            kinds["advert_loop"] = self._loop
        for number in range(per_class):
            for label, make in kinds.items():
                if label not in INVENTED or number % 3 == 0:
                    source, sound = make()
                    yield self._lesson(label, source, self._arrived(label, sound))

    def _lesson(self, label: str, source: str, arrived: F32) -> Lesson:
        """Describe a piece. What is asked once for a whole piece is not trained, and so asked in the test alone."""
        heard = narrow(arrived, RATE_HZ)
        windows = window_vectors(heard)
        if not self._is_test:
            return Lesson(label, source, False, windows, 0.0)
        likeness = measure_loop(heard, *LOOP_SOUGHT_S)[1]
        content = listen_wide(arrived)
        return Lesson(label, source, True, windows, likeness, content.speech, content.music)

    def _arrived(self, label: str, sound: F32) -> F32:
        """Send it. What is made keeps its level and colour; all else goes through the studio."""
        processed = sound if label in INVENTED else process(sound, self._rng)
        if self._rng.random() >= ENCODED_SHARE:
            return processed
        sent = send(processed, self._eyes, self._rng)
        return resampled(sent.pcm.mean(axis=1), sent.seen.rate_hz, RATE_HZ)

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
        """Speech over music, or the one after the other."""
        return self._talk_over() if self._rng.random() < 0.5 else self._take_turns()  # noqa: PLR2004  a coin

    def _pair(self) -> tuple[str, F32, F32]:
        music_source, music = self._cut_music()
        speech_source, speech = self._cut_speech()
        length = min(len(music), len(speech))
        level = np.float32(10 ** ((level_dbfs(music[:length]) - level_dbfs(speech[:length])) / 20))
        return f"{music_source}+{speech_source}", music[:length], speech[:length] * level

    def _talk_over(self) -> tuple[str, F32]:
        source, music, speech = self._pair()
        return source, music + speech * np.float32(10 ** (self._rng.uniform(*TALK_OVER_DB) / 20))

    def _take_turns(self) -> tuple[str, F32]:
        """At least three tenths of either."""
        source, music, speech = self._pair()
        cut = int(len(music) * self._rng.uniform(LEAST_SHARE, 1 - LEAST_SHARE))
        is_music_first = self._rng.random() < 0.5  # noqa: PLR2004  a coin
        return source, np.concatenate([music[:cut], speech[cut:]] if is_music_first else [speech[:cut], music[cut:]])

    def _loop(self) -> tuple[str, F32]:
        """An advert, an announcement or a jingle of 4 to 15 s, again and again for 44 s."""
        makers = (self._cut_speech, self._mix, self._mix, self._cut_music)
        source, sound = makers[int(self._rng.integers(len(makers)))]()
        piece = sound[: int(self._rng.uniform(*LOOP_S) * RATE_HZ)]
        if self._rng.random() < 0.5:  # noqa: PLR2004  a coin: with a pause behind it
            piece = np.concatenate([piece, np.zeros(int(self._rng.uniform(0.1, 1) * RATE_HZ), np.float32)])
        length = LOOP_TOTAL_S * RATE_HZ
        begin = int(self._rng.integers(len(piece)))
        return source, np.tile(piece, length // len(piece) + 2)[begin : begin + length]


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
