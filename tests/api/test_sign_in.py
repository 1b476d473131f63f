"""Signing in by password and by link, the cookie, throttling, and what another site may make a browser do."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from airledger.api.credentials import COOKIE
from airledger.api.main import build_api
from airledger.app import Airledger
from airledger.platform.audit import SYSTEM
from airledger.platform.auth.bootstrap import bootstrap
from airledger.platform.auth.links import make_link
from airledger.platform.settings import Settings
from api_house import PASSWORD, House

OWN = {"Origin": "http://airledger.test"}
OTHER = {"Origin": "https://evil.test"}


def sign_in(house: House) -> TestClient:
    answer = house.client.post("/api/v1/auth/login", json={"link": house.link})
    assert answer.status_code == 200, answer.text
    return house.client


def test_the_first_link_signs_in_once(house: House) -> None:
    answer = house.client.post("/api/v1/auth/login", json={"link": house.link})
    assert answer.json()["account"]["email"] == "admin@localhost"
    assert answer.json()["account"]["role"] == "admin"
    assert house.client.get("/api/v1/auth/me").json() == answer.json()["account"]
    house.client.cookies.clear()
    assert house.client.post("/api/v1/auth/login", json={"link": house.link}).status_code == 401
    assert house.client.get("/api/v1/auth/me").status_code == 401


def test_a_link_that_is_over_opens_nothing(house: House) -> None:
    past = house.app.clock.now() - timedelta(minutes=16)
    with house.app.unit() as unit:
        link = make_link(unit, SYSTEM, house.person(unit, "viewer").id, now=past)
    assert house.client.post("/api/v1/auth/login", json={"link": link}).status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(house: House) -> None:
    answer = house.client.post("/api/v1/auth/login", json={"link": house.link})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_a_password_signs_in_and_a_wrong_one_does_not(house: House) -> None:
    with house.app.unit() as unit:
        user = house.person(unit, "operator", password=PASSWORD)
    right = {"email": user.email.upper(), "password": PASSWORD}
    assert house.client.post("/api/v1/auth/login", json=right).json()["account"]["role"] == "operator"
    for email, password in ((user.email, "wrong"), ("nobody@x.test", PASSWORD), ("admin@localhost", "")):
        answer = house.client.post("/api/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 401
        assert answer.json()["detail"] == "address or password is not right"


def test_signing_out_voids_the_token_itself(house: House) -> None:
    token = house.client.post("/api/v1/auth/login", json={"link": house.link}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert house.client.get("/api/v1/auth/me", headers=bearer).status_code == 200
    assert house.client.post("/api/v1/auth/logout", headers=OWN).status_code == 204
    assert COOKIE not in house.client.cookies
    assert house.client.get("/api/v1/auth/me", headers=bearer).status_code == 401
    assert house.client.post("/api/v1/auth/logout").status_code == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        (OTHER, 403),
        ({**OTHER, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**OTHER, "Sec-Fetch-Site": "same-origin"}, 201),
        ({**OWN, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_another_site_cannot_change_anything_with_our_cookie(
    house: House, headers: dict[str, str], status: int
) -> None:
    client = sign_in(house)
    body = {"url": "http://radio.test/live"}
    assert client.post("/api/v1/streams", json=body, headers=headers).status_code == status


def test_another_site_cannot_sign_a_visitor_in(house: House) -> None:
    assert house.client.post("/api/v1/auth/login", json={"link": house.link}, headers=OTHER).status_code == 403
    assert house.client.post("/api/v1/auth/login", json={"link": house.link}, headers=OWN).status_code == 200


def test_an_old_cookie_does_not_lock_a_visitor_out_of_the_catalogue(house: House) -> None:
    house.client.cookies.set(COOKIE, "old.and.void")
    assert house.client.get("/api/v1/streams").status_code == 200
    assert house.client.get("/api/v1/auth/me").status_code == 401


def test_guessing_is_throttled_per_address_and_tells_how_long_to_wait(house: House) -> None:
    house.api.state.airledger.attempts._tick = lambda: 0.0
    answers = [house.client.post("/api/v1/auth/login", json={"link": "guess"}) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "6"
    assert house.client.post("/api/v1/auth/login", json={"link": house.link}).status_code == 429


def test_guessing_is_throttled_per_account_from_wherever_it_comes(house: House) -> None:
    attempts = house.api.state.airledger.attempts
    attempts._tick = lambda: 0.0
    for _ in range(10):
        attempts.take("account:ada@station.test")
    body = {"email": "Ada@Station.test ", "password": PASSWORD}
    assert house.client.post("/api/v1/auth/login", json=body).status_code == 429


def test_a_new_password_ends_other_sign_ins(house: House) -> None:
    token = house.client.post("/api/v1/auth/login", json={"link": house.link}).json()["token"]
    assert house.client.post("/api/v1/auth/password", json={"password": "short"}, headers=OWN).status_code == 422
    assert house.client.post("/api/v1/auth/password", json={"password": PASSWORD}, headers=OWN).status_code == 204
    assert house.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    house.client.cookies.clear()
    login = {"email": "admin@localhost", "password": PASSWORD}
    assert house.client.post("/api/v1/auth/login", json=login).status_code == 200
    change = {"password": "another password", "current": "wrong"}
    assert house.client.post("/api/v1/auth/password", json=change, headers=OWN).status_code == 401


def test_accounts_keys_and_the_audit_log(house: House) -> None:
    admin = house.bearer()
    body = {"email": "Ada@Station.test", "name": "Ada", "role": "viewer"}
    made = house.client.post("/api/v1/accounts", json=body, headers=admin)
    assert (made.status_code, made.json()["email"]) == (201, "ada@station.test")
    assert house.client.post("/api/v1/accounts", json=body, headers=admin).status_code == 409
    path = f"/api/v1/accounts/{made.json()['id']}"
    link = house.client.post(f"{path}/link", headers=admin).json()["link"]
    token = house.client.post("/api/v1/auth/login", json={"link": link}).json()["token"]
    ada = {"Authorization": f"Bearer {token}"}
    house.client.cookies.clear()
    assert house.client.get(f"{path}/export", headers=ada).json()["account"]["name"] == "Ada"
    assert house.client.patch(path, json={"role": "operator"}, headers=admin).json()["role"] == "operator"
    assert house.client.get("/api/v1/auth/me", headers=ada).json()["role"] == "operator"
    assert house.client.delete(path, headers=admin).status_code == 204
    assert house.client.get("/api/v1/auth/me", headers=ada).status_code == 401
    actions = [row["action"] for row in house.client.get("/api/v1/audit?limit=200", headers=admin).json()]
    assert {"created", "changed", "made_link", "forgot"} <= set(actions)
    assert "Ada" not in house.client.get("/api/v1/audit?limit=200", headers=admin).text


def test_a_key_is_shown_once_works_and_is_revoked(house: House) -> None:
    admin = house.bearer()
    body = {"name": "robot", "scopes": ["plays:read"]}
    made = house.client.post("/api/v1/keys", json=body, headers=admin).json()
    robot = {"X-API-Key": made["key"]}
    assert house.client.get("/api/v1/plays", headers=robot).status_code == 200
    listed = house.client.get("/api/v1/keys", headers=admin)
    assert made["key"] not in listed.text
    assert house.client.delete(f"/api/v1/keys/{made['id']}", headers=admin).status_code == 204
    assert house.client.get("/api/v1/plays", headers=robot).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["plays:read"]},
        {"name": "k", "scopes": []},
        {"name": "k", "scopes": ["everything"]},
        {"name": "k", "scopes": ["plays:read"], "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "k", "scopes": ["plays:read"], "expires_at": "2999-01-01T00:00:00"},
    ],
)
def test_a_key_that_makes_no_sense_is_refused(house: House, body: dict[str, object]) -> None:
    assert house.client.post("/api/v1/keys", json=body, headers=house.bearer()).status_code == 422


def test_nobody_gives_away_more_than_they_have(house: House) -> None:
    body = {"name": "k", "scopes": ["system:write"]}
    assert house.client.post("/api/v1/keys", json=body, headers=house.bearer("admin", "other")).status_code == 403


def test_the_cookie_is_secure_behind_a_trusted_proxy_with_tls(tmp_path: Path, first_start: tuple[Path, object]) -> None:
    shutil.copytree(first_start[0], tmp_path / "data")
    with Airledger.open(Settings(data=tmp_path / "data", trusted_proxies=("10.0.0.1",))) as app:
        link = bootstrap(app.database, app.clock).link
        with TestClient(build_api(app), client=("10.0.0.1", 1)) as client:
            headers = {"X-Forwarded-Proto": "https"}
            answer = client.post("/api/v1/auth/login", json={"link": link}, headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()
