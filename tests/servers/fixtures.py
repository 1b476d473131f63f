"""pytest fixtures for real servers; each skips with its reason where the program cannot be had."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from servers.chromium import Chromium, find_chromium
from servers.debian import ServerUnavailableError
from servers.icecast import IcecastServer
from servers.postgres import PostgresServer
from servers.process import LocalServer
from servers.redis import RedisServer

_Server = TypeVar("_Server", bound=LocalServer)
_STARTED = pytest.StashKey[list[LocalServer]]()


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Give the worker's PostgreSQL, running; `kill()` and `start()` keep port and data."""
    yield from _serve(request, PostgresServer)


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Give the worker's Redis, running."""
    yield from _serve(request, RedisServer)


@pytest.fixture(scope="session")
def icecast_server(request: pytest.FixtureRequest) -> Iterator[IcecastServer]:
    """Give the worker's Icecast, running."""
    yield from _serve(request, IcecastServer)


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a new, empty PostgreSQL database (`postgresql+psycopg://...`)."""
    # The test before may have killed it.
    postgres_server.start()
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.start()
    postgres_server.drop_database(name)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Give the address of an empty Redis."""
    redis_server.start()
    redis_server.empty()
    return redis_server.url


@pytest.fixture
def icecast(icecast_server: IcecastServer) -> IcecastServer:
    """Give the worker's Icecast with no source on air."""
    return icecast_server.start()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a new, empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'airledger.db'}"
    address = request.getfixturevalue("postgres_database")
    assert isinstance(address, str)
    return address


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Chromium:
    """Give Chromium's path and the options that Playwright launches it with."""
    try:
        return find_chromium(tmp_path_factory.mktemp("chromium"))
    except ServerUnavailableError as error:
        pytest.skip(str(error))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin the servers' logs anew, so that a failure shows what belongs to it."""
    for server in item.session.stash.get(_STARTED, []):
        server.forget_log()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - pytest's name
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers wrote during the test beside its failure."""
    report = yield
    if report.failed:
        for server in item.session.stash.get(_STARTED, []):
            if log := server.log_tail():
                report.sections.append((f"log of {server.name}", log))
    return report


def _serve(request: pytest.FixtureRequest, make: Callable[[], _Server]) -> Iterator[_Server]:
    try:
        server = make()
    except ServerUnavailableError as error:
        pytest.skip(str(error))
    started = request.session.stash.setdefault(_STARTED, [])
    started.append(server)
    try:
        server.start()
        yield server
    finally:
        started.remove(server)
        server.close()
