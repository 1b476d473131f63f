"""AudD on loopback: standard recognition as documented."""

from __future__ import annotations

import hashlib
from typing import Any

from airledger.testing.scripted_acrcloud import is_telephone_wav
from airledger.testing.scripted_http import Asked, Scripted, ScriptedService, as_json

MESSAGES = {
    100: "Unknown error",
    300: "Recognition failed: a problem with audio decoding or with fingerprinting",
    400: "Too big file",
    500: "Incorrect audio file",
    611: "Too many requests",
    700: "Recognition failed: no file or url",
    900: "Recognition failed: authorization failed: wrong api_token",
    901: "Recognition failed: authorization failed: no api_token passed and the limit was reached",
    902: "Recognition failed: the limit was reached",
}


class ScriptedAudD:
    """The service and what it knows: `knows` maps the SHA-256 of a file to the result it is answered with."""

    def __init__(self, api_token: str = "token") -> None:  # noqa: S107  of a test server
        self.api_token = api_token
        self.knows: dict[str, dict[str, Any]] = {}
        self.everything: dict[str, Any] | None = None
        self.service = ScriptedService(self._answer)

    def _answer(self, asked: Asked) -> Scripted:
        if asked.path != "/" or asked.method != "POST":
            return Scripted(404, b"<html>404</html>", "text/html")
        sample = asked.files.get("file", b"")
        if asked.form.get("api_token") != self.api_token:
            return failure(900)
        if not sample:
            return failure(700)
        if not is_telephone_wav(sample):
            return failure(300)
        return success(self.knows.get(hashlib.sha256(sample).hexdigest(), self.everything))


def success(result: Any) -> Scripted:
    """Script an answer; a result of None is no match."""
    return as_json({"status": "success", "result": result})


def failure(code: int) -> Scripted:
    """Script an error of AudD's own; HTTP says 200 all the same."""
    return as_json({"status": "error", "error": {"error_code": code, "error_message": MESSAGES.get(code, "Error")}})


def audd_result(title: str = "Harmattan", artist: str = "Ama Serwaa", *, isrc: str = "GHA012600001") -> dict[str, Any]:
    """Write a result as recognition gives it."""
    return {
        "artist": artist,
        "title": title,
        "album": "Dust",
        "release_date": "2026-02-01",
        "label": "Adom Records",
        "timecode": "00:30",
        "song_link": "https://lis.tn/harmattan",
        "apple_music": {"isrc": isrc, "durationInMillis": 180_000, "name": title},
        "spotify": {"id": "s1", "external_ids": {"isrc": isrc}, "duration_ms": 180_000},
    }
