"""Debian's Chromium for Playwright: which program, and how it must be started where there is no graphics card."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from xml.sax.saxutils import escape

from playwright._impl._driver import compute_driver_executable

from servers.debian import binary, package_root, with_library

PACKAGE = "chromium"
ARGUMENTS = (
    # Containers have neither user namespaces nor a graphics card nor much /dev/shm; MapLibre needs WebGL all the same.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # Tests press play for people; nobody is there to hear it.
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)


class LaunchOptions(TypedDict):
    """What `playwright.chromium.launch` takes by these names."""

    executable_path: str
    args: list[str]
    headless: bool
    env: dict[str, str | float | bool]


@dataclass(frozen=True)
class Chromium:
    """A browser that can be launched: `playwright.chromium.launch(**chromium.launch_options)`."""

    path: Path
    launch_options: LaunchOptions


def find_chromium(home: Path) -> Chromium:
    """Find or fetch the browser.

    Args:
        home: An empty folder for what it writes outside of its profile.

    Raises:
        ServerUnavailableError: It is not here and cannot be fetched.
    """
    path = binary("chromium", PACKAGE)
    # Playwright's own Node needs a library that slim machines lack; this is where Playwright looks for another.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(with_library(Path(compute_driver_executable()[0]), "libatomic1"))
    environment: dict[str, str | float | bool] = {"HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    root = package_root(PACKAGE)
    if path.is_relative_to(root):
        # Unpacked fonts are where fontconfig does not look, and a browser without fonts draws no text.
        fonts = home / "fonts.conf"
        folders = "".join(f"<dir>{escape(str(place))}/usr/share/fonts</dir>" for place in (root, ""))
        fonts.write_text(f"<fontconfig>{folders}<cachedir>{escape(str(home))}/fonts</cachedir></fontconfig>")
        environment["FONTCONFIG_FILE"] = str(fonts)
    return Chromium(
        path, LaunchOptions(executable_path=str(path), args=list(ARGUMENTS), headless=True, env=environment)
    )
