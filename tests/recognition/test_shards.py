"""The published index: built once, fetched by others, whole at any moment, as good as a single one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import Peaks, extract
from airledger.platform.clock import SteppedClock
from airledger.platform.errors import ConflictError, InputError, UnavailableError
from airledger.platform.storage import Folder
from airledger.recognition import peaks_batch
from airledger.recognition.batches import Batches, get_batch
from airledger.recognition.identify import identify
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.local_segments import alive_numbers
from airledger.recognition.models import Fingerprint, RecognitionPart
from airledger.recognition.remove import remove_recordings
from airledger.recognition.segment_cache import SegmentCache
from airledger.recognition.shards import KEPT_FOR_READERS, Sharding, read_manifest
from airledger.recognition.shards_build import Built, ShardBuilder
from airledger.recognition.shards_view import PublishedSegments
from airledger.recognition.tracks import TrackTable
from library_house import RATE_HZ, Library
from made_tracks import enrol_made
from tunes import excerpt, faster, noise, tune

SHARDS = 3
SHARDING = Sharding(PROFILES["balanced"], SHARDS)
MEGABYTE = 1_000_000


def builder(library: Library, machine: str = "one", clock: Any = None) -> ShardBuilder:
    folder = library.folder / machine
    return ShardBuilder(
        folder / "built",
        library.database,
        library.enroller.storage,
        clock or library.enroller.clock,
        SHARDING,
        SegmentCache(folder / "segments", 100 * MEGABYTE),
    )


def view(library: Library, machine: str = "two", shards: tuple[int, ...] = (0, 1, 2)) -> PublishedSegments:
    folder = library.folder / machine
    cache = SegmentCache(folder / "segments", 100 * MEGABYTE)
    return PublishedSegments(folder / "views", library.enroller.storage, SHARDING, shards, cache)


def content(library: Library, key: str) -> bytes:
    with library.enroller.storage.open(key) as file:
        return file.read()


def build_all(library: Library, machine: str = "one") -> list[Built]:
    return [builder(library, machine).build(shard) for shard in range(SHARDS)]


def numbers(library: Library) -> list[int]:
    with library.database.read() as session:
        return list(session.scalars(select(Fingerprint.track).order_by(Fingerprint.track)))


def query(pcm: Any) -> Peaks:
    return extract(pcm, SHARDING.params, dense="query")


def test_each_shard_holds_its_tracks_and_readers_see_them(library: Library) -> None:
    enrol_made(library, range(8))
    assert sorted(one.tracks for one in build_all(library)) == [2, 3, 3]
    reader = view(library)
    reader.catch_up()
    assert alive_numbers(reader.index).tolist() == numbers(library)
    one = view(library, shards=(1,))
    one.catch_up()
    assert alive_numbers(one.index).tolist() == [track for track in numbers(library) if track % SHARDS == 1]


def test_a_build_without_changes_writes_nothing(library: Library) -> None:
    enrol_made(library, range(4))
    build_all(library)
    before = {key: content(library, key) for key in library.enroller.storage.list("index/")}
    again = build_all(library)
    assert [(one.generation, one.added, one.removed, one.stored) for one in again] == [(1, 0, 0, 0)] * SHARDS
    assert {key: content(library, key) for key in before} == before


def test_any_machine_goes_on_where_another_left_off(library: Library) -> None:
    enrol_made(library, range(4))
    build_all(library, "one")
    enrol_made(library, range(4, 6))
    second = build_all(library, "three")
    assert sum(one.added for one in second) == 2  # the rest was fetched, not built
    gone = numbers(library)[0]
    with library.database.unit() as unit:
        recording_id = unit.session.scalars(select(Fingerprint.recording_id).where(Fingerprint.track == gone)).one()
        now = library.enroller.clock.now()
        remove_recordings(unit, library.enroller.actor, library.organisation_id, [recording_id], now=now)
    third = build_all(library, "one")
    assert (sum(one.added for one in third), sum(one.removed for one in third)) == (0, 1)
    reader = view(library)
    reader.catch_up()
    assert alive_numbers(reader.index).tolist() == numbers(library)


def test_a_reader_follows_what_is_published_without_fetching_twice(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_made(library, range(3))
    build_all(library)
    reader = view(library)
    reader.catch_up()
    old = reader.index.snapshot
    enrol_made(library, range(3, 5))
    build_all(library)
    opened: list[str] = []
    plain = library.enroller.storage.open

    def noted(_: Folder, key: str) -> Any:
        opened.append(key)
        return plain(key)

    monkeypatch.setattr(Folder, "open", noted)
    reader.catch_up()
    assert len([key for key in opened if key.endswith(".fp")]) == 2
    assert len(old.segments) == 3  # a match that runs sees its state to the end
    again = view(library)  # another process of the machine, or the next start: nothing is fetched
    opened.clear()
    again.catch_up()
    assert [key for key in opened if key.endswith(".fp")] == []
    assert alive_numbers(again.index).tolist() == numbers(library)


def test_what_no_list_names_goes_once_no_reader_can_want_it(library: Library) -> None:
    clock = SteppedClock(library.enroller.clock.now())
    enrol_made(library, range(1, 2))
    shard = SHARDING.shard_of(numbers(library)[0])
    builder(library, clock=clock).build(shard)
    manifest = read_manifest(library.enroller.storage, SHARDING, shard)
    assert manifest is not None
    key = SHARDING.segment_key(shard, manifest.segments[0].sha256)
    with library.database.unit() as unit:
        ids = unit.session.scalars(select(Fingerprint.recording_id)).all()
        remove_recordings(unit, library.enroller.actor, library.organisation_id, ids, now=clock.now())
    assert builder(library, clock=clock).build(shard).tracks == 0
    assert key in set(library.enroller.storage.list("index/"))
    clock.step(KEPT_FOR_READERS.total_seconds() + 1)
    enrol_made(library, range(2, 5))
    builder(library, clock=clock).build(shard)
    assert key not in set(library.enroller.storage.list("index/"))


def test_two_machines_at_once_publish_one_after_the_other(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol_made(library, range(3))
    shard = SHARDING.shard_of(numbers(library)[0])
    slow = builder(library, "slow")
    store = Folder.put
    is_first = [True]

    def put(self: Folder, key: str, data: Any) -> int:
        if key.endswith(".fp") and is_first.pop(0) if is_first else False:
            builder(library, "quick").build(shard)
        return store(self, key, data)

    monkeypatch.setattr(Folder, "put", put)
    with pytest.raises(ConflictError):
        slow.build(shard)
    assert slow.build(shard).stored == 0
    reader = view(library, shards=(shard,))
    reader.catch_up()
    assert len(reader.index) == 1


@pytest.mark.parametrize("spoil", [lambda data: data[:-5], lambda data: data.replace(b'"tracks": 1', b'"tracks": 2')])
def test_a_damaged_list_is_told(library: Library, spoil: Callable[[bytes], bytes]) -> None:
    enrol_made(library, range(3))
    build_all(library)
    key = SHARDING.manifest_key(0)
    data = content(library, key)
    assert spoil(data) != data
    library.enroller.storage.put(key, spoil(data))
    with pytest.raises(InputError, match="build it again"):
        view(library).catch_up()


def test_a_spoilt_segment_is_neither_kept_nor_shown(library: Library) -> None:
    enrol_made(library, range(3))
    build_all(library)
    manifest = read_manifest(library.enroller.storage, SHARDING, 0)
    assert manifest is not None
    key = SHARDING.segment_key(0, manifest.segments[0].sha256)
    good = content(library, key)
    library.enroller.storage.put(key, good[:-1] + bytes([good[-1] ^ 1]))
    reader = view(library, shards=(0,))
    with pytest.raises(UnavailableError):
        reader.catch_up()
    assert len(reader.index) == 0
    library.enroller.storage.put(key, good)
    reader.catch_up()
    assert len(reader.index) == 1


def test_the_cache_keeps_what_is_used_and_what_fits(tmp_path: Path) -> None:
    storage, cache = Folder(tmp_path / "objects"), SegmentCache(tmp_path / "cache", 2_500)
    names = []
    import hashlib

    for number in range(4):
        content = bytes([number]) * 1_000
        names.append(hashlib.sha256(content).hexdigest())
        storage.put(f"x/{number}", content)
        assert cache.link(storage, f"x/{number}", names[-1], tmp_path / f"link-{number}")
        if number != 1:
            (tmp_path / f"link-{number}").unlink()
    assert cache.make_room() == 2_000
    kept = {path.stem for path in cache.folder.glob("*.fp")}
    assert kept == {names[1], names[3]}


def test_a_listener_of_the_published_index_hears_as_with_its_own(library: Library) -> None:
    enrol_made(library, range(6))
    build_all(library)
    own = library.index()
    fetched = LibraryIndex(
        library.folder / "unused", library.database, library.enroller.storage, SHARDING.params, view(library)
    )
    fetched.sync()
    for seed in range(6):
        sound = excerpt(tune(seed), 12.0, 10.0)
        one, other = identify(own, sound).found, identify(fetched, sound).found
        assert [(got.recording_id, got.offset_s) for got in one] == [(got.recording_id, got.offset_s) for got in other]
        assert one[0].score == pytest.approx(other[0].score)


def batches(library: Library, shards: int = SHARDS) -> Batches:
    views = {shard: view(library, "worker", (shard,)) for shard in range(shards)}

    def index_of(shard: int) -> Any:
        views[shard].catch_up()
        return views[shard].index

    enroller = library.enroller
    return Batches(library.database, enroller.storage, enroller.clock, SHARDING.params, shards, index_of, "test")


def answers_of(library: Library, asked: Batches, batch_id: UUID, order: list[int]) -> list[list[dict[str, Any]]]:
    joined: list[int] = []
    for shard in order:
        asked.answer_part(batch_id, shard, lambda _: joined.append(shard))  # noqa: B023  called at once
    assert joined == [order[-1]] or len(order) > len(set(order))
    asked.join(batch_id)
    with library.database.read() as session:
        row = get_batch(session, library.organisation_id, batch_id)
    assert row.answers is not None
    return row.answers


def test_shards_joined_answer_as_a_single_index_does(library: Library) -> None:
    enrol_made(library, range(9))
    build_all(library)
    sounds = [excerpt(tune(seed), 9.0, 12.0) for seed in range(9)]
    sounds += [faster(excerpt(tune(4), 5.0, 15.0), 1.02), noise(12.0), np.zeros(RATE_HZ * 10, np.float32)]
    crossfade = excerpt(tune(1), 20.0, 12.0) * 0.6 + excerpt(tune(2), 3.0, 12.0) * 0.6
    queries = [query(one.astype(np.float32)) for one in (*sounds, crossfade)]
    asked = batches(library)
    enqueued: list[UUID] = []
    batch_id = asked.ask(library.organisation_id, queries, lambda _, one: enqueued.append(one))
    assert enqueued == [batch_id]
    answers = answers_of(library, asked, batch_id, [2, 0, 1])
    own = library.index()
    for peaks, got in zip(queries, answers, strict=True):
        wanted = [one for one in match(own.index, peaks) if one.score >= 0.5]
        named = [own.tracks.get(one.track) for one in wanted]
        assert [one["recording_id"] for one in got] == [str(one.recording_id) for one in named if one]
        assert [one["offset_s"] for one in got] == pytest.approx([one.offset_s for one in wanted], abs=0.02)
        assert [one["score"] for one in got] == pytest.approx([one.score for one in wanted], abs=0.01)
    assert [len(one) for one in answers[:9]] == [1] * 9
    assert answers[10] == answers[11] == []
    assert len(answers[12]) == 2
    assert list(library.enroller.storage.list("batches/")) == []


def test_a_part_that_is_answered_twice_counts_once(library: Library) -> None:
    enrol_made(library, range(3))
    build_all(library)
    asked = batches(library)
    batch_id = asked.ask(library.organisation_id, [query(excerpt(tune(1), 5.0, 10.0))], lambda *_: None)
    answers = answers_of(library, asked, batch_id, [0, 0, 1, 1, 0, 2])
    assert len(answers[0]) == 1
    assert library.count(RecognitionPart) == SHARDS


def test_queries_survive_storing() -> None:
    queries = [query(excerpt(tune(1), 5.0, 10.0)), Peaks.empty(3.0), query(noise(5.0))]
    for before, after in zip(queries, peaks_batch.from_bytes(peaks_batch.to_bytes(queries)), strict=True):
        assert np.array_equal(before.times_s, after.times_s)
        assert np.array_equal(before.freqs_hz, after.freqs_hz)
        assert before.duration_s == after.duration_s
    with pytest.raises(InputError):
        peaks_batch.from_bytes(b"nothing")


def test_a_million_tracks_fit_into_forty_megabytes() -> None:
    from types import SimpleNamespace

    organisation, recording = UUID(int=1), UUID(int=2)
    page: Any = [
        SimpleNamespace(
            track=number,
            recording_id=recording,
            organisation_id=organisation,
            recording_class="advert",
            audible_from_ms=0,
            audible_to_ms=number,
        )
        for number in range(1, 20_001)
    ]
    table = TrackTable.empty().with_rows([page[:10_000], page[10_000:]])
    assert (table.numbers.nbytes + table.columns.nbytes) / len(table) <= 40
    found = table.get(7)
    assert found is not None
    assert (found.recording_id, found.organisation_id, found.audible_to_s) == (recording, organisation, 0.007)
    assert found.recording_class == "advert"
    assert table.get(20_001) is table.get(0) is None
    fewer = table.without([7, 8, 99_999])
    assert (len(fewer), fewer.get(7), fewer.get(9)) == (19_998, None, table.get(9))
    back = fewer.with_rows([[page[7], page[6]]])  # out of order, as on PostgreSQL
    assert back.numbers.tolist() == table.numbers.tolist()
    assert json.dumps(len(back)) == "20000"
