"""How much of a stream a session takes in: all of it, or a sample now and then."""

from dataclasses import dataclass

from airledger.listening.monitoring import MonitoringConfig

SAMPLED = "sampled"
"""Cause of the gaps that are wanted."""


@dataclass(frozen=True)
class Capture:
    """What a session's settings mean for its hearing.

    Attributes:
        interval_s: from one capture's beginning to the next; None hears continuously.
        duration_s: sound of one capture.
        overlap_s: by how much windows overlap where the session says so itself; None leaves it to the installation.
        confidence: the least score with which a window counts as matched.
    """

    interval_s: float | None = None
    duration_s: float = 0.0
    overlap_s: float | None = None
    confidence: float = 0.0

    @classmethod
    def of(cls, config: MonitoringConfig, *, has_own_overlap: bool = False) -> "Capture":
        """Read a session's settings."""
        is_sampled = config.mode == SAMPLED
        return cls(
            interval_s=float(config.capture_interval_seconds) if is_sampled else None,
            duration_s=float(config.capture_duration_seconds) if is_sampled else 0.0,
            overlap_s=float(config.overlap_seconds) if is_sampled or has_own_overlap else None,
            confidence=config.confidence_threshold,
        )

    def windows(self, window_s: float, hop_s: float) -> tuple[float, float]:
        """Length and distance of windows, given the installation's."""
        if self.interval_s is not None:
            window_s = min(window_s, self.duration_s)
        hop_s = min(hop_s, window_s)
        if self.overlap_s is not None and self.overlap_s < window_s:
            hop_s = window_s - self.overlap_s
        return window_s, hop_s

    def gap_s(self, usual_s: float) -> float:
        """How long a play may go unheard and still be the same one: longer than what lies between two captures."""
        return usual_s if self.interval_s is None else max(usual_s, 1.5 * self.interval_s)

    def is_enough(self, heard_s: float) -> bool:
        """Whether one capture is complete."""
        return self.interval_s is not None and heard_s >= self.duration_s
