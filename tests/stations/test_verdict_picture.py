"""Pictures that stand still, are black, or are a card are told from pictures that are alive."""

import numpy as np
import pytest

from airledger.audio.picture_vector import (
    PictureFeatures,
    blockiness,
    is_colour_bars,
    picture_features,
    sharpness,
)
from airledger.stations.verdict.picture import picture_faults, picture_quality

HEIGHT, WIDTH = 90, 160
COUNT = 10
BARS = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]


def scene(seed: int = 1) -> np.ndarray:
    """Draw something like a photograph: structure at all scales."""
    rng = np.random.default_rng(seed)
    total = np.zeros((HEIGHT, WIDTH * 2))
    for step in (3, 10, 30):
        coarse = rng.uniform(0, 255, (HEIGHT // step + 2, WIDTH * 2 // step + 2))
        total += np.kron(coarse, np.ones((step, step)))[:HEIGHT, : WIDTH * 2] / 3
    return total


def seen(pictures: list[np.ndarray]) -> PictureFeatures:
    thumbs = np.stack([np.repeat(one[..., None], 3, 2) if one.ndim == 2 else one for one in pictures]).astype(np.uint8)
    crops = thumbs[:, :80, :160, 1]
    found = picture_features(thumbs, crops, np.arange(len(pictures), dtype=float))
    assert found is not None
    return found


def card() -> np.ndarray:
    grey = np.full((HEIGHT, WIDTH), 60.0)
    grey[35:50, 40:120] = 220
    return grey


def test_a_moving_picture_has_no_fault() -> None:
    whole = scene()
    assert picture_faults(seen([whole[:, 4 * number : 4 * number + WIDTH] for number in range(COUNT)])) == ()


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (np.full((HEIGHT, WIDTH), 16.0), "black"),
        (scene()[:, :WIDTH], "frozen"),
        (card(), "placeholder"),
        (np.repeat(np.array(BARS, np.uint8)[None], HEIGHT, 0).repeat(WIDTH // 7 + 1, 1)[:, :WIDTH], "placeholder"),
    ],
)
def test_a_picture_that_never_changes_is_named(picture: np.ndarray, fault: str) -> None:
    noise = np.random.default_rng(2).normal(0, 0.4, (COUNT, *picture.shape))
    assert picture_faults(seen([np.clip(picture + one, 0, 255) for one in noise])) == (fault,)


def test_a_clock_in_a_still_picture_moves() -> None:
    pictures = [scene()[:, :WIDTH].copy() for _ in range(COUNT)]
    for number, one in enumerate(pictures):
        one[:12, :16] = 255 * (number % 2)
    assert picture_faults(seen(pictures)) == ()


def test_nothing_is_said_of_a_short_look() -> None:
    assert picture_faults(seen([np.full((HEIGHT, WIDTH), 16.0)] * 3)) == ()


def test_colour_bars_are_known_and_scenes_are_none() -> None:
    bars = np.repeat(np.array(BARS, np.uint8)[None], HEIGHT, 0).repeat(WIDTH // 7 + 1, 1)[:, :WIDTH]
    assert is_colour_bars(bars)
    assert not is_colour_bars(np.repeat(scene()[:, :WIDTH, None], 3, 2).astype(np.uint8))


def test_blur_and_blocks_are_measured() -> None:
    sharp = np.random.default_rng(3).uniform(0, 255, (80, 160)).astype(np.uint8)
    blurred = np.kron(sharp[::8, ::8], np.ones((8, 8), np.uint8))
    assert sharpness(sharp) > 20 * sharpness(np.full((80, 160), 9, np.uint8)) + 1
    assert blockiness(blurred) > 1
    assert blockiness(sharp) < 0.1


def test_quality_falls_with_blur() -> None:
    values = {"pictures": 9, "seconds": 9.0, "motion": 5.0, "still_share": 0.0, "black_share": 0.0}
    rest = {"blockiness": 0.0, "flat_share": 0.1, "bars_share": 0.0}
    sharp, _ = picture_quality(PictureFeatures(**values, sharpness=900.0, **rest))  # type: ignore[arg-type]
    soft, why = picture_quality(PictureFeatures(**values, sharpness=5.0, **rest))  # type: ignore[arg-type]
    assert sharp == 1.0
    assert soft == pytest.approx(0.4)
    assert why == ["the picture is blurred"]
