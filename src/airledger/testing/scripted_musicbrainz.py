"""MusicBrainz on loopback: look-up of ISRCs and recordings, with its manners: a User-Agent, and 503 when hurried."""

from __future__ import annotations

from typing import Any

from airledger.testing.scripted_http import Asked, Scripted, ScriptedService, as_json


class ScriptedMusicBrainz:
    """The service; `recordings` are whole recordings by their id, each with the ISRCs it bears."""

    def __init__(self) -> None:
        self.recordings: dict[str, dict[str, Any]] = {}
        self.service = ScriptedService(self._answer)

    def _answer(self, asked: Asked) -> Scripted:
        if "airledger" not in asked.headers.get("user-agent", "").lower() or asked.query.get("fmt") != "json":
            return as_json({"error": "tell who you are"}, 403)
        kind, _, identity = asked.path.removeprefix("/ws/2/").partition("/")
        if kind == "isrc":
            found = [
                {key: row[key] for key in ("id", "title", "length", "artist-credit") if key in row}
                for row in self.recordings.values()
                if identity in row["isrcs"]
            ]
            return as_json({"isrc": identity, "recordings": found}) if found else as_json({"error": "Not Found"}, 404)
        if kind == "recording" and identity in self.recordings:
            return as_json(self.recordings[identity])
        return as_json({"error": "Not Found"}, 404)


def recording(identity: str, title: str, artist: str, isrc: str, *, country: str = "GH") -> dict[str, Any]:
    """Write a recording with one work, as MusicBrainz gives it with all relations included."""
    writer = {"id": "a1", "name": "Kofi Mensah", "ipis": ["00012345678"]}
    return {
        "id": identity,
        "title": title,
        "length": 180_000,
        "isrcs": [isrc],
        "first-release-date": "2026-02-01",
        "artist-credit": [{"name": artist, "artist": {"id": "a0", "name": artist, "country": country}}],
        "releases": [{"id": "r1", "title": "Dust", "date": "2026-02-01"}],
        "relations": [
            {
                "type": "performance",
                "work": {
                    "id": "w1",
                    "title": title,
                    "iswcs": ["T-034.524.680-1"],
                    "relations": [
                        {"type": "composer", "artist": writer},
                        {"type": "lyricist", "artist": writer},
                        {"type": "publishing", "label": {"id": "l1", "name": "Adom Publishing"}},
                    ],
                },
            }
        ],
    }
