import fcntl
import io
import json
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint import index as index_module
from airledger.fingerprint.checksums import sums_of
from airledger.fingerprint.draft import write_tracks
from airledger.fingerprint.errors import FingerprintError, IndexBusyError, IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.index import Index
from airledger.fingerprint.manifest import Listed, Manifest, write_manifest
from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.segment import HEADER, HEADER_BYTES, Head
from tunes import excerpt, noise, tune

PARAMS = Params()


def peaks_of(seed: int) -> Peaks:
    return extract(excerpt(tune(seed), 0, 20), PARAMS, dense="reference")


def heard(index: Index, seed: int) -> list[int]:
    query = extract(excerpt(tune(seed), 6, 8), PARAMS, dense="query")
    return [one.track for one in match(index, query) if one.score > 0.9]


def test_what_is_added_is_found_and_what_is_removed_is_not(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", PARAMS)
    assert (len(index), index.track_numbers(), heard(index, 1)) == (0, [], [])
    index.add({7: peaks_of(1), 3: peaks_of(2)})
    assert (len(index), index.track_numbers()) == (2, [3, 7])
    assert (heard(index, 1), heard(index, 2)) == ([7], [3])
    index.remove([7, 99])
    assert (len(index), 7 in index, 3 in index) == (1, False, True)
    assert (heard(index, 1), heard(index, 2)) == ([], [3])
    index.add({7: peaks_of(3)})
    assert (heard(index, 1), heard(index, 3), len(index)) == ([], [7], 2)


def test_adding_a_number_again_replaces_it(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({1: peaks_of(1), 2: peaks_of(2)})
    index.add({1: peaks_of(3)})
    assert (index.track_numbers(), heard(index, 1), heard(index, 2), heard(index, 3)) == ([1, 2], [], [2], [1])


def test_another_reader_sees_a_change_when_it_refreshes(tmp_path: Path) -> None:
    writer = Index.create(tmp_path, PARAMS)
    reader = Index.open(tmp_path)
    writer.add({1: peaks_of(1)})
    assert heard(reader, 1) == []
    assert reader.refresh()
    assert not reader.refresh()
    assert heard(reader, 1) == [1]
    before = reader.generation
    writer.remove([1])
    assert (reader.refresh(), heard(reader, 1)) == (True, [])
    assert reader.generation > before


def test_compacting_forgets_the_removed_and_keeps_readers_alive(tmp_path: Path) -> None:
    writer = Index.create(tmp_path, PARAMS)
    for seed in (1, 2, 3):
        writer.add({seed: peaks_of(seed)})
    writer.remove([2])
    reader = Index.open(tmp_path)
    writer.compact()
    assert len(list(tmp_path.glob("segment-*.fp"))) == 1
    assert (heard(reader, 1), heard(reader, 3)) == ([1], [3])
    assert reader.refresh()
    assert (heard(reader, 1), heard(reader, 2), heard(reader, 3), len(reader)) == ([1], [], [3], 2)


def test_many_small_additions_are_merged(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    for number in range(30):
        index.add({number: extract(noise(3, seed=number), PARAMS, dense="reference")})
    assert len(list(tmp_path.glob("segment-*.fp"))) <= 12
    assert index.track_numbers() == list(range(30))
    assert Index.open(tmp_path, PARAMS).track_numbers() == list(range(30))


def test_peaks_come_back_as_they_were_stored(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    original = peaks_of(1)
    index.add({1: original, 2: Peaks.empty(3.0)})
    stored = index.peaks_of(1)
    np.testing.assert_allclose(stored.times_s, original.times_s, atol=1.01e-3)
    np.testing.assert_allclose(stored.freqs_hz, original.freqs_hz, atol=0.51)
    assert not stored.levels.any()
    assert stored.duration_s == pytest.approx(20, abs=0.01)
    assert len(index.peaks_of(2)) == 0
    with pytest.raises(KeyError):
        index.peaks_of(5)


def test_an_index_is_made_once_and_opened_with_its_own_parameters(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Index.open(tmp_path)
    with Index.create(tmp_path, PARAMS) as index:
        assert index.params == PARAMS
    with pytest.raises(FileExistsError):
        Index.create(tmp_path, PARAMS)
    with pytest.raises(ParamsMismatchError):
        Index.open(tmp_path, PROFILES["high_quality"])


def test_how_queries_are_made_is_the_choice_of_who_opens(tmp_path: Path) -> None:
    Index.create(tmp_path, PARAMS).add({1: peaks_of(1)})
    other = replace(PARAMS, query_fan=3)
    index = Index.open(tmp_path, other)
    assert index.params == other
    Index.open(tmp_path).add({2: peaks_of(2)})
    assert (index.refresh(), index.params, index.track_numbers()) == (True, other, [1, 2])
    assert Index.open(tmp_path).params == PARAMS


def test_impossible_tracks_are_refused_and_change_nothing(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    with pytest.raises(ValueError, match="0 or more"):
        index.add({-1: peaks_of(1)})
    with pytest.raises(ValueError, match="24 hours"):
        index.add({1: Peaks.empty(90_000.0)})
    index.add({1: peaks_of(1)})
    assert Index.open(tmp_path).track_numbers() == [1]


def test_a_crash_before_the_manifest_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({1: peaks_of(1)})

    def die(*_: object) -> None:
        raise OSError("the plug was pulled")

    with monkeypatch.context() as patch:
        patch.setattr(index_module, "write_manifest", die)
        with pytest.raises(OSError, match="plug"):
            index.add({2: peaks_of(2)})
    again = Index.open(tmp_path)
    assert again.track_numbers() == [1]
    again.add({3: peaks_of(3)})
    assert Index.open(tmp_path).track_numbers() == [1, 3]
    assert len(list(tmp_path.glob("segment-*.fp"))) == 2


def test_writers_take_turns(tmp_path: Path) -> None:
    Index.create(tmp_path, PARAMS)
    tracks = {number: extract(noise(2, seed=number), PARAMS, dense="reference") for number in range(16)}

    def write(mine: range) -> None:
        with Index.open(tmp_path) as index:
            for number in mine:
                index.add({number: tracks[number]})

    threads = [threading.Thread(target=write, args=(range(start, 16, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Index.open(tmp_path).track_numbers() == list(range(16))


def test_a_writer_gives_up_on_a_lock_that_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.create(tmp_path, PARAMS)
    monkeypatch.setattr(index_module, "_LOCK_WAIT_S", 0.05)
    with (tmp_path / "lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(IndexBusyError):
            index.remove([1])
    index.remove([1])


@pytest.fixture(scope="module")
def sound_index(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an index in good order."""
    folder = tmp_path_factory.mktemp("sound")
    index = Index.create(folder, PARAMS)
    index.add({1: extract(excerpt(tune(1), 0, 5), PARAMS, dense="reference"), 5: peaks_of(2)})
    index.remove([1])
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_raise_and_never_crash(
    sound_index: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(sound_index)))
    good = sound_index[name]
    at = data.draw(st.integers(0, min(len(good), 4096) - 1) | st.integers(0, len(good) - 1))
    broken = bytearray(good)
    if data.draw(st.booleans()):
        broken[at] ^= data.draw(st.integers(1, 255))
    else:
        del broken[at:]
    folder = tmp_path_factory.mktemp("broken")
    for other, content in sound_index.items():
        (folder / other).write_bytes(bytes(broken) if other == name else content)
    try:
        opened = Index.open(folder)
        assert opened.track_numbers() == [5]
        opened.verify()
    except FingerprintError:
        return
    # Blanks between the words of the manifest carry nothing.
    assert name == "manifest.json"
    assert json.loads(broken) == json.loads(good)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_query_finds_out_that_what_it_reads_is_damaged(
    sound_index: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Damage beyond header and tables is told when it is looked at, and otherwise changes no answer."""
    name = next(name for name in sound_index if name.endswith(".fp"))
    broken = bytearray(sound_index[name])
    broken[data.draw(st.integers(4096, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("damaged")
    for other, content in sound_index.items():
        (folder / other).write_bytes(bytes(broken) if other == name else content)
    try:
        assert heard(Index.open(folder), 2) == [5]
    except IndexDamagedError:
        return


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hostile_contents_with_right_checksums_lead_no_kernel_astray(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Numbers that contradict each other, though every checksum fits: refused, or survived without a crash."""
    made = io.BytesIO()
    write_tracks(made, {5: peaks_of(2)}, PARAMS)
    broken = bytearray(made.getvalue())
    head = Head(*HEADER.unpack(broken[: HEADER.size])[4:14])
    tables = HEADER_BYTES + head.payload_bytes
    for _ in range(data.draw(st.integers(1, 40))):
        at = data.draw(st.integers(HEADER_BYTES, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    payload = bytes(broken[HEADER_BYTES:tables])
    blocks = np.array(sums_of(payload), "<u4").tobytes()
    broken[len(broken) - len(blocks) :] = blocks
    broken[:HEADER_BYTES] = replace(head, tables_crc=zlib.crc32(bytes(broken[tables:]))).packed(PARAMS)
    folder = tmp_path_factory.mktemp("hostile")
    Index.create(folder, PARAMS)
    name = "segment-00000001.fp"
    write_manifest(folder, Manifest(PARAMS, 1, 2, (Listed(name),)))
    (folder / name).write_bytes(bytes(broken))
    try:
        index = Index.open(folder)
        heard(index, 2)
        index.peaks_of(index.track_numbers()[0])
        index.compact()
    except (FingerprintError, ValueError):
        return


def test_a_missing_segment_is_told_apart_from_a_missing_index(tmp_path: Path) -> None:
    Index.create(tmp_path, PARAMS).add({1: peaks_of(1)})
    next(tmp_path.glob("segment-*.fp")).unlink()
    with pytest.raises(IndexDamagedError, match="missing"):
        Index.open(tmp_path)
