"""The real servers of the test house: they start, serve, survive `kill -9` with port and data, and leave nothing."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest
from playwright.sync_api import sync_playwright
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisGoneError
from redis.retry import Retry
from sqlalchemy import create_engine, text

from servers.chromium import Chromium
from servers.icecast import Codec, IcecastServer
from servers.postgres import PostgresServer
from servers.process import gone, wait_until
from servers.redis import RedisServer


def libpq(address: str) -> str:
    return address.replace("postgresql+psycopg", "postgresql")


def test_a_database_is_new_for_every_test(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table plays (id integer primary key)"))
        connection.execute(text("insert into plays values (7)"))
    with engine.connect() as connection:
        assert connection.execute(text("select id from plays")).scalars().all() == [7]
    engine.dispose()


def test_what_was_committed_outlives_the_death_of_postgres(
    postgres_server: PostgresServer, postgres_database: str
) -> None:
    with psycopg.connect(libpq(postgres_database), autocommit=True) as connection:
        connection.execute("create table plays (id integer)")
        connection.execute("insert into plays select generate_series(1, 1000)")
        postgres_server.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    port = postgres_server.port
    postgres_server.start()
    assert postgres_server.port == port
    with psycopg.connect(libpq(postgres_database)) as connection:
        assert connection.execute("select count(*) from plays").fetchone() == (1000,)


def test_a_template_is_prepared_once_and_copied(postgres_server: PostgresServer, postgres_database: str) -> None:
    assert postgres_database  # a running server
    prepared = []

    def prepare(address: str) -> None:
        prepared.append(address)
        with psycopg.connect(libpq(address)) as connection:
            connection.execute("create table recordings (title text)")

    templates = {postgres_server.template("recordings", prepare) for _ in range(2)}
    assert len(templates) == len(prepared) == 1
    copy = postgres_server.create_database(templates.pop())
    with psycopg.connect(libpq(postgres_server.url(copy))) as connection:
        assert connection.execute("select count(*) from recordings").fetchone() == (0,)
    postgres_server.drop_database(copy)


def test_redis_dies_forgets_and_comes_back_on_its_port(redis_server: RedisServer, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.set("queue", "probe")
        redis_server.kill()
        with pytest.raises(RedisGoneError):
            client.get("queue")
    assert redis_server.start().url == redis_url
    with Redis.from_url(redis_url) as client:
        assert client.get("queue") is None


def test_redis_refuses_whom_it_does_not_know(redis_url: str) -> None:
    address = urlsplit(redis_url)
    stranger = Redis(host=address.hostname or "", port=address.port or 0, retry=Retry(NoBackoff(), 0))
    with stranger, pytest.raises(AuthenticationError):
        stranger.ping()


@pytest.mark.parametrize(
    ("codec", "start_of_stream"), [("mp3", b"\xff\xfb"), ("aac", b"\xff\xf1"), ("vorbis", b"OggS")]
)
def test_icecast_airs_what_ffmpeg_feeds(icecast: IcecastServer, codec: Codec, start_of_stream: bytes) -> None:
    with icecast.feed(f"/{codec}", "sine=frequency=440", codec, name="Radio Łódź", genre="Jazz") as feed:
        with httpx.Client(trust_env=False) as client, client.stream("GET", feed.url) as answer:
            assert answer.headers["icy-name"] == "Radio Łódź"
            heard = next(answer.iter_bytes(4096))
        assert start_of_stream in heard
        status = httpx.get(icecast.status_url, trust_env=False).json()
        assert status["icestats"]["source"]["listenurl"] == feed.url
    wait_until(lambda: not icecast.mounts(), "the mount leaves with its source")


def test_icecast_tells_titles_and_publishes_a_directory(icecast: IcecastServer) -> None:
    with icecast.feed("/one.mp3", "anoisesrc=color=pink", speed=4, name="Radio & Söhne") as feed:
        icecast.set_title(feed.mount, "Ariadne — Die Bücher")
        wait_until(lambda: "Ariadne" in icecast.yp_xml().decode(), "the title reaches the statistics")
        directory = httpx.get(icecast.publish_yp(), trust_env=False).text
    assert f"<listen_url>{feed.url}</listen_url>" in directory
    assert "<server_name>Radio &amp; Söhne</server_name>" in directory
    assert "<current_song>Ariadne — Die Bücher</current_song>" in directory
    wait_until(lambda: not icecast.mounts(), "the mount leaves with its source")


def test_icecast_comes_back_on_its_port(icecast: IcecastServer) -> None:
    base = icecast.base
    icecast.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(icecast.status_url, trust_env=False)
    assert icecast.start().base == base
    assert httpx.get(icecast.status_url, trust_env=False).is_success


def test_chromium_opens_a_page_with_webgl(chromium: Chromium, tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    page_file.write_text("<h1>On air</h1><canvas></canvas>")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        assert page.inner_text("h1") == "On air"
        assert page.evaluate("document.querySelector('h1').getBoundingClientRect().height") > 0
        assert page.evaluate("document.querySelector('canvas').getContext('webgl2') !== null")
        browser.close()


def test_servers_die_with_those_who_started_them(redis_server: RedisServer) -> None:
    assert redis_server.port  # the program is here
    program = """
        import sys
        from servers.redis import RedisServer

        server = RedisServer().start()
        print(server.pid, server.folder, flush=True)
        sys.stdin.read()
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    with owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().decode().split()
        server = psutil.Process(int(pid))
        assert not gone(server)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    wait_until(lambda: gone(server), "the server dies with its owner", 10)
    shutil.rmtree(folder)
