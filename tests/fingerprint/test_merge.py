import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint import draft as draft_module
from airledger.fingerprint import index as index_module
from airledger.fingerprint.errors import IndexDamagedError
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.index import Index, LiveSegment
from airledger.fingerprint.match import match
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.postings import read_buckets
from tunes import excerpt, tune

PARAMS = Params()
DEADLINE_S = 60.0


def made(seed: int, seconds: float = 8.0) -> Peaks:
    """Peaks that nobody heard, quickly made."""
    rng = np.random.default_rng(seed)
    count = int(25 * seconds)
    times_s = np.sort(rng.uniform(0, seconds, count)).astype(np.float32)
    freqs_hz = rng.uniform(120, 3900, count).astype(np.float32)
    return Peaks(times_s, freqs_hz, np.ones(count, np.float32), seconds)


def postings_of(live: LiveSegment) -> dict[int, set[tuple[int, int]]]:
    """By track number: each posting's key and step after the track's beginning."""
    segment = live.segment
    count, found, steps = read_buckets(segment.postings.source, 0, len(segment.postings.directory) - 1)
    assert count == segment.postings.count
    tracks = np.searchsorted(segment.starts, steps, side="right") - 1
    held: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for key, step, track in zip(found.tolist(), steps.tolist(), tracks.tolist(), strict=True):
        held[int(segment.numbers[track])].add((key, step - int(segment.starts[track])))
    return held


def expected(peaks: Peaks) -> set[tuple[int, int]]:
    first, second = pairs(peaks, PARAMS, PARAMS.reference_fan)
    found = keys(peaks, first, second, PARAMS)
    steps = np.rint(peaks.times_s[first].astype(np.float64) * 12.5).astype(int)
    return {(key, step) for key, step in zip(found.tolist(), steps.tolist(), strict=True) if key != NO_KEY}


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_merging_keeps_each_posting_of_what_lives_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    index = Index.create(tmp_path_factory.mktemp("merged"), PARAMS)
    lives: dict[int, Peaks] = {}
    for _ in range(data.draw(st.integers(1, 4))):
        numbers = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True))
        batch = {number: made(data.draw(st.integers(0, 99))) for number in numbers}
        index.add(batch)
        lives |= batch
    gone = data.draw(st.sets(st.sampled_from(sorted(lives))))
    index.remove(gone)
    for number in gone:
        del lives[number]
    names = [live.name for live in index.snapshot.segments]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True)) if names else []
    assert index.merge(chosen) == bool(chosen)
    index.verify()
    assert index.track_numbers() == sorted(lives)
    held: dict[int, set[tuple[int, int]]] = {}
    for live in index.snapshot.segments:
        found = postings_of(live)
        held |= {int(n): found.get(int(n), set()) for n in live.segment.numbers[live.alive]}
    assert held == {number: expected(peaks) for number, peaks in lives.items()}
    for number, peaks in lives.items():
        np.testing.assert_allclose(index.peaks_of(number).times_s, peaks.times_s, atol=1.01e-3)


def test_segments_of_like_size_are_due_and_merging_leaves_nothing_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_LEAST_TIER", 2000)
    index = Index.create(tmp_path, PARAMS)
    index.add({100: made(1, 400)})
    for number in range(3):
        index.add({number: made(number)})
    assert index.merge_due() == ()
    assert not index.merge()
    index.add({3: made(3)})
    assert len(index.merge_due()) == 4
    assert index.merge()
    assert [len(live.segment.numbers) for live in index.snapshot.segments] == [4, 1]
    assert index.merge_due() == ()


def test_a_segment_that_is_mostly_removed_is_written_anew(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({number: made(number) for number in range(4)})
    index.remove([0])
    assert index.merge_due() == ()
    index.remove([2])
    assert index.merge()
    assert [live.segment.numbers.tolist() for live in index.snapshot.segments] == [[1, 3]]
    index.remove([1, 3])
    assert (len(index), index.merge(), list(tmp_path.glob("segment-*.fp"))) == (0, False, [])


def test_what_changes_during_a_merge_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the copying and the naming of the result, another writer removes, replaces and adds."""
    index = Index.create(tmp_path, PARAMS)
    for number in range(3):
        index.add({number: made(number), number + 10: made(number + 10)})
    honest = draft_module.flush

    def meanwhile(file: BinaryIO) -> None:
        honest(file)
        monkeypatch.setattr(index_module, "flush", honest)
        with Index.open(tmp_path) as other:
            other.remove([0, 1, 11])
            other.add({2: made(50), 7: made(7)})

    monkeypatch.setattr(index_module, "flush", meanwhile)
    assert index.merge([live.name for live in index.snapshot.segments])
    assert index.track_numbers() == [2, 7, 10, 12]
    np.testing.assert_allclose(index.peaks_of(2).times_s, made(50).times_s, atol=1.01e-3)
    again = Index.open(tmp_path)
    again.verify()
    assert (again.track_numbers(), len(again.snapshot.segments)) == ([2, 7, 10, 12], 2)


def test_only_one_merges_at_a_time(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({1: made(1)})
    with index_module._lock(tmp_path / "merge.lock", wait_s=0) as held:
        assert held
        assert not index.merge([live.name for live in index.snapshot.segments])


_MERGER = """
import sys, pathlib
from airledger.fingerprint import merge
from airledger.fingerprint.index import Index
honest = merge.by_key
def told(*arguments):
    print("merging", flush=True)
    sys.stdin.readline()
    return honest(*arguments)
merge.by_key = told
index = Index.open(pathlib.Path(sys.argv[1]))
index.merge([live.name for live in index.snapshot.segments])
"""


def test_a_merger_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    for seed in (1, 2, 3):
        index.add({seed: extract(excerpt(tune(seed), 0, 20), PARAMS, dense="reference")})
    command = [sys.executable, "-c", _MERGER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as merger:
        assert merger.stdout is not None
        assert merger.stdout.readline() == "merging\n"
        assert (tmp_path / "merge.tmp").exists()
        os.kill(merger.pid, signal.SIGKILL)
    again = Index.open(tmp_path)
    again.verify()
    assert again.track_numbers() == [1, 2, 3]
    query = extract(excerpt(tune(2), 6, 8), PARAMS, dense="query")
    assert match(again, query)[0].track == 2
    assert again.merge([live.name for live in again.snapshot.segments])
    assert not (tmp_path / "merge.tmp").exists()
    assert (Index.open(tmp_path).track_numbers(), match(again, query)[0].track) == ([1, 2, 3], 2)


_READER = """
import sys, pathlib, threading
import numpy as np
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.peaks import Peaks
held = np.load(sys.argv[2])
query = Peaks(held["times_s"], held["freqs_hz"], held["levels"], float(held["duration_s"]))
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set())).start()
index = Index.open(pathlib.Path(sys.argv[1]))
while not over.is_set():
    index.refresh()
    print([one.track for one in match(index, query) if one.score > 0.9], flush=True)
"""


def test_two_processes_read_while_one_writes_and_merges(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", PARAMS)
    index.add({2: extract(excerpt(tune(2), 0, 20), PARAMS, dense="reference")})
    query = extract(excerpt(tune(2), 6, 8), PARAMS, dense="query")
    held = tmp_path / "query.npz"
    np.savez(held, times_s=query.times_s, freqs_hz=query.freqs_hz, levels=query.levels, duration_s=query.duration_s)
    command = [sys.executable, "-c", _READER, str(index.folder), str(held)]
    with ExitStack() as stack:
        readers = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
            )
            for _ in range(2)
        ]
        for number in range(6):
            for reader in readers:
                assert reader.stdout is not None
                assert reader.stdout.readline() == "[2]\n"
            index.add({100 + number: made(number)})
            assert index.merge([live.name for live in index.snapshot.segments])
        for reader in readers:
            told, errors = reader.communicate(timeout=DEADLINE_S)
            assert (set(told.splitlines()) <= {"[2]"}, errors) == (True, "")
    assert len(index.snapshot.segments) == 1


def test_damage_is_found_by_merging(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({1: made(1), 2: made(2)})
    path = next(tmp_path.glob("segment-*.fp"))
    data = bytearray(path.read_bytes())
    data[4096 + 700] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(IndexDamagedError):
        Index.open(tmp_path).compact()
    assert Index.open(tmp_path).track_numbers() == [1, 2]


def test_threads_may_share_an_index_while_it_is_merged(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    for seed in (1, 2):
        index.add({seed: extract(excerpt(tune(seed), 0, 20), PARAMS, dense="reference")})
    query = extract(excerpt(tune(1), 6, 8), PARAMS, dense="query")
    found: list[int] = []

    def ask() -> None:
        found.extend(match(index, query)[0].track for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    index.compact()
    for thread in threads:
        thread.join()
    assert found == [1] * 15
