"""What people say of a verdict: right, or what it should have been. Their word is kept as a lesson."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.stations.models import Stream
from airledger.stations.verdict.models import StreamVerdict, VerdictLabel

LABELS = (
    "advert_loop",
    "error_page",
    "mixed",
    "music",
    "noise",
    "silence",
    "slate",
    "speech",
    "tone",
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A vector and what a person called it."""

    label: str
    stream_id: int
    features: str
    vector: dict[str, float]


def get_verdict(session: Session, stream_id: int) -> StreamVerdict | None:
    """Find the last verdict on a stream; None when nobody has looked yet.

    Raises:
        NotFoundError: There is no such stream.
    """
    if session.get(Stream, stream_id) is None:
        raise NotFoundError("there is no such stream")
    return session.get(StreamVerdict, stream_id)


def confirm(unit: Unit, stream_id: int, actor: Actor, label: str | None, *, now: datetime) -> VerdictLabel:
    """Keep what a person says of the last look: its label was right, or should have been another.

    Args:
        unit: The unit of work.
        stream_id: The stream.
        actor: Who says so.
        label: What it is; None confirms the verdict.
        now: When.

    Raises:
        NotFoundError: There is no such stream.
        ConflictError: Nobody has looked at it yet.
        InputError: There is no such class.
    """
    verdict = get_verdict(unit.session, stream_id)
    if verdict is None or verdict.looked_at is None or verdict.label is None:
        raise ConflictError("nobody has looked at this stream yet: there is nothing to confirm")
    if label is not None and label not in LABELS:
        raise InputError(f"there is no class {label[:40]!r}: choose from {', '.join(LABELS)}")
    said = VerdictLabel(
        stream_id=stream_id,
        at=now,
        by=actor.name,
        label=label or verdict.label,
        was=verdict.label,
        looked_at=verdict.looked_at,
        model_version=verdict.model_version or "",
        features=verdict.features or "",
        vector=verdict.vector,
    )
    unit.session.add(said)
    change = {"label": said.label, "was": said.was}
    record_change(unit, actor, "confirmed", "stream_verdict", stream_id, change, at=now)
    return said


def read_lessons(session: Session, features: str, labels: Sequence[str]) -> list[Lesson]:
    """List what people said of looks whose vectors a model of these features can learn from.

    Of one look the last word counts.
    """
    rows = session.scalars(
        select(VerdictLabel)
        .where(VerdictLabel.features == features, VerdictLabel.label.in_(labels))
        .order_by(VerdictLabel.at)
    )
    last = {(row.stream_id, row.looked_at): row for row in rows}
    return [Lesson(row.label, row.stream_id, row.features, dict(row.vector)) for row in last.values()]
