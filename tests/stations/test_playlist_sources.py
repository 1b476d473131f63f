"""Playlists as sources: PLS, ASX, XSPF, OPML, plain lists."""

import pytest

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import Refused
from stations.source_contract import SourceContract


class TestPlain(SourceContract):
    kind = "plain"
    good = b"# stations\r\nhttp://a.example/1\r\n\r\nHTTPS://b.example/2\n"
    endless = (b"http://a.example/\n", b"http://b.example/a\n")
    has_names = False

    def listing(self, url: str) -> bytes:
        return f"{url}\nhttp://b/\n".encode()

    def test_remarks_and_empty_lines_say_nothing(self) -> None:
        assert [entry.url for entry in self.taken(self.good)] == ["http://a.example/1", "HTTPS://b.example/2"]
        assert [entry.where for entry in self.taken(self.good)] == ["line 2", "line 4"]


class TestPls(SourceContract):
    kind = "pls"
    good = (
        b"[playlist]\r\nNumberOfEntries=2\r\nFile1=http://a.example:8000/\r\nTitle1=Eins\r\nLength1=-1\r\n"
        b"file2 = http://b.example/;\ntitle2=Zw\xc3\xb6lf \nVersion=2\n"
    )
    endless = (b"[playlist]\n", b"File1=http://a/\nTitle1=A\n")

    def listing(self, url: str) -> bytes:
        return f"[playlist]\nFile1={url}\nTitle1=A\nFile2=http://b/\n".encode()

    def test_titles_meet_their_files(self) -> None:
        assert [(entry.url, entry.name) for entry in self.taken(self.good)] == [
            ("http://a.example:8000/", "Eins"),
            ("http://b.example/;", "Zwölf"),
        ]

    def test_titles_may_come_behind_all_files(self) -> None:
        entries = self.taken(b"[playlist]\nFile2=http://b/\nFile1=http://a/\nTitle1=A\nTitle2=B\n")
        assert {(entry.url, entry.name) for entry in entries} == {("http://a/", "A"), ("http://b/", "B")}

    def test_a_number_used_twice_is_two_entries(self) -> None:
        assert [entry.url for entry in self.taken(b"[playlist]\nFile1=http://a/\nFile1=http://b/\n")] == [
            "http://a/",
            "http://b/",
        ]

    def test_a_file_without_an_address_is_told(self) -> None:
        assert self.read(b"[playlist]\nFile1=\n") == [Refused("no_url", "line 2")]

    def test_references_of_windows_media_are_read(self) -> None:
        assert self.taken(b"[Reference]\nRef1=http://a.example/live?MSWMExt=.asf\n")[0].url.startswith(
            "http://a.example"
        )


class TestAsx(SourceContract):
    kind = "asx"
    good = (
        b'<ASX version="3.0"><Title>List</Title>\n<Entry><Title>Radio &amp; Co</Title>'
        b'<Ref HREF="http://a.example/live?a=1&b=2"/><ref href="http://second.example/live">'
        b'<MoreInfo href="http://a.example/"/></Entry>\n'
        b'<entry><ref href="http://b.example/x" /><author>B</author></entry></ASX>'
    )
    endless = (b"<asx>", b'<entry><title>A</title><ref href="http://a/"/></entry>\n')

    def listing(self, url: str) -> bytes:
        return f'<asx><entry><title>A</title><ref href="{url}"/></entry></asx>'.encode()

    def test_tag_soup_is_read(self) -> None:
        first, mirror, second = self.taken(self.good)
        assert (first.url, first.name, first.website) == (
            "http://a.example/live?a=1&b=2",
            "Radio & Co",
            "http://a.example/",
        )
        assert (mirror.url, mirror.name) == ("http://second.example/live", "Radio & Co")
        assert (second.url, second.name) == ("http://b.example/x", "B")

    def test_a_reference_to_another_playlist_is_an_entry(self) -> None:
        assert self.taken(b'<asx><entryref href="http://a.example/b.asx"/></asx>')[0].url == "http://a.example/b.asx"

    def test_an_entry_without_an_address_is_told(self) -> None:
        assert self.read(b"<asx><entry><title>A</title></entry></asx>") == [Refused("no_url", "entry 1")]

    def test_a_tag_without_end_is_refused(self) -> None:
        with pytest.raises(LimitError, match="does not end"):
            self.read(b"<asx><entry " + b"a" * 400_000)

    def test_another_document_is_refused(self) -> None:
        with pytest.raises(InputError, match="no <asx>"):
            self.read(b"<html><p>Not found</p></html>")


class TestXspf(SourceContract):
    kind = "xspf"
    good = (
        b'<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><title>L</title><trackList>'
        b"<track><location>http://a.example/live</location><title>Eins</title><annotation>Rock</annotation>"
        b"<info>http://a.example/</info><image>http://a.example/l.png</image></track>"
        b"<track><location> http://b.example/live </location><creator>B</creator></track></trackList></playlist>"
    )
    endless = (
        b'<playlist xmlns="http://xspf.org/ns/0/"><trackList>',
        b"<track><location>http://a/</location></track>",
    )

    def listing(self, url: str) -> bytes:
        return f"<playlist><trackList><track><location>{url}</location></track></trackList></playlist>".encode()

    def test_fields_are_read(self) -> None:
        first, second = self.taken(self.good)
        assert (first.name, first.description, first.website) == ("Eins", "Rock", "http://a.example/")
        assert (second.url, second.name) == ("http://b.example/live", "B")

    def test_a_track_without_an_address_is_told(self) -> None:
        body = b"<playlist><trackList><track><title>A</title></track></trackList></playlist>"
        assert self.read(body) == [Refused("no_url", "track 1")]

    def test_entities_are_refused(self) -> None:
        with pytest.raises(InputError, match="DTD"):
            self.read(b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><playlist>&x;</playlist>')


class TestOpml(SourceContract):
    kind = "opml"
    good = (
        b'<?xml version="1.0"?><opml version="2.0"><head><title>T</title></head><body>'
        b'<outline text="Africa"><outline text="Ghana"><outline type="audio" text="Joy" URL="http://joy.example/live"'
        b' bitrate="64" guide_id="s1" formats="mp3" image="http://joy.example/l.png"/></outline></outline>'
        b'<outline type="stream" text="B" url="http://b.example/"/>'
        b'<outline type="link" text="More" URL="http://opml.example/Browse"/>'
        b'<outline type="rss" text="Podcast" xmlUrl="http://feed.example/"/></body></opml>'
    )
    endless = (b"<opml><body>", b'<outline type="audio" text="A" URL="http://a/"/>')

    def listing(self, url: str) -> bytes:
        return f'<opml><body><outline type="audio" text="A" URL="{url}"/></body></opml>'.encode()

    def test_groups_are_tags_and_what_is_no_stream_is_refused_by_name(self) -> None:
        joy, other, more, podcast = self.read(self.good)
        assert not isinstance(joy, Refused)
        assert not isinstance(other, Refused)
        assert (joy.name, joy.type, joy.bitrate, joy.codec, joy.key) == ("Joy", "radio", 64, "MP3", "s1")
        assert (joy.tags, joy.genre) == (("africa", "ghana"), "Ghana")
        assert (other.name, other.type) == ("B", None)
        assert [more, podcast] == [Refused("not_a_stream", "outline 3"), Refused("not_a_stream", "outline 4")]

    def test_deep_nesting_is_refused(self) -> None:
        with pytest.raises(LimitError, match="nested"):
            self.read(b"<opml>" + b"<outline>" * 100_000)
