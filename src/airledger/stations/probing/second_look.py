"""Asking once more what a failure means: another user agent, the server's own status page, the URL's own date.

One further round of knocks for a whole batch: each refused stream is asked once under a browser's name, each server
once for each status page. Not more: whoever refused us must not be pestered.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from airledger.stations.cause import Cause
from airledger.stations.confidence import agreed, of_one_look
from airledger.stations.probing.knock import LOOK_BYTES, Knock, Knocker
from airledger.stations.probing.together import Finding
from airledger.stations.probing.token import expires_at
from airledger.stations.proof_job import ProofJob

BROWSER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
REFUSALS = frozenset({Cause.FORBIDDEN, Cause.AUTH, Cause.NOT_FOUND, Cause.HTTP_ERROR})
PERHAPS_NO_SOURCE = frozenset({Cause.NOT_FOUND, Cause.NOT_MEDIA, Cause.ENDED, Cause.STALLED, Cause.SERVER_ERROR})
_SHOUTCAST_PATH = re.compile(r"^(?:/|/;.*|/stream(?:/\d+)?/?|/listen\.\w+)$")
_SHOUTCAST_SID = re.compile(r"^/stream/(\d{1,4})")
_SEVEN = re.compile(rb"<body[^>]*>\s*(\d+),([01]),", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Question:
    """What to ask, and what its answer makes of a finding."""

    about: list[int]
    job: ProofJob
    answer: Callable[[Finding, Knock], Finding]


def explain(
    failed: Sequence[Finding], knocker: Knocker, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> list[Finding]:
    """Find out more about failures, where something can be found out.

    Args:
        failed: With the causes that the first look gave them.
        knocker: Asks.
        now: The present, for dates in URLs.
        stopping: True ends the asking; what is known by then is told.
    """
    found = [_with_date(one, now) for one in failed]
    questions = dict(enumerate(_questions(found)))
    jobs = [replace(question.job, id=number) for number, question in questions.items()]
    for knock in knocker.knock(jobs, wanted_bytes=LOOK_BYTES, stopping=stopping):
        question = questions[knock.job.id]
        for at in question.about:
            found[at] = question.answer(found[at], knock)
    return found


def _with_date(one: Finding, now: datetime) -> Finding:
    if one.proof.cause not in REFUSALS:
        return one
    expiry = expires_at(one.job.url)
    if expiry is None or expiry > now:
        return one
    return _caused(one, Cause.TOKEN_EXPIRED, f"The leave that the URL carries ran out on {expiry:%Y-%m-%d %H:%M} UTC.")


def _questions(found: Sequence[Finding]) -> Iterator[_Question]:
    pages: dict[str, _Question] = {}
    for at, one in enumerate(found):
        if one.proof.cause is Cause.FORBIDDEN:
            if not any(name.lower() == "user-agent" for name in one.job.headers):
                headers = {**one.job.headers, "User-Agent": BROWSER_AGENT}
                yield _Question([at], replace(one.job, headers=headers), _as_browser)
        elif one.proof.cause in PERHAPS_NO_SOURCE:
            for page in _pages(at, one):
                if page.job.url in pages:
                    pages[page.job.url].about.append(at)
                else:
                    pages[page.job.url] = page
    yield from pages.values()


def _pages(at: int, one: Finding) -> Iterator[_Question]:
    """Name the pages of a server that may tell of its stream; one page tells of all streams of the server."""
    parts = urlsplit(one.job.url)
    server = f"{parts.scheme}://{parts.netloc}"
    if one.proof.cause is Cause.NOT_FOUND:
        yield _Question([at], replace(one.job, url=f"{server}/status-json.xsl"), _icecast)
    if _SHOUTCAST_PATH.match(parts.path or "/"):
        headers = {**one.job.headers, "User-Agent": BROWSER_AGENT}  # SHOUTcast shows its pages to browsers only
        stats = f"{server}/stats?sid={_sid(one.job.url)}&json=1"
        yield _Question([at], replace(one.job, url=stats, headers=headers), _shoutcast_2)
        yield _Question([at], replace(one.job, url=f"{server}/7.html", headers=headers), _shoutcast_1)


def _sid(url: str) -> int:
    parts = urlsplit(url)
    told = parse_qs(parts.query).get("sid", [""])[0]
    in_path = _SHOUTCAST_SID.match(parts.path)
    digits = told or (in_path[1] if in_path else "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else 1  # noqa: PLR2004


def _as_browser(one: Finding, knock: Knock) -> Finding:
    if knock.is_media:
        return _caused(one, Cause.AGENT_REFUSED, "The server refuses our name and plays for a browser's.")
    if knock.cause is Cause.FORBIDDEN and one.proof.cause_confidence is not None:
        return replace(one, proof=replace(one.proof, cause_confidence=agreed(one.proof.cause_confidence, 1)))
    return one


def _icecast(one: Finding, knock: Knock) -> Finding:
    body = knock.found.body
    if b'"icestats"' not in body[:200]:
        return one
    mount = urlsplit(one.job.url).path
    if mount != "/" and json.dumps(mount)[1:-1].encode() + b'"' in body:
        return one
    return _caused(one, Cause.SOURCE_OFFLINE, "The Icecast server is up, and nobody feeds this mount.")


def _shoutcast_2(one: Finding, knock: Knock) -> Finding:
    try:
        told = json.loads(knock.found.body)
    except (ValueError, RecursionError):
        return one
    if not isinstance(told, dict) or told.get("streamstatus") not in {0, "0"}:
        return one
    return _caused(one, Cause.SOURCE_OFFLINE, "The SHOUTcast server is up and says that nobody feeds it.")


def _shoutcast_1(one: Finding, knock: Knock) -> Finding:
    told = _SEVEN.search(knock.found.body[:4_096])
    if told is None or told[2] != b"0":
        return one
    return _caused(one, Cause.SOURCE_OFFLINE, "The SHOUTcast server is up and says that nobody feeds it.")


def _caused(one: Finding, cause: Cause, detail: str) -> Finding:
    proof = replace(
        one.proof, cause=cause, permanent=cause.permanent, detail=detail, cause_confidence=of_one_look(cause)
    )
    return replace(one, proof=proof)
