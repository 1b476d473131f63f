"""Judging unknown sound: is it music? Speech is forgotten, and only music is ever sent to an outside service."""

import time
import wave
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.audio.speech import LEAST_S, SoundContent, listen_for_content
from airledger.listening.models import COMPARED, KEPT, SPEECH, UnknownSound
from airledger.listening.windows import RATE_HZ
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage

SPOKEN_AT_MOST_S = 60.0  # a longer stretch may hold music beside the speech of its clip

log = logger(__name__)


@dataclass(frozen=True)
class Judged:
    """What a turn has done."""

    sounds: int
    speech: int
    cpu_s: float


def judge_new(
    database: Database, storage: Storage, *, limit: int = 200, stopping: Callable[[], bool] = lambda: False
) -> Judged:
    """Judge the clips of closed stretches that nobody judged yet.

    A short stretch of speech is marked to be forgotten; a longer one keeps its peaks, but is never asked about.

    Raises:
        SpeechModelMissingError: The model is not installed.
    """
    began = time.thread_time()
    with database.read() as session:
        due = session.scalars(
            select(UnknownSound)
            .where(
                UnknownSound.state.in_((KEPT, COMPARED)),
                UnknownSound.clip_key.is_not(None),
                UnknownSound.music_share.is_(None),
            )
            .order_by(UnknownSound.number)
            .limit(limit)
        ).all()
    judged = speech = 0
    for row in due:
        if stopping():
            break
        content = _listen(storage, str(row.clip_key))
        with database.unit() as unit:
            current = unit.session.get(UnknownSound, row.number)
            if current is None:
                continue
            current.music_share = 0.0 if content is None or content.is_spoken else content.music_share
            if content is not None and content.is_spoken:
                current.clip_key = None
            lasts_s = (current.ended_at - current.started_at).total_seconds()
            if content is not None and content.is_spoken and lasts_s <= SPOKEN_AT_MOST_S:
                current.state = SPEECH
                speech += 1
        if content is not None and content.is_spoken:
            storage.delete(str(row.clip_key))
        judged += 1
    return Judged(judged, speech, time.thread_time() - began)


def read_clip(storage: Storage, key: str) -> NDArray[np.int16]:
    """Read a clip: int16, mono, 8 kHz.

    Raises:
        NotFoundError: The object is gone.
        wave.Error, EOFError: It is damaged.
    """
    with storage.open(key) as opened, wave.open(opened, "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def _listen(storage: Storage, key: str) -> SoundContent | None:
    """Judge a clip; None when it is gone, damaged or too short."""
    try:
        pcm = read_clip(storage, key)
    except (AirledgerError, wave.Error, EOFError) as error:
        log.warning("clip_not_judged", key=key, error=str(error))
        return None
    return listen_for_content(pcm) if len(pcm) >= LEAST_S * RATE_HZ else None
