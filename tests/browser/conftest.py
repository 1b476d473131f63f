"""One installation that hears a few stations, and one browser that is signed in to it, for all tests of the page."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect, sync_playwright

from acceptance.installation import Installation
from airledger.testing.band import BAND
from airledger.testing.transmitter import Transmitter
from servers.chromium import Chromium
from servers.process import wait_until

# Few, so that a busy machine of two cores hears them in time; all on the half of the globe that is seen first.
HEARD = ("spreewelle", "naseem-el-nil", "savana", "table-bay")
BROKEN = ("front-page", "dichte-tuer")
SONGS = 5
WAIT_S = 60
expect.set_options(timeout=WAIT_S * 1_000)
WIDE = ViewportSize(width=1440, height=900)


@dataclass
class Visit:
    """A signed-in browser, and what it complained of and asked for on the way."""

    house: Installation
    band: Transmitter
    context: BrowserContext
    link: str
    complaints: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the house."""
        page = self.context.new_page()
        page.goto(self.house.address + path)
        return page

    def streams(self) -> dict[str, dict[str, Any]]:
        """Return the catalogue by station names."""
        answer = httpx.get(f"{self.house.address}/api/v1/streams", params={"all": "true"}, trust_env=False, timeout=20)
        return {row["name"]: row for row in answer.raise_for_status().json()}

    def name(self, key: str) -> str:
        """Return a station's name."""
        return self.band.station(key).station.name

    def foreign(self) -> list[str]:
        """Return what was asked of anybody but the house, save for the sound of stations."""
        stations = {urlsplit(self.band.base).netloc}
        allowed = {"media", "fetch", "xhr"}
        own = urlsplit(self.house.address).netloc
        return [
            url
            for url, kind in self.asked
            if (place := urlsplit(url)).scheme not in {"data", "blob"}
            and place.netloc != own
            and not (place.netloc in stations and kind in allowed)
        ]


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transmitter]:
    stations = [station for station in BAND if station.key in {*HEARD, *BROKEN}]
    with Transmitter(tmp_path_factory.mktemp("band"), songs=SONGS, stations=stations) as transmitter:
        yield transmitter


@pytest.fixture(scope="module")
def house(band: Transmitter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    sources = [{"name": "band", "type": "radio_browser", "url": band.base}]
    settings = {"AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]', "AIRLEDGER_SOURCES": json.dumps(sources)}
    house = Installation(tmp_path_factory.mktemp("house"), is_demo=False, settings=settings)
    house.up()
    try:
        house.run("library", "add", str(band.songs_folder), "--quiet")
        yield house
    finally:
        house.stop()


@pytest.fixture(scope="module")
def visit(house: Installation, band: Transmitter, chromium: Chromium) -> Iterator[Visit]:
    link = house.link()

    def answers() -> bool:
        try:
            return httpx.get(f"{house.address}/healthz", trust_env=False, timeout=10).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, "the page is served", 60)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options)
        context = browser.new_context(viewport=WIDE, locale="en-GB", color_scheme="dark", reduced_motion="reduce")
        context.set_default_timeout(WAIT_S * 1_000)
        visit = Visit(house, band, context, link)
        _watch(context, visit)
        yield visit
        browser.close()


def _watch(context: BrowserContext, visit: Visit) -> None:
    def said(message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        # Whoever is not signed in yet is told so, and browsers write down every 401.
        is_stranger = where.endswith("/api/v1/auth/me") and "401" in message.text
        if message.type in {"error", "warning"} and not is_stranger:
            visit.complaints.append(f"{message.type}: {message.text} ({where})")

    def asked(request: Request) -> None:
        visit.asked.append((request.url, request.resource_type))

    context.on("console", said)
    context.on("weberror", lambda error: visit.complaints.append(f"uncaught: {error.error}"))
    context.on("request", asked)


@pytest.fixture
def page(visit: Visit) -> Iterator[Page]:
    """Give an empty tab; a test fails when the page complained, or fetched anything from elsewhere."""
    before = set(visit.context.pages)
    tab = visit.context.new_page()
    yield tab
    for one in set(visit.context.pages) - before:
        one.close()
    complaints, visit.complaints = visit.complaints, []
    foreign = visit.foreign()
    visit.asked.clear()
    assert complaints == []
    assert foreign == []
