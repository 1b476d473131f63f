"""Sound made for tests, encoded with the free encoders."""

import io
import itertools
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from airledger.audio.sound_decoder import SoundDecoder, open_container

MUXERS = {
    "mp3": ("mp3", "libmp3lame"),
    "aac": ("adts", "aac"),
    "ogg": ("ogg", "vorbis"),
    "opus": ("ogg", "libopus"),
    "flac": ("flac", "flac"),
    "wav": ("wav", "pcm_s16le"),
    "mpegts": ("mpegts", "aac"),
    "mp4": ("mp4", "aac"),
}
RARE_MUXERS = {"flac in ogg": ("ogg", "flac")}


def melody(seconds: float, rate_hz: int = 44100, seed: int = 1) -> NDArray[np.float32]:
    """Notes of changing pitch and loudness with a little noise: nothing in it repeats."""
    chance = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    steps = int(seconds * 4) + 1
    index = (time_s * 4).astype(int)
    frequency_hz = chance.uniform(150, 1500, steps)[index]
    loudness = chance.uniform(0.1, 0.5, steps)[index] * np.exp(-2 * (time_s * 4 % 1))
    phase = 2 * np.pi * np.cumsum(frequency_hz) / rate_hz
    sound = loudness * (np.sin(phase) + 0.3 * np.sin(2 * phase)) + 0.005 * chance.standard_normal(len(time_s))
    made: NDArray[np.float32] = sound.astype(np.float32)
    return made


def encoded(
    pcm: NDArray[np.float32],
    kind: str,
    *,
    rate_hz: int = 44100,
    bit_rate: int = 96000,
    tags: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    start_s: float = 0.0,
) -> bytes:
    """Encode mono sound as a whole file of `kind` (see MUXERS and RARE_MUXERS), its clock beginning at `start_s`."""
    muxer, codec = {**MUXERS, **RARE_MUXERS}[kind]
    out = io.BytesIO()
    with av.open(out, "w", format=muxer, options=options or {}) as container:
        container.metadata.update(tags or {})
        stream: Any = container.add_stream(codec, rate=48000 if codec == "libopus" else rate_hz)
        stream.layout = "stereo" if codec == "vorbis" else "mono"  # FFmpeg's own Vorbis encoder knows nothing else
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        if not codec.startswith(("pcm", "flac")):
            stream.bit_rate = bit_rate
        samples = (np.clip(pcm, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        frame.pts = round(start_s * rate_hz)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return out.getvalue()


def television(pcm: NDArray[np.float32] | None, seconds: float = 2.0, rate_hz: int = 44100) -> bytes:
    """Encode an MPEG transport stream with a moving picture, and sound where given."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        video: Any = container.add_stream("mpeg2video", rate=25, width=320, height=180, pix_fmt="yuv420p")
        audio: Any = container.add_stream("aac", rate=rate_hz, layout="mono") if pcm is not None else None
        for index in range(int(seconds * 25)):
            picture = np.full((180, 320, 3), index % 256, np.uint8)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture)):
                container.mux(packet)
            if audio is not None and pcm is not None:
                part = pcm[index * rate_hz // 25 : (index + 1) * rate_hz // 25]
                frame = av.AudioFrame.from_ndarray((part * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
                frame.sample_rate, frame.pts = rate_hz, index * rate_hz // 25
                for packet in audio.encode(frame):
                    container.mux(packet)
        for stream in (video, audio):
            for packet in stream.encode(None) if stream is not None else []:
                container.mux(packet)
    return out.getvalue()


def fragmented_mp4(pcm: NDArray[np.float32], *, segment_us: int = 2_000_000) -> tuple[bytes, list[bytes]]:
    """Encode as CMAF: the init segment, and the media segments."""
    options = {"movflags": "empty_moov+default_base_moof", "frag_duration": str(segment_us)}
    whole = encoded(pcm, "mp4", options=options)
    first = whole.index(b"moof") - 4
    places = [first]
    while (found := whole.find(b"moof", places[-1] + 8)) >= 0:
        places.append(found - 4)
    end = whole.find(b"mfra")
    places.append(end - 4 if end >= 0 else len(whole))
    return whole[:first], [whole[a:b] for a, b in itertools.pairwise(places)]


def ts_segments(pcm: NDArray[np.float32], seconds: float, *, rate_hz: int = 44100) -> list[bytes]:
    """Cut sound into MPEG-TS segments whose clocks continue each other."""
    length = int(seconds * rate_hz)
    cuts = range(0, len(pcm), length)
    return [encoded(pcm[at : at + length], "mpegts", rate_hz=rate_hz, start_s=at / rate_hz) for at in cuts]


def spectrum_peak_hz(pcm: NDArray[np.int16], rate_hz: int = 8000) -> float:
    """Frequency of the strongest tone."""
    power = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(power) * rate_hz / len(pcm))


def decoded_8k(data: bytes, kind: str) -> NDArray[np.int16]:
    """Decode a whole file of `kind` with the product's own decoder, in this process."""
    with open_container(io.BytesIO(data), {"opus": "ogg"}.get(kind, kind), live=False) as container:
        pieces = [sound.pcm for sound in SoundDecoder(container).sounds()]
    return np.concatenate(pieces)
