"""`airledger outside`: how asking outside providers goes, and what it costs."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table

app = typer.Typer(no_args_is_help=True)


@app.command()
def status(
    days: Annotated[int, typer.Option(help="How many days of cost, today included.", min=1, max=400)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show today's requests, circuits and cost (days are of UTC)."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.outside import spending
    from airledger.recognition.outside.jobs import configured
    from airledger.recognition.outside.share import Limits

    settings = load_settings()
    limits = Limits(settings.outside_daily_limit, settings.outside_per_minute, settings.outside_concurrency)
    with Airledger.open(settings) as house:
        organisation_id, now = house.organisation_id, house.clock.now()
        with house.read() as session:
            providers = spending.status(session, configured(settings), limits, now)
            since = (now - timedelta(days=days - 1)).date()
            spent = spending.spent(session, since=since)
            reviews = spending.open_reviews(session, organisation_id)
    if as_json:
        rows = [asdict(one) for one in providers]
        print_json({"providers": rows, "open_reviews": reviews, "spent": [asdict(one) for one in spent]})
        return
    if not providers:
        typer.echo("No provider is configured: set acrcloud_access_key and acrcloud_access_secret, or audd_api_token.")
    print_table(
        f"{reviews} sounds wait for review",
        ("provider", "circuit", "until", "requests", "left", "billed", "cost", "median ms", "reason"),
        [
            (
                one.provider, one.circuit, clock_time(one.open_until), one.requests, one.left, one.billed,
                f"{one.cost_micros / 1e6:.2f}", one.median_ms, one.reason,
            )
            for one in providers
        ],
    )  # fmt: skip
    print_table(
        "Cost",
        ("day", "provider", "for", "requests", "hits", "billed", "cost"),
        [
            (one.day, one.provider, one.sharer, one.requests, one.hits, one.billed, f"{one.cost_micros / 1e6:.4f}")
            for one in spent
        ],
    )


@app.command()
def isrc(
    codes: Annotated[list[str], typer.Argument(help="ISRCs, at most 50, in any spelling.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per ISRC.")] = False,
) -> None:
    """Look ISRCs up at ACRCloud's metadata API and MusicBrainz; what was found is kept for a week."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as house:
        answers = house.isrc.look_up_many(codes)
    if as_json:
        for answer in answers:
            print_json(answer)
        return
    rows = [
        (answer.isrc, answer.outcome, one.title, ", ".join(one.artists), one.album, one.label, one.source)
        for answer in answers
        for one in answer.candidates
    ]
    rows += [(one.isrc, one.outcome, "; ".join(one.faults), "", "", "", "") for one in answers if not one.candidates]
    print_table(f"{len(answers)} ISRCs", ("isrc", "outcome", "title", "artists", "album", "label", "source"), rows)


@app.command()
def refit() -> None:
    """Fit the mapping from providers' scores to probabilities anew, from what people decided in reviews."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.outside.refit import refit_all

    with Airledger.open(load_settings()) as house, house.unit() as unit:
        curves = refit_all(unit, house.clock.now())
    if not curves:
        typer.echo("Nothing was decided yet: the priors stay.")
    for provider, curve in curves.items():
        print_table(provider, ("score", "probability"), [(f"{x:g}", f"{y:.3f}") for x, y in curve.points])
