"""ACRCloud on loopback: identification v1 and the metadata API, as documented, with every status code.

It checks what the real one checks: key, signature over the very timestamp that was sent, the sample and its length.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import wave
from typing import TYPE_CHECKING, Any

from airledger.testing.scripted_http import Asked, Scripted, ScriptedService, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SAMPLE_LIMIT = 5 * 1024 * 1024
MESSAGES = {
    0: "Success",
    1001: "No result",
    2000: "Recording error",
    2001: "Init failed",
    2002: "Metadata parse error",
    2004: "Can't generate fingerprint",
    2005: "Timeout",
    2010: "Unknown error",
    3000: "Recognition service error",
    3001: "Missing/Invalid Access Key",
    3002: "Invalid ContentType. valid Content-Type is multipart/form-data",
    3003: "Limit exceeded",
    3006: "Invalid parameters",
    3010: "This function is not opened",
    3013: "Fatal error",
    3014: "Invalid Signature",
    3015: "Could not generate fingerprint: too many requests",
}


class ScriptedAcrCloud:
    """The service and what it knows: `knows` maps the SHA-256 of a sample to the music items it is answered with."""

    def __init__(self, access_key: str = "key", access_secret: str = "secret") -> None:  # noqa: S107  of a test server
        self.access_key, self.access_secret = access_key, access_secret
        self.knows: dict[str, list[dict[str, Any]]] = {}
        self.everything: list[dict[str, Any]] | None = None  # what any other sound is answered with
        self.listen: Callable[[bytes], list[dict[str, Any]] | None] | None = None  # really listens to a sample
        self.tracks: dict[str, list[dict[str, Any]]] = {}  # of the metadata API, by ISRC
        self.token = "token"  # noqa: S105  likewise
        self.service = ScriptedService(self._answer)

    def _answer(self, asked: Asked) -> Scripted:
        if asked.path == "/v1/identify" and asked.method == "POST":
            return self._identify(asked)
        if asked.path == "/api/external-metadata/tracks" and asked.method == "GET":
            if asked.headers.get("authorization") != f"Bearer {self.token}":
                return as_json({"error": "Unauthenticated."}, 401)
            return as_json({"data": self.tracks.get(asked.query.get("isrc", ""), [])})
        return as_json({"message": "Not Found"}, 404)

    def _identify(self, asked: Asked) -> Scripted:
        form, sample = asked.form, asked.files.get("sample", b"")
        if form.get("access_key") != self.access_key:
            return business(3001)
        if not hmac.compare_digest(form.get("signature", ""), self._signature(form)):
            return business(3014)
        if form.get("data_type") != "audio" or form.get("sample_bytes") != str(len(sample)):
            return business(3006)
        if not sample or len(sample) > SAMPLE_LIMIT:
            return business(3006)
        if not is_telephone_wav(sample):
            return business(2004)
        if self.listen is not None:
            items = self.listen(sample)
        else:
            items = self.knows.get(hashlib.sha256(sample).hexdigest(), self.everything)
        return business(1001) if items is None else business(0, {"music": items})

    def _signature(self, form: Mapping[str, str]) -> str:
        signed = ["POST", "/v1/identify", self.access_key, form.get("data_type", ""), form.get("signature_version", "")]
        text = "\n".join([*signed, form.get("timestamp", "")])
        return base64.b64encode(hmac.new(self.access_secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def business(code: int, metadata: Mapping[str, Any] | None = None) -> Scripted:
    """Script an answer with a status code of ACRCloud's own; HTTP says 200 all the same."""
    payload: dict[str, Any] = {"status": {"code": code, "msg": MESSAGES.get(code, "Error"), "version": "1.0"}}
    if metadata is not None:
        payload["metadata"] = {"timestamp_utc": "2026-11-20 12:00:00", **metadata}
        payload["result_type"] = 0
        payload["cost_time"] = 0.7
    return as_json(payload)


def music_item(
    title: str = "Harmattan",
    artist: str = "Ama Serwaa",
    *,
    isrc: Any = "GHA012600001",
    score: Any = 100,
    **fields: Any,
) -> dict[str, Any]:
    """Write a music item as identification gives it."""
    return {
        "acrid": hashlib.md5(f"{title}/{artist}".encode(), usedforsecurity=False).hexdigest(),
        "title": title,
        "artists": [{"name": artist}],
        "album": {"name": "Dust"},
        "label": "Adom Records",
        "release_date": "2026-02-01",
        "duration_ms": 180_000,
        "score": score,
        "play_offset_ms": 42_000,
        "sample_begin_time_offset_ms": 0,
        "sample_end_time_offset_ms": 11_000,
        "db_begin_time_offset_ms": 30_000,
        "db_end_time_offset_ms": 41_000,
        "external_ids": {"isrc": isrc, "upc": "0123456789012"},
        "external_metadata": {"spotify": {"track": {"id": "s1"}}},
        "genres": [{"name": "Highlife"}],
        **fields,
    }


def is_telephone_wav(sample: bytes) -> bool:
    """Tell whether a sample is 8 kHz mono 16-bit WAV of 3 s or more: what we say we send."""
    try:
        with wave.open(io.BytesIO(sample)) as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            return shape == (8_000, 1, 2) and file.getnframes() >= 3 * 8_000
    except (wave.Error, EOFError):
        return False
