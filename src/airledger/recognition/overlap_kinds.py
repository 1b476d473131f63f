"""What one recording may be of another. Pure, and apart from the engine, for those who only read what was found."""

from typing import Literal

WHOLE = 0.8
PART = 0.3
SAME_SPEED = 0.004

Kind = Literal["same", "speed", "edit", "contained", "contains"]
MIRRORED: dict[Kind, Kind] = {
    "same": "same",
    "speed": "speed",
    "edit": "edit",
    "contained": "contains",
    "contains": "contained",
}


def kind_of(share: float, share_of: float, speed: float, alignments: int) -> Kind | None:
    """Tell what one recording is of another, None when they share too little to mention.

    Args:
        share: How much of it the other has.
        share_of: How much of the other it has.
        speed: How much faster it is.
        alignments: In how many pieces it lies over the other.
    """
    if max(share, share_of) < PART:
        return None
    if alignments > 1:
        return "edit"
    if min(share, share_of) >= WHOLE:
        return "same" if abs(speed - 1) < SAME_SPEED else "speed"
    if share >= WHOLE:
        return "contained"
    return "contains" if share_of >= WHOLE else "edit"
