"""Sound as FLAC: what was heard is kept without loss, at about half the size."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from airledger.audio.features import SOUND_RATE_HZ

MEDIA_TYPE = "audio/flac"


def to_flac(pcm: NDArray[np.int16], *, rate_hz: int = SOUND_RATE_HZ) -> bytes:
    """Encode mono sound.

    Args:
        pcm: int16[n].
        rate_hz: Its sample rate.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
