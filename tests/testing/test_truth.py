from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airledger.testing.truth import AiredPlay, StationClock, TruthWriter, read_truth

if TYPE_CHECKING:
    from pathlib import Path

RATE_HZ = 44_100
CLOCK = StationClock("a", "first", "Ä", "http://a/x", RATE_HZ, 1000.0, 1.0)


def _play(clock: StationClock, start_s: int, end_s: int, kind: str = "song") -> AiredPlay:
    start, end = start_s * RATE_HZ, end_s * RATE_HZ
    return AiredPlay(
        clock, kind, "R", "T", start_s, start, end, start + 5, end - 6, 1.02, 0, round((end - start) * 1.02)
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    writer = TruthWriter(tmp_path)
    writer.stations([CLOCK])
    play = _play(CLOCK, 10, 100)
    voice = _play(CLOCK, 95, 105, "voice")
    writer.aired(play)
    writer.aired(voice)
    writer.alive("first", 1050.0)
    writer.close()
    truth = read_truth(tmp_path)
    assert truth.stations == (CLOCK,)
    assert truth.plays == (play, voice)
    assert truth.songs() == [play]
    assert truth.talk_over(play) == [(95 * RATE_HZ, 100 * RATE_HZ)]
    assert truth.station_by_url() == {"http://a/x": "a"}
    assert truth.stopped_s == {}


def test_a_run_that_stopped_aired_nothing_later(tmp_path: Path) -> None:
    writer = TruthWriter(tmp_path)
    writer.stations([CLOCK])
    for start_s, end_s in ((10, 60), (60, 120), (110, 130)):
        writer.aired(_play(CLOCK, start_s, end_s))
    writer.stopped("first", 1100.0)
    writer.close()
    whole, cut = read_truth(tmp_path).plays
    assert whole == _play(CLOCK, 10, 60)
    assert (cut.end, cut.last) == (100 * RATE_HZ, 100 * RATE_HZ - 1)
    assert cut.reference_end == pytest.approx(40 * RATE_HZ * 1.02, abs=1)


def test_a_killed_run_ends_when_it_was_last_alive_and_the_newest_is_not_cut(tmp_path: Path) -> None:
    writer = TruthWriter(tmp_path)
    writer.stations([CLOCK])
    writer.aired(_play(CLOCK, 10, 60))
    writer.alive("first", 1030.0)
    writer.alive("first", 1040.0)
    writer.close()
    with (tmp_path / "truth.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"row": "aired", "sta')
    later = replace(CLOCK, run="second", epoch_s=2000.0)
    writer = TruthWriter(tmp_path)
    writer.stations([later])
    writer.aired(_play(later, 10, 60))
    writer.close()
    first, second = read_truth(tmp_path).plays
    assert first.end == 40 * RATE_HZ
    assert second == _play(later, 10, 60)


def test_clocks_map_both_ways() -> None:
    fast = replace(CLOCK, speed=8.0)
    assert fast.position_at(1010.0) == 80 * RATE_HZ
    assert fast.time_of(80 * RATE_HZ) == pytest.approx(1010.0)


def test_without_a_transmitter_there_is_no_truth(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_truth(tmp_path)
