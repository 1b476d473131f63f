import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from airledger.cli.main import app
from raw_http import RawServer

LIST = '#EXTM3U\n#EXTINF:-1 tvg-id="A.gh" radio="true",Radio A\nhttp://a.example/live\n#EXTINF:-1,B\nrtmp://b/\n'


@pytest.fixture
def playlist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRLEDGER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")  # a narrow table would break words
    path = tmp_path / "list.m3u"
    path.write_text(LIST)
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_crawl_then_list(playlist: Path) -> None:
    code, out = run("crawl", str(playlist), "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["found"], report["added"], report["refused"]) == (2, 1, {"unsupported_scheme": 1})
    code, out = run("streams", "--country", "GH", "--json")
    assert [json.loads(line)["url"] for line in out.splitlines()] == ["http://a.example/live"]
    code, out = run("crawl", str(playlist))
    assert code == 0
    assert "unsupported_scheme" in out
    code, out = run("streams", "--q", "radio", "--state", "unproven")
    assert "Radio A" in out


def test_an_account_tells_what_became_of_each_entry(playlist: Path, tmp_path: Path) -> None:
    playlist.write_text(LIST + "#EXTINF:-1,A again\nHTTP://A.example:80/live\n")
    account, other = tmp_path / "account.jsonl", tmp_path / "other.m3u"
    other.write_text("#EXTM3U\n#EXTINF:-1,Elsewhere\nhttp://a.example/live\n")
    assert run("crawl", str(playlist), str(other), "--account", str(account), "--json")[0] == 0
    lines = [json.loads(line) for line in account.read_text().splitlines()]
    assert [(line["outcome"], line.get("reason"), line.get("merged_with")) for line in lines] == [
        ("added", None, None),
        ("refused", "unsupported_scheme", None),
        ("merged", None, {"source": "list.m3u", "entry": 1}),
        ("merged", None, {"source": "list.m3u", "source_key": lines[3]["merged_with"]["source_key"]}),
    ]
    assert len({lines[place]["stream_id"] for place in (0, 2, 3)}) == 1
    assert lines[1]["where"] == "list.m3u: line 5"


def test_a_source_that_cannot_be_read_is_an_error(playlist: Path) -> None:
    code, out = run("crawl", "http://127.0.0.1:1/x.m3u", "--json")
    assert code == 1
    assert json.loads(out)["error"]
    code, out = run("crawl", str(playlist) + ".absent")
    assert code == 2


def test_probe_dials_private_addresses_only_when_told_to(playlist: Path, server: RawServer) -> None:
    del playlist
    url = server.base + "/absent"
    code, out = run("probe", url, "--json")
    assert (code, json.loads(out)["cause"]) == (1, "address_refused")
    code, out = run("probe", url, "--allow-private")
    assert code == 1
    assert "not_found" in out
    code, out = run("probe", url, "--allow-private", "--json")
    found = json.loads(out)
    assert (found["url"], found["cause"], found["level"], found["http_status"]) == (url, "not_found", 0, 404)
