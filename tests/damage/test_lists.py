"""Directories that are too large, lie, or are built to hurt: each ends early, with its reason, in bounded memory."""

import json
import zlib
from pathlib import Path
from typing import Any

from damage.conftest import Terminal
from raw_http import RawServer, Talk

HUGE = 2 << 30
REMARKS = (b"#" * 1_023 + b"\n") * 1_024  # 1 MiB
GOOD = b"#EXTINF:-1,Good\nhttp://good.example/live\n"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE directory [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9))
    + b"]><directory><entry><server_name>&j;</server_name><listen_url>http://a.example/</listen_url></entry></directory>"
)


def crawl(terminal: Terminal, *sources: Path | str) -> list[dict[str, Any]]:
    ran = terminal.type("crawl", *map(str, sources), "--json")
    reports: list[dict[str, Any]] = [json.loads(line) for line in ran.out.splitlines()]
    assert len(reports) == len(sources), ran.err[-2000:]
    assert ran.code == (1 if any(report["error"] for report in reports) else 0)
    return reports


def endless(talk: Talk) -> None:
    """Give a list that never ends and never said how long it is."""
    talk.begin(Content_Type="audio/x-mpegurl")
    lines = b"#EXTM3U\n" + REMARKS
    for _ in range(HUGE // len(lines)):
        talk.send(lines)


def boastful(talk: Talk) -> None:
    talk.begin(Content_Type="audio/x-mpegurl", Content_Length=str(HUGE))
    talk.send(b"#EXTM3U\n" + GOOD)


def short(talk: Talk) -> None:
    talk.begin(Content_Type="audio/x-mpegurl", Content_Length="5000")
    talk.send(b"#EXTM3U\n" + GOOD)


def swelling(talk: Talk) -> None:
    """Give 2 GiB in 3 MiB."""
    talk.answer(swollen(), Content_Type="audio/x-mpegurl", Content_Encoding="gzip")


def swollen() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"#EXTM3U\n") + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers to what was before, so one piece fits behind another; no reader sees the end.
    return head + (packer.compress(REMARKS) + packer.flush(zlib.Z_FULL_FLUSH)) * (HUGE // len(REMARKS))


def test_lists_of_two_gigabytes_end_at_the_limit(terminal: Terminal, stranger: RawServer, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.m3u"
    with sparse.open("wb") as file:
        file.write(b"#EXTM3U\n" + GOOD)
        file.truncate(HUGE)
    packed = tmp_path / "packed.m3u.gz"
    packed.write_bytes(swollen())
    urls = [
        stranger.on("/endless.m3u", endless),
        stranger.on("/boastful.m3u", boastful),
        stranger.on("/swelling.m3u", swelling),
    ]
    reports = crawl(terminal, sparse, packed, *urls)
    assert "256 MiB" in reports[0]["error"]
    assert "256 MiB" in reports[1]["error"]
    for report in reports[2:]:
        assert "longer than" in report["error"]
    assert [report["found"] for report in reports] == [0] * 5


def test_an_answer_that_ends_before_its_length_is_named(terminal: Terminal, stranger: RawServer) -> None:
    (report,) = crawl(terminal, stranger.on("/short.m3u", short))
    assert report["error"]
    assert report["added"] == 0


def test_an_xml_bomb_does_not_go_off(terminal: Terminal, stranger: RawServer, tmp_path: Path) -> None:
    local = tmp_path / "yp.xml"
    local.write_bytes(BOMB)
    reports = crawl(terminal, local, stranger.on("/yp.xml", lambda talk: talk.answer(BOMB)))
    assert all("DTD or entities" in report["error"] for report in reports)


def test_bad_entries_are_counted_and_good_ones_beside_them_taken(terminal: Terminal, tmp_path: Path) -> None:
    entries = [
        b"#EXTINF:-1,Long\nhttp://long.example/" + b"a" * 100_000,
        b"#EXTINF:-1,Zero\nhttp://zero.example/\x00live",
        b"#EXTINF:-1,Na\x00me\nhttp://named.example/live",
        b"\x00" * 70_000,
        b"#EXTINF:-1,Script\njavascript:alert(1)",
        b"#EXTINF:-1,File\nfile:///etc/passwd",
        GOOD.strip(),
    ]
    mixed = tmp_path / "mixed.m3u"
    mixed.write_bytes(b"#EXTM3U\n" + b"\n".join(entries) + b"\n")
    (report,) = crawl(terminal, mixed)
    assert report["error"] is None
    assert report["added"] == 2
    assert sum(report["refused"].values()) == report["found"] - 2 == 5


def test_absurd_addresses_are_refused_with_a_sentence(terminal: Terminal) -> None:
    long = "a" * 100_000
    for arguments in (
        ("crawl", f"http://long.example/{long}"),
        ("crawl", long),
        ("probe", f"http://long.example/{long}"),
        ("listen", f"http://long.example/{long}", "--seconds", "1"),
    ):
        ran = terminal.type(*arguments)
        assert ran.code in {1, 2}, arguments[0]
        said = ran.out + ran.err
        assert said.strip()
        assert len(said) < 10_000, f"{arguments[0]} repeats the whole address"
