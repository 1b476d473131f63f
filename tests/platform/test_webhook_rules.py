"""What holds for every webhook: who may hear what, how long is waited, what a signature covers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.events import Told
from airledger.platform.webhooks.concerns import EVERY, PUBLIC_PREFIXES, Wanted
from airledger.platform.webhooks.patience import GIVE_UP_AFTER, LONGEST_WAIT_S, Tried, judge, pause_reason, wait_s
from airledger.platform.webhooks.sign import make_secret, message_id, signed_headers

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OURS, THEIRS = uuid4(), uuid4()
TYPES = ["play.started", "play.finished", "detection.opened", "stream.checked", "crawl.finished", "task.failed"]

owners = st.sampled_from([OURS, THEIRS, None])
payloads: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "station_id": st.integers(1, 3),
        "stream_id": st.integers(1, 3),
        "recording_id": st.sampled_from(["a", "b"]),
    },
)
events = st.builds(Told, st.integers(1, 9), st.sampled_from(TYPES), st.just(NOW), owners, payloads)
wishes = st.builds(
    Wanted,
    st.just(OURS),
    st.frozensets(st.sampled_from([EVERY, "play.*", *TYPES]), min_size=1),
    st.frozensets(st.integers(1, 3)),
    st.frozensets(st.integers(1, 3)),
    st.frozensets(st.sampled_from(["a", "b"])),
    st.sampled_from([None, OURS]),
    st.booleans(),
)


@given(wishes, events)
def test_nobody_hears_what_belongs_to_another(wanted: Wanted, event: Told) -> None:
    if event.organisation_id == THEIRS:
        assert not wanted.hears(event)
    if event.organisation_id is None and not wanted.is_home and wanted.hears(event):
        assert event.type.startswith(PUBLIC_PREFIXES)
    if wanted.owner_organisation_id and wanted.hears(event):
        assert event.organisation_id == OURS


@given(wishes, events)
def test_each_filter_only_narrows(wanted: Wanted, event: Told) -> None:
    if not wanted.hears(event):
        return
    widest = Wanted(OURS, is_home=wanted.is_home)
    assert widest.hears(event)
    for name, chosen in (
        ("station_id", wanted.station_ids), ("stream_id", wanted.stream_ids), ("recording_id", wanted.recording_ids),
    ):  # fmt: skip
        assert not chosen or event.payload[name] in chosen


@given(st.integers(1, 500), st.floats(0, 1), st.one_of(st.none(), st.floats(0, LONGEST_WAIT_S)))
def test_waiting_grows_and_ends(attempts: int, spread: float, asked_s: float | None) -> None:
    tried = Tried(503, 1, "no", retry_after_s=asked_s)
    waited = wait_s(attempts, tried, spread)
    assert (asked_s or 0) <= waited <= LONGEST_WAIT_S * 1.05
    assert wait_s(attempts + 1, tried, spread) >= waited


@given(st.integers(100, 599), st.text(max_size=20))
def test_only_2xx_is_success(status: int, retry_after: str) -> None:
    tried = judge(status, {"retry-after": retry_after}, 3.4, b"\xff\x00ok")
    assert tried.is_delivered == (200 <= status < 300)
    assert "\x00" not in (tried.excerpt or "")
    assert tried.retry_after_s is None or 0 <= tried.retry_after_s <= LONGEST_WAIT_S


def test_a_receiver_is_given_up_after_a_day_and_not_before() -> None:
    tried = Tried(500, 1, "the receiver answered 500")
    assert pause_reason(tried, NOW - GIVE_UP_AFTER + timedelta(seconds=1), NOW) is None
    assert "24 hours" in (pause_reason(tried, NOW - GIVE_UP_AFTER, NOW) or "")


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 1_000), st.integers(0, 1_000))
def test_a_signature_covers_body_id_and_time(body: bytes, other: bytes, first: int, second: int) -> None:
    key, hook = make_secret(), UUID(int=7)

    def signature(body: bytes, position: int, later_s: int, key: str = key) -> str:
        at = NOW + timedelta(seconds=later_s)
        return signed_headers(message_id(hook, position), body, [key], at)["webhook-signature"]

    same = signature(body, first, first)
    assert same == signature(body, first, first)
    assert (signature(other, first, first) == same) == (body == other)
    assert (signature(body, second, first) == same) == (first == second)
    assert (signature(body, first, second) == same) == (first == second)
    assert signature(body, first, first, make_secret()) != same
    assert "." not in message_id(hook, first)


def test_the_example_of_standard_webhooks_verifies() -> None:
    """The vector that the specification's libraries are tested with."""
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        [key],
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
