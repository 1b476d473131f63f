import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.probing.token import expires_at

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH = int(MOMENT.timestamp())


def part(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


JWT = f"{part({'alg': 'HS256'})}.{part({'exp': EPOCH})}.{'s' * 43}"


@pytest.mark.parametrize(
    "query",
    [
        f"e={EPOCH}",
        f"a=1&Expires={EPOCH}&Signature=x",
        f"expires={EPOCH}000",
        f"wowzatokenendtime={EPOCH}",
        "X-Amz-Date=20260102T020405Z&X-Amz-Expires=3600",
        "se=2026-01-02T03%3A04%3A05Z&sig=x",
        f"hdnts=st=1~exp={EPOCH}~acl=/*~hmac=aa",
        f"token={JWT}",
        f"e={EPOCH}&exp={EPOCH + 60}",
    ],
)
def test_the_date_of_a_leave_is_read(query: str) -> None:
    assert expires_at(f"https://a.example/live?{query}") == MOMENT


def test_a_token_in_the_path_counts() -> None:
    assert expires_at(f"https://a.example/{JWT}/live.m3u8") == MOMENT


@pytest.mark.parametrize(
    "url",
    ["http://a.example/;stream.mp3", "http://a.example/?e=1", "http://a.example/?e=high", "http://a.example/?sid=1",
     "http://a.example/a.b.c", "http://[bad/?e=1767323045"],
)  # fmt: skip
def test_other_numbers_are_no_dates(url: str) -> None:
    assert expires_at(url) is None


@given(st.text(max_size=200))
def test_no_url_breaks_the_reader(text: str) -> None:
    found = expires_at("http://a.example/?" + text)
    assert found is None or found.tzinfo is not None
