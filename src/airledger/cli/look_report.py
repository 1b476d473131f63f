"""A look as JSON."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airledger.stations.verdict.weigh import Weighed


def told(url: str, found: "Weighed") -> dict[str, Any]:
    """Lay out a verdict as the API does."""
    return {
        "url": url,
        "is_valid": found.is_valid,
        "confidence": found.confidence,
        "risk_score": found.risk_score,
        "class": found.label,
        "probabilities": found.probabilities,
        "quality": found.quality,
        "reasons": list(found.reasons),
        "faults": list(found.faults),
        "model_version": found.model_version,
        "error": found.error or None,
    }
