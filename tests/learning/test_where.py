"""Countries from names and addresses: probabilities whatever a row holds, and files that say what the trees say."""

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime import InferenceSession
from sklearn.ensemble import HistGradientBoostingClassifier
from typer.testing import CliRunner

from airledger.cli.main import app
from airledger.learning.where_data import read_rows, told_of
from airledger.learning.where_export import text_onnx, trees_onnx
from airledger.learning.where_model import MODELS, WhereModel
from airledger.learning.where_rank import held, log_odds
from airledger.learning.where_text import TextModel, strongest

CLEAR = {
    "FR": {"name": "Radio Bretagne", "url": "http://stream.radio-rennes.fr/live", "homepage": "https://radio-rennes.fr/"},
    "BR": {"name": "Rádio Cidade FM", "url": "http://hts.example.com.br:8000/", "homepage": "http://cidade.com.br"},
    "PL": {"name": "Radio Kraków", "url": "http://stream.krakow.pl/radio.mp3", "homepage": "http://krakow.pl"},
}  # fmt: skip
HOSTILE: list[dict[str, Any]] = [
    {},
    {"name": None, "url": None, "homepage": None},
    {"name": 7, "url": ["x"], "homepage": {"a": 1}, "tags": 3.5, "language": [None]},
    {"name": "\ud800\x00" * 50, "url": "http://[::1", "homepage": "http://%ff%00/\ud800"},
    {"name": "A" * 200_000, "url": "http://" + "a." * 2_000 + "com/" + "b/" * 5_000},
    {"name": "रेडियो 📻", "url": "rtmp://user:pass@999.999.999.999:99999/?x=\n", "homepage": "javascript:alert(1)"},
]
words = st.text(max_size=40)


@lru_cache(maxsize=1)
def shared_model() -> WhereModel:
    return WhereModel()


@pytest.fixture
def model() -> WhereModel:
    return shared_model()


def test_a_country_domain_and_its_language_tell_the_country(model: WhereModel) -> None:
    answers = model.predict([told_of(row) for row in CLEAR.values()])
    assert [shares[0][0] for shares in answers] == list(CLEAR)


def test_claims_of_a_country_are_not_read(model: WhereModel) -> None:
    row = CLEAR["FR"]
    lying = {**row, "countrycode": "JP", "country": "Japan", "state": "Tokyo", "geo_lat": 35.7, "geo_long": 139.7}
    assert list(model.predict([told_of(row)])) == list(model.predict([told_of(lying)]))


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({"name": words, "url": words.map("http://{}".format), "homepage": words, "tags": words}))
def test_shares_are_probabilities_whatever_a_row_holds(row: dict[str, str]) -> None:
    (shares,) = shared_model().predict([told_of(row)])
    values = [share for _, share in shares]
    assert values
    assert all(0 <= value <= 1 for value in values)
    assert sum(values) <= 1 + 1e-6
    assert values == sorted(values, reverse=True)
    assert len({code for code, _ in shares}) == len(shares)


def test_the_company_that_a_row_keeps_does_not_change_its_answer(model: WhereModel) -> None:
    rows = [told_of(row) for row in [*HOSTILE, *CLEAR.values()]]
    together = list(model.predict(rows))
    for row, answer in zip(rows, together, strict=True):
        (alone,) = model.predict([row])
        assert dict(alone) == pytest.approx(dict(answer), abs=1e-4)


def test_the_command_answers_every_row_in_turn(tmp_path: Path) -> None:
    rows = [{**row, "stationuuid": f"row-{number}"} for number, row in enumerate([*CLEAR.values(), *HOSTILE])]
    file = tmp_path / "rows.json.gz"
    file.write_bytes(gzip.compress(json.dumps(rows).encode()))
    done = CliRunner().invoke(app, ["locate", str(file), "--json"], env={"AIRLEDGER_DATA": str(tmp_path)})
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["stationuuid"] for line in lines] == [row["stationuuid"] for row in rows]
    for line in lines:
        shares = [one["probability"] for one in line["candidates"]]
        assert sum(shares) <= 1 + 1e-6
        assert shares == sorted(shares, reverse=True)
        assert all(len(one["countrycode"]) == 2 for one in line["candidates"])
    assert [line["candidates"][0]["countrycode"] for line in lines[:3]] == list(CLEAR)


@pytest.mark.parametrize("content", [b"", b'"text"', b"[1, 2]", b"{", b"\x1f\x8bnot gzip", b"\xff\xfe\x00"])
def test_a_file_without_rows_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(content)
    if not content:
        assert read_rows(file) == []
        return
    done = CliRunner().invoke(app, ["locate", str(file), "--json"], env={"AIRLEDGER_DATA": str(tmp_path)})
    assert done.exit_code == 2
    assert "cannot be read" in done.output


def test_the_trees_say_the_same_as_a_file() -> None:
    random = np.random.default_rng(3)
    clues = random.normal(size=(3_000, 5)).astype(np.float32).round(1)
    clues[random.random(clues.shape) < 0.2] = np.nan
    right = (np.nan_to_num(clues[:, 0]) + np.isnan(clues[:, 1]) * np.nan_to_num(clues[:, 2])) > 0.2
    trees = HistGradientBoostingClassifier(max_iter=8, random_state=0).fit(clues, right)
    session = InferenceSession(trees_onnx(trees, 5), providers=["CPUExecutionProvider"])
    found = held(session.run(["odds"], {"clues": clues})[0][:, 0])
    assert np.abs(found - log_odds(trees.predict_proba(clues)[:, 1])).max() < 1e-4


def test_the_words_say_the_same_as_a_file_and_the_strongest_stay() -> None:
    random = np.random.default_rng(4)
    weights = random.integers(-127, 128, (50, 3), np.int8)
    weights[10:20] = 1
    vocabulary = np.sort(random.choice(2**32, 50, replace=False).astype(np.uint32))
    whole = TextModel(("FR", "GH", "ZZ"), vocabulary, weights, np.ones(3, np.float32), np.zeros(3, np.float32))
    model = strongest(whole, 40)
    assert set(whole.vocabulary) - set(model.vocabulary) == set(vocabulary[10:20])
    session = InferenceSession(text_onnx(model), providers=["CPUExecutionProvider"])
    places, values = np.array([[3, 7, 0]], np.int32), np.array([[0.5, 2.0, 0.0]], np.float32)
    margins, told = session.run(["margins", "vocabulary"], {"places": places, "values": values})
    assert margins[0] == pytest.approx(0.5 * model.weights[3] + 2.0 * model.weights[7])
    assert (told == model.vocabulary).all()


def test_the_shipped_files_stay_small() -> None:
    assert max(path.stat().st_size for path in MODELS.glob("where*")) <= 10_000_000
