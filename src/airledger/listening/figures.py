"""How well and how fast recognition works: the mission's metrics, over the last day."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening.models import AudioDetection, Coverage, ListeningSession
from airledger.platform.presence import living
from airledger.platform.tasks.rows import TaskRow
from airledger.recognition.models import Fingerprint
from airledger.recognition.outside.models import DECIDED, OPEN, OutsideCall, RecognitionReview

DAY = timedelta(days=1)
NEWEST = 5_000  # rows whose JSON or times are looked at one by one: enough for a mean, few enough for every scrape
PERCENTILES = (50, 90, 99)
TAKEN_IN = ("heard", "silent", "looped")
LOST = "gap"
CACHES = {"outside": "outside_cache", "isrc": "isrc_cache"}  # what processes count them under


@dataclass(frozen=True)
class Library:
    """Fingerprints that are kept: how many, by which profile and engine, and the mean quality of the newest 5,000."""

    tracks: int
    by_profile: dict[str, int]
    by_engine: dict[str, int]
    mean_quality: float | None


@dataclass(frozen=True)
class Detected:
    """Detections that began within the last day.

    Attributes:
        processing_ms: Percentiles of the CPU time that the deciding window took, by percent.
    """

    count: int
    by_source: dict[str, int]
    mean_score: float | None
    processing_ms: dict[int, int]


@dataclass(frozen=True)
class Accuracy:
    """What people decided on doubtful sounds: whether our candidate was right, and whether the outside's was.

    Attributes:
        confirmed_share: Right answers of all that were judged; None before there are any.
    """

    open_reviews: int
    local_confirmed: int
    local_rejected: int
    outside_confirmed: int
    outside_rejected: int

    @property
    def confirmed_share(self) -> float | None:
        """Right answers of all that were judged."""
        confirmed = self.local_confirmed + self.outside_confirmed
        judged = confirmed + self.local_rejected + self.outside_rejected
        return confirmed / judged if judged else None


@dataclass(frozen=True)
class Capture:
    """Seconds of the last day that were taken in, and that were lost."""

    taken_in_s: float
    lost_s: float

    @property
    def success_rate(self) -> float | None:
        """Share of the time that was taken in; None when nothing was listened to."""
        whole_s = self.taken_in_s + self.lost_s
        return self.taken_in_s / whole_s if whole_s else None


@dataclass(frozen=True)
class Looks:
    """Looks into a cache, as living processes have counted them since their start."""

    hits: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        """Share of looks that found something."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None


@dataclass(frozen=True)
class Usage:
    """Requests to one outside service within the last day."""

    requests: int
    by_outcome: dict[str, int]
    cost_micros: int


@dataclass(frozen=True)
class Figures:
    """Everything at one moment."""

    library: Library
    detected: Detected
    accuracy: Accuracy
    capture: Capture
    caches: dict[str, Looks]
    usage: dict[str, Usage]


def read_figures(session: Session, organisations: Sequence[UUID], now: datetime) -> Figures:
    """Read the figures of some organisations, in a handful of queries that go by indexes."""
    return Figures(
        library=_library(session, organisations),
        detected=_detected(session, organisations, now - DAY),
        accuracy=_accuracy(session, organisations),
        capture=_capture(session, organisations, now - DAY, now),
        caches=_caches(session, now),
        usage=_usage(session, organisations, now - DAY),
    )


def count_tasks(
    session: Session, names: Sequence[str], organisation_id: UUID, since: datetime
) -> dict[str, dict[str, int]]:
    """Count tasks of some kinds by their status; those of the house itself belong to all."""
    query = (
        select(TaskRow.name, TaskRow.status, func.count())
        .where(TaskRow.name.in_(names), TaskRow.created_at >= since)
        .where((TaskRow.organisation_id == organisation_id) | TaskRow.organisation_id.is_(None))
        .group_by(TaskRow.name, TaskRow.status)
    )
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    for name, status, count in session.execute(query):
        found[name][status] = count
    return found


def percentiles(values: Sequence[int]) -> dict[int, int]:
    """Return some percentiles by nearest rank; nothing of nothing."""
    ordered = sorted(values)
    return {percent: ordered[-(-percent * len(ordered) // 100) - 1] for percent in PERCENTILES} if ordered else {}


def _library(session: Session, organisations: Sequence[UUID]) -> Library:
    mine = Fingerprint.organisation_id.in_(organisations)
    rows = session.execute(
        select(Fingerprint.profile, Fingerprint.engine_version, func.count())
        .where(mine)
        .group_by(Fingerprint.profile, Fingerprint.engine_version)
    ).all()
    profiles: Counter[str] = Counter()
    engines: Counter[str] = Counter()
    for profile, engine, count in rows:
        profiles[profile or "balanced"] += count
        engines[engine] += count
    newest = select(Fingerprint.quality).where(mine).order_by(Fingerprint.track.desc()).limit(NEWEST)
    scores = [score for quality in session.scalars(newest) if isinstance(score := quality.get("score"), int | float)]
    mean = round(sum(scores) / len(scores), 4) if scores else None
    return Library(profiles.total(), dict(profiles), dict(engines), mean)


def _detected(session: Session, organisations: Sequence[UUID], since: datetime) -> Detected:
    recent = (AudioDetection.organisation_id.in_(organisations), AudioDetection.started_at >= since)
    source, score = AudioDetection.detection_source, AudioDetection.confidence_score
    rows = session.execute(select(source, func.count(), func.sum(score)).where(*recent).group_by(source)).all()
    count = sum(row[1] for row in rows)
    times = session.scalars(
        select(AudioDetection.processing_time_ms)
        .where(*recent, AudioDetection.processing_time_ms.is_not(None))
        .order_by(AudioDetection.started_at.desc())
        .limit(NEWEST)
    ).all()
    return Detected(
        count=count,
        by_source={row[0]: row[1] for row in rows},
        mean_score=round(sum(row[2] for row in rows) / count, 4) if count else None,
        processing_ms=percentiles([time for time in times if time is not None]),
    )


def _accuracy(session: Session, organisations: Sequence[UUID]) -> Accuracy:
    review = RecognitionReview
    has_local = review.local_recording_id.is_not(None)
    rows = session.execute(
        select(review.state, review.decision, has_local, func.count())
        .where(review.organisation_id.in_(organisations))
        .group_by(review.state, review.decision, has_local)
    )
    judged: Counter[str] = Counter()
    for state, decision, with_local, count in rows:
        if state == OPEN:
            judged["open"] += count
        elif state == DECIDED:
            judged["local right" if decision == "local" else "local wrong"] += count if with_local else 0
            judged["outside right" if decision == "outside" else "outside wrong"] += count
    return Accuracy(
        judged["open"], judged["local right"], judged["local wrong"], judged["outside right"], judged["outside wrong"]
    )


def _capture(session: Session, organisations: Sequence[UUID], since: datetime, now: datetime) -> Capture:
    query = (
        select(Coverage.kind, Coverage.started_at, Coverage.ended_at)
        .join(ListeningSession, ListeningSession.session_id == Coverage.session_id)
        .where(Coverage.ended_at > since, ListeningSession.organisation_id.in_(organisations))
    )
    spans: dict[bool, float] = defaultdict(float)
    for kind, started_at, ended_at in session.execute(query):
        if kind in TAKEN_IN or kind == LOST:
            length_s = (min(ended_at, now) - max(started_at, since)).total_seconds()
            spans[kind in TAKEN_IN] += max(0.0, length_s)
    return Capture(round(spans[True], 1), round(spans[False], 1))


def _caches(session: Session, now: datetime) -> dict[str, Looks]:
    counted: Counter[str] = Counter()
    for process in living(session, now):
        counts: dict[str, Any] = (process.stats or {}).get("counts", {})
        counted.update({name: round(value) for name, value in counts.items() if "_cache_" in name})
    return {cache: Looks(counted[f"{name}_hits"], counted[f"{name}_misses"]) for cache, name in sorted(CACHES.items())}


def _usage(session: Session, organisations: Sequence[UUID], since: datetime) -> dict[str, Usage]:
    """Sum a day's calls here: they are found by time, where grouping by owner would go through those of two years."""
    call = OutsideCall
    query = select(call.organisation_id, call.provider, call.outcome, call.cost_micros).where(call.at >= since)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    costs: Counter[str] = Counter()
    for organisation_id, provider, outcome, cost in session.execute(query):
        if organisation_id in organisations:
            outcomes[provider][outcome] += 1
            costs[provider] += cost
    return {name: Usage(found.total(), dict(found), costs[name]) for name, found in sorted(outcomes.items())}
