"""Sound as a station sends it and a listener gets it: processed, encoded, cut, decoded by the same child as strangers'.

Encoders are LAME, Opus, FLAC and FFmpeg's own AAC and Vorbis.
"""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from airledger.audio.look_frames import Looked
from airledger.stations.verdict.eyes import Eyes
from airledger.stations.verdict.teaching.pieces import RATE_HZ, resampled

F32 = NDArray[np.float32]

BLOCK = 1152 * 16
EDGES_HZ = (20.0, 200.0, 1200.0, 3000.0, 20_000.0)


@dataclass(frozen=True)
class Sending:
    """How a station encodes.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        muxer: Of the container.
        container: FFmpeg's name of the demuxer.
        sample_format: What the encoder takes.
        rates_hz: Rates that it may be sent at.
        bitrates_kbps: Bitrates that stations use with it, for one channel; none for lossless.
        options: Further options.
    """

    encoder: str
    muxer: str
    container: str
    sample_format: str
    rates_hz: tuple[int, ...]
    bitrates_kbps: tuple[int, ...]
    options: tuple[tuple[str, str], ...] = ()


SENDINGS: dict[str, Sending] = {
    "mp3": Sending(
        "libmp3lame", "mp3", "mp3", "fltp", (16_000, 22_050, 32_000, 44_100, 48_000), (24, 32, 48, 64, 96, 128, 160)
    ),
    "aac": Sending(
        "aac",
        "adts",
        "aac",
        "fltp",
        (16_000, 22_050, 32_000, 44_100, 48_000),
        (24, 32, 48, 64, 96, 128),
        (("aac_coder", "fast"),),
    ),
    "opus": Sending("libopus", "ogg", "ogg", "flt", (16_000, 24_000, 48_000), (16, 24, 32, 48, 64, 96)),
    "vorbis": Sending(
        "vorbis",
        "ogg",
        "ogg",
        "fltp",
        (16_000, 22_050, 44_100),
        (80,),
        (("strict", "-2"), ("flags", "+qscale"), ("global_quality", "472")),
    ),
    "flac": Sending("flac", "flac", "flac", "s16", (16_000, 22_050, 44_100, 48_000), ()),
}


@dataclass(frozen=True)
class Sent:
    """A piece as it arrives.

    Attributes:
        seen: What the decoder made of it.
        rate_hz: Its sample rate; it is sent at much the same or below, where the codec can.
        codec: A key of `SENDINGS`.
        kbps: Its measured bitrate.
    """

    seen: Looked
    codec: str
    kbps: float

    @property
    def pcm(self) -> F32:
        """The sound, float32[n, channels]."""
        return self.seen.pcm.astype(np.float32) / np.float32(32768)


def process(sound: F32, rng: np.random.Generator) -> F32:
    """Do what studios do: equalise a little, ride the level, limit, and set a level between -30 and -6 dBFS."""
    spectrum = np.fft.rfft(sound)
    frequencies = np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE_HZ), EDGES_HZ[0])
    gains = rng.uniform(-6, 6, len(EDGES_HZ))
    spectrum *= 10 ** (np.interp(np.log(frequencies), np.log(EDGES_HZ), gains) / 20)
    shaped = np.fft.irfft(spectrum, len(sound))
    if rng.random() < 0.5:  # noqa: PLR2004  a coin
        block = RATE_HZ // 10
        blocks = np.sqrt(np.mean(np.square(shaped[: len(shaped) // block * block].reshape(-1, block)), axis=1))
        smooth = np.convolve(np.pad(blocks, 5, mode="edge"), np.ones(11) / 11, mode="valid")
        gain = (np.maximum(smooth, smooth.max() * 0.02) / smooth.max()) ** -rng.uniform(0.2, 0.6)
        shaped *= np.interp(np.arange(len(shaped)), np.arange(len(gain)) * block + block / 2, gain)
    level = 10 ** (rng.uniform(-30, -9) / 20)
    scaled = shaped * (level / max(float(np.sqrt(np.mean(shaped**2))), 1e-9))
    processed: F32 = np.clip(scaled, -0.999, 0.999).astype(np.float32)
    return processed


def send(
    sound: F32,
    eyes: Eyes,
    rng: np.random.Generator,
    *,
    rate_hz: int = RATE_HZ,
    codec: str | None = None,
    kbps: int | None = None,
) -> Sent:
    """Encode mono sound in one of the ways stations do, and decode it as a stranger's.

    Args:
        sound: float32[n].
        eyes: The decoder.
        rng: Draws what is not given.
        rate_hz: Its sample rate; it is sent at much the same or below, where the codec can.
        codec: A key of `SENDINGS`.
        kbps: The bitrate.

    Raises:
        RuntimeError: What we encoded could not be decoded.
    """
    name = codec or str(rng.choice(["mp3", "mp3", "aac", "opus", "vorbis", "flac", "flac", "flac"]))
    way = SENDINGS[name]
    sent_hz = int(rng.choice([one for one in way.rates_hz if one <= 1.15 * rate_hz] or way.rates_hz))
    bitrate = kbps or (int(rng.choice(way.bitrates_kbps)) if way.bitrates_kbps else 0)
    data = encode(resampled(sound, rate_hz, sent_hz), sent_hz, way, bitrate)
    seen = eyes.look(data, way.container)
    if seen.error:
        raise RuntimeError(f"{name} at {sent_hz} Hz: {seen.error}")
    return Sent(seen, name, len(data) * 8 / 1000 / max(seen.sound_s, 0.1))


def encode(sound: F32, rate_hz: int, way: Sending, kbps: int) -> bytes:
    """Encode mono sound at its own rate."""
    written = io.BytesIO()
    channels = 2 if way.encoder == "vorbis" else 1
    layout = "stereo" if channels == 2 else "mono"  # noqa: PLR2004  channels
    with av.open(written, "w", format=way.muxer) as container:
        stream = container.add_stream(way.encoder, rate=rate_hz, layout=layout, options=dict(way.options))
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{way.encoder} is not an audio encoder.")
        if kbps and way.encoder != "vorbis":
            stream.codec_context.bit_rate = kbps * 1000
        samples = np.rint(sound * 32767).astype(np.int16) if way.sample_format == "s16" else sound
        for start in range(0, len(samples), BLOCK):
            planes = np.ascontiguousarray(
                np.broadcast_to(
                    samples[start : start + BLOCK],
                    (channels, BLOCK if start + BLOCK <= len(samples) else len(samples) - start),
                )
            )
            frame = av.AudioFrame.from_ndarray(planes, format=way.sample_format, layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()
