"""Every error is a problem+json with an id to find it by, and never a trace."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from airledger.platform.errors import UnavailableError
from airledger.stations import catalogue
from api_house import House


def is_problem(answer: Any, status: int) -> bool:
    body = answer.json()
    return bool(
        answer.status_code == status
        and answer.headers["content-type"] == "application/problem+json"
        and body.keys() >= {"type", "title", "status", "detail", "code", "correlation_id"}
        and body["status"] == status
        and body["correlation_id"] == answer.headers["x-request-id"]
    )


def test_unknown_paths_methods_and_wrong_bodies_are_problems(house: House) -> None:
    client = house.client
    assert is_problem(client.get("/api/v1/nothing"), 404)
    assert is_problem(client.get("/api"), 404)
    assert is_problem(client.put("/api/v1/streams"), 405)
    assert is_problem(client.get("/api/v1/streams/none"), 422)
    assert is_problem(
        client.post("/api/v1/auth/login", content=b"{", headers={"content-type": "application/json"}), 422
    )
    assert is_problem(client.post("/api/v1/auth/login", json={"link": "x", "more": 1}), 422)


def test_what_nobody_foresaw_is_a_500_without_a_trace(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(catalogue, "stats", breaks)
    with capture_logs() as logs:
        answer = TestClient(house.api, raise_server_exceptions=False).get("/api/v1/stats")
    assert is_problem(answer, 500)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["request_broke"]
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


def test_a_database_that_is_away_is_a_503_to_be_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("the database is away")

    monkeypatch.setattr(catalogue, "stats", away)
    answer = house.client.get("/api/v1/stats")
    assert is_problem(answer, 503)
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("given", "is_adopted"), [("abc-123.X_y", True), ("a" * 65, False), ("a b", False), ("", False)]
)
def test_the_request_id_goes_in_and_out(house: House, given: str, is_adopted: bool) -> None:
    found = house.client.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (found == given) == is_adopted
    assert len(found) >= 10


def test_a_body_that_is_too_large_is_refused(house: House) -> None:
    answer = house.client.post("/api/v1/auth/login", json={"link": "x" * (1 << 20)})
    assert is_problem(answer, 413)


def test_a_body_that_lies_about_its_length_is_cut_off(house: House) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b" " * (1 << 16)

    answer = house.client.post("/api/v1/auth/login", content=endless(), headers={"content-type": "application/json"})
    assert is_problem(answer, 413)


def test_answers_tell_browsers_to_be_careful(house: House) -> None:
    api, page = house.client.get("/api/v1/stats"), house.client.get("/")
    assert api.headers["content-security-policy"].startswith("default-src 'none'")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


def test_other_sites_may_read_the_catalogue_and_nothing_else(house: House) -> None:
    client = house.client
    site = {"Origin": "https://elsewhere.test"}
    ask = {**site, "Access-Control-Request-Method": "GET"}
    for path in ("/api/v1/streams", "/api/v1/stats", "/api/v1/streams/1/checks"):
        assert client.get(path, headers=site).headers["access-control-allow-origin"] == "*"
        assert client.options(path, headers=ask).status_code == 204
    for path in ("/api/v1/plays", "/api/v1/auth/me", "/api/v1/accounts"):
        assert "access-control-allow-origin" not in client.get(path, headers=site).headers
        assert client.options(path, headers=ask).status_code == 405
    post = {**site, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in client.options("/api/v1/streams", headers=post).headers


@pytest.mark.parametrize(
    "query",
    [
        "plays?stream_id=99999999999999999999",
        "plays?station_id=-1",
        "plays?since=0001-01-01T00:00:00%2B14:00",
        "plays?until=9999-12-31T23:59:59-14:00",
        "plays?since=2026-01-01T00:00:00",
        "plays?q=%00",
        "plays?cursor=%F0%9F%98%80",
        "coverage?stream_id=99999999999999999999",
        "streams/99999999999999999999",
        "streams?language=%00",
        "tasks?queue=%00",
        "recordings?cursor=none",
        "recordings?q=%00",
    ],
)
def test_what_no_database_can_hold_is_refused_before_it_gets_there(house: House, query: str) -> None:
    assert is_problem(house.client.get(f"/api/v1/{query}", headers=house.bearer()), 422)


def test_head_answers_as_get_does_without_the_body(house: House) -> None:
    for path in ("/healthz", "/api/v1/streams", "/api/v1/plays"):
        got, asked = house.client.get(path), house.client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        assert asked.headers["content-type"] == got.headers["content-type"]
