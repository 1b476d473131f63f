"""`airledger locate` and `airledger learn where`: telling countries from rows, and teaching it."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from airledger.cli.output import print_json, print_table

PANEL = "Stations"
COUNTRIES_SHOWN = 10
LEAST_SHOWN = 0.0001


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(locate)


def locate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Radio Browser rows: .json or .json.gz, array or lines.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per row, as they come.")] = False,
) -> None:
    """Tell the country of each row from its name and addresses, without any network.

    A country that a row claims is not read. Each line gives `stationuuid` and candidates, the likeliest first; the
    probabilities are calibrated and sum to at most one, the rest is "elsewhere".
    """
    from airledger.learning.where_data import read_rows, told_of
    from airledger.learning.where_model import WhereModel, is_shipped
    from airledger.platform.geo.lookup import IpPlaces
    from airledger.platform.settings import load_settings

    if not is_shipped():
        raise typer.BadParameter("this installation carries no model of places: `airledger learn where` makes one")
    try:
        rows = read_rows(file)
    except (OSError, EOFError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    model = WhereModel(ip_country=IpPlaces(load_settings().geo_databases).country_of)
    answers = zip(rows, model.predict([told_of(row) for row in rows]), strict=True)
    if as_json:
        for row, shares in answers:
            candidates = [
                {"countrycode": code, "probability": round(share, 6)}
                for code, share in shares[:COUNTRIES_SHOWN]
                if share >= LEAST_SHOWN
            ]
            print_json({"stationuuid": row.get("stationuuid"), "candidates": candidates})
        return
    cells = ((row.get("name"), *(f"{code} {share:.0%}" for code, share in shares[:3])) for row, shares in answers)
    print_table("Where", ("name", "likeliest", "second", "third"), cells)


def learn_where(
    radio: Annotated[Path, typer.Option("--radio-browser", help="Labelled Radio Browser rows (.json.gz).")],
    tv: Annotated[Path, typer.Option("--iptv-org", help="Folder with iptv-org's `database` and `streams`.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
    work: Annotated[Path | None, typer.Option(help="Folder for what is half done; a second run goes on there.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split by domain.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The scores as one JSON object.")] = False,
) -> None:
    """Train the model that tells countries, and score it on domains that it was not taught by.

    Takes about ten minutes of one core. The scores are of five folds by domain; television is scored apart.
    """
    from airledger.learning.where_data import iptv_org, radio_browser
    from airledger.learning.where_train import train, version_of, write
    from airledger.platform.geo.lookup import IpPlaces
    from airledger.platform.settings import load_settings

    rows = [*radio_browser(radio), *iptv_org(tv)]
    ip_country = IpPlaces(load_settings().geo_databases).country_of
    trained = train(rows, ip_country, lambda text: typer.echo(text, err=True), seed=seed, work=work)
    write(trained, out, {"version": version_of(rows)})
    found = {name: dataclasses.asdict(one) for name, one in trained.scores.items()}
    if as_json:
        print_json(found)
        return
    cells = (
        (name, one["streams"], *(f"{one[score]:.2%}" for score in ("top1", "top3", "sure_half", "ece")))
        for name, one in found.items()
    )
    print_table("Places", ("rows", "streams", "top-1", "top-3", "surer half", "calibration error"), cells)
