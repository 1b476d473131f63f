"""Indexes that were written once and have to open for ever."""

import shutil
from pathlib import Path

import pytest

from airledger.fingerprint.errors import IndexDamagedError
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from tunes import excerpt, tune

MUSEUM = Path(__file__).parents[1] / "museum"
VERSION_1 = MUSEUM / "index-v1"
VERSION_2 = MUSEUM / "index-v2"


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
        assert index.merge_due() == ("segment-00000001.fp",)
        assert index.merge()
        assert index.track_numbers() == [5, 6]
        assert len(index.peaks_of(5)) > 300
    with Index.open(tmp_path / "index", PROFILES["balanced"]) as again:
        assert not any(live.is_old for live in again.snapshot.segments)
        query = extract(excerpt(tune(5, seconds=16), 4, 6), again.params, dense="query")
        assert match(again, query)[0].track == 5


def test_a_damaged_index_of_version_1_is_refused(tmp_path: Path) -> None:
    for at in (9, 70, 5_000, 260_000):
        shutil.copytree(VERSION_1, tmp_path / str(at))
        segment = tmp_path / str(at) / "segment-00000001.fp"
        data = bytearray(segment.read_bytes())
        data[at] ^= 16
        segment.write_bytes(bytes(data))
        with pytest.raises(IndexDamagedError):
            Index.open(tmp_path / str(at))


def test_an_index_of_version_2_opens_and_answers() -> None:
    with Index.open(VERSION_2) as index:
        assert (index.track_numbers(), index.merge_due()) == ([5], ())
        index.verify()
        query = extract(excerpt(tune(5, seconds=16), 4, 6), index.params, dense="query")
        best = match(index, query)[0]
        assert (best.track, best.score > 0.95) == (5, True)
        assert best.offset_s == pytest.approx(4, abs=0.03)
