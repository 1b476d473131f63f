"""A hybrid answer as JSON: for the API, for the results of tasks, for the terminal."""

from typing import Any

from airledger.recognition.outside.ask import Asked
from airledger.recognition.outside.hybrid import HybridAnswer
from airledger.recognition.outside.recordings import metadata_of


def answer_json(answer: HybridAnswer) -> dict[str, Any]:
    """Write an answer as JSON."""
    return {
        "detection_source": answer.source,
        "confidence_score": answer.confidence,
        "recording_id": str(answer.recording_id) if answer.recording_id else None,
        "title": answer.title,
        "artist": answer.artist,
        "isrc": answer.isrc,
        "route": answer.route,
        "outcome": answer.outcome,
        "local": None
        if answer.local is None
        else {
            "recording_id": str(answer.local.recording_id),
            "confidence_score": answer.local.score,
            "offset_s": answer.local.offset_s,
            "speed": answer.local.speed,
        },
        "outside": None
        if answer.match is None
        else {**metadata_of(answer.match), "confidence_score": answer.outside_confidence},
        "review_id": str(answer.review_id) if answer.review_id else None,
        "asked": [asked_json(one) for one in answer.asked],
        "again_at": answer.again_at.isoformat() if answer.again_at else None,
        "retry_count": answer.retry_count,
        "processing_time_ms": answer.processing_time_ms,
    }


def asked_json(asked: Asked) -> dict[str, Any]:
    """Write what asking one provider came to as JSON."""
    return {
        "provider": asked.provider,
        "outcome": asked.answer.outcome,
        "code": asked.answer.code,
        "message": asked.answer.message,
        "matches": [metadata_of(match) for match in asked.answer.matches],
        "attempts": asked.attempts,
        "latency_ms": asked.latency_ms,
        "is_cached": asked.is_cached,
        "again_at": asked.again_at.isoformat() if asked.again_at else None,
    }
