"""Random decisions, readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Decide yes with the given probability (0..1)."""
    return bool(rng.random() < probability)
