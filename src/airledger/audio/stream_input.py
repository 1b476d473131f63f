"""The file-like object that a decoder reads a live stream from, chapter by chapter."""

import threading
from collections import deque
from collections.abc import Callable

from airledger.audio.decoder_frames import WINDOW_BYTES

ACKNOWLEDGE_BYTES = 16 * 1024


class WindowExceededError(Exception):
    """The sender ignored the window."""


class StreamInput:
    """A bounded queue of bytes with chapters. `put`, `begin_chapter`, `close`, `cancel` come from the pipe's thread,
    `next_chapter` and `read` from the decoder's.

    A chapter is what one container holds: the decoder sees its end as the end of a file.
    """  # noqa: D205 - one sentence does not fit one line

    def __init__(self, acknowledge: Callable[[int], None]) -> None:
        self._acknowledge = acknowledge
        self._changed = threading.Condition()
        self._queue: deque[bytes | str | None] = deque()  # bytes; a container's name: a new chapter; None: the end
        self._queued_bytes = 0
        self._unacknowledged_bytes = 0
        self.cancelled = False
        self.consumed_bytes = 0

    def put(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            WindowExceededError: more than the window would be waiting.
        """
        with self._changed:
            if self._queued_bytes + len(data) > WINDOW_BYTES:
                raise WindowExceededError
            self._queue.append(data)
            self._queued_bytes += len(data)
            self._changed.notify()

    def begin_chapter(self, container: str) -> None:
        """End the present chapter; what follows is of this container."""
        with self._changed:
            self._queue.append(container)
            self._changed.notify()

    def close(self) -> None:
        """Tell that nothing more comes."""
        with self._changed:
            self._queue.append(None)
            self._changed.notify()

    def cancel(self) -> None:
        """Drop everything; the decoder sees the end at once."""
        with self._changed:
            self.cancelled = True
            self._queue.clear()
            self._queue.append(None)
            self._changed.notify()

    def next_chapter(self) -> str | None:
        """Wait for the next chapter's container, passing over what the decoder left of the last; None at the end."""
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                item = self._queue[0]
                if item is None:
                    return None
                self._queue.popleft()
                if isinstance(item, str):
                    return item
                self._count(len(item))
            self._settle()

    def read(self, size: int) -> bytes:
        """Give up to `size` bytes as soon as there are any; b"" at the end of the chapter."""
        with self._changed:
            while not self._queue:
                self._changed.wait()
            item = self._queue[0]
            if not isinstance(item, bytes):
                return b""
            if len(item) > size:
                self._queue[0] = item[size:]
                item = item[:size]
            else:
                self._queue.popleft()
            self._count(len(item))
        self._settle()
        return item

    def _count(self, size: int) -> None:
        self._queued_bytes -= size
        self._unacknowledged_bytes += size
        self.consumed_bytes += size

    def _settle(self) -> None:
        """Acknowledge by the 16 KiB, outside the lock: writing to the pipe may wait for the parent."""
        if self._unacknowledged_bytes >= ACKNOWLEDGE_BYTES:
            self._acknowledge(self._unacknowledged_bytes)
            self._unacknowledged_bytes = 0
