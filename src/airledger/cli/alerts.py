"""`airledger alerts`: what is wrong, saying that it was seen, and trying a channel."""

from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table

if TYPE_CHECKING:
    from airledger.stations.alerts.find_alerts import AlertView

BY = "user:command-line"

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON, one line each.")]


@app.command("list")
def list_all(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    kind: Annotated[str | None, typer.Option(help="down, silence, flapping, degrading or wrong_programme.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first: what is wrong with which stream since when, and who has seen it."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.alerts.find_alerts import AlertFilter, find_alerts

    wanted = AlertFilter(is_open=None if everything else True, kind=kind)
    with Airledger.open(load_settings()) as house:
        organisation_id = house.organisation_id
        with house.read() as session:
            views, _ = find_alerts(session, organisation_id, wanted, limit=limit)
    if as_json:
        for view in views:
            print_json(_plain(view))
        return
    rows = [
        (
            view.alert.id,
            view.alert.kind,
            f"{view.alert.name} ({view.alert.stream_id})",
            view.alert.host,
            view.alert.cause,
            clock_time(view.alert.opened_at),
            clock_time(view.alert.closed_at),
            view.ack.note or view.ack.by if view.ack else "",
        )
        for view in views
    ]
    print_table("Alerts", ("id", "kind", "stream", "host", "cause", "since", "until", "seen"), rows)


@app.command()
def ack(
    alert: Annotated[int, typer.Argument(help="Its id, as `airledger alerts list` shows it.")],
    note: Annotated[str, typer.Option(help="What you do about it.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take an acknowledgement back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that an alert was seen: it is not repeated."""
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.stations.alerts.find_alerts import acknowledge, unacknowledge

    with Airledger.open(load_settings()) as house:
        organisation_id = house.organisation_id
        actor = Actor(BY, organisation_id)
        with house.unit() as unit:
            if undo:
                view = unacknowledge(unit, actor, organisation_id, alert, now=house.clock.now())
            else:
                view = acknowledge(unit, actor, organisation_id, alert, note, now=house.clock.now())
    if as_json:
        print_json(_plain(view))
        return
    typer.echo(f"Alert {alert} is {'open again' if undo else 'seen'}: {view.alert.name} ({view.alert.kind}).")


@app.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="Id or name of a channel (GET /api/v1/alert-channels).")],
    as_json: AsJson = False,
) -> None:
    """Send a test message through a channel now. Exit code 1 when it does not arrive."""
    from airledger.app import Airledger
    from airledger.platform.errors import NotFoundError
    from airledger.platform.settings import load_settings
    from airledger.stations.alerts.channels import find_channels
    from airledger.stations.alerts.models import SENT

    with Airledger.open(load_settings()) as house:
        organisation_id = house.organisation_id
        with house.read() as session:
            known = [one for one in find_channels(session, organisation_id) if channel in {str(one.id), one.name}]
        if not known:
            raise NotFoundError(f"there is no alert channel {channel!r}")
        message = house.alert_post.test(known[0])
    if as_json:
        print_json({"channel": known[0].id, "status": message.status, "error": message.error})
    else:
        typer.echo("The message is on its way." if message.status == SENT else f"It failed: {message.error}")
    raise typer.Exit(0 if message.status == SENT else 1)


def _plain(view: "AlertView") -> dict[str, object]:
    names = ("id", "kind", "stream_id", "name", "host", "network", "cause", "detail", "opened_at", "closed_at")
    seen = {"by": view.ack.by, "note": view.ack.note, "at": view.ack.at} if view.ack else None
    return {**{name: getattr(view.alert, name) for name in names}, "ack": seen}
