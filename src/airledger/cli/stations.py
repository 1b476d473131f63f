"""Finding and proving streams: `crawl`, `probe`, `streams`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from airledger.cli.output import clock_time, print_json, print_table

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.stations.crawl import CrawlReport, Monitor
    from airledger.stations.proof import Proof
    from airledger.stations.proof_job import ProofJob
    from airledger.stations.reading import CrawlTarget

PANEL = "Stations"
EVERYWHERE = ("0.0.0.0/0", "::/0")
MAX_SHOWN = 100


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (crawl, probe, streams):
        app.command(rich_help_panel=PANEL)(command)


def crawl(
    sources: Annotated[list[str], typer.Argument(help="Files, folders, addresses, or names from airledger.toml.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--type", help="Such as m3u, pls, opml, icecast_status, shoutcast_xml, html_directory; else it is sniffed."
        ),
    ] = None,
    account: Annotated[
        Path | None,
        typer.Option(
            help="Write what became of each entry here, a JSON line each: taken, merged with which, refused why."
        ),
    ] = None,
    unwrap: Annotated[
        bool, typer.Option("--unwrap", help="Follow playlists (.pls, .m3u, .asx, .xspf) that a source lists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per source.")] = False,
) -> None:
    """Read directories into the catalogue. Doing it again changes nothing that has not changed there.

    Lists of iptv-org are joined with its database where that lies beside them (`streams/` and `database/`).
    """
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings

    with contextlib.ExitStack() as stack:
        app = stack.enter_context(Airledger.open(load_settings()))
        written = stack.enter_context(account.open("w", encoding="utf-8")) if account else None
        targets = [_target(app, source, kind, unwrap) for source in sources]
        reports = []
        for target in targets:
            with _progress(target.name, shown=not as_json) as monitor:
                report = _crawl(app, target, monitor, written)
            reports.append(report)
            if as_json:
                print_json(report.to_json())
    if not as_json:
        _show_crawls(reports)
    raise typer.Exit(1 if any(report.error for report in reports) else 0)


def probe(
    urls: Annotated[list[str], typer.Argument(help="Addresses of streams, or of playlists in front of them.")],
    seconds: Annotated[
        float, typer.Option(min=2, max=120, help="How long to listen after the start; loops need 65.")
    ] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per stream, as they are done.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Dial loopback and private networks too.")
    ] = False,
) -> None:
    """Prove that streams play: connect, headers, frames, sustained rate, silence. The catalogue is left alone.

    Exit code 1 where a stream does not play.
    """
    from ipaddress import ip_network

    from airledger.platform.guard import AddressGuard
    from airledger.platform.settings import load_settings
    from airledger.stations.probe import prove_all
    from airledger.stations.proof_job import ProofJob
    from airledger.stations.tuner import Tuner
    from airledger.stations.urls import parse_address

    settings = load_settings()
    guard = AddressGuard(ip_network(net) for net in (EVERYWHERE if allow_private else settings.allow_networks))
    addresses = [parse_address(url) for url in urls]
    jobs = [ProofJob(place, address.url, seconds, address.headers) for place, address in enumerate(addresses)]
    done: list[tuple[ProofJob, Proof]] = []
    with Tuner(guard, user_agent=settings.user_agent) as tuner:
        for job, proof in prove_all(tuner, jobs, concurrency=settings.probe_concurrency):
            done.append((job, proof))
            if as_json:
                print_json(_plain_proof(job, proof))
    if not as_json:
        _show_proofs(done)
    raise typer.Exit(0 if all(proof.is_healthy for _, proof in done) else 1)


def streams(
    state: Annotated[str | None, typer.Option(help="playing, failing, unproven or retired; default: all.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code, like GH.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Words in name, place, genre, tags or address.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = MAX_SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per stream.")] = False,
) -> None:
    """List streams of the catalogue, the most reliable first."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.catalogue import list_streams
    from airledger.stations.filters import StreamFilter

    wanted = StreamFilter(state=state, country=country, q=q, all=True)
    with Airledger.open(load_settings()) as app, app.read() as session:
        rows = list_streams(session, wanted, limit=limit).rows
    if as_json:
        for row in rows:
            print_json(row)
        return
    cells = (
        (
            row.id,
            row.name or row.url,
            row.country_code,
            row.state,
            row.cause or ", ".join(row.warnings),
            row.codec,
            row.bitrate_measured_kbps or row.bitrate,
            clock_time(row.last_checked),
        )
        for row in rows
    )
    print_table("Streams", ("id", "name", "country", "state", "cause", "codec", "kbit/s", "checked"), cells)


def _target(app: "Airledger", source: str, kind: str | None, unwrap: bool) -> "CrawlTarget":
    from airledger.stations.reading import CrawlTarget, is_address

    for known in app.settings.sources:
        if known.name == source and not Path(source).exists():
            return CrawlTarget.of_source(known, app.settings.data)
    if not is_address(source) and not Path(source).exists():
        names = ", ".join(known.name for known in app.settings.sources)
        raise typer.BadParameter(f"{source} is neither a file, a folder, an http(s) address nor one of: {names}")
    return CrawlTarget.of(source, kind, unwrap=unwrap)


def _crawl(app: "Airledger", target: "CrawlTarget", monitor: "Monitor", written: TextIO | None) -> "CrawlReport":
    from airledger.stations.account import Account
    from airledger.stations.crawl import crawl as read_in

    return read_in(
        app.database,
        app.clock,
        app.fetcher,
        target,
        check_frequency_s=round(app.settings.health_check_hours * 3_600),
        monitor=monitor,
        account=Account(target.name, written) if written else None,
    )


@contextlib.contextmanager
def _progress(name: str, *, shown: bool) -> "Iterator[Monitor]":
    """Draw a line that counts, where somebody looks."""
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(name)) as status:

        def count(report: "CrawlReport") -> None:
            status.update(f"{escape(name)}: {report.found:,} entries, {report.added:,} new streams")

        yield count


def _show_crawls(reports: "list[CrawlReport]") -> None:
    counts = ("found", "added", "merged", "updated", "unchanged")
    columns = ("source", *counts, "refused", "seconds", "error")
    rows = [
        [
            report.source,
            *(getattr(report, count) for count in counts),
            _refusals(report),
            f"{report.seconds:.1f}",
            report.error,
        ]
        for report in reports
    ]
    print_table("Crawled", columns, rows)


def _refusals(report: "CrawlReport") -> str:
    return ", ".join(f"{count} {reason}" for reason, count in report.refused.most_common())


def _plain_proof(job: "ProofJob", proof: "Proof") -> dict[str, object]:
    import dataclasses

    fields = {field.name: getattr(proof, field.name) for field in dataclasses.fields(proof)}
    info = fields.pop("connected")
    return {"url": job.url, **fields, "icy": dataclasses.asdict(info.icy) if info else None}


def _show_proofs(done: "list[tuple[ProofJob, Proof]]") -> None:
    columns = ("url", "level", "verdict", "codec", "kbit/s", "claimed", "ms", "title", "detail")
    rows = [
        [
            job.url,
            proof.level,
            "plays" if proof.is_healthy else proof.cause,
            proof.codec,
            proof.bandwidth_kbps,
            proof.bitrate_claimed_kbps,
            proof.response_time_ms,
            proof.stream_title,
            proof.detail or ", ".join(proof.warnings),
        ]
        for job, proof in sorted(done, key=lambda pair: pair[0].id)
    ]
    print_table("Proofs", columns, rows)
