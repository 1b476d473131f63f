from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.listening.archive_names import AMBIGUOUS, NONEXISTENT, date_by_name, date_by_tags, read_pattern
from airledger.platform.errors import InputError

ACCRA, BERLIN = ZoneInfo("Africa/Accra"), ZoneInfo("Europe/Berlin")
TWO = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-11-20_14-00-00.mp3", TWO),
        ("rec_20261120T140000Z.wav", TWO),
        ("20261120-140000.mp3", TWO),
        ("20261120140000.mp3", TWO),
        ("Joy FM 2026.11.20 14.00.00.mp3", TWO),
        ("2026-11-20T14:00:00+00:00.flac", TWO),
        ("2026-11-20T15-00-00+0100.flac", TWO),
        ("20261120_14.mp3", TWO),
        ("2026112014.mp3", TWO),
        ("20261120_1430.mp3", TWO + timedelta(minutes=30)),
        ("2026-11-20/14.mp3", TWO),
        ("2026/11/20/14-00.mp3", TWO),
        ("joyfm/2026/11/20/joyfm_20261120_150000.mp3", TWO + timedelta(hours=1)),
        ("1795183200.mp3", TWO),
        ("rec-1795183200250.ogg", TWO + timedelta(milliseconds=250)),
        ("station99_2026-11-20_14h00.mp3", TWO),
        ("20261120_1400_10.mp3", TWO),
        ("2026-11-20 14h00m00s.mp3", TWO),
        ("2026-11-20_14-00-00.250.mp3", TWO + timedelta(milliseconds=250)),
    ],
)
def test_usual_names(name: str, expected: datetime) -> None:
    dated = date_by_name(name, ACCRA)
    assert dated is not None
    assert dated.began == expected


@pytest.mark.parametrize("name", ["song.mp3", "2026-13-40_14.mp3", "track 01.mp3", "0123456789.mp3", ""])
def test_names_that_tell_nothing(name: str) -> None:
    assert date_by_name(name, ACCRA) is None


def test_local_time_follows_the_zone() -> None:
    winter, summer = date_by_name("20260115-120000.mp3", BERLIN), date_by_name("20260715-120000.mp3", BERLIN)
    assert winter is not None
    assert summer is not None
    assert (winter.began.hour, summer.began.hour) == (11, 10)


def test_the_hour_that_comes_twice_is_stated() -> None:
    dated = date_by_name("20261025-023000.mp3", BERLIN)
    assert dated is not None
    assert dated.doubt == AMBIGUOUS
    assert dated.began == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert dated.otherwise == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_hour_that_is_left_out_is_stated() -> None:
    dated = date_by_name("20260329-023000.mp3", BERLIN)
    assert dated is not None
    assert dated.doubt == NONEXISTENT
    assert dated.began == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)), st.sampled_from([ACCRA, BERLIN]))  # noqa: DTZ001
def test_every_local_second_is_read_back(local: datetime, zone: ZoneInfo) -> None:
    local = local.replace(microsecond=0)
    for form in ("%Y-%m-%d_%H-%M-%S", "x%Y%m%d%H%M%S", "%Y/%m/%d/%H.%M.%S"):
        dated = date_by_name(local.strftime(form) + ".mp3", zone)
        assert dated is not None
        if dated.doubt != NONEXISTENT:
            assert dated.began.astimezone(zone).replace(tzinfo=None, fold=0) == local


def test_patterns_of_ones_own() -> None:
    pattern = read_pattern("%d.%m.%y um %H Uhr")
    dated = date_by_name("Sendung 20.11.26 um 14 Uhr.mp3", ACCRA, pattern)
    assert dated is not None
    assert dated.began == TWO
    by_day = date_by_name("log/2026324-1400.wav", ACCRA, read_pattern("%Y%j-%H%M"))
    assert by_day is not None
    assert by_day.began == TWO
    assert date_by_name("other.mp3", ACCRA, pattern) is None


@pytest.mark.parametrize("text", ["%H%M", "%Y%m", "%Y%m%d%Q", "%Y%Y%m%d", "", "%"])
def test_patterns_that_cannot_work(text: str) -> None:
    with pytest.raises(InputError):
        read_pattern(text)


def test_broadcast_wave_tells_to_the_sample() -> None:
    tags = {"date": "2026-11-20", "creation_time": "14:00:00", "time_reference": str(14 * 3600 * 48_000 + 24_000)}
    dated = date_by_tags(tags, 48_000, ACCRA)
    assert dated is not None
    assert dated.began == TWO + timedelta(seconds=0.5)
    assert dated.resolution_s == 0


def test_other_tags() -> None:
    assert date_by_tags({"creation_time": "2026-11-20T14:00:00.000000Z"}, 44_100, BERLIN).began == TWO  # type: ignore[union-attr]
    assert date_by_tags({"date": "2026-11-20", "creation_time": "15:00:00"}, 44_100, BERLIN).began == TWO  # type: ignore[union-attr]
    assert date_by_tags({"date": "2019"}, 44_100, BERLIN) is None
    assert date_by_tags({}, 44_100, BERLIN) is None
