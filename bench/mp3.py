"""A piece of MP3 at 128 kbit/s for benches, made by the demo's own instruments and PyAV's encoder."""

import io
from typing import Any

RATE_HZ = 44_100
BIT_RATE = 128_000


def burst(size_bytes: int) -> bytes:
    """Return so many bytes of MP3: what a listener of a station gets at once."""
    import av
    import numpy as np

    seconds = size_bytes * 8 / BIT_RATE + 1
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    chance = np.random.default_rng(1)
    pitch_hz = chance.uniform(150, 1_500, int(seconds * 4) + 1)[(time_s * 4).astype(int)]
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ) + 0.02 * chance.standard_normal(len(time_s))
    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream: Any = container.add_stream("libmp3lame", rate=RATE_HZ)
        stream.layout, stream.bit_rate = "stereo", BIT_RATE
        pcm = np.stack([sound, sound]).astype(np.float32)
        for start in range(0, pcm.shape[1], 1_152):
            frame = av.AudioFrame.from_ndarray(pcm[:, start : start + 1_152], format="fltp", layout="stereo")
            frame.sample_rate = RATE_HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()[:size_bytes]
