"""`airledger demo`: hold what was logged against what the demo band really aired."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import print_json, print_table

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.testing.score import HeardPlay, Listened, SeenStation

demo = typer.Typer(no_args_is_help=True, help="The demo band and its truth.")
END_S = 60.0


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(demo, name="demo", rich_help_panel="Start here")


@demo.command("score")
def score(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Score the log against the truth: recall, false plays, start errors, causes of the bad stations.

    Judged are plays that lie wholly within what was listened to, up to a minute ago.
    """
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.testing.score import judge_bad_stations
    from airledger.testing.score import score as judge
    from airledger.testing.truth import read_truth

    settings = load_settings()
    truth = read_truth(settings.data / "demo")
    keys = truth.station_by_url()
    with Airledger.open(settings) as app:
        heard, listened = _log(app, keys)
        seen = _seen(app, keys)
    report = judge(truth.plays, heard, listened)
    bad = judge_bad_stations({one.station: one.expected_cause for one in truth.stations if one.expected_cause}, seen)
    right = sum(one.right for one in bad)
    if as_json:
        print_json({**report.to_json(), "bad_stations": [asdict(one) for one in bad]})
        return
    print_table(
        "Plays against the truth",
        ("measure", "value"),
        [(key, _short(value)) for key, value in report.to_json().items()],
    )
    rows = [(one.station, one.expected, one.seen) for one in bad]
    print_table(f"Bad stations: {right} of {len(bad)} with their right cause", ("station", "expected", "seen"), rows)


def _log(app: "Airledger", keys: dict[str, str]) -> "tuple[list[HeardPlay], list[Listened]]":
    from sqlalchemy import select

    from airledger.listening.models import Coverage
    from airledger.playlog.models import PlayLog
    from airledger.repertoire.models import Recording
    from airledger.stations.models import Stream
    from airledger.testing.score import HeardPlay, Listened

    until_s = app.clock.now().timestamp() - END_S
    with app.read() as session:
        streams = {row.id: keys[row.url] for row in session.scalars(select(Stream)) if row.url in keys}
        plays = session.execute(
            select(PlayLog.stream_id, Recording.isrc, PlayLog.started_at, PlayLog.ended_at).join(
                Recording, Recording.id == PlayLog.recording_id
            )
        ).all()
        spans = session.scalars(select(Coverage).where(Coverage.kind != "gap").order_by(Coverage.started_at)).all()
    heard = [
        HeardPlay(streams[row.stream_id], row.isrc or "", row.started_at.timestamp(), row.ended_at.timestamp())
        for row in plays
        if row.stream_id in streams
    ]
    listened = [
        Listened(streams[row.stream_id], row.started_at.timestamp(), min(row.ended_at.timestamp(), until_s))
        for row in spans
        if row.stream_id in streams and row.started_at.timestamp() < until_s
    ]
    return heard, _joined(listened)


def _joined(spans: "list[Listened]") -> "list[Listened]":
    """Join spans that touch: silence between heard stretches was listened to as well."""
    from airledger.testing.score import Listened

    joined: list[Listened] = []
    for span in sorted(spans, key=lambda one: (one.station, one.from_s)):
        if joined and joined[-1].station == span.station and span.from_s <= joined[-1].to_s + 0.5:
            joined[-1] = Listened(span.station, joined[-1].from_s, max(joined[-1].to_s, span.to_s))
        else:
            joined.append(span)
    return joined


def _seen(app: "Airledger", keys: dict[str, str]) -> "dict[str, SeenStation]":
    """What was concluded about each station of the band."""
    from sqlalchemy import select

    from airledger.stations.models import Stream
    from airledger.testing.score import SeenStation

    with app.read() as session:
        rows = session.scalars(select(Stream)).all()
    return {
        keys[row.url]: SeenStation(row.state, row.cause or "", frozenset(row.warnings))
        for row in rows
        if row.url in keys
    }


def _short(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "; ".join(value) if isinstance(value, tuple | list) else value
