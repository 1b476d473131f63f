"""Being asked to stop."""

import signal
import threading
from types import FrameType


def catch_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. Call from the main thread."""

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
