"""Decoded frames of any kind to mono int16 at one rate. Imports av and NumPy alone."""

from collections.abc import Sequence

import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from airledger.audio.rate_change import MOST_PHASES, RateChange, phases

_PLAIN = {"flt": ("<f4", 1), "fltp": ("<f4", 1), "s16": ("<i2", 32768), "s16p": ("<i2", 32768)}
"""Sample formats that are mixed here: the type of a sample, and its full scale."""
_MOST_PLAIN_CHANNELS = 2
_LOUDEST = 32767


class MonoSound:
    """One stream of frames that are all of one kind.

    What most stations send (one or two channels, 16 bits or floats) is mixed and resampled here; the rest, surround
    sound and rare formats, by FFmpeg's slower resampler.
    """

    def __init__(self, like: AudioFrame, rate_hz: int) -> None:
        """Begin a stream of frames like this one."""
        self._kind, full_scale = _PLAIN.get(like.format.name, ("", 1))
        self._channels = like.layout.nb_channels
        self._is_planar = like.format.is_planar
        self._fifo = AudioFifo()
        self._change: RateChange | None = None
        self._resampler: AudioResampler | None = None
        plain = self._kind and self._channels <= _MOST_PLAIN_CHANNELS
        if plain and phases(like.sample_rate, rate_hz) <= MOST_PHASES:
            self._change = RateChange(like.sample_rate, rate_hz, (_LOUDEST + 1) / (full_scale * self._channels))
        else:
            self._resampler = AudioResampler(format="s16", layout="mono", rate=rate_hz)

    def push(self, frames: Sequence[AudioFrame]) -> NDArray[np.int16]:
        """Take frames, give what can be made of them. Many at once cost little more than one."""
        if self._change is None:
            return self._slowly(frames)
        return _as_int16(self._change.push(self._mixed(frames)))

    def finish(self) -> NDArray[np.int16]:
        """Give what the filter still holds; the stream ends."""
        if self._change is None:
            return self._slowly([])
        return _as_int16(self._change.finish())

    def _mixed(self, frames: Sequence[AudioFrame]) -> NDArray[np.float32]:
        """The sum of the channels."""
        if self._is_planar or self._channels == 1:
            sums = self._plane(frames, 0)
            for channel in range(1, self._channels):
                sums += self._plane(frames, channel)
            return sums
        packed = self._plane(frames, 0)
        return packed[::2] + packed[1::2]

    def _plane(self, frames: Sequence[AudioFrame], number: int) -> NDArray[np.float32]:
        """The samples of one plane of all frames; planes are longer than what is in them."""
        per_sample = 1 if self._is_planar else self._channels
        parts = [np.frombuffer(memoryview(one.planes[number]), self._kind, one.samples * per_sample) for one in frames]
        return np.concatenate(parts, dtype=np.float32)

    def _slowly(self, frames: Sequence[AudioFrame]) -> NDArray[np.int16]:
        """As the above, by FFmpeg; no frames at all mean the end."""
        for frame in frames:
            frame.pts = None  # the gatherer insists on an unbroken clock
            self._fifo.write(frame)
        gathered = self._fifo.read() if frames else None
        made = self._resampler.resample(gathered) if self._resampler is not None else []
        pieces = [one.to_ndarray().reshape(-1).astype(np.int16, copy=False) for one in made]
        return np.concatenate([np.empty(0, np.int16), *pieces])


def _as_int16(pcm: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round; NaN, which broken streams decode to, becomes silence."""
    if np.isnan(pcm.sum()):
        pcm = np.nan_to_num(pcm, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST)
    np.rint(pcm, out=pcm)
    np.clip(pcm, -_LOUDEST - 1, _LOUDEST, out=pcm)
    return pcm.astype(np.int16)
