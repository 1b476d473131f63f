"""What an alert says, as a subject and a text for people. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from airledger.stations.alerts.gather import EVERYTHING, HOST, NETWORK, SUMMARY, Bundle, Notice
from airledger.stations.alerts.models import CLOSED, OPENED

MOST_LINES = 50
SUBJECT_CHARS = 150
BEGAN = {
    "down": "is down",
    "flapping": "comes and goes",
    "degrading": "gets worse",
    "silence": "is silent",
    "wrong_programme": "carries no programme",
}
ENDED = {
    "down": "is back",
    "flapping": "is steady again",
    "degrading": "is as good as before",
    "silence": "is heard again",
    "wrong_programme": "carries its programme again",
}


@dataclass(frozen=True)
class Subject:
    """Whom an alert is about."""

    name: str
    cause: str | None
    detail: str


def subject_of(bundle: Bundle, about: Mapping[int, Subject]) -> str:
    """Return one line for a bundle.

    Args:
        bundle: What is told.
        about: By alert.
    """
    notices = bundle.notices
    streams = {one.stream_id for one in notices}
    opened = {one.stream_id for one in notices if one.what != CLOSED}
    if len(streams) == 1:
        last = notices[-1]
        line = f"{about[last.alert_id].name} {phrase(last)}"
    else:
        counts = _counts(len(opened), len(streams - opened))
        place = {HOST: f" on {bundle.key}", NETWORK: f" in network {bundle.key}", EVERYTHING: " in many networks"}
        line = counts + place.get(bundle.scope, "")
    line = f"While it was quiet: {line}" if bundle.scope == SUMMARY else line
    return " ".join(line.split())[:SUBJECT_CHARS]


def text_of(bundle: Bundle, about: Mapping[int, Subject], zone: str) -> str:
    """Return the message: a line for each notice, at most 50, in the reader's time zone."""
    lines = []
    if bundle.scope == EVERYTHING:
        lines.append("Streams of many hosts failed at once. It may be this installation's own line that is down.\n")
    for one in bundle.notices[:MOST_LINES]:
        subject = about[one.alert_id]
        why = f" ({subject.cause})" if subject.cause and one.what != CLOSED else ""
        lines.append(f"{_clock(one.at, zone)}  {subject.name} {phrase(one)}{why}")
        if one.what != CLOSED and subject.detail:
            lines.append(f"    {subject.detail}")
    if len(bundle.notices) > MOST_LINES:
        lines.append(f"... and {len(bundle.notices) - MOST_LINES} more.")
    return "\n".join(lines) + "\n"


def phrase(one: Notice) -> str:
    """Return what happened to a stream, as a predicate."""
    if one.what == CLOSED:
        return ENDED.get(one.kind, f"no longer: {one.kind}")
    began = BEGAN.get(one.kind, one.kind)
    return began if one.what == OPENED else f"still {began}"


def _counts(opened: int, closed: int) -> str:
    parts = [f"{opened} {'stream has' if opened == 1 else 'streams have'} a fault"] if opened else []
    parts += [f"{closed} {'is' if closed == 1 else 'are'} well again"] if closed else []
    return ", ".join(parts)


def _clock(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


def shown(notices: Sequence[Notice], about: Mapping[int, Subject]) -> list[dict[str, object]]:
    """Return notices as JSON, for webhooks."""
    return [
        {
            "alert_id": one.alert_id,
            "kind": one.kind,
            "what": one.what.split()[0],
            "at": one.at.isoformat(),
            "stream_id": one.stream_id,
            "name": about[one.alert_id].name,
            "host": one.host,
            "cause": about[one.alert_id].cause,
            "detail": about[one.alert_id].detail,
        }
        for one in notices
    ]
