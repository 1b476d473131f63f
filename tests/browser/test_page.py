"""The page in a real browser, over an installation that really hears: what a person sees without reloading."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import BROKEN, HEARD, WAIT_S, Visit

ON_THE_GLOBE = """() => {
  const map = window.__airledger?.map;
  if (!map?.isStyleLoaded()) return 0;
  const drawn = map.queryRenderedFeatures({ layers: ["streams", "clusters"] });
  return drawn.reduce((sum, one) => sum + (one.properties.point_count ?? 1), 0);
}"""
PLACE_OF = "([longitude, latitude]) => window.__airledger.map.project([longitude, latitude])"
POSITION = "() => document.querySelector('video').currentTime"


def test_the_link_signs_in_once_and_a_play_arrives_without_reload(visit: Visit, page: Page) -> None:
    # First of all tests: nothing has been heard yet.
    page.goto(visit.link)
    expect(page).to_have_url(f"{visit.house.address}/")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/plays$"))
    expect(page.get_by_test_id("play-row").first).to_be_visible(timeout=2_000 * WAIT_S)
    logged = {song["title"] for song in songs(visit)}
    assert page.get_by_test_id("play-row").first.locator(".row-title").inner_text() in logged
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1


def until(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Wait; not by Playwright's `wait_for_function`, whose `eval` our content security policy forbids."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(100)


def songs(visit: Visit) -> list[dict[str, str]]:
    """Return the recordings of the library, as a signed-in browser is told."""
    answer = visit.context.request.get(f"{visit.house.address}/api/v1/recordings")
    assert answer.ok
    rows: list[dict[str, str]] = answer.json()
    return rows


def test_stations_are_on_the_globe_and_open_by_a_click(visit: Visit, page: Page) -> None:
    page.goto(f"{visit.house.address}/?e2e")
    expect(page.get_by_test_id("globe")).to_have_attribute("data-ready", "true")
    until(page, lambda: page.evaluate(ON_THE_GLOBE) == len(HEARD) + len(BROKEN), "every station is drawn")
    expect(page.get_by_test_id("stat-playing")).to_have_text(str(len(HEARD)))
    station = visit.streams()[visit.name("table-bay")]
    place = page.evaluate(PLACE_OF, [station["longitude"], station["latitude"]])
    box = page.get_by_test_id("globe").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + place["x"], box["y"] + place["y"])
    expect(page.get_by_test_id("station-drawer")).to_contain_text(station["name"])
    expect(page).to_have_url(re.compile(rf"/{station['id']}(\?|$)"))


@pytest.mark.parametrize("key", ["spreewelle", "naseem-el-nil"])
def test_a_station_plays(visit: Visit, page: Page, key: str) -> None:
    page.goto(f"{visit.house.address}/stations")
    row = page.get_by_test_id("station-row").filter(has_text=visit.name(key))
    row.get_by_role("button").click()
    expect(page.get_by_test_id("player")).to_have_attribute("data-status", "playing")
    until(page, lambda: page.evaluate(POSITION) > 0, "sound begins")
    began = page.evaluate(POSITION)
    until(page, lambda: page.evaluate(POSITION) > began + 1, "sound goes on")
    page.get_by_test_id("player-toggle").click()
    expect(page.get_by_test_id("player")).to_have_attribute("data-status", "stopped")


def test_a_drawer_opens_by_its_address_and_tells_the_cause(visit: Visit, page: Page) -> None:
    broken = visit.streams()[visit.name("dichte-tuer")]
    page.goto(f"{visit.house.address}/stations/{broken['id']}")
    drawer = page.get_by_test_id("station-drawer")
    expect(drawer.get_by_role("heading", level=2)).to_have_text(broken["name"])
    expect(drawer).to_contain_text("The server refuses connections")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    page.go_back()
    expect(page.get_by_test_id("station-drawer")).to_be_visible()


def test_the_keyboard_reaches_search_and_help(visit: Visit, page: Page) -> None:
    page.goto(f"{visit.house.address}/stations")
    expect(page.get_by_test_id("station-row").first).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_test_id("search")).to_be_focused()
    page.keyboard.type("table bay")
    expect(page.get_by_test_id("station-row")).to_have_count(1)
    expect(page.get_by_test_id("station-row")).to_contain_text(visit.name("table-bay"))
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/stations", "/plays", "/library", "/system"])
def test_a_phone_scrolls_only_downwards(visit: Visit, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(visit.house.address + path)
    expect(page.get_by_test_id("player")).to_be_visible()
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width <= 360
