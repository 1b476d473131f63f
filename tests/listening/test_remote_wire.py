from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.fingerprint.peaks import Peaks
from airledger.listening.remote_buffer import FULL, DiskBuffer
from airledger.listening.remote_peaks import pack, unpack
from airledger.listening.remote_wire import (
    LOST,
    SILENCE,
    SOUND,
    SentWindow,
    WireError,
    decode_batch,
    encode_batch,
    lost,
)

KEY = UUID(int=7)
AT_S = 1_800_000_000.0


def peaks(times: list[float], seed: int = 0) -> Peaks:
    random = np.random.default_rng(seed)
    count = len(times)
    return Peaks(
        np.sort(np.array(times, np.float32)),
        random.uniform(0, 4_000, count).astype(np.float32),
        random.uniform(3, 60, count).astype(np.float32),
        10.0,
    )


@given(st.lists(st.floats(0, 10), max_size=60), st.integers(0, 1_000))
def test_peaks_survive_within_their_resolution(times: list[float], seed: int) -> None:
    given_peaks = peaks(times, seed)
    found = unpack(pack(given_peaks), 10.0)
    assert np.allclose(found.times_s, given_peaks.times_s, atol=1 / 8_000)
    assert np.allclose(found.freqs_hz, given_peaks.freqs_hz, atol=1 / 30)
    assert np.allclose(found.levels, given_peaks.levels, atol=0.13)


def test_a_batch_is_read_back() -> None:
    windows = [
        SentWindow(KEY, SOUND, AT_S, 10.0, pack(peaks([1.0, 2.0, 9.5]))),
        SentWindow(KEY, SILENCE, AT_S + 5, 10.0),
        lost(uuid4(), AT_S + 15, 3_600.0, "stalled"),
    ]
    assert decode_batch(encode_batch(windows)) == windows


@given(st.binary(max_size=200))
def test_bytes_of_strangers_are_read_or_refused(data: bytes) -> None:
    for body in (data, b"ALRW\x01" + data):
        try:
            windows = decode_batch(body)
        except WireError:
            continue
        assert decode_batch(encode_batch(windows)) == windows


@given(st.data())
def test_a_batch_cut_anywhere_is_refused(data: st.DataObject) -> None:
    whole = encode_batch([SentWindow(KEY, SOUND, AT_S, 10.0, pack(peaks([1.0, 2.0])))])
    cut = data.draw(st.integers(0, len(whole) - 1))
    if cut != 5:  # nothing behind the magic is an empty batch
        with pytest.raises(WireError):
            decode_batch(whole[:cut])


def batch(number: int) -> list[SentWindow]:
    return [SentWindow(KEY, SOUND, AT_S + 10 * number, 10.0, pack(peaks([float(one) / 50 for one in range(400)])))]


def test_numbers_rise_over_restarts_and_acknowledged_ones_are_gone(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 1 << 20)
    assert [buffer.keep(batch(number)) for number in range(3)] == [1, 2, 3]
    buffer.acknowledged(3)
    again = DiskBuffer(tmp_path, 1 << 20)
    assert again.client_id == buffer.client_id
    assert again.oldest() is None
    assert again.keep(batch(4)) == 4
    again.begin_after(9)  # the server knows more than a folder that was restored
    assert again.keep(batch(5)) == 10


def test_a_full_folder_tells_what_was_lost(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 10_000)
    for number in range(20):
        buffer.keep(batch(number))
    assert buffer.size_bytes <= 10_000
    first = buffer.oldest()
    assert first is not None
    (note,) = decode_batch(first.path.read_bytes())
    assert (note.kind, note.start_s, note.length_s, note.cause) == (LOST, AT_S, 10.0, FULL)
    kept = [decode_batch(path.read_bytes()) for path in sorted(tmp_path.glob("*.windows"))]
    assert len(kept) == 20
    assert kept[-1] == batch(19)


def test_a_refused_batch_becomes_a_note_and_then_goes(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 1 << 20)
    buffer.keep(batch(0))
    kept = buffer.oldest()
    assert kept is not None
    buffer.refused(kept)
    assert [one.kind for one in decode_batch(kept.path.read_bytes())] == [LOST]
    buffer.refused(kept)
    assert buffer.oldest() is None
