"""How often a caller may ask, and who the caller is."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from airledger.api.main import build_api
from airledger.api.rate_limit import Proxies, RateLimiter, bucket_name
from airledger.app import Airledger
from airledger.platform.auth.bootstrap import Bootstrap
from airledger.platform.errors import ConfigurationError
from airledger.platform.settings import Settings
from api_house import House


class Tick:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(min_value=0, max_value=30), max_size=200), st.integers(min_value=1, max_value=120))
def test_no_more_than_the_rate_and_one_minutes_burst_goes_through(gaps_s: list[float], per_minute: int) -> None:
    tick = Tick()
    limiter = RateLimiter(per_minute, tick=tick)
    passed = 0
    for gap_s in gaps_s:
        tick.now += gap_s
        passed += limiter.take("one") is None
    assert passed <= per_minute + tick.now * per_minute / 60 + 1e-6


@given(st.integers(min_value=1, max_value=1_000))
def test_who_waits_as_long_as_told_gets_in(per_minute: int) -> None:
    tick = Tick()
    limiter = RateLimiter(per_minute, tick=tick)
    for _ in range(per_minute):
        assert limiter.take("one") is None
    wait_s = limiter.take("one")
    assert wait_s is not None
    assert limiter.take("another") is None
    tick.now += wait_s
    assert limiter.take("one") is None


def test_the_number_of_callers_remembered_is_bounded() -> None:
    limiter = RateLimiter(1, tick=Tick(), callers=10)
    for number in range(100):
        limiter.take(str(number))
    assert len(limiter._buckets) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("testclient", "198.51.100.1", "testclient"),
    ],
)
def test_only_trusted_proxies_are_believed_and_only_for_their_neighbour(
    peer: str, forwarded: str | None, caller: str
) -> None:
    assert Proxies(["10.0.0.0/8"]).caller(peer, forwarded) == caller


@given(st.text(max_size=200))
def test_any_header_gives_some_caller(forwarded: str) -> None:
    assert Proxies(["10.0.0.0/8"]).caller("10.0.0.1", forwarded)


def test_a_proxy_that_is_no_network_is_named() -> None:
    with pytest.raises(ConfigurationError, match="trusted_proxies"):
        Proxies(["nonsense"])


def test_addresses_of_one_ipv6_network_share_a_bucket() -> None:
    assert bucket_name("2001:db8::1") == bucket_name("2001:db8::ffff:2")
    assert bucket_name("2001:db8::1") != bucket_name("2001:db8:0:1::1")
    assert bucket_name("192.0.2.1") != bucket_name("192.0.2.2")
    assert bucket_name("::ffff:192.0.2.1") != bucket_name("::ffff:192.0.2.2")


def test_a_stranger_who_asks_too_often_is_told_to_wait_and_others_are_not(
    tmp_path: Path, first_start: tuple[Path, Bootstrap]
) -> None:
    settings = Settings(data=tmp_path, requests_per_minute=5, trusted_proxies=("127.0.0.1",))
    with Airledger.open(settings) as app:
        api = build_api(app)
        api.state.airledger.limiter._tick = lambda: 0.0
        with TestClient(api, client=("127.0.0.1", 1)) as client:
            one, two = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}
            codes = [client.get("/api/v1/stats", headers=one).status_code for _ in range(7)]
            assert codes == [200] * 5 + [429] * 2
            answer = client.get("/api/v1/stats", headers=one)
            assert answer.headers["retry-after"] == "12"
            assert answer.json()["code"] == "too_many_requests"
            assert client.get("/api/v1/stats", headers=two).status_code == 200
            assert client.get("/healthz", headers=one).status_code == 200
    assert first_start


def test_who_is_known_may_ask_more_often_and_who_tries_out_keys_pays_from_the_address(house: House) -> None:
    limiter = house.api.state.airledger.limiter
    limiter._tick = lambda: 0.0
    limiter._per_minute = 5
    for _ in range(5):
        house.client.get("/api/v1/auth/me", headers={"X-API-Key": "alk_000000000000_" + "x" * 43})
    assert house.client.get("/api/v1/stats").status_code == 429
    bearer = house.bearer("viewer")
    house.api.state.airledger.authenticator.identify(bearer["Authorization"].removeprefix("Bearer "))
    codes = {house.client.get("/api/v1/stats", headers=bearer).status_code for _ in range(50)}
    assert codes == {200}
    assert house.client.get("/api/v1/stats", headers=bearer).status_code == 429
