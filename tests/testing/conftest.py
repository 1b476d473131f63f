from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airledger.testing.takes import Takes, open_takes

if TYPE_CHECKING:
    from pathlib import Path

SONGS = 4


@pytest.fixture(scope="session")
def band_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small library in it, made once."""
    folder = tmp_path_factory.mktemp("band")
    open_takes(folder, seed=1, songs=SONGS)
    return folder


@pytest.fixture(scope="session")
def takes(band_folder: Path) -> Takes:
    return open_takes(band_folder, seed=1, songs=SONGS)
