"""The installation's figures for Prometheus, read from the database at most every 15 s, however often it is scraped.

Counters that processes keep in memory come in by their heartbeat (`processes.stats`), so one scrape of one API
process tells of all machines. They fall when a process leaves; `rate()` and `increase()` take that for a restart.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening import figures
from airledger.listening.find_sessions import count_sessions, real_time_factors
from airledger.listening.models import AudioDetection
from airledger.platform.auth.rows import Organisation
from airledger.platform.events import EventCursor, latest_position
from airledger.platform.presence import living
from airledger.platform.tasks.queue import queue_depths
from airledger.playlog.find_plays import count_plays
from airledger.repertoire.recordings import count_recordings
from airledger.stations.catalogue import stats
from airledger.stations.models import Crawl, Verification

_UNFIT = re.compile(r"[^a-z0-9_]")


@dataclass(frozen=True)
class Reading:
    """All figures at one moment."""

    streams: dict[str, int]
    proofs_kept: dict[bool, int]
    sessions: dict[str, int]
    real_time_factors: list[float]
    detections: int
    plays: int
    recordings: int
    crawls: int
    tasks: dict[tuple[str, str], int]
    position: int
    cursors: dict[str, int]
    recognition: figures.Figures
    processes: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    gauges: Counter[tuple[str, str]] = field(default_factory=Counter)


def read_figures(session: Session, now: datetime) -> Reading:
    """Read all figures, in a handful of counting queries."""
    proofs = session.execute(select(Verification.is_healthy, func.count()).group_by(Verification.is_healthy))
    reading = Reading(
        streams=stats(session).streams_by_state,
        proofs_kept=dict(proofs.all()),
        sessions=count_sessions(session),
        real_time_factors=list(real_time_factors(session, now).values()),
        detections=session.scalar(select(func.count()).select_from(AudioDetection)) or 0,
        plays=count_plays(session),
        recordings=count_recordings(session),
        crawls=session.scalar(select(func.count()).select_from(Crawl)) or 0,
        tasks=queue_depths(session),
        position=latest_position(session),
        cursors={row.name: row.position for row in session.scalars(select(EventCursor))},
        recognition=figures.read_figures(session, list(session.scalars(select(Organisation.id))), now),
    )
    for process in living(session, now):
        reading.processes[process.role] += 1
        for into, key in ((reading.counts, "counts"), (reading.gauges, "gauges")):
            for name, value in (process.stats or {}).get(key, {}).items():
                into[process.role, name] += value
    return reading


class Figures:
    """A reading as a registry that prometheus_client renders."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        it = self._reading
        yield _gauge("streams", "Streams of the catalogue by state.", ("state",), _plain(it.streams))
        healthy = {("ok" if good else "failed",): count for good, count in it.proofs_kept.items()}
        yield _gauge("proofs_kept", "Proofs in the history of the last 90 days.", ("outcome",), healthy)
        yield _gauge("sessions", "Streams that shall be listened to, by status.", ("status",), _plain(it.sessions))
        factors = it.real_time_factors
        lowest = {(): min(factors)} if factors else {}
        mean = {(): sum(factors) / len(factors)} if factors else {}
        yield _gauge(
            "real_time_factor_min", "Sound taken in per second by the slowest session; 1 keeps up.", (), lowest
        )
        yield _gauge("real_time_factor_mean", "The same, mean of all sessions.", (), mean)
        yield _gauge("detections", "Detections stored.", (), {(): it.detections})
        yield _gauge("plays", "Plays in the log.", (), {(): it.plays})
        yield _gauge("recordings", "Recordings in the library.", (), {(): it.recordings})
        yield _gauge("crawls_kept", "Crawls in the history.", (), {(): it.crawls})
        yield _gauge("tasks", "Tasks by queue and status.", ("queue", "status"), it.tasks)
        yield _gauge("events_position", "Position of the newest event.", (), {(): it.position})
        lag = {(name,): it.position - position for name, position in it.cursors.items()}
        yield _gauge("events_subscriber_lag", "Events that a subscriber has not seen yet.", ("subscriber",), lag)
        yield _gauge("processes", "Living processes by role.", ("role",), _plain(it.processes))
        yield from _recognition(it.recognition)
        for name, values in _by_name(it.counts).items():
            yield _counter(name, f"{name}, counted by processes since they started.", values)
        for name, values in _by_name(it.gauges).items():
            yield _gauge(f"process_{name}", f"{name}, as processes measure it at present.", ("role",), values)


def _recognition(it: figures.Figures) -> Iterator[Metric]:
    """Yield the mission's metrics: accuracy, processing time, cache hits, API use, capture success."""
    yield _gauge("fingerprints", "Fingerprints kept, by profile.", ("profile",), _plain(it.library.by_profile))
    yield _gauge("fingerprint_quality_mean", "Mean quality of fingerprints, 0 to 1.", (), _one(it.library.mean_quality))
    found = it.detected
    yield _gauge("detections_24h", "Detections of the last 24 hours.", ("source",), _plain(found.by_source))
    yield _gauge("detection_score_mean", "Mean score of these.", (), _one(found.mean_score))
    times = {(str(percent / 100),): ms / 1000 for percent, ms in found.processing_ms.items()}
    yield _gauge("detection_processing_seconds", "CPU time of the deciding window.", ("quantile",), times)
    accuracy = it.accuracy
    reviews = {
        ("local", "confirmed"): accuracy.local_confirmed,
        ("local", "rejected"): accuracy.local_rejected,
        ("outside", "confirmed"): accuracy.outside_confirmed,
        ("outside", "rejected"): accuracy.outside_rejected,
    }
    yield _gauge("reviews", "Candidates that people confirmed or rejected.", ("candidate", "verdict"), reviews)
    yield _gauge("reviews_open", "Doubtful sounds that wait for a decision.", (), {(): accuracy.open_reviews})
    yield _gauge("accuracy_confirmed_share", "Confirmed of all judged candidates.", (), _one(accuracy.confirmed_share))
    yield _gauge("capture_success_rate", "Time of the last 24 hours taken in.", (), _one(it.capture.success_rate))
    rates = {(name,): looks.hit_rate for name, looks in it.caches.items() if looks.hit_rate is not None}
    yield _gauge("cache_hit_rate", "Share of looks that found something.", ("cache",), rates)
    calls = {
        (provider, outcome): count
        for provider, usage in it.usage.items()
        for outcome, count in usage.by_outcome.items()
    }
    yield _gauge("outside_requests_24h", "Requests to outside services.", ("provider", "outcome"), calls)
    costs = {(provider,): usage.cost_micros / 1e6 for provider, usage in it.usage.items()}
    yield _gauge("outside_cost_24h", "What these cost, in the currency of the prices set.", ("provider",), costs)


def _one(value: float | None) -> dict[tuple[str, ...], float]:
    """A gauge without labels; one that has no value yet is left out."""
    return {} if value is None else {(): value}


def _plain(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(key,): value for key, value in values.items()}


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    metric = GaugeMetricFamily(f"airledger_{name}", text, labels=labels)
    for key, value in sorted(values.items()):
        metric.add_metric(key, value)
    return metric


def _counter(name: str, text: str, values: dict[tuple[str, ...], float]) -> Metric:
    metric = CounterMetricFamily(f"airledger_{name}", text, labels=("role",))
    for key, value in sorted(values.items()):
        metric.add_metric(key, value)
    return metric


def _by_name(values: Mapping[tuple[str, str], float]) -> dict[str, dict[tuple[str, ...], float]]:
    """Regroup (role, name) by the metric's name, made fit for Prometheus."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for (role, name), value in sorted(values.items()):
        found.setdefault(_UNFIT.sub("_", name.lower()), {})[(role,)] = value
    return found
