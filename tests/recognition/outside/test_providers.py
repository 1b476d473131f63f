"""One contract for all providers, on real HTTP: whatever comes back, or does not, is an answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airledger.recognition.outside import acrcloud, audd
from airledger.recognition.outside.answer import Advice, Outcome, OutsideAnswer, Provider
from airledger.recognition.outside.http_call import HttpDoor, Reply, open_door
from airledger.recognition.outside.sample import MAX_BYTES, cut_sample
from airledger.testing.scripted_acrcloud import business, music_item
from airledger.testing.scripted_audd import audd_result, failure, success
from airledger.testing.scripted_http import Scripted, ScriptedService, as_json
from outside_house import NOON, Audd, Cloud, sound

WAV = cut_sample(sound()).wav


@dataclass
class Given:
    """A provider, and how its service says things."""

    service: ScriptedService
    provider: Provider
    hit: Scripted
    none: Scripted
    code: Callable[[int], Scripted]
    unfit: int
    at_fault: int
    slower: int
    account: int
    request: int

    hasty: Provider

    def ask(self, *, in_haste: bool = False) -> OutsideAnswer:
        return (self.hasty if in_haste else self.provider).identify(WAV, NOON)


@pytest.fixture(params=["acrcloud", "audd"])
def given_provider(request: pytest.FixtureRequest, cloud: Cloud, audd_service: Audd, hasty: HttpDoor) -> Given:
    if request.param == "acrcloud":
        hit = business(0, {"music": [music_item()]})
        return Given(
            cloud.scripted.service,
            cloud.provider,
            hit,
            business(1001),
            business,
            2004,
            3000,
            3015,
            3003,
            3006,
            replace(cloud.provider, door=hasty),
        )
    hit = success(audd_result())
    return Given(
        audd_service.scripted.service,
        audd_service.provider,
        hit,
        success(None),
        failure,
        300,
        100,
        611,
        901,
        700,
        replace(audd_service.provider, door=hasty),
    )


def test_a_hit_names_the_recording(given_provider: Given) -> None:
    given_provider.service.then(given_provider.hit)
    answer = given_provider.ask()
    assert (answer.outcome, answer.advice, answer.billed_halves) == ("hit", "settled", 2)
    (match,) = answer.matches
    assert (match.provider, match.title, match.artist) == (given_provider.provider.name, "Harmattan", "Ama Serwaa")
    assert match.isrcs == ("GHA012600001",)
    assert match.duration_ms == 180_000
    assert match.reference_begin_ms == 30_000
    assert match.links["spotify"] == "s1"


def test_an_answer_survives_the_cache(given_provider: Given) -> None:
    given_provider.service.then(given_provider.hit)
    answer = given_provider.ask()
    assert OutsideAnswer.from_json(answer.to_json()) == answer


def test_no_match_is_an_answer(given_provider: Given) -> None:
    given_provider.service.then(given_provider.none)
    answer = given_provider.ask()
    assert (answer.outcome, answer.advice, answer.matches) == ("none", "settled", ())


@pytest.mark.parametrize(
    ("which", "outcome", "advice"),
    [
        ("unfit", "unfit", "settled"),
        ("at_fault", "failed", "backoff"),
        ("slower", "throttled", "slower"),
        ("account", "refused", "open"),
        ("request", "refused", "alert"),
    ],
)
def test_what_goes_wrong_says_what_to_do(given_provider: Given, which: str, outcome: Outcome, advice: Advice) -> None:
    code = getattr(given_provider, which)
    given_provider.service.then(given_provider.code(code))
    answer = given_provider.ask()
    assert (answer.outcome, answer.advice, answer.code) == (outcome, advice, code)
    assert answer.message
    assert answer.billed_halves == 0


MALFORMED = {
    "nothing": b"",
    "html": b"<html>Bad gateway</html>",
    "a list": b"[1, 2]",
    "half": b'{"status": {"code": 0',
    "no status": b'{"metadata": {}}',
    "deep": b'{"a":' * 200 + b"1" + b"}" * 200,
    "too deep for a parser": b"[" * 100_000,
    "many": b"[" + b"1," * 60_000 + b"1]",
    "not a number": b'{"status": {"code": NaN}}',
    "not text": b"\xff\xfe\x00",
    "large": b'"' + b"x" * 3_000_000 + b'"',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_answer_is_a_failure(given_provider: Given, body: bytes) -> None:
    given_provider.service.then(Scripted(body=body))
    answer = given_provider.ask()
    assert (answer.outcome, answer.advice, answer.matches) == ("failed", "backoff", ())


@pytest.mark.parametrize(
    ("scripted", "outcome", "advice"),
    [
        (Scripted(500, b"oops"), "failed", "backoff"),
        (Scripted(503, b"<html>", "text/html"), "failed", "backoff"),
        (Scripted(404, b"no such page", "text/plain"), "refused", "alert"),
        (Scripted(302, b"", headers={"Location": "http://127.0.0.1:1/"}), "refused", "alert"),
        (Scripted(429, b"", headers={"Retry-After": "7"}), "throttled", "slower"),
        (Scripted(is_silent=True), "failed", "backoff"),
        (Scripted(body=b"x" * 5_000, is_trickled=True), "failed", "backoff"),
        (Scripted(body=b"x" * 5_000, is_cut=True), "failed", "backoff"),
    ],
    ids=["500", "503", "404", "redirect", "429", "silent", "trickled", "cut"],
)
def test_http_may_fail_in_every_way(
    given_provider: Given, scripted: Scripted, outcome: Outcome, advice: Advice
) -> None:
    given_provider.service.then(scripted)
    answer = given_provider.ask(in_haste=scripted.is_silent or scripted.is_trickled)
    assert (answer.outcome, answer.advice) == (outcome, advice)
    assert answer.wait_s == (7.0 if scripted.status == 429 else None)


def test_nobody_there_is_a_failure() -> None:
    door = open_door("Airledger", timeout_s=0.3)
    for provider in (
        acrcloud.AcrCloud(door, "http://127.0.0.1:1", "k", "s"),
        audd.AudD(door, "http://127.0.0.1:1", "t"),
    ):
        answer = provider.identify(WAV, NOON)
        assert (answer.outcome, answer.advice) == ("failed", "backoff")
    door.close()


def test_after_a_failure_the_next_request_is_served(given_provider: Given) -> None:
    given_provider.service.then(Scripted(is_silent=True), Scripted(body=b"x" * 5_000, is_cut=True), given_provider.hit)
    outcomes = [given_provider.ask(in_haste=number == 0).outcome for number in range(3)]
    assert outcomes == ["failed", "failed", "hit"]


# ACRCloud alone


def test_the_signature_is_right_and_the_sample_is_small(cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item()]
    assert cloud.provider.identify(WAV, NOON).outcome == "hit"
    (asked,) = cloud.scripted.service.asked
    assert asked.form["data_type"] == "audio"
    assert asked.form["timestamp"].isdigit()
    assert len(asked.files["sample"]) == int(asked.form["sample_bytes"]) <= MAX_BYTES


def test_a_signature_of_another_example() -> None:
    # Made with `openssl dgst -sha1 -hmac secret -binary | base64` over the six lines.
    assert acrcloud.sign("key", "secret", "1700000000") == "tWbqxXkbyadGeaHIJS/OzfF+KdU="


@pytest.mark.parametrize(("key", "secret", "code"), [("wrong", "secret", 3001), ("key", "wrong", 3014)])
def test_a_wrong_account_opens_the_circuit(cloud: Cloud, key: str, secret: str, code: int) -> None:
    stranger = replace(cloud.provider, access_key=key, access_secret=secret)
    answer = stranger.identify(WAV, NOON)
    assert (answer.code, answer.advice) == (code, "open")


@pytest.mark.parametrize("code", [*acrcloud.CODES, 2000, 2001, 3099, 9999, -1])
def test_every_code_has_an_advice(code: int) -> None:
    metadata = {"music": [music_item()]} if code == 0 else None
    answer = acrcloud.read_reply(Reply(200, business(code, metadata).body))
    assert answer.code == code
    assert (answer.outcome == "hit") == (code == 0)
    assert answer.billed_halves == {0: 2, 1001: 1}.get(code, 0)
    assert answer.advice in {"settled", "retry", "backoff", "slower", "open", "alert"}
    if code // 1000 == 3 and code not in {3000, 3015}:
        assert answer.outcome == "refused"


def read_one(**fields: object) -> OutsideAnswer:
    return acrcloud.read_reply(Reply(200, business(0, {"music": [{**music_item(), **fields}]}).body))


@pytest.mark.parametrize(
    "isrc",
    [
        "GHA012600001", ["GHA012600001"], "ISRC GHA012600001", "gh-a01-26-00001", "GH A01 26 00001",
        ["nonsense", "GHA012600001", "GHA012600001"], "GHA012600001, GHA012600001",
    ],
)  # fmt: skip
def test_an_isrc_in_every_shape(isrc: object) -> None:
    assert read_one(external_ids={"isrc": isrc}).matches[0].isrcs == ("GHA012600001",)


def test_payloads_as_they_were_seen() -> None:
    match = read_one(
        sample_begin_time_offset_ms="120",
        db_begin_time_offset_ms="84080",
        external_ids={"isrc": ["GBUM71604605", "GBUM71604606"], "upc": ["00602557484939"]},
        works=[
            {
                "iswc": "T9178198088",
                "name": "HELLO",
                "creators": [
                    {"name": "KURSTIN GREGORY ALLEN", "ipi": 122619891, "roles": ["Composer", "Lyricist"]},
                    {"name": "ADKINS ADELE", "ipi": "00502445563", "role": "C"},
                ],
            }
        ],
    ).matches[0]
    assert (match.sample_begin_ms, match.reference_begin_ms) == (120, 84_080)
    assert match.isrcs == ("GBUM71604605", "GBUM71604606")
    assert match.iswcs == ("T9178198088",)
    assert [(one.name, one.role, one.ipi) for one in match.writers] == [
        ("KURSTIN GREGORY ALLEN", "Composer, Lyricist", "00122619891"),
        ("ADKINS ADELE", "C", "00502445563"),
    ]


def test_contributors_stand_in_for_works() -> None:
    match = read_one(contributors={"composers": ["Adele Adkins"], "lyricists": ["ADELE ADKINS"]}).matches[0]
    assert [(one.name, one.role) for one in match.writers] == [
        ("Adele Adkins", "Composer"),
        ("ADELE ADKINS", "Lyricist"),
    ]


def test_a_custom_file_spells_its_names_as_text_and_comes_first() -> None:
    custom = {"acrid": "c1", "title": "Station jingle", "artist": "House", "album": "Jingles", "score": 80}
    payload = business(0, {"music": [music_item()], "custom_files": [custom]}).body
    first, second = acrcloud.read_reply(Reply(200, payload)).matches
    assert (first.title, first.artist, first.album, first.is_custom) == ("Station jingle", "House", "Jingles", True)
    assert second.title == "Harmattan"


def test_success_without_a_name_is_no_hit() -> None:
    shapes: list[dict[str, object]] = [{}, {"music": []}, {"music": "x"}, {"music": [{}, 5, None]}]
    for metadata in shapes:
        assert acrcloud.read_reply(Reply(200, business(0, metadata).body)).outcome == "none"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = list(chain(music_item(), ["works", "contributors", "artist", "name"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_item_of_any_shape_breaks_the_reading(row: dict[str, object]) -> None:
    answer = acrcloud.read_reply(Reply(200, business(0, {"music": [row], "custom_files": row}).body))
    for match in answer.matches:
        assert len(match.title) <= 500
        assert match.score is None or 0 <= match.score <= 100
        assert OutsideAnswer.from_json(answer.to_json()) == answer


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(result=st.none() | st.dictionaries(st.sampled_from([*audd_result(), "isrc", "score", "upc"]), JSON))
def test_no_result_of_any_shape_breaks_the_reading(result: dict[str, object] | None) -> None:
    answer = audd.read_reply(Reply(200, as_json({"status": "success", "result": result}).body))
    assert answer.outcome in {"hit", "none"}


def test_audd_is_asked_with_its_token(audd_service: Audd) -> None:
    audd_service.scripted.everything = audd_result()
    assert audd_service.provider.identify(WAV, NOON).outcome == "hit"
    stranger = replace(audd_service.provider, api_token="wrong")
    assert stranger.identify(WAV, NOON).code == 900
