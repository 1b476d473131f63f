"""A test card: moving H.264 pictures, made once by FFmpeg as a separate program, sent round and round.

x264 is GPL: it runs in the program of the wheel ``imageio-ffmpeg``, never in our process.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageio_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

FRAMES_PER_S = 25
WIDTH, HEIGHT = 320, 180
LOOP_S = 8
GROUP = FRAMES_PER_S
"""Frames from one key frame to the next: one second."""
CODECS_ATTRIBUTE = "avc1.42c01e"
_DELIMITER = b"\x00\x00\x00\x01\x09"


@dataclass(frozen=True)
class TestCard:
    """Access units (Annex B), 25 per second, a key frame every 25, no reordering; playable in a loop."""

    __test__ = False
    units: tuple[bytes, ...]

    def unit(self, frame: int) -> bytes:
        """Give the picture number ``frame`` of an endless run."""
        return self.units[frame % len(self.units)]

    def is_key(self, frame: int) -> bool:
        """Say whether one can start to watch at this picture."""
        return frame % GROUP == 0


def open_test_card(folder: Path) -> TestCard:
    """Make the test card, or open the one that an earlier call left in the folder.

    Raises:
        RuntimeError: ffmpeg failed, with what it said.
    """
    path = folder / f"test-card-{WIDTH}x{HEIGHT}.h264"
    if not path.exists():
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(_made_by_ffmpeg())
        unfinished.replace(path)
    units = tuple(_DELIMITER + rest for rest in path.read_bytes().split(_DELIMITER)[1:])
    if len(units) != FRAMES_PER_S * LOOP_S:
        raise RuntimeError(f"{path} has {len(units)} pictures instead of {FRAMES_PER_S * LOOP_S}; delete it.")
    return TestCard(units)


def _made_by_ffmpeg() -> bytes:
    source = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FRAMES_PER_S}:duration={LOOP_S}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, "-an", "-c:v", "libx264"]
    command += ["-profile:v", "baseline", "-level", "3.0", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-b:v", "120k"]
    command += ["-g", str(GROUP), "-keyint_min", str(GROUP), "-sc_threshold", "0", "-bf", "0"]
    command += ["-x264-params", "aud=1:repeat-headers=1:threads=1", "-f", "h264", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"ffmpeg could not make the test card: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout
