"""How many rows of a real directory the fraud score suspects: `python -m bench.fraud [FILE]`.

FILE holds rows of Radio Browser as JSON in gzip; default: `../shared/data/radio-browser/stations.json.gz`. The rows
tell addresses, homepages and countries, so only two of the seven signs can speak: one address listed in several
countries, and top-level domains that agree on another country than the claimed one. Nobody labelled the rows: this
measures how often the score speaks up, not how often it is right. Writes a row of RESULTS.md.
"""

import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.results import write_row

from airledger.learning.fraud_detector import DOUBTFUL, Signs, suspect
from airledger.platform.errors import InputError
from airledger.stations.urls import parse_address
from airledger.stations.verdict.signs import told_countries

ROWS = Path(__file__).resolve().parents[2] / "shared/data/radio-browser/stations.json.gz"
SHOWN = 10


def main(arguments: Sequence[str]) -> None:
    """Score all rows, and tell the share that is suspected at all and that is doubtful."""
    path = Path(arguments[0]) if arguments else ROWS
    if not path.is_file():
        print(f"{path} is missing: nothing to measure")
        return
    judged = [(name, suspect(signs)) for name, signs in signs_of_rows(json.loads(gzip.decompress(path.read_bytes())))]
    doubtful = [one for one in judged if one[1].score >= DOUBTFUL]
    suspected = sum(found.score > 0 for _, found in judged)
    for name, found in sorted(doubtful, key=lambda one: -one[1].score)[:SHOWN]:
        print(f"{found.score:.2f} {name}: {'; '.join(found.reasons)}")
    print(Counter(reason.split(" ")[0] for _, found in judged for reason in found.reasons))
    write_row(
        f"Fraud score: shares of {len(judged)} rows of Radio Browser, by the two signs that the rows can show",
        f"{suspected / len(judged):.2%} suspected at all, {len(doubtful)} ({len(doubtful) / len(judged):.3%}) doubtful",
        f"doubtful from {DOUBTFUL} on; no labels, so no share that is right",
    )


def signs_of_rows(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Signs]]:
    """Read signs as the catalogue would: rows of one address are listings of one stream."""
    by_key: dict[str, list[dict[str, Any]]] = defaultdict(list)
    hosts: dict[str, str] = {}
    for row in rows:
        try:
            address = parse_address(row["url"])
        except InputError:
            continue
        by_key[address.key].append(row)
        hosts[address.key] = address.host
    for key, listed in by_key.items():
        countries = {row["countrycode"] for row in listed if row.get("countrycode")}
        first = listed[0]
        told = told_countries((hosts[key], _host(first.get("homepage") or "")))
        claimed = first.get("countrycode") or None
        yield first["name"], Signs(countries=max(1, len(countries)), claimed_country=claimed, told_countries=told)


def _host(website: str) -> str:
    try:
        return urlsplit(website).hostname or ""
    except ValueError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
