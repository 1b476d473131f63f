"""The pictures of docs/images, taken of a demo that really runs: `make accept PART=screenshots`."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from acceptance.installation import Installation, with_songs
from servers.chromium import Chromium

pytestmark = pytest.mark.acceptance

CACHE = Path(os.environ.get("AIRLEDGER_SONGS_CACHE", tempfile.gettempdir())) / "airledger-demo-songs"
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MAX_BYTES = 400_000
PLAYS = 24
WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
WAIT_MS = 120_000
SETTLE_MS = 3_000
STATION = "Harbour Light 98.5 Sydney"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    house = Installation(with_songs(tmp_path, CACHE))
    house.up()
    try:
        house.wait_for_plays(PLAYS)
        yield house
    finally:
        house.stop()


def keep(page: Page, name: str) -> None:
    """Write a picture with 256 colours, which the eye does not miss and a repository thanks for."""
    page.wait_for_timeout(SETTLE_MS)
    raw = page.screenshot()
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"{name}.png"
    palette = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=floyd_steinberg"
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "png_pipe", "-i", "-"),
        *("-vf", palette, "-frames:v", "1", "-update", "1", "-compression_level", "100", str(path)),
    ]
    subprocess.run(command, input=raw, check=True)
    assert path.stat().st_size < MAX_BYTES, path.name


def context(browser: Browser, size: ViewportSize, *, dark: bool, like: BrowserContext | None = None) -> BrowserContext:
    made = browser.new_context(
        viewport=size,
        locale="en-GB",
        color_scheme="dark" if dark else "light",
        storage_state=like.storage_state() if like else None,
    )
    made.set_default_timeout(WAIT_MS)
    return made


def test_the_pictures_of_the_guide(house: Installation, chromium: Chromium) -> None:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options)
        dark = context(browser, WIDE, dark=True)
        wide(house, dark)
        light = context(browser, WIDE, dark=False, like=dark).new_page()
        light.goto(house.address)
        globe(light)
        keep(light, "light")
        phone = context(browser, PHONE, dark=True, like=dark).new_page()
        phone.goto(house.address)
        globe(phone)
        keep(phone, "phone")
        browser.close()


def wide(house: Installation, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(house.link())
    globe(page)
    page.keyboard.press("s")
    row = page.get_by_test_id("station-row").filter(has_text=STATION)
    row.get_by_role("link").click()
    row.get_by_role("button").click()
    expect(page.get_by_test_id("player")).to_have_attribute("data-status", "playing")
    expect(page.get_by_test_id("station-drawer")).to_contain_text(STATION)
    keep(page, "stations-wide")
    page.keyboard.press("p")
    expect(page.get_by_test_id("play-row").first).to_be_visible()
    keep(page, "plays-wide")
    page.keyboard.press("g")
    globe(page)
    keep(page, "globe-wide")


def globe(page: Page) -> None:
    expect(page.get_by_test_id("globe")).to_have_attribute("data-ready", "true")
    page.wait_for_timeout(SETTLE_MS)
