"""What a stream of sound is made of, as its decoder found it (not as its server claims)."""

from dataclasses import asdict, dataclass
from typing import Any, Self

SOUND_RATE_HZ = 8000
"""Every decoder of ours gives mono int16 sound at this rate."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """The picture that comes along with the sound. Sizes are 0 where the header did not tell."""

    codec: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """Container and codec of what is being decoded.

    `bitrate_kbps` is what the codec's own header says (None for most variable rates); the measured rate comes from
    `airledger.audio.rate`.
    """

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    bitrate_kbps: float | None = None
    profile: str | None = None
    picture: PictureFormat | None = None

    def to_json(self) -> dict[str, Any]:
        """Give plain values, for the decoder's pipe and for JSON columns."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        picture = values.get("picture")
        return cls(**{**values, "picture": PictureFormat(**picture) if picture else None})
