"""ACRCloud's identification, protocol version 1.

Protocol: https://docs.acrcloud.com/reference/identification-api. HTTP is 200 on business errors, so what counts is
`status.code`. Codes 3006, 3010 and 3014 are taken from memory of its error list, the rest from its documents.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airledger.platform.clock import epoch_now
from airledger.platform.errors import InputError
from airledger.recognition.outside.acrcloud_payload import read_matches
from airledger.recognition.outside.answer import ACRCLOUD, Advice, Outcome, OutsideAnswer
from airledger.recognition.outside.bounded_json import mapping, read_json, text, trimmed, whole
from airledger.recognition.outside.http_call import HttpDoor, Reply

PATH = "/v1/identify"
HIT, NONE, UNFIT = 0, 1001, 2004
HIT_HALVES, NONE_HALVES = 2, 1  # billing counts hits and half of the no-results
OK = 200
TOO_MANY = 429
SERVER_FAULT = 500

CODES: Mapping[int, tuple[Outcome, Advice]] = {
    HIT: ("hit", "settled"),
    NONE: ("none", "settled"),
    UNFIT: ("unfit", "settled"),  # mute or too short
    2002: ("failed", "retry"),  # could not be parsed
    2005: ("failed", "retry"),  # timed out
    2010: ("failed", "retry"),  # unknown
    3000: ("failed", "backoff"),  # its service is at fault
    3001: ("refused", "open"),  # key missing or wrong
    3002: ("refused", "alert"),
    3003: ("refused", "open"),  # quota exceeded
    3006: ("refused", "alert"),
    3010: ("refused", "alert"),
    3013: ("refused", "open"),  # fatal
    3014: ("refused", "open"),  # signature wrong: secret or clock
    3015: ("throttled", "slower"),  # too many per second
}


@dataclass(frozen=True)
class AcrCloud:
    """One ACRCloud project of the type "Audio & Video Recognition".

    Attributes:
        base_url: `https://` and the host of the project's region.
        now_s: Seconds since 1970, for the signature.
    """

    door: HttpDoor
    base_url: str
    access_key: str
    access_secret: str = field(repr=False)
    now_s: Callable[[], float] = epoch_now
    name: str = ACRCLOUD

    def identify(self, wav: bytes, started_at: datetime) -> OutsideAnswer:
        """Ask once; see `Provider.identify`."""
        del started_at
        timestamp = str(int(self.now_s()))
        fields = {
            "access_key": self.access_key,
            "data_type": "audio",
            "signature_version": "1",
            "timestamp": timestamp,
            "signature": sign(self.access_key, self.access_secret, timestamp),
            "sample_bytes": str(len(wav)),
        }
        files = {"sample": ("sample.wav", wav, "audio/wav")}
        return read_reply(self.door.send("POST", self.base_url.rstrip("/") + PATH, data=fields, files=files))

    def close(self) -> None:
        """Give back connections."""
        self.door.close()


def sign(access_key: str, access_secret: str, timestamp: str, data_type: str = "audio") -> str:
    """Return the signature of a request: base64 of HMAC-SHA1 over six lines."""
    lines = f"POST\n{PATH}\n{access_key}\n{data_type}\n1\n{timestamp}"
    return base64.b64encode(hmac.new(access_secret.encode(), lines.encode(), hashlib.sha1).digest()).decode()


def read_reply(reply: Reply) -> OutsideAnswer:
    """Read what came back, whatever it is."""
    if reply.status == TOO_MANY:
        return OutsideAnswer("throttled", "slower", code=TOO_MANY, message="HTTP 429", wait_s=reply.retry_after_s)
    if reply.fault or reply.status >= SERVER_FAULT:
        return OutsideAnswer(
            "failed", "backoff", code=reply.status or None, message=reply.fault or f"HTTP {reply.status}"
        )
    try:
        payload = mapping(read_json(reply.body))
    except InputError as error:
        return _unreadable(reply, error.message)
    code = whole(mapping(payload.get("status")).get("code"))
    if code is None:
        return _unreadable(reply, "the answer has no status")
    return _judge(code, payload)


def _judge(code: int, payload: Mapping[str, Any]) -> OutsideAnswer:
    message = text(mapping(payload.get("status")).get("msg"), 200)
    outcome, advice = CODES.get(code, ("refused", "alert") if code // 1000 == 3 else ("failed", "backoff"))  # noqa: PLR2004  3xxx: our account or request
    matches = read_matches(payload) if outcome == "hit" else ()
    if outcome == "hit" and not matches:  # it says success and names nothing
        outcome = "none"
    halves = {"hit": HIT_HALVES, "none": NONE_HALVES}.get(outcome, 0)
    return OutsideAnswer(outcome, advice, matches, code, message, halves, raw=trimmed(dict(payload)))


def _unreadable(reply: Reply, why: str) -> OutsideAnswer:
    """An error page instead of JSON: an HTTP error of ours is permanent, anything else may pass."""
    is_ours = OK < reply.status < SERVER_FAULT
    outcome: Outcome = "refused" if is_ours else "failed"
    return OutsideAnswer(
        outcome, "alert" if is_ours else "backoff", code=reply.status, message=f"HTTP {reply.status}: {why}"
    )
