"""Directories that are too large, lie, or are built to hurt: each ends early, with its reason, in bounded memory."""

import json
import zlib
from pathlib import Path
from typing import Any

from airledger.stations.unwrapping import MAX_FETCHES_EACH
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


def test_bombs_in_every_kind_of_xml_do_not_go_off(terminal: Terminal, tmp_path: Path) -> None:
    entities = BOMB[BOMB.index(b"<!DOCTYPE") : BOMB.index(b"]>") + 2]
    outside = b'<!DOCTYPE d [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
    bodies = {
        "xspf": b"<playlist><trackList><track><location>&j;</location></track></trackList></playlist>",
        "opml": b'<opml><body><outline type="audio" text="&j;" URL="http://a.example/"/></body></opml>',
        "shoutcast_xml": b'<stationlist><station name="&j;" id="1"/></stationlist>',
    }
    for kind, body in bodies.items():
        for name, declared in (("inside", entities), ("outside", outside)):
            path = tmp_path / f"{kind}-{name}.xml"
            path.write_bytes(declared + body)
            ran = terminal.type("crawl", str(path), "--type", kind, "--json")
            report = json.loads(ran.out)
            assert "DTD or entities" in report["error"], kind
            assert report["added"] == 0


def test_playlists_that_name_playlists_without_end_are_left(
    terminal: Terminal, stranger: RawServer, tmp_path: Path
) -> None:
    def deeper(talk: Talk) -> None:
        """Name a hundred more of ourselves, 10 MB in all if anybody followed."""
        lines = [f"File{n}=http://127.0.0.1:{stranger.port}{talk.path}{n}/next.pls" for n in range(1, 101)]
        talk.answer("\n".join(["[playlist]", *lines]).encode())

    stranger.on_any("/deep/", deeper)
    top = tmp_path / "top.m3u"
    top.write_bytes(b"#EXTM3U\n#EXTINF:-1,Deep\n" + stranger.base.encode() + b"/deep/next.pls\n" + GOOD)
    ran = terminal.type("crawl", str(top), "--unwrap", "--json")
    report = json.loads(ran.out)
    assert report["error"] is None
    assert report["added"] >= 1
    assert set(report["refused"]) == {"playlist_nested_too_deeply", "playlist_names_too_many"}
    assert len([talk for talk in stranger.requests if "/deep/" in talk.path]) <= MAX_FETCHES_EACH


def test_a_million_options_for_one_entry_are_no_burden(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "options.m3u"
    line = b"#EXTVLCOPT:http-user-agent=" + b"x" * 100 + b"\n"
    path.write_bytes(b"#EXTM3U\n#EXTINF:-1,Many\n" + line * 1_000_000 + b"http://many.example/live\n" + GOOD)
    (report,) = crawl(terminal, path)
    assert (report["found"], report["refused"], report["error"]) == (2, {}, None)


def test_a_web_page_of_200_megabytes_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with path.open("wb") as page:
        for _ in range(200):
            page.write(b'<li><a href="http://a.example/live.mp3">A</a>' * (2**20 // 45))
    ran = terminal.type("crawl", str(path), "--type", "html_directory", "--json")
    assert "8 MiB" in json.loads(ran.out)["error"]


def test_bad_entries_are_counted_and_good_ones_beside_them_taken(terminal: Terminal, tmp_path: Path) -> None:
    entries = [
        b"#EXTINF:-1,Long\nhttp://long.example/" + b"a" * 100_000,
        b"#EXTINF:-1,Zero\nhttp://zero.example/\x00live",
        b"#EXTINF:-1,Na\x00me\nhttp://named.example/live",
        b"\x00" * 70_000,
        b"#EXTINF:-1,Script\njavascript:alert(1)",
        b"#EXTINF:-1,File\nfile:///etc/passwd",
        b"#EXTINF:-1,Beside\nhttp://beside.example/live",
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
