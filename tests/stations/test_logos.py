"""Logos: what is made of pictures, what is refused, and that a bomb harms nobody."""

import io
import struct
import zlib
from ipaddress import ip_network
from pathlib import Path

import pytest
from PIL import Image

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.platform.storage import Folder
from airledger.stations.directory.jobs import Deps, fetch_logos
from airledger.stations.directory.logos import (
    LogoRefusedError,
    digest_of,
    initials_picture,
    make_pictures,
    object_key,
)
from airledger.stations.directory.models import Logo
from airledger.stations.models import PLAYING
from raw_http import RawServer
from stations.rows import add_stream


def picture(form: str = "PNG", size: tuple[int, int] = (300, 150), mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 120).save(written, form)
    return written.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Make a small PNG that says it is large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGB"), ("JPEG", "L"), ("GIF", "P"), ("WEBP", "RGBA"), ("ICO", "RGBA")]
)
def test_every_picture_becomes_three_squares(form: str, mode: str) -> None:
    made = [Image.open(io.BytesIO(one)) for one in make_pictures(picture(form, (200, 100), mode))]
    assert [(one.format, one.size) for one in made] == [("WEBP", (size, size)) for size in (64, 128, 256)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>not found</html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        picture("PNG", (8, 8)),
        picture("TIFF"),
        picture()[:60],
        bomb(50_000, 50_000),
        bomb(5_001, 5_000),
    ],
    ids=["nothing", "a page", "svg", "tiny", "a format we do not take", "cut off", "bomb", "just too large"],
)
def test_what_is_no_logo_is_refused(body: bytes) -> None:
    with pytest.raises(LogoRefusedError):
        make_pictures(body)


def test_logos_are_fetched_kept_and_looked_at_again(
    database: Database, clock: SteppedClock, server: RawServer, tmp_path: Path
) -> None:
    good = server.on("/logo.png", lambda talk: talk.answer(picture(), Content_Type="image/png"))
    missing = f"{server.base}/none.png"
    for number, logo in enumerate((good, good, missing, "data:image/png;base64,AAAA")):
        add_stream(database, clock, f"http://s{number}.example/", state=PLAYING, logo=logo)
    deps = Deps(
        database, clock, Folder(tmp_path / "objects"), Fetcher(AddressGuard([ip_network("127.0.0.0/8")]), "tests")
    )
    pauses: list[float] = []
    assert fetch_logos(deps, pause=pauses.append) == {"fetched": 1, "refused": 1}
    assert pauses == [1.0]  # one host, two requests
    with database.read() as session:
        digest = digest_of(session, [missing, good])
        assert digest is not None
        assert session.get_one(Logo, missing).error is not None
    with deps.storage.open(object_key(digest, 64)) as file:
        assert Image.open(io.BytesIO(file.read())).size == (64, 64)
    assert fetch_logos(deps, pause=pauses.append) == {"fetched": 0, "refused": 0}
    clock.step(31 * 86_400)
    assert fetch_logos(deps, pause=pauses.append) == {"fetched": 1, "refused": 1}


def test_initials_are_drawn_and_nothing_of_a_name_is_markup() -> None:
    assert b">RG</text>" in initials_picture("Radio Ghana", 128)
    assert b"<script" not in initials_picture("<script> &lt;", 64)
    assert b">?</text>" in initials_picture("***", 64)
    assert initials_picture("A", 64) != initials_picture("B", 64)
