"""What pictures of a stream look like: whether they move, are black, blurred, blocky, or a card.

Sharpness is the variance of the Laplacian (J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
ICPR 2000); blockiness compares steps across the grid of 8 pixels with steps elsewhere, after Z. Wang, H. Sheikh and
A. Bovik, "No-reference perceptual quality assessment of JPEG compressed images" (ICIP 2002).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

PICTURE_VERSION = "picture-1"
BLACK_BRIGHTNESS, BLACK_SPREAD = 24.0, 6.0
STILL_STEP = 0.8
STILL_TILE_STEP = 6.0
FLAT_STEP = 1.5
TILES = (6, 8)
BAR_SATURATION = 60.0
LEAST_BARS = 5
GRID_PX = 8
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class PictureFeatures:
    """Measures of a run of pictures.

    Attributes:
        pictures: How many were seen.
        seconds: From the first to the last.
        motion: Mean step of brightness from each picture to the next, 0 to 255.
        still_share: Share of pictures that equal the one before.
        black_share: Share that is black.
        sharpness: Median variance of the Laplacian.
        blockiness: Median of steps across the grid over steps elsewhere, less 1; 0 for none.
        flat_share: Median share of neighbouring pixels without a step: cards have much of it, photographs little.
        bars_share: Share of pictures that are colour bars.
    """

    pictures: int
    seconds: float
    motion: float
    still_share: float
    black_share: float
    sharpness: float
    blockiness: float
    flat_share: float
    bars_share: float


def picture_features(thumbs: U8, crops: U8, times_s: NDArray[np.float64]) -> PictureFeatures | None:
    """Measure pictures.

    Args:
        thumbs: uint8[k, h, w, 3], small, RGB.
        crops: uint8[k, h, w], middles in their own resolution, brightness.
        times_s: float64[k], when each is shown.

    Returns:
        None without a picture.
    """
    if not len(thumbs):
        return None
    bright = thumbs.astype(np.float32) @ _WEIGHTS
    steps = np.abs(np.diff(bright, axis=0))
    still = [_is_still(step) for step in steps]
    return PictureFeatures(
        pictures=len(thumbs),
        seconds=float(times_s[-1] - times_s[0]),
        motion=float(steps.mean()) if len(steps) else 0.0,
        still_share=float(np.mean(still)) if still else 0.0,
        black_share=float(np.mean([_is_black(one) for one in bright])),
        sharpness=float(np.median([sharpness(one) for one in crops])),
        blockiness=float(np.median([blockiness(one) for one in crops])),
        flat_share=float(np.median([_flat_share(one) for one in bright])),
        bars_share=float(np.mean([is_colour_bars(one) for one in thumbs])),
    )


def sharpness(crop: U8) -> float:
    """Give the variance of the Laplacian of a brightness picture, uint8[h, w]."""
    grey = crop.astype(np.float32)
    across = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1] - 4 * grey[1:-1, 1:-1]
    return float(across.var())


def blockiness(crop: U8) -> float:
    """Compare steps across the grid of 8 pixels with steps elsewhere; uint8[h, w], whose corner lies on the grid."""
    grey = crop.astype(np.float32)
    ratios = []
    for steps in (np.abs(np.diff(grey, axis=1)).mean(axis=0), np.abs(np.diff(grey, axis=0)).mean(axis=1)):
        on_grid = np.arange(1, len(steps) + 1) % GRID_PX == 0
        ratios.append((float(steps[on_grid].mean()) + 0.1) / (float(steps[~on_grid].mean()) + 0.1))
    return max(0.0, float(np.mean(ratios)) - 1.0)


def is_colour_bars(thumb: U8) -> bool:
    """Tell colour bars: at least five saturated upright stripes that do not change over the upper half.

    Args:
        thumb: uint8[h, w, 3], RGB.
    """
    upper = thumb[: len(thumb) // 2].astype(np.float32)
    if float(upper.std(axis=0).mean()) > 4.0:  # noqa: PLR2004  levels of brightness: a codec's noise, no drawing
        return False
    row = upper.mean(axis=0)
    edges = np.flatnonzero(np.abs(np.diff(row, axis=0)).max(axis=1) > 12.0)  # noqa: PLR2004  a visible step
    stripes = [part for part in np.split(row, edges + 1) if len(part) >= len(row) // 20]
    coloured = [part.mean(axis=0) for part in stripes if np.ptp(part.mean(axis=0)) > BAR_SATURATION]
    return len(stripes) >= LEAST_BARS + 1 and len(coloured) >= LEAST_BARS


def _is_still(step: F32) -> bool:
    """Whether nothing moved, also in no corner: a clock in a still picture moves."""
    rows, columns = TILES
    height, width = step.shape[0] // rows * rows, step.shape[1] // columns * columns
    tiles = step[:height, :width].reshape(rows, height // rows, columns, width // columns).mean(axis=(1, 3))
    return bool(step.mean() < STILL_STEP and tiles.max() < STILL_TILE_STEP)


def _is_black(bright: F32) -> bool:
    return bool(bright.mean() < BLACK_BRIGHTNESS and bright.std() < BLACK_SPREAD)


def _flat_share(bright: F32) -> float:
    across, down = np.abs(np.diff(bright, axis=1)), np.abs(np.diff(bright, axis=0))
    return float(((across[:-1] < FLAT_STEP) & (down[:, :-1] < FLAT_STEP)).mean())
