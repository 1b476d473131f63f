"""The `airledger` command: one file per group of commands, imports inside them (--help stays quick)."""

import typer

from airledger.cli import (
    alerts,
    analyse,  # noqa: F401  adds a command to `stations`
    demo,
    export,
    fingerprint,
    geo,
    house,
    identify,
    learn,
    library,
    listen,
    locate,
    merges,
    outside,
    plays,
    probe_agent,
    schedule,
    stations,
    unknowns,
    up,
)

app = typer.Typer(
    name="airledger",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Find the world's radio and TV streams, prove that they play, hear what they play, log every play.

**First steps:** `airledger up --demo` shows everything with stations and songs of its own making.
Then `airledger library add FOLDER` enrols your recordings, `airledger crawl SOURCE` finds stations, and
`airledger up` listens. All data lies in one folder: `--data DIR` of `up`, or the variable `AIRLEDGER_DATA`.""",
)
GROUPS = (up, stations, locate, export, merges, library, listen, identify, plays, unknowns, probe_agent, demo, house)
for group in GROUPS:
    group.add_to(app)
app.add_typer(fingerprint.app, name="fingerprint", help="The bare recognition engine: files in, answers out.")
app.add_typer(alerts.app, name="alerts", help="What is wrong with streams, and who is told of it.")
app.add_typer(geo.app, name="geo", help="Databases that tell where a numeric address is.")
app.add_typer(learn.app, name="learn", help="The models that judge streams: lessons, training, scores, close looks.")
learn.app.command("where")(locate.learn_where)
app.add_typer(schedule.app, name="schedule", help="What comes again and again: crawls, checks, cleanup.")
app.add_typer(outside.app, name="outside", help="Providers that are asked what our library does not know.")
