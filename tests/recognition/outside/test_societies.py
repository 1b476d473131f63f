"""Societies come from CISAC's list; a presumption says that it is one, and no ISRC ever makes it."""

import csv
from pathlib import Path

import pytest

from airledger.platform.errors import ConfigurationError
from airledger.recognition.outside.affiliate import affiliations, due_for_mapping, map_presumed
from airledger.recognition.outside.models import IsrcMetadata
from airledger.recognition.outside.societies import PERFORMING, of_country, presume, pro_mappings, society_named
from outside_house import NOON, House


def test_the_missions_societies_are_there() -> None:
    codes = {one.name: one.code for one in pro_mappings()}
    expected = {
        "GHAMRO": "285", "ASCAP": "010", "BMI": "021", "PRS": "052", "SACEM": "058", "GEMA": "035", "JASRAC": "038",
        "APRA": "008",
    }  # fmt: skip
    assert {name: codes[name] for name in expected} == expected
    assert len({one.code for one in pro_mappings()}) == len(pro_mappings()) > 100


def test_the_preferred_ones_are_in_the_list() -> None:
    for country, name in PERFORMING.items():
        assert name in {one.name for one in of_country(country)}, country


def test_the_list_is_cisacs(shared: Path) -> None:
    rows = csv.DictReader((shared / "data" / "rights" / "cisac_societies.csv").read_text(encoding="utf-8").splitlines())
    known = {row["cisac_code"]: (row["name"], row["iso2"]) for row in rows if row["active"] == row["musical"] == "1"}
    assert {one.code: (one.name, one.country_code) for one in pro_mappings()}.items() <= known.items()


def test_a_society_is_found_by_name_or_code() -> None:
    assert society_named("ghamro") == society_named("285") == society_named(" GHAMRO ")
    with pytest.raises(ConfigurationError):
        society_named("nobody")


def test_a_presumption_names_its_source() -> None:
    assert presume(["DE"], "ghamro").society.name == "GEMA"
    several = presume(["US"], "ghamro")
    assert (several.society.name, several.level) == ("ASCAP", "presumed")
    assert "one of several" in several.source
    assert presume([None, "XX"], "ghamro").source == "default of this installation"


def test_an_isrcs_letters_decide_nothing(house: House) -> None:
    recording_id = house.record("Hello", "Adele", "GBBKS1500214")
    with house.database.unit() as unit:
        assert map_presumed(unit, [recording_id], "ghamro", NOON) == 1
    with house.database.read() as session:
        found = affiliations(session, [recording_id])[recording_id]
    assert (found.society.name, found.level, found.source) == ("GHAMRO", "presumed", "default of this installation")


def test_a_country_that_a_source_told_is_better_than_the_default_and_a_day_is_fresh(house: House) -> None:
    recording_id = house.record("Hello", "Adele", "GBBKS1500214")
    with house.database.unit() as unit:
        assert due_for_mapping(unit.session, house.organisation_id, NOON, limit=5) == [recording_id]
        map_presumed(unit, [recording_id], "ghamro", NOON)
        assert due_for_mapping(unit.session, house.organisation_id, NOON, limit=5) == []
        unit.session.add(
            IsrcMetadata(
                isrc="GBBKS1500214", source="musicbrainz", candidates=[{"country": "GB"}], fetched_at=NOON,
                expires_at=NOON,
            )
        )  # fmt: skip
    house.clock.step(86_401)
    now = house.clock.now()
    with house.database.unit() as unit:
        assert due_for_mapping(unit.session, house.organisation_id, now, limit=5) == [recording_id]
        assert map_presumed(unit, [recording_id], "ghamro", now) == 1
        assert map_presumed(unit, [recording_id], "ghamro", now) == 0
    with house.database.read() as session:
        assert affiliations(session, [recording_id])[recording_id].society.name == "PRS"
