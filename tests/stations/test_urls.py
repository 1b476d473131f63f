import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.urls import MAX_URL_BYTES, UrlRefusedError, canonical, parse_address, url_key, wanted_headers

WORDS = st.text(string.ascii_letters + string.digits + "é ü;%=&?/.~-_+@!,|日", max_size=30)
HOSTS = st.sampled_from(["Example.ORG", "radio.Müller.de", "127.0.0.1", "[::1]", "a_b.example.com", "xn--mller-kva.de"])


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("HTTP://Radio.Example.COM:80/Live.MP3", "http://radio.example.com/Live.MP3"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://müller.de/x", "http://xn--mller-kva.de/x"),
        ("http://example.com/;stream.mp3#anchor", "http://example.com/;stream.mp3"),
        ("http://example.com/p?mp=/Stream3&sid=2&b=1&a=2", "http://example.com/p?mp=/Stream3&sid=2&b=1&a=2"),
        ("http://example.com/p?utm_source=x&id=7&fbclid=y", "http://example.com/p?id=7"),
        ("http://example.com/a b/ü", "http://example.com/a%20b/%C3%BC"),
        ("http://example.com/a%20b", "http://example.com/a%20b"),
        ("http://[2001:DB8:0::1]:8000/x", "http://[2001:db8::1]:8000/x"),
        ("  http://example.com/x  ", "http://example.com/x"),
        ("http://example.com/;mp3|mp3", "http://example.com/;mp3|mp3"),
    ],
)
def test_one_spelling(given_url: str, expected: str) -> None:
    assert canonical(given_url) == expected


@pytest.mark.parametrize(
    ("given_url", "reason"),
    [
        ("http://example.com/" + "a" * MAX_URL_BYTES, "url_too_long"),
        ("http://example.com/" + "ü" * 2_000, "url_too_long"),
        ("http://example.com/\x00", "control_characters"),
        ("http://exa\nmple.com/", "control_characters"),
        ("http://example.com/\udcff", "control_characters"),
        ("rtmp://example.com/live", "unsupported_scheme"),
        ("file:///etc/passwd", "unsupported_scheme"),
        ("javascript:alert(1)", "not_an_address"),
        ("http://user:secret@example.com/", "credentials"),
        ("http://user@example.com/", "credentials"),
        ("http:///path", "not_an_address"),
        ("http://exa mple.com/", "not_an_address"),
        ("http://example.com:99999/", "not_an_address"),
        ("http://example.com:0/", "not_an_address"),
        ("http://[::1/", "not_an_address"),
        ("http://a..b/", "not_an_address"),
        ("www.example.com/live", "not_an_address"),
        ("", "not_an_address"),
    ],
)
def test_what_is_refused(given_url: str, reason: str) -> None:
    with pytest.raises(UrlRefusedError) as caught:
        canonical(given_url)
    assert caught.value.reason == reason


@given(st.sampled_from(["http", "HTTPS"]), HOSTS, st.sampled_from(["", ":80", ":443", ":8000"]), WORDS, WORDS)
def test_canonical_is_idempotent(scheme: str, host: str, port: str, path: str, query: str) -> None:
    try:
        once = canonical(f"{scheme}://{host}{port}/{path}?{query}")
    except UrlRefusedError:
        return
    assert canonical(once) == once
    assert once.isascii()
    assert url_key(once) == parse_address(once).key


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_with_a_reason(text: str) -> None:
    try:
        taken = canonical(text)
    except UrlRefusedError:
        return
    assert taken.startswith(("http://", "https://"))


def test_headers_are_split_off() -> None:
    address = parse_address("http://example.com/a.m3u8|User-Agent=VLC%2F3&Referer=http://x.y/&Cookie=c")
    assert address.url == "http://example.com/a.m3u8"
    assert address.headers == {"User-Agent": "VLC/3", "Referer": "http://x.y/"}


def test_headers_cannot_smuggle() -> None:
    assert wanted_headers({"User-Agent": "a\r\nX: y", "Host": "evil", "Origin": "", "referrer": "http://a/"}) == {
        "Referer": "http://a/"
    }
