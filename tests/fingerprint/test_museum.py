"""Indexes that were written once and have to open for ever."""

import shutil
from pathlib import Path

import pytest

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from tunes import excerpt, tune

VERSION_1 = Path(__file__).parents[1] / "museum" / "index-v1"


def test_an_index_of_version_1_opens_and_answers(tmp_path: Path) -> None:
    shutil.copytree(VERSION_1, tmp_path / "index")
    with Index.open(tmp_path / "index", PROFILES["balanced"]) as index:
        assert index.track_numbers() == [5]
        query = extract(excerpt(tune(5, seconds=16), 4, 6), index.params, dense="query")
        best = match(index, query)[0]
        assert (best.track, best.score > 0.95) == (5, True)
        assert best.offset_s == pytest.approx(4, abs=0.03)


def test_an_index_of_version_1_can_be_written_further(tmp_path: Path) -> None:
    shutil.copytree(VERSION_1, tmp_path / "index")
    with Index.open(tmp_path / "index") as index:
        index.add({6: extract(tune(6, seconds=10), index.params, dense="reference")})
        index.compact()
        assert index.track_numbers() == [5, 6]
        assert len(index.peaks_of(5)) > 300
