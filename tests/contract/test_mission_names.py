"""The names of the mission bind: its tables and fields exist, transcribed here so that no other folder is needed."""

import re
from pathlib import Path

import pytest

import airledger.app  # noqa: F401  brings every table in
from airledger.platform.db import Row

REPOSITORY = Path(__file__).resolve().parents[2]
FIELDS = {
    "streams": "id url name type genre bitrate codec country_code country_name city language website description tags "
    "is_active last_checked last_success check_frequency reliability_score quality_score created_at",
    "stream_metrics": "id stream_id response_time_ms uptime_percentage error_count last_error_type bandwidth_kbps "
    "check_timestamp",
    "geolocation_data": "stream_id latitude longitude accuracy_radius_km geocoding_method confidence_score verified",
    "audio_detections": "detection_id session_id station_id detection_source confidence_score processing_status isrc "
    "pro_affiliation audio_fingerprint fingerprint_version processing_time_ms retry_count acrcloud_response "
    "external_metadata",
    "play_logs": "id",
}
RENAMED = {"station_id": "station"}  # a foreign key's column carries _id


@pytest.mark.parametrize("table", FIELDS)
def test_every_field_exists_under_its_name(table: str) -> None:
    assert set(FIELDS[table].split()) - set(Row.metadata.tables[table].columns.keys()) == set()


@pytest.mark.parametrize("table", FIELDS)
def test_every_field_is_explained(table: str) -> None:
    text = (REPOSITORY / "docs" / "decisions" / "mission-fields.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {table}")[1].split("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)", section, re.MULTILINE))
    if table != "play_logs":
        assert {RENAMED.get(name, name) for name in FIELDS[table].split()} == explained


def test_proofs_are_kept_under_the_missions_name() -> None:
    assert "verification_history" in Row.metadata.tables


def test_the_transcript_is_true(shared: Path) -> None:
    words = (shared / "mission" / "1-stream-management.md").read_text(encoding="utf-8")
    for table in ("streams", "stream_metrics", "geolocation_data"):
        body = re.search(rf"CREATE TABLE {table} \((.*?)\n\);", words, re.DOTALL)
        assert body is not None
        assert re.findall(r"^\s+(\w+) [A-Z]", body[1], re.MULTILINE) == FIELDS[table].split()
    words = (shared / "mission" / "2-hybrid-audio-detection.md").read_text(encoding="utf-8")
    model = re.search(r"class AudioDetection\(.*?```", words, re.DOTALL)
    assert model is not None
    fields = re.findall(r"^\s+(\w+) = ", model[0], re.MULTILINE)
    assert fields == [RENAMED.get(name, name) for name in FIELDS["audio_detections"].split()]
