"""Every route, as a stranger, as a viewer, and with another organisation's key."""

import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from airledger.api.allow import DECLARED
from airledger.api.main import ROUTERS
from airledger.platform.auth.scopes import Scope, scopes_of
from api_house import Furnished, House, add_play, add_stream, furnish, other_organisation

ROUTES = [route for router in ROUTERS for route in router.routes]
HTTP = [
    (method, route)
    for route in ROUTES
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
    if route.path not in {"/api/v1/events", "/api/v1/now"}  # endless: tested over a real connection
]
SOCKETS = [route for route in ROUTES if isinstance(route, APIWebSocketRoute)]
SYSTEM = (Scope.SYSTEM_READ, Scope.SYSTEM_WRITE)
PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /api/v1/streams",
    "GET /api/v1/points",
    "GET /api/v1/choices",
    "GET /api/v1/stats",
    "GET /api/v1/stations",
    "GET /api/v1/stations/{station_id}",
    "GET /api/v1/stations/{station_id}/now",
    "GET /api/v1/stations/{station_id}/logo",
    "GET /api/v1/export.{form}",
    "GET /api/v1/merges",
    "GET /api/v1/stations/{station_id}/merges",
    "GET /api/v1/stations/{station_id}/simulcasts",
    "GET /api/v1/streams/{stream_id}",
    "GET /api/v1/streams/{stream_id}/checks",
    "GET /api/v1/streams/{stream_id}/provenance",
    "GET /api/v1/streams/{stream_id}/metrics",
    "GET /api/v1/streams/{stream_id}/history",
    "GET /api/v1/streams/{stream_id}/outlook",
    "GET /api/v1/streams/{stream_id}/verification",
    "GET /api/v1/streams/{stream_id}/vantages",
    "GET /api/v1/streams/{stream_id}/place",
    "POST /api/v1/takedown",
    "POST /yp",
    "POST /yp/cgi-bin",
    "POST /yp/cgi-bin/yp-cgi",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/logout",
    "GET /api/docs",
    "GET /{path:path}",
}
# Radio Browser's paths answer GET and POST alike, and are as public as there.
PUBLIC |= {
    f"{method} /{form}/{path}"
    for method in ("GET", "POST")
    for form in ("json", "xml", "csv")
    for path in ("url/{stationuuid}", "vote/{stationuuid}", "checks", "checks/{stationuuid}", "{kind}",
                 "{kind}/{term:path}")
} | {
    f"{method} /{form}/{path}"
    for method in ("GET", "POST")
    for form in ("json", "xml", "csv", "m3u", "pls", "xspf")
    for path in ("stations", "stations/search", "stations/{by}", "stations/{by}/{term:path}", "url/{stationuuid}")
}  # fmt: skip


def declared(route: APIRoute | APIWebSocketRoute) -> list[str]:
    found = [getattr(one.call, DECLARED, None) for one in route.dependant.dependencies]
    return [name for name in found if name is not None]


def path_of(route: APIRoute | APIWebSocketRoute, ids: Furnished) -> str:
    values = {
        "{stream_id}": str(ids.stream_id), "{play_id}": str(ids.play_id), "{recording_id}": str(ids.recording_id),
        "{name}": "none", "{stationuuid}": "none", "{kind}": "tags", "{term:path}": "pop", "{by}": "topvote",
        "{form}": "m3u",
        "{path:path}": "globe", "{isrc}": "none", "{dimension}": "host", "{detection_id}": str(ids.play_id),
    }  # fmt: skip
    path = route.path
    for name, value in values.items():
        path = path.replace(name, value)
    path = re.sub(r"\{\w+_id\}", lambda _: str(uuid4()), path)  # of what is not there
    assert "{" not in path
    return path


BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/streams": {"url": "http://radio.test/live"},
    "POST /api/v1/auth/login": {"link": "wrong"},
    "POST /api/v1/auth/password": {"password": "long enough password"},
    "POST /api/v1/accounts": {"email": "a@b.test", "name": "A", "role": "viewer"},
    "PATCH /api/v1/accounts/{user_id}": {"name": "B"},
    "PATCH /api/v1/schedules/{name}": {"enabled": False},
    "POST /api/v1/keys": {"name": "k", "scopes": ["plays:read"]},
    "POST /api/music-monitor/acrcloud/test-identification": {},
    "POST /api/music-monitor/acrcloud/test-hybrid": {},
    "POST /api/music-monitor/acrcloud/batch-isrc": {"isrcs": ["none"]},
    "POST /api/music-monitor/fingerprint/track": {"profile": "balanced"},
    "POST /api/music-monitor/fingerprint/batch": {"recording_ids": []},
    "POST /api/v1/alert-channels": {"kind": "email", "addresses": ["a@b.test"]},
    "POST /api/v1/takedown": {"url": "http://radio.test/live", "reason": "Ours.", "contact": "a@b.test"},
    "POST /api/v1/webhooks": {"url": "http://receiver.test/hook"},
    "PUT /api/v1/webhooks/{webhook_id}": {"url": "http://receiver.test/hook"},
}


def name_of(method: str, route: APIRoute) -> str:
    return f"{method} {route.path}"


@pytest.mark.parametrize("route", [route for route in ROUTES if isinstance(route, APIRoute | APIWebSocketRoute)])
def test_every_route_declares_who_may_call_it(route: APIRoute | APIWebSocketRoute) -> None:
    assert len(declared(route)) == 1


def test_what_is_public_is_listed_here() -> None:
    found = {name_of(method, route) for method, route in HTTP if declared(route) == ["public"]}
    assert found == PUBLIC


def test_strangers_get_401_on_everything_but_what_is_public(house: House) -> None:
    ids = furnish(house)
    for method, route in HTTP:
        name = name_of(method, route)
        answer = house.client.request(method, path_of(route, ids), json=BODIES.get(name))
        if name in PUBLIC:
            assert answer.status_code not in {403, 500}, name
        else:
            assert answer.status_code == 401, name
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_viewer_may_read_and_nothing_else(house: House) -> None:
    ids, viewer = furnish(house), house.bearer("viewer")
    may = {scope.value for scope in scopes_of("viewer", is_home=True)} | {"public", "signed-in"}
    for method, route in HTTP:
        name = name_of(method, route)
        answer = house.client.request(method, path_of(route, ids), headers=viewer, json=BODIES.get(name))
        is_allowed = declared(route)[0] in may
        assert (answer.status_code != 403) == is_allowed or name.startswith(("POST /api/v1/auth", "GET /api/v1/acc")), (
            name
        )
        assert answer.status_code < 500 or "{path" in name, name
        if (
            method != "GET"
            and name not in PUBLIC
            and not route.path.startswith(("/api/v1/auth", "/api/v1/submissions"))
        ):
            assert answer.status_code == 403, name


def test_a_dead_key_is_refused_even_where_strangers_are_welcome(house: House) -> None:
    answer = house.client.get("/api/v1/streams", headers={"X-API-Key": "alk_000000000000_" + "x" * 43})
    assert answer.status_code == 401


@pytest.mark.parametrize("route", SOCKETS, ids=lambda route: route.path)
def test_a_stranger_gets_no_socket(house: House, route: APIWebSocketRoute) -> None:
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), house.client.websocket_connect(route.path):
        pass


def test_another_organisation_sees_none_of_our_rows(house: House) -> None:
    ids, other = furnish(house), house.bearer("admin", "other")
    for path in ("plays", "recordings", "sessions", "coverage"):
        answer = house.client.get(f"/api/v1/{path}", headers=other)
        assert (answer.status_code, answer.json()) == (200, []), path
        assert len(house.client.get(f"/api/v1/{path}", headers=house.bearer()).json()) == 1, path
    for path in (f"plays/{ids.play_id}", f"recordings/{ids.recording_id}"):
        assert house.client.get(f"/api/v1/{path}", headers=other).status_code == 404
        assert house.client.get(f"/api/v1/{path}", headers=house.bearer()).status_code == 200
    assert house.client.delete(f"/api/v1/streams/{ids.stream_id}/listen", headers=other).status_code == 404
    assert house.client.post(f"/api/v1/streams/{ids.stream_id}/listen", headers=other).status_code == 409
    actors = {row["actor"] for row in house.client.get("/api/v1/audit", headers=other).json()}
    assert "system:test" not in actors


def test_another_organisation_cannot_touch_our_accounts_and_keys(house: House) -> None:
    ours, other = house.bearer(), house.bearer("admin", "other")
    account = next(row for row in house.client.get("/api/v1/accounts", headers=ours).json() if row["role"] == "admin")
    key = house.client.get("/api/v1/keys", headers=ours).json()[0]
    path = f"/api/v1/accounts/{account['id']}"
    assert house.client.patch(path, headers=other, json={"name": "Mine"}).status_code == 404
    assert house.client.delete(path, headers=other).status_code == 404
    assert house.client.get(f"{path}/export", headers=other).status_code == 404
    assert house.client.post(f"{path}/link", headers=other).status_code == 404
    assert house.client.delete(f"/api/v1/keys/{key['id']}", headers=other).status_code == 404
    assert key["id"] not in {row["id"] for row in house.client.get("/api/v1/keys", headers=other).json()}


def test_only_the_organisation_that_runs_the_installation_sees_the_system(house: House) -> None:
    other = house.bearer("admin", "other")
    for path in ("tasks", "schedules", "processes"):
        assert house.client.get(f"/api/v1/{path}", headers=other).status_code == 403
        assert house.client.get(f"/api/v1/{path}", headers=house.bearer("viewer")).status_code == 200


def test_what_a_stream_plays_is_shown_to_its_organisation_only(house: House) -> None:
    ids = furnish(house)
    now = house.app.clock.now()
    with house.app.unit() as unit:
        stream = add_stream(unit, now, 3)
        add_play(unit, other_organisation(unit, house.app), stream, now, 2)

    def playing(headers: dict[str, str] | None) -> dict[int, str | None]:
        rows = house.client.get("/api/v1/streams", headers=headers).json()
        return {row["id"]: row["now_playing"] and row["now_playing"]["title"] for row in rows}

    assert playing(None) == {ids.stream_id: None, stream.id: None}
    assert playing(house.bearer()) == {ids.stream_id: "Song 1", stream.id: None}
    assert playing(house.bearer("viewer", "other")) == {ids.stream_id: None, stream.id: "Song 2"}


def test_a_key_can_do_no_more_than_its_scopes(house: House) -> None:
    furnish(house)
    key = {"X-API-Key": house.key("admin", scopes=frozenset({Scope.PLAYS_READ}))}
    assert house.client.get("/api/v1/plays", headers=key).status_code == 200
    assert house.client.get("/api/v1/recordings", headers=key).status_code == 403
