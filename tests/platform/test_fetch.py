import gzip
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.curl_request import checked_url
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.guard import AddressGuard
from raw_http import Answer, RawServer, Talk, raw_server

LOOPBACK = AddressGuard([ip_network("127.0.0.0/8"), ip_network("::1/128")])


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(LOOPBACK, "Airledger-test/1")


def failure(fetcher: Fetcher, url: str, *, max_bytes: int = 10_000, timeout_s: float = 5.0) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.get(url, max_bytes=max_bytes, timeout_s=timeout_s)
    return caught.value


def redirect_to(target: str) -> Answer:
    return lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location=target)


def test_an_answer_comes_whole_with_its_headers(server: RawServer, fetcher: Fetcher) -> None:
    url = server.on("/a", lambda talk: talk.answer(b"hello", ETag='"1"', Content_Type="text/plain"))
    got = fetcher.get(url, max_bytes=100, timeout_s=5, headers={"X-Mine": "yes"})
    assert (got.status, got.body, got.received_bytes, got.url_effective) == (200, b"hello", 5, url)
    assert (got.etag, got.headers["content-type"], got.remote_address) == ('"1"', "text/plain", "127.0.0.1")
    assert server.requests[0].headers["x-mine"] == "yes"
    assert server.requests[0].headers["user-agent"] == "Airledger-test/1"


def test_what_has_not_changed_is_not_sent_again(server: RawServer, fetcher: Fetcher) -> None:
    def answer(talk: Talk) -> None:
        same = talk.headers.get("if-none-match") == '"1"'
        talk.answer(b"" if same else b"new", status="HTTP/1.1 304 Not Modified" if same else "HTTP/1.1 200 OK")

    got = fetcher.get(server.on("/a", answer), max_bytes=100, timeout_s=5, etag='"1"')
    assert got.not_modified
    assert got.body == b""


def test_redirects_are_followed_and_counted(server: RawServer, fetcher: Fetcher) -> None:
    for hop in range(7):
        server.on(f"/{hop}", redirect_to(f"/{hop + 1}"))
    server.on("/7", lambda talk: talk.answer(b"there"))
    assert fetcher.get(server.base + "/2", max_bytes=100, timeout_s=5).body == b"there"
    assert failure(fetcher, server.base + "/1").cause is FetchCause.REDIRECT_LOOP


def test_a_cookie_lives_through_the_redirects_of_one_request_and_no_longer(server: RawServer, fetcher: Fetcher) -> None:
    def answer(talk: Talk) -> None:
        if "cookie" in talk.headers:
            talk.answer(talk.headers["cookie"].encode())
        else:
            talk.answer(b"", status="HTTP/1.1 302 Found", Location="/a", Set_Cookie="seen=1")

    url = server.on("/a", answer)
    for _ in range(2):
        assert fetcher.get(url, max_bytes=100, timeout_s=5).body == b"seen=1"
    assert ["cookie" in talk.headers for talk in server.requests] == [False, True, False, True]


def test_an_icy_status_line_is_an_answer_and_its_code_counts(server: RawServer, fetcher: Fetcher) -> None:
    def shoutcast(talk: Talk) -> None:
        talk.begin(status="ICY 200 OK", icy_name="Ä")
        talk.send(b"sound")

    server.on("/icy", shoutcast)
    got = fetcher.get(server.base + "/icy", max_bytes=100, timeout_s=5)
    assert (got.status, got.body, got.headers["icy-name"]) == (200, b"sound", "Ä")
    server.on("/full", lambda talk: talk.begin(status="ICY 401 Service Unavailable"))
    assert failure(fetcher, server.base + "/full").http_status == 401


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (410, True), (451, True), (403, False), (503, False)])
def test_a_status_is_an_error_that_knows_whether_it_lasts(
    server: RawServer, fetcher: Fetcher, status: int, permanent: bool
) -> None:
    error = failure(fetcher, server.on("/x", lambda talk: talk.answer(b"", status=f"HTTP/1.1 {status} X")))
    assert (error.cause, error.http_status, error.permanent) == (FetchCause.HTTP_STATUS, status, permanent)


def test_a_body_beyond_the_limit_is_refused_told_or_not(server: RawServer, fetcher: Fetcher) -> None:
    server.on("/told", lambda talk: talk.answer(b"x" * 20_000))

    def endless(talk: Talk) -> None:
        talk.begin()
        while True:
            talk.send(b"x" * 4096)

    server.on("/endless", endless)
    server.on("/bomb", lambda talk: talk.answer(gzip.compress(bytes(5_000_000)), Content_Encoding="gzip"))
    for path in ("/told", "/endless", "/bomb"):
        assert failure(fetcher, server.base + path).cause is FetchCause.TOO_LARGE, path


def test_headers_that_do_not_end_are_refused(server: RawServer, fetcher: Fetcher) -> None:
    def endless(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            talk.send(b"X-More: " + b"y" * 500 + b"\r\n")

    assert failure(fetcher, server.on("/h", endless)).cause is FetchCause.TOO_LARGE


def test_a_body_cut_short_is_told(server: RawServer, fetcher: Fetcher) -> None:
    def cut(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")

    assert failure(fetcher, server.on("/cut", cut)).cause is FetchCause.CUT
    assert failure(fetcher, server.on("/none", lambda _talk: None)).cause is FetchCause.CUT


def test_silence_is_a_timeout(server: RawServer, fetcher: Fetcher) -> None:
    assert failure(fetcher, server.on("/s", Talk.hang), timeout_s=0.3).cause is FetchCause.TIMEOUT


def test_what_speaks_no_http_is_told(server: RawServer, fetcher: Fetcher) -> None:
    error = failure(fetcher, server.on("/ssh", lambda talk: talk.send(b"SSH-2.0-OpenSSH_9.6\r\n")))
    assert error.cause is FetchCause.PROTOCOL


def test_a_closed_port_refuses_and_an_unknown_host_is_unknown(fetcher: Fetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    assert failure(fetcher, f"http://127.0.0.1:{port}/").cause is FetchCause.REFUSED
    assert failure(fetcher, "http://no-such-host.invalid/").cause is FetchCause.UNKNOWN_HOST


def test_plain_bytes_where_tls_was_asked_for_are_a_tls_failure(fetcher: Fetcher) -> None:
    def no_tls() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=no_tls)
        thread.start()
        error = failure(fetcher, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert (error.cause, error.permanent) == (FetchCause.TLS, True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "0"]
)
def test_no_spelling_of_loopback_gets_past_the_guard(server: RawServer, host: str) -> None:
    server.on("/secret", lambda talk: talk.answer(b"secret"))
    strict = Fetcher(AddressGuard(), "test")
    error = failure(strict, f"http://{host}:{server.port}/secret")
    assert (error.cause, error.permanent) == (FetchCause.ADDRESS_REFUSED, True)
    assert server.requests == []


def test_a_redirect_does_not_get_past_the_guard(server: RawServer) -> None:
    only_this = Fetcher(AddressGuard([ip_network("127.0.0.1/32")]), "test")
    there = f"http://127.0.0.2:{server.port}/secret"
    server.on("/go", redirect_to(there))
    server.on("/file", redirect_to("file:///etc/passwd"))
    assert failure(only_this, server.base + "/go").cause is FetchCause.ADDRESS_REFUSED
    assert failure(only_this, server.base + "/file").cause is FetchCause.BAD_URL


def test_proxies_of_the_environment_are_ignored(
    server: RawServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    url = server.on("/a", lambda talk: talk.answer(b"direct"))
    assert fetcher.get(url, max_bytes=100, timeout_s=5).body == b"direct"


def test_a_sink_takes_the_body_and_its_failure_comes_back(server: RawServer, fetcher: Fetcher) -> None:
    url = server.on("/big", lambda talk: talk.answer(b"x" * 100_000))
    out = io.BytesIO()
    got = fetcher.get(url, max_bytes=1_000_000, timeout_s=5, sink=out.write)
    assert (got.body, got.received_bytes, out.tell()) == (b"", 100_000, 100_000)

    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fetcher.get(url, max_bytes=1_000_000, timeout_s=5, sink=full)


@pytest.mark.parametrize(
    "url",
    [
        "http://a/\x00b",
        "http://a/\nHost: b",
        "ftp://a/b",
        "file:///etc/passwd",
        "gopher://a/",
        "//a/b",
        "a/b",
        "",
        "http://",
        "http:///path",
        "http://" + "a" * 9000,
        "http://" + "ä" * 200 + ".org/",
    ],
)
def test_what_is_no_url_of_ours_is_refused_before_any_network(fetcher: Fetcher, url: str) -> None:
    assert failure(fetcher, url).cause is FetchCause.BAD_URL


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("HTTP://A.example/x y", "http://A.example/x%20y"),
        (
            "http://münchen.example/größe?q=ä&x=1;y=%20",
            "http://xn--mnchen-3ya.example/gr%C3%B6%C3%9Fe?q=%C3%A4&x=1;y=%20",
        ),
        (" http://a:8000/;stream.mp3 ", "http://a:8000/;stream.mp3"),
    ],
)
def test_urls_are_sent_in_ascii(url: str, sent: str) -> None:
    assert checked_url(url) == sent


@given(st.text(max_size=300))
def test_no_text_breaks_the_check(text: str) -> None:
    for url in (text, f"http://{text}", f"http://host/{text}"):
        with suppress(FetchError):
            assert checked_url(url).isascii()
