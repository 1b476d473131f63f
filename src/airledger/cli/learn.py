"""`airledger learn`: make lessons, train, evaluate, and retrain the models that judge streams."""

from pathlib import Path
from typing import Annotated, Any

import typer

from airledger.cli.output import print_json, print_table

app = typer.Typer(no_args_is_help=True)

REPORT_EVERY = 50

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Name = Annotated[str, typer.Argument(help="stream_classifier or quality_predictor.")]
Data = Annotated[Path | None, typer.Option("--data", help="File of lessons (.npz); default: the shipped ones.")]


@app.command("make-data")
def make_data(
    name: Name,
    sound: Annotated[list[Path], typer.Option("--from", help="Folder with music/SOURCE/... and speech/SOURCE/...")],
    out: Annotated[Path, typer.Option("--out", help="File to write (.npz).")],
    test_source: Annotated[
        list[str] | None, typer.Option(help="A source that is kept for the test; default: two in five.")
    ] = None,
    taught: Annotated[int, typer.Option(help="Pieces to teach by: of each class, or in all for quality.", min=2)] = 150,
    tested: Annotated[int, typer.Option(help="Pieces to test by, likewise.", min=2)] = 210,
    seed: Annotated[int, typer.Option(help="Draws the pieces.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Make lessons of folders of sound: vectors and labels, split by source. No sound is kept.

    A SOURCE is what was recorded together: an album, a package, a speaker. None is in training and test at once.
    """
    from airledger.stations.verdict.teaching.course import NAMES, require_name
    from airledger.stations.verdict.teaching.make import make_class_lessons, make_quality_lessons
    from airledger.stations.verdict.teaching.pieces import find_sources

    require_name(name)
    sources = find_sources(sound, frozenset(test_source or ()))
    make = make_class_lessons if name == NAMES[0] else make_quality_lessons

    def report(count: int) -> None:
        if count % REPORT_EVERY == 0:
            typer.echo(f"{count} pieces made", err=True)

    lessons = make(sources, taught=taught, tested=tested, seed=seed, report=report)
    out.parent.mkdir(parents=True, exist_ok=True)
    lessons.write(out)
    told = {
        "file": str(out),
        "vectors": len(lessons),
        "taught": len(lessons.half(is_test=False)),
        "tested": len(lessons.half(is_test=True)),
        "sources": sorted({one.name for one in sources}),
    }
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{told['vectors']} vectors of {len(sources)} sources are in {out}.")


@app.command()
def train(
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="Folder for the model and its card.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Train a model with scikit-learn, export it to ONNX, judge it by sources it never heard, write its card."""
    from airledger.platform.clock import SystemClock
    from airledger.stations.verdict.teaching.course import score_line, teach

    made = teach(name, _lessons(name, data), out, now=SystemClock().now())
    if as_json:
        print_json(made)
    else:
        typer.echo(f"{made.name} {made.version} ({made.size_bytes / 1e6:.1f} MB): {score_line(made.score)}.")


@app.command()
def evaluate(
    name: Name,
    model: Annotated[Path | None, typer.Option("--model", help="ONNX file; default: the model in use.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model by the test half of lessons: pieces of sources that it never heard."""
    from airledger.learning.onnx_model import read_model
    from airledger.stations.verdict.teaching.course import evaluate as judge
    from airledger.stations.verdict.teaching.course import require_name, score_line

    require_name(name)
    opened = read_model(model) if model else _in_use(name)
    score = judge(opened, _lessons(name, data))
    if as_json:
        print_json({"model": opened.version, **score})
        return
    typer.echo(f"{opened.version}: {score_line(score)}.")
    if "recalls" in score:
        rows = [(one, score["counts"][one], score["recalls"][one], score["precisions"][one]) for one in score["counts"]]
        print_table("By class", ("class", "pieces", "recall", "precision"), rows)


@app.command()
def export(name: Name, out: Annotated[Path, typer.Argument(help="Folder to write to.")]) -> None:
    """Copy the model in use, with its card, for use elsewhere: an ONNX file that names its columns and classes."""
    from shutil import copyfile

    from airledger.learning.onnx_model import SHIPPED
    from airledger.stations.verdict.teaching.course import require_name

    require_name(name)
    own = _own_folder()
    folder = own if (own / f"{name}.onnx").is_file() else SHIPPED
    out.mkdir(parents=True, exist_ok=True)
    for ending in ("onnx", "md"):
        copyfile(folder / f"{name}.{ending}", out / f"{name}.{ending}")
    typer.echo(f"{name} is in {out}.")


@app.command()
def retrain(
    least: Annotated[int, typer.Option(help="Confirmed looks that are wanted at least.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Teach the classifier what people confirmed or corrected, on top of the shipped lessons.

    The new model is taken into use (in DATA/models) only if it judges the shipped test half at most half a percent
    worse.
    """
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.verdict.teaching.retrain import retrain_classifier

    settings = load_settings()
    with Airledger.open(settings) as house, house.read() as session:
        done = retrain_classifier(session, settings.data, least=least, now=house.clock.now())
    if as_json:
        print_json(done)
    else:
        typer.echo(done.sentence)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models in use: version, columns, classes, size, and where they come from."""
    from airledger.learning.onnx_model import SHIPPED
    from airledger.stations.verdict.teaching.course import NAMES

    rows: list[dict[str, Any]] = []
    for name in NAMES:
        own = _own_folder() / f"{name}.onnx"
        path = own if own.is_file() else SHIPPED / f"{name}.onnx"
        facts = _in_use(name).facts
        rows.append(
            {
                "name": name,
                "version": facts.version,
                "features": facts.features,
                "columns": len(facts.columns),
                "classes": list(facts.classes),
                "size_bytes": path.stat().st_size,
                "origin": "retrained" if path == own else "shipped",
            }
        )
    if as_json:
        print_json(rows)
        return
    shown = [(one["name"], one["version"], one["origin"], one["columns"], one["size_bytes"]) for one in rows]
    print_table("Models", ("model", "version", "origin", "columns", "bytes"), shown)


@app.command()
def look(
    urls: Annotated[list[str], typer.Argument(help="Addresses of streams.")],
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=6, max=60)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Take a close look at streams now, without the catalogue: what they send, how good it is, and why."""
    from ipaddress import ip_network

    from airledger.cli.look_report import told
    from airledger.learning.fraud_detector import Signs
    from airledger.platform.guard import AddressGuard
    from airledger.platform.settings import load_settings
    from airledger.stations.verdict.collect import Wanted, collect_all
    from airledger.stations.verdict.eyes import Eyes
    from airledger.stations.verdict.take import take_look
    from airledger.stations.verdict.trained import Models

    settings = load_settings()
    guard = AddressGuard(ip_network(one) for one in settings.allow_networks)
    wanted = [Wanted(number, url) for number, url in enumerate(urls)]
    collected = collect_all(guard, settings.user_agent, wanted, seconds=seconds)
    models = Models.open(settings.data)
    with Eyes() as eyes:
        found = [(one.wanted.url, take_look(eyes, one, Signs(), models)) for one in collected]
    if as_json:
        for url, one in found:
            print_json(told(url, one))
        return
    rows = [(url, one.label, one.confidence, one.quality, "; ".join(one.reasons) or one.error) for url, one in found]
    print_table("Looks", ("stream", "class", "confidence", "quality", "reasons"), rows)


def _lessons(name: str, data: Path | None) -> Any:
    from airledger.learning.lesson_file import read_lessons
    from airledger.stations.verdict.teaching.course import shipped_lessons

    return read_lessons(data) if data else shipped_lessons(name)


def _own_folder() -> Path:
    from airledger.platform.settings import load_settings
    from airledger.stations.verdict.trained import FOLDER

    return load_settings().data / FOLDER


def _in_use(name: str) -> Any:
    from airledger.learning.onnx_model import open_model

    return open_model(name, _own_folder())
