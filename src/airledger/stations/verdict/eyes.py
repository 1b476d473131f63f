"""The child that takes close looks: started once, asked many times, replaced when a stream breaks it."""

import subprocess
import threading
from types import TracebackType
from typing import Self

import numpy as np

from airledger.audio.look_frames import (
    THUMB_HEIGHT_PX,
    THUMB_WIDTH_PX,
    Looked,
    LookError,
    read_answer,
    write_parts,
)
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command

CHILD_LIMITS = SandboxLimits(address_space_bytes=3 << 30)
PATIENCE_S = 60.0
MOST_SOUND_S = 60.0


class Eyes:
    """A sandboxed decoder for close looks. Used from one thread, as `with Eyes() as eyes:`."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        """Prepare; the child starts with the first look."""
        self._patience_s = patience_s
        self._child: SandboxedProcess | None = None

    def look(self, data: bytes, container: str, *, most_s: float = MOST_SOUND_S, wants_picture: bool = False) -> Looked:
        """Decode bytes of a stranger.

        Args:
            data: A piece of a stream, from its beginning or from anywhere that its container allows.
            container: FFmpeg's name of it, one of `sound_decoder.CONTAINERS`.
            most_s: So much sound at most.
            wants_picture: Whether to look at pictures, too.

        Returns:
            What was seen; `error` says why nothing was, also where the child crashed or did not answer in time.
        """
        if self._child is None:
            self._child = SandboxedProcess(SandboxedCommand(python_command("airledger.audio.look_child"), CHILD_LIMITS))
        child = self._child
        alarm = threading.Timer(self._patience_s, child.process.kill)
        alarm.start()
        try:
            asked = {"container": container, "most_s": most_s, "wants_picture": wants_picture}
            write_parts(child.stdin.write, asked, data)
            child.stdin.flush()
            return read_answer(child.stdout.read)
        except (LookError, BrokenPipeError) as error:
            how = self._crashed(child)
            return nothing(f"The decoder failed: {error} ({how}).")
        finally:
            alarm.cancel()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _crashed(self, child: SandboxedProcess) -> str:
        try:
            child.process.wait(1.0)
        except subprocess.TimeoutExpired:
            child.process.kill()
        how = child.ended_by() or "killed"
        self.close()
        return how

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def nothing(error: str) -> Looked:
    """Make a look that saw nothing."""
    return Looked(
        pcm=np.zeros((0, 1), np.int16),
        rate_hz=0,
        codec="",
        thumbs=np.zeros((0, THUMB_HEIGHT_PX, THUMB_WIDTH_PX, 3), np.uint8),
        crops=np.zeros((0, 16, 16), np.uint8),
        times_s=np.zeros(0),
        error=error,
    )
