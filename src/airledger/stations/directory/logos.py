"""Logos: fetched through the guarded door, made anew in a sandboxed child in three sizes, never served as they come.

SVG is refused: it is a program as much as a picture. A station without a usable logo has its initials for one.
"""

import colorsys
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.errors import AirledgerError
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchError
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command
from airledger.platform.storage import Storage
from airledger.stations.directory.models import Logo
from airledger.stations.models import PLAYING, Stream

CHILD = "airledger.stations.directory.logo_child"
SIZES = (64, 128, 256)
MOST_BYTES = 2 << 20
LONGEST_URL = 1_000
FETCH_S = 10.0
LIMITS = SandboxLimits(address_space_bytes=1 << 30, cpu_s=10)
KEEP_FOR = timedelta(days=30)
TRY_AGAIN = timedelta(days=3)
PER_HOST = 20  # of one batch
INITIALS = 2


class LogoRefusedError(AirledgerError):
    """What lies at a logo's address is no picture that we take."""

    code = "logo_refused"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True)
class Wanted:
    """A logo to fetch, and what is known of it."""

    url: str
    etag: str | None


@dataclass(frozen=True)
class Looked:
    """What a look at a logo's address brought; neither pictures nor an error: it has not changed."""

    url: str
    pictures: tuple[bytes, ...] = ()
    etag: str | None = None
    error: str | None = None


def find_due(session: Session, now: datetime, *, limit: int) -> list[list[Wanted]]:
    """List logos of playing streams that were never looked at, or long ago, by host; at most 20 of each."""
    rows = session.execute(
        select(Stream.logo, Logo.etag, Logo.digest)
        .outerjoin(Logo, Logo.url == Stream.logo)
        .where(
            Stream.logo.is_not(None),
            Stream.state == PLAYING,
            or_(Logo.url.is_(None), Logo.look_again_at <= now),
        )
        .distinct()
        .limit(limit)
    )
    hosts: dict[str, list[Wanted]] = {}
    for found, etag, digest in rows:
        url = found or ""
        if not url.startswith(("http://", "https://")) or len(url) > LONGEST_URL:
            continue
        of_host = hosts.setdefault(urlsplit(url).netloc, [])
        if len(of_host) < PER_HOST:
            of_host.append(Wanted(url, etag if digest else None))
    return list(hosts.values())


def look(fetcher: Fetcher, wanted: Wanted) -> Looked:
    """Fetch a logo and make the pictures that we serve."""
    try:
        fetched = fetcher.get(wanted.url, max_bytes=MOST_BYTES, timeout_s=FETCH_S, etag=wanted.etag)
        if fetched.not_modified:
            return Looked(wanted.url, etag=wanted.etag)
        return Looked(wanted.url, make_pictures(fetched.body), fetched.etag)
    except (FetchError, LogoRefusedError) as error:
        return Looked(wanted.url, error=str(error)[:500])


def make_pictures(body: bytes) -> tuple[bytes, ...]:
    """Decode a stranger's picture in a child under limits; return WebP of 64, 128 and 256 pixels a side.

    Raises:
        LogoRefusedError: It is no picture that we take, or is larger than we accept.
    """
    with SandboxedProcess(SandboxedCommand(python_command(CHILD), LIMITS)) as child:
        told, _ = child.process.communicate(body, timeout=FETCH_S * 3)
        if child.process.returncode != 0:
            why = told.decode("utf-8", "replace")[:200] if child.process.returncode == 1 else child.ended_by()
            raise LogoRefusedError(f"The logo cannot be used: {why}.")
    pictures = []
    while len(told) >= 4:  # noqa: PLR2004  bytes of a length
        (length,) = struct.unpack(">I", told[:4])
        pictures.append(told[4 : 4 + length])
        told = told[4 + length :]
    if len(pictures) != len(SIZES):
        raise LogoRefusedError("The logo cannot be used: the child said too little.")
    return tuple(pictures)


def store_pictures(storage: Storage, looked: Looked) -> str | None:
    """Put pictures into storage, under the hash of the largest; return it."""
    if not looked.pictures:
        return None
    digest = hashlib.sha256(looked.pictures[-1]).hexdigest()
    for size, picture in zip(SIZES, looked.pictures, strict=True):
        storage.put(object_key(digest, size), picture)
    return digest


def record(unit: Unit, looked: Sequence[tuple[Looked, str | None]], now: datetime) -> None:
    """Write down what looks brought, each with the digest of what was stored."""
    for look_, digest in looked:
        row = unit.session.get(Logo, look_.url)
        if row is None:
            row = Logo(url=look_.url)
            unit.session.add(row)
        row.looked_at, row.error = now, look_.error
        row.look_again_at = now + (TRY_AGAIN if look_.error else KEEP_FOR)
        if look_.pictures:
            row.digest, row.etag = digest, look_.etag


def digest_of(session: Session, urls: Sequence[str]) -> str | None:
    """Return the digest of the first of some logos that we have."""
    found = dict(
        session.execute(select(Logo.url, Logo.digest).where(Logo.url.in_(urls), Logo.digest.is_not(None))).all()
    )
    return next((found[url] for url in urls if url in found), None)


def object_key(digest: str, size: int) -> str:
    """Return where a picture lies in storage."""
    return f"logos/{digest}/{size}.webp"


def initials_picture(name: str, size: int) -> bytes:
    """Draw a station's initials as SVG, on a colour that follows from its name; every part of it is ours."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    letters = "".join(word[0] for word in words[:INITIALS]).upper()
    hue = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] / 256
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.32, 0.45))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 100 100" role="img">'
        f'<rect width="100" height="100" rx="18" fill="rgb({red},{green},{blue})"/>'
        '<text x="50" y="52" fill="#fff" font-family="system-ui,sans-serif" font-size="42" font-weight="600" '
        f'text-anchor="middle" dominant-baseline="middle">{escape(letters)}</text></svg>'
    ).encode("utf-8", "replace")
