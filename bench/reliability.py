"""Whether a score means what it says: Brier score, log loss, and a figure of how often scores are right."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EDGES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 1.0)
_LEAST_ODDS = 1e-6
_SIZE, _MARGIN = 420, 48


@dataclass(frozen=True, slots=True)
class Reliability:
    """What scores were worth.

    Attributes:
        brier: mean squared error of the score as a forecast of being right.
        log_loss: mean of -log of what the score gave to what was so, in nats; scores are cut at 1e-6.
        constant_brier: Brier score of saying the share that was right every time.
        constant_log_loss: its log loss.
        bins: rows (mean score, share right, count) of the scores between EDGES.
    """

    brier: float
    log_loss: float
    constant_brier: float
    constant_log_loss: float
    bins: tuple[tuple[float, float, int], ...]


def assess(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> Reliability:
    """Compare scores of best candidates with whether they were right."""
    share = float(right.mean())
    cut = np.clip(scores, _LEAST_ODDS, 1 - _LEAST_ODDS)
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share)) if 0 < share < 1 else 0.0
    place = np.clip(np.searchsorted(EDGES, scores, side="right") - 1, 0, len(EDGES) - 2)
    bins = [
        (float(scores[place == n].mean()), float(right[place == n].mean()), int((place == n).sum()))
        for n in range(len(EDGES) - 1)
        if (place == n).any()
    ]
    return Reliability(
        brier=float(np.mean((scores - right) ** 2)),
        log_loss=float(-np.mean(np.where(right, np.log(cut), np.log(1 - cut)))),
        constant_brier=share * (1 - share),
        constant_log_loss=float(entropy),
        bins=tuple(bins),
    )


def draw(found: Reliability, path: Path, title: str) -> None:
    """Write the figure as SVG: the score on the x axis, the share that was right on the y axis, counts beside."""

    def across(value: float) -> float:
        return _MARGIN + value * (_SIZE - 2 * _MARGIN)

    def up(value: float) -> float:
        return _SIZE - across(value)

    dots = [
        f'<circle cx="{across(score):.1f}" cy="{up(right):.1f}" r="{3 + np.log10(count):.1f}" fill="#2563eb"/>'
        f'<text x="{across(score) + 8:.1f}" y="{up(right) + 14:.1f}">{count}</text>'
        for score, right, count in found.bins
    ]
    ticks = [
        f'<text x="{across(at):.0f}" y="{_SIZE - _MARGIN + 16}" text-anchor="middle">{at:g}</text>'
        f'<text x="{_MARGIN - 8}" y="{up(at) + 4:.0f}" text-anchor="end">{at:g}</text>'
        for at in (0, 0.25, 0.5, 0.75, 1)
    ]
    low, high = across(0), across(1)
    losses = f"Brier {found.brier:.4f} (constant {found.constant_brier:.4f}), "
    losses += f"log loss {found.log_loss:.4f} (constant {found.constant_log_loss:.4f})"
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="#fff"/>'
        f'<text x="{_SIZE / 2}" y="18" text-anchor="middle" font-size="13">{title}</text>'
        f'<text x="{_SIZE / 2}" y="34" text-anchor="middle">{losses}</text>'
        f'<path d="M{low} {low} V{high} H{high}" fill="none" stroke="#444"/>'
        f'<path d="M{low} {high} L{high} {low}" stroke="#999" stroke-dasharray="4 3"/>'
        f"{''.join(ticks)}{''.join(dots)}"
        f'<text x="{_SIZE / 2}" y="{_SIZE - 12}" text-anchor="middle">score of the best candidate</text>'
        f'<text x="14" y="{_SIZE / 2}" text-anchor="middle" transform="rotate(-90 14 {_SIZE / 2})">share right</text>'
        "</svg>\n",
        encoding="utf-8",
    )
