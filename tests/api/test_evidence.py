"""Detections and their sound over HTTP: ranges, hashes, and nobody else's."""

import hashlib
import time
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.api.byte_range import byte_range
from airledger.listening.evidence_choice import Clip
from airledger.listening.evidence_keeper import store_clip, write_rows
from airledger.listening.models import EvidenceClip
from api_house import House, add_play, add_stream, furnish, other_organisation

PREFIXES = ["/api/v1", "/api/music-monitor"]


def keep_sound(house: House, detection_id: UUID) -> EvidenceClip:
    pcm = np.random.default_rng(1).integers(-3_000, 3_000, 80_000).astype(np.int16)
    row = store_clip(house.app.storage, Clip(detection_id, 0.97, time.time(), pcm, None), house.app.clock.now())
    with house.app.unit() as unit:
        assert write_rows(unit, house.app.storage, [row]) == {detection_id}
        return unit.session.get_one(EvidenceClip, detection_id)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_detection_comes_with_the_sound_that_is_kept_of_it(house: House, prefix: str) -> None:
    ids = furnish(house)
    clip = keep_sound(house, ids.play_id)
    reader = house.bearer("viewer")
    for path in (f"{prefix}/detections", f"{prefix}/detections/"):
        (row,) = house.client.get(path, headers=reader).json()
        assert row["detection_id"] == str(ids.play_id)
        assert (row["title"], row["station_name"], row["detection_source"]) == ("Song 1", "Station 1", "local")
        assert (row["evidence"]["sha256"], row["evidence"]["duration_ms"]) == (clip.sha256, 10_000)
    one = house.client.get(f"{prefix}/detections/{ids.play_id}", headers=reader).json()
    assert one["acrcloud_response"] is None
    told = house.client.get(f"{prefix}/detections/{ids.play_id}/evidence", headers=reader).json()
    assert told == one["evidence"]
    sound = house.client.get(told["audio"], headers=reader)
    assert (sound.status_code, sound.headers["content-type"], sound.headers["etag"]) == (
        200, "audio/flac", f'"{clip.sha256}"',
    )  # fmt: skip
    assert hashlib.sha256(sound.content).hexdigest() == clip.sha256
    assert (
        house.client.get(f"{prefix}/detections/{ids.play_id}/evidence/audio", headers=reader).content == sound.content
    )


def test_ranges_and_what_the_caller_has_already(house: House) -> None:
    ids = furnish(house)
    keep_sound(house, ids.play_id)
    path, reader = f"/api/v1/detections/{ids.play_id}/evidence/audio", house.bearer("viewer")
    whole = house.client.get(path, headers=reader)
    size, tag = len(whole.content), whole.headers["etag"]
    part = house.client.get(path, headers={**reader, "Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    end = house.client.get(path, headers={**reader, "Range": "bytes=-7"})
    assert end.content == whole.content[-7:]
    behind = house.client.get(path, headers={**reader, "Range": f"bytes={size}-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")
    assert house.client.get(path, headers={**reader, "If-None-Match": tag}).status_code == 304
    other = house.client.get(path, headers={**reader, "Range": "bytes=0-1", "If-Range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, size)
    head = house.client.head(path, headers=reader)
    assert (head.status_code, head.content, head.headers["accept-ranges"]) == (200, b"", "bytes")


def test_damaged_sound_is_never_served(house: House) -> None:
    ids = furnish(house)
    clip = keep_sound(house, ids.play_id)
    house.app.storage.put(clip.key, b"not what was heard")
    answer = house.client.get(f"/api/v1/detections/{ids.play_id}/evidence/audio", headers=house.bearer())
    assert (answer.status_code, answer.json()["code"]) == (500, "evidence_damaged")


def test_nobody_else_sees_or_hears_it(house: House) -> None:
    ids = furnish(house)
    keep_sound(house, ids.play_id)
    other = house.bearer("admin", "other")
    assert house.client.get("/api/v1/detections", headers=other).json() == []
    for rest in ("", "/evidence", "/evidence/audio"):
        assert house.client.get(f"/api/v1/detections/{ids.play_id}{rest}", headers=other).status_code == 404
    assert house.client.delete(f"/api/v1/detections/{ids.play_id}/evidence", headers=other).status_code == 404
    assert house.client.delete(f"/api/v1/detections/{ids.play_id}/evidence", headers=house.bearer()).status_code == 204
    assert house.client.get(f"/api/v1/detections/{ids.play_id}/evidence", headers=house.bearer()).status_code == 404


def test_detections_are_narrowed_and_paged(house: House) -> None:
    ids, now = furnish(house), house.app.clock.now()
    with house.app.unit() as unit:
        stream = add_stream(unit, now, 7)
        for number in range(2, 7):
            add_play(unit, house.home_id, stream, now, number)
        add_play(unit, other_organisation(unit, house.app), add_stream(unit, now, 8), now, 9)
    reader = house.bearer("viewer")

    def listed(query: str) -> list[str]:
        found: list[str] = []
        url: str | None = f"/api/v1/detections?limit=2&{query}"
        while url:
            page = house.client.get(url, headers=reader)
            assert page.status_code == 200, page.text
            found += [row["detection_id"] for row in page.json()]
            url = page.links.get("next", {}).get("url")
        assert len(set(found)) == len(found)
        return found

    assert len(listed("")) == 6
    assert listed(f"stream_id={ids.stream_id}") == [str(ids.play_id)]
    assert listed(f"recording_id={ids.recording_id}") == [str(ids.play_id)]
    assert listed("source=acrcloud") == []
    assert len(listed("processing_status=active")) == 6
    assert listed("until=2020-01-01T00:00:00Z") == []
    assert house.client.get("/api/v1/detections?cursor=wrong", headers=reader).status_code == 422


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 100))
def test_a_range_is_what_the_header_says(first: int, last: int, size: int) -> None:
    body = list(range(size))
    found = byte_range(f"bytes={first}-{last}", size)
    if first > last:
        assert found is None
    else:
        assert found is not None
        assert body[found.start : found.stop] == body[first : last + 1]
    end = byte_range(f"bytes=-{last}", size)
    assert end is not None
    assert body[end.start : end.stop] == (body[-last:] if last else [])


@given(st.text(max_size=30))
def test_nonsense_asks_for_the_whole(text: str) -> None:
    found = byte_range(text, 10)
    assert found is None or 0 <= found.start <= found.stop <= 10
