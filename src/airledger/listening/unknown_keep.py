"""Keeping unknown sound while listening: an observer that builds stretches, and a thread that stores their objects."""

import io
import threading
import wave
from uuid import UUID

from airledger.listening.heard import HeardWindow
from airledger.listening.outbox import Outbox
from airledger.listening.tracker import Step
from airledger.listening.unknown_kept import KeptSound, day_folder
from airledger.listening.unknown_stretch import SoundClip, StretchBuilder, UnknownStretch
from airledger.listening.windows import RATE_HZ
from airledger.platform.clock import from_epoch
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.storage import Storage
from airledger.recognition.peaks_file import coarse, to_bytes

STORE_EVERY_S = 1.0
WAITING_LIMIT = 1_000
FORGET_SESSION_S = 600.0

log = logger(__name__)


class UnknownKeeper:
    """Keeps the unknown sound of one listener's sessions; `observe` is its Observer. Start it, stop it at the end."""

    def __init__(self, storage: Storage, outbox: Outbox, counts: Counts) -> None:
        self._storage = storage
        self._outbox = outbox
        self._counts = counts
        self._builders: dict[UUID, StretchBuilder] = {}
        self._last_s: dict[UUID, float] = {}
        self._waiting: dict[UUID, UnknownStretch] = {}  # the newest state of each, so an outage costs no more than it
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unknown-keeper", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End all stretches, store what waits, then end. Call once no window comes any more."""
        for builder in list(self._builders.values()):
            self._wait(builder.close())
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def observe(self, heard: HeardWindow, step: Step) -> None:
        """Take a window that was tracked; the storing is left to the thread."""
        del step
        session_id = heard.target.session_id
        builder = self._builders.get(session_id)
        if builder is None:
            self._close_left(heard.end_s)
            builder = self._builders[session_id] = StretchBuilder(heard.target)
        self._last_s[session_id] = heard.end_s
        self._wait(builder.add(heard))

    def _close_left(self, now_s: float) -> None:
        """End the stretches of sessions that are heard no more."""
        for session_id, last_s in list(self._last_s.items()):
            if now_s - last_s > FORGET_SESSION_S:
                self._last_s.pop(session_id, None)
                gone = self._builders.pop(session_id, None)
                if gone is not None:
                    self._wait(gone.close())

    def _wait(self, stretches: list[UnknownStretch]) -> None:
        with self._lock:
            for one in stretches:
                self._waiting[one.id] = one
            while len(self._waiting) > WAITING_LIMIT:
                self._waiting.pop(next(iter(self._waiting)))
                self._counts.add("unknown_dropped")

    def _run(self) -> None:
        while not self._stop.wait(STORE_EVERY_S):
            self.store_waiting()
        self.store_waiting()

    def store_waiting(self) -> None:
        """Store the objects of what has grown, and hand its rows to the outbox; what fails stays for the next time."""
        with self._lock:
            batch = list(self._waiting.values())
        for one in batch:
            try:
                kept = store_objects(self._storage, one)
            except (OSError, AirledgerError) as error:
                log.warning("unknown_not_stored", stretch=str(one.id), waiting=len(batch), error=str(error))
                return
            self._outbox.unknown(kept)
            self._counts.add("unknown_kept")
            with self._lock:
                if self._waiting.get(one.id) is one:
                    del self._waiting[one.id]


def store_objects(storage: Storage, one: UnknownStretch) -> KeptSound:
    """Store a stretch's peaks and clip, each replaced as it grows.

    Raises:
        OSError, AirledgerError: The storage cannot take them.
    """
    stem = f"{day_folder(from_epoch(one.start_s))}{one.id.hex}"
    storage.put(f"{stem}.npz", to_bytes(coarse(one.peaks)))
    if one.clip is not None:
        storage.put(f"{stem}.wav", to_wav(one.clip))
    target = one.target
    return KeptSound(
        id=one.id,
        organisation_id=target.organisation_id,
        session_id=target.session_id,
        stream_id=target.stream_id,
        station_id=target.station_id,
        start_s=one.start_s,
        end_s=one.end_s,
        is_closed=one.is_closed,
        revision=one.revision,
        peaks_key=f"{stem}.npz",
        clip_key=None if one.clip is None else f"{stem}.wav",
        clip_s=None if one.clip is None else one.clip.start_s,
    )


def to_wav(clip: SoundClip) -> bytes:
    """Write a clip as WAV: mono, 8 kHz, 16 bit."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(clip.pcm.astype("<i2").tobytes())
    return buffer.getvalue()
