"""Liveness, readiness, figures, the page, and the OpenAPI document."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.event import listen

from airledger.api import health, page
from airledger.api.openapi import document
from airledger.platform.tasks.queue import add_task
from api_house import House, furnish

REPOSITORY = Path(__file__).resolve().parents[2]


def test_alive_and_ready(house: House) -> None:
    house.app.presence("worker").beat()
    assert house.client.get("/healthz").json() == {"status": "ok"}
    ready = house.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["processes"] == {"worker": 1}
    assert set(ready.json()["checks"].values()) == {"ok"}
    assert list(house.app.storage.list("readyz/")) == []


def test_not_ready_tells_which_part(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "is_current", lambda _: False)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(house.app.storage, "put", full)
    answer = house.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "ok"
    assert "restart" in answer.json()["checks"]["migrations"]
    assert "storage" in answer.json()["checks"]["storage"]
    assert "no space" not in answer.text


def test_a_database_that_is_away_is_told_without_waiting_for_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.app.database, "is_up", lambda: False)
    answer = house.client.get("/readyz")
    assert (answer.status_code, answer.json()["processes"]) == (503, {})
    assert house.client.get("/healthz").status_code == 200


def test_figures_of_every_kind_are_there_in_prometheus_form(house: House) -> None:
    furnish(house)
    app = house.app
    app.counts.add("cache_hits", 7)
    app.counts.set("sessions", 3)
    app.presence("listener").beat()
    with app.unit() as unit:
        add_task(unit.session, "t", "probe", {}, now=app.clock.now())
    house.client.get("/api/v1/streams")
    house.client.get("/api/v1/streams")
    text = house.client.get("/metrics").text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["airledger_streams", "playing"] == 1
    assert samples["airledger_sessions", "listening"] == 1
    assert samples["airledger_detections",] == 1
    assert samples["airledger_plays",] == 1
    assert samples["airledger_tasks", "pending", "probe"] == 1
    assert samples["airledger_cache_hits_total", "listener"] == 7
    assert samples["airledger_process_sessions", "listener"] == 3
    assert samples["airledger_processes", "listener"] == 1
    assert 0 < samples["airledger_real_time_factor_min",] <= 1
    assert samples["airledger_http_requests_total", "/api/v1/streams", "200", "GET"] == 2
    assert samples["airledger_answer_cache_total", "hit"] + samples["airledger_answer_cache_total", "miss"] == 2
    assert ("airledger_events_position",) in samples
    assert samples["airledger_detections_24h", "local"] == 1
    assert samples["airledger_detection_score_mean",] == 0.99
    assert samples["airledger_capture_success_rate",] == 1


def test_a_scrape_every_second_counts_the_tables_no_more_often_than_every_15(house: House) -> None:
    furnish(house)
    asked: list[str] = []
    listen(house.app.database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    first = house.client.get("/metrics").text
    counted = len(asked)
    assert counted > 10
    for _ in range(5):
        house.client.get("/healthz")
        again = house.client.get("/metrics").text
    assert len(asked) == counted
    assert again != first, "this process's own counts are of the moment"


def test_the_page_answers_every_path_that_is_not_the_apis(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bundle" / "assets").mkdir(parents=True)
    (tmp_path / "bundle" / "index.html").write_text("<!doctype html><title>the page</title>")
    (tmp_path / "bundle" / "assets" / "app-1a2b.js").write_text("1")
    (tmp_path / "secret.txt").write_text("hidden treasure")
    monkeypatch.setattr(page, "BUNDLE", tmp_path / "bundle")
    for path in ("/", "/stations/12", "/globe/"):
        assert "the page" in house.client.get(path).text
    script = house.client.get("/assets/app-1a2b.js")
    assert (script.text, script.headers["cache-control"]) == ("1", "public, max-age=31536000, immutable")
    assert house.client.get("/index.html").headers["cache-control"] == "no-cache"
    assert house.client.get("/assets/gone.js").status_code == 404
    for path in ("/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00", "/" + "x" * 5_000):
        assert "treasure" not in house.client.get(path).text


def test_a_missing_page_says_how_to_build_it(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page, "BUNDLE", tmp_path / "none")
    answer = house.client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text


def test_the_committed_openapi_document_is_that_of_the_code() -> None:
    committed = (REPOSITORY / "web" / "openapi.json").read_text(encoding="utf-8")
    assert document() == committed, "run: python -m airledger.api.openapi > web/openapi.json"


def test_the_served_document_is_the_same_for_everybody(house: House) -> None:
    served = house.client.get("/api/openapi.json")
    assert served.status_code == 200
    assert "/api/v1/streams" in served.json()["paths"]


def test_the_reference_names_every_operation_and_who_may_call_it_and_loads_nothing(house: House) -> None:
    text = house.client.get("/api/docs").text
    for path in house.client.get("/api/openapi.json").json()["paths"]:
        assert path in text
    assert "stations:write" in text
    assert "http" not in text.replace("http-equiv", "").split("</h1>")[0]
    assert "<script" not in text


def test_the_api_process_loads_neither_kernels_nor_decoders() -> None:
    heavy = ("numba", "llvmlite", "scipy", "av", "celery")
    code = f"import sys, airledger.api.serve; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.decode().strip() == "[]"
