"""`airledger stations analyse`: which hosts, networks, countries, sources or streams get slower or fail more."""

import datetime as dt
from enum import StrEnum
from typing import Annotated

import typer

from airledger.cli.merges import stations
from airledger.cli.output import print_json, print_table


class By(StrEnum):
    """What is summed up."""

    STREAM = "stream"
    HOST = "host"
    NETWORK = "network"
    COUNTRY = "country"
    SOURCE = "source"


@stations.command("analyse")
def analyse(
    by: Annotated[By, typer.Argument(help="By what: stream, host, network, country or source.")] = By.HOST,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How far to look back.")] = 35,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the most checked first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line each.")] = False,
) -> None:
    """Sum up response times, uptime, bandwidth and causes, with their trends per day and clear steps.

    Days are made by the schedule `stations.roll_up`; today is not among them.
    """
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.watching.analyse import analyse as sum_up

    with Airledger.open(load_settings()) as house, house.read() as session:
        now = house.clock.now()
        found = sum_up(session, by.value, now - dt.timedelta(days=days), now, limit=limit)
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [
        (
            one.key,
            one.streams,
            one.checks,
            "" if one.uptime is None else f"{one.uptime:.2%}",
            f"{one.uptime_trend.slope:+.2%}",
            one.response_ms,
            f"{one.response_trend.slope:+.1f}",
            one.bandwidth_kbps,
            ", ".join(f"{count} {cause}" for cause, count in list(one.causes.items())[:3]),
        )
        for one in found
    ]
    columns = (by.value, "streams", "checks", "uptime", "a day", "ms", "a day", "kbit/s", "causes")
    print_table(f"By {by.value}", columns, rows)
