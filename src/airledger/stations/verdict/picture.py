"""What is wrong with pictures, and how good they are: exact rules over what was measured. Values in, values out."""

from airledger.audio.picture_vector import PictureFeatures
from airledger.stations.cause import Cause

LEAST_PICTURES = 4
LEAST_S = 6.0
ALL = 0.9
CARD_FLATNESS = 0.6
BLURRED, SHARP = 15.0, 150.0
BLOCKY = 0.25


def picture_faults(seen: PictureFeatures) -> tuple[str, ...]:
    """Name what is wrong: `black`, `frozen`, `placeholder` (a still card, or colour bars); nothing for most.

    Nothing is said of less than 6 s or four pictures: a fade is black, and a commentator may hold still.
    """
    if seen.pictures < LEAST_PICTURES or seen.seconds < LEAST_S:
        return ()
    if seen.black_share >= ALL:
        return (Cause.BLACK.value,)
    if seen.still_share < ALL:
        return ()
    is_card = seen.bars_share >= ALL or seen.flat_share >= CARD_FLATNESS
    return (Cause.PLACEHOLDER.value if is_card else Cause.FROZEN.value,)


def picture_quality(seen: PictureFeatures) -> tuple[float, list[str]]:
    """Say how good pictures are, 0 to 1, and why: by sharpness and blockiness, not by a trained model."""
    reasons: list[str] = []
    quality = 1.0
    if seen.sharpness < SHARP:
        quality -= 0.6 * (1 - max(0.0, seen.sharpness - BLURRED) / (SHARP - BLURRED))
        reasons.append(f"the picture is {'blurred' if seen.sharpness < BLURRED else 'soft'}")
    if seen.blockiness > BLOCKY:
        quality -= min(0.5, seen.blockiness - BLOCKY)
        reasons.append("the picture falls into blocks")
    return round(max(0.0, quality), 3), reasons
