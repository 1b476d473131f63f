"""AudD's standard recognition: the second provider behind the same port.

Documents: https://docs.audd.io (a POST of `api_token` and `file`; `status` is `success` with a `result` that may be
null, or `error` with `error_code`). The error codes below are from memory of its list of common errors. AudD gives no
score and no duration of its own, and the place in the song as `timecode` in whole seconds. It is taken for the place
of the sent sound's beginning; its documents leave open which moment of the sound is meant, so a play that AudD named
may begin up to 12 s off. ISRCs come with the metadata of other services, which `return` asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airledger.platform.errors import InputError
from airledger.recognition.outside.acrcloud_payload import isrcs_of
from airledger.recognition.outside.answer import AUDD, Advice, Outcome, OutsideAnswer, OutsideMatch
from airledger.recognition.outside.bounded_json import items, mapping, read_json, text, trimmed, whole
from airledger.recognition.outside.http_call import HttpDoor, Reply

RETURN = "apple_music,spotify,deezer,musicbrainz"
REQUEST_HALVES = 2  # every answered request counts as one
OK, TOO_MANY, SERVER_FAULT = 200, 429, 500
HTTP_ACCOUNT = frozenset({401, 402, 403})

CODES: Mapping[int, tuple[Outcome, Advice]] = {
    100: ("failed", "backoff"),  # unknown error
    300: ("unfit", "settled"),  # cannot be fingerprinted: damaged or too short
    400: ("refused", "alert"),  # larger than 10 MB or longer than 25 s
    500: ("unfit", "settled"),  # no sound that it can read
    600: ("refused", "alert"),  # wrong address
    611: ("throttled", "slower"),  # too many at once
    700: ("refused", "alert"),  # no file came with it
    900: ("refused", "open"),  # wrong token
    901: ("refused", "open"),  # no token, or its requests are used up
    902: ("refused", "open"),  # limit of the plan reached
    903: ("refused", "open"),
}


@dataclass(frozen=True)
class AudD:
    """One AudD account."""

    door: HttpDoor
    base_url: str
    api_token: str = field(repr=False)
    name: str = AUDD

    def identify(self, wav: bytes, started_at: datetime) -> OutsideAnswer:
        """Ask once; see `Provider.identify`."""
        del started_at
        fields = {"api_token": self.api_token, "return": RETURN}
        files = {"file": ("sample.wav", wav, "audio/wav")}
        return read_reply(self.door.send("POST", self.base_url.rstrip("/") + "/", data=fields, files=files))

    def close(self) -> None:
        """Give back connections."""
        self.door.close()


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
    status = text(payload.get("status"), 20)
    if status == "error":
        return _error(payload)
    if status != "success":
        return _unreadable(reply, "the answer has no status")
    match = read_match(mapping(payload.get("result")))
    outcome: Outcome = "hit" if match else "none"
    matches = (match,) if match else ()
    return OutsideAnswer(outcome, "settled", matches, OK, "success", REQUEST_HALVES, raw=trimmed(dict(payload)))


def read_match(result: Mapping[str, Any]) -> OutsideMatch | None:
    """Read a result; None when it names nothing."""
    title, artist = text(result.get("title")), text(result.get("artist"))
    if not title:
        return None
    apple, spotify, deezer = (mapping(result.get(name)) for name in ("apple_music", "spotify", "deezer"))
    brainz = mapping(next(iter(items(result.get("musicbrainz"))), None))
    isrcs = isrcs_of(
        [result.get("isrc"), apple.get("isrc"), mapping(spotify.get("external_ids")).get("isrc"), deezer.get("isrc")]
    )
    link = text(result.get("song_link"), 200)
    found = {"song": link, "spotify": text(spotify.get("id"), 100), "musicbrainz": text(brainz.get("id"), 100)}
    seconds = _seconds(text(result.get("timecode"), 20))
    duration_ms = whole(apple.get("durationInMillis")) or whole(spotify.get("duration_ms")) or None
    return OutsideMatch(
        provider=AUDD,
        provider_id=(isrcs[0] if isrcs else link or f"{artist} / {title}")[:100],
        title=title,
        artists=(artist,) if artist else (),
        album=text(result.get("album")) or None,
        label=text(result.get("label")) or None,
        release_date=text(result.get("release_date"), 20) or None,
        duration_ms=duration_ms if duration_ms and duration_ms > 0 else None,
        isrcs=isrcs,
        upcs=tuple(filter(None, (text(result.get("upc"), 40),))),
        score=_score(result.get("score")),
        sample_begin_ms=0,
        reference_begin_ms=None if seconds is None else seconds * 1000,
        links={name: value for name, value in found.items() if value},
    )


def _error(payload: Mapping[str, Any]) -> OutsideAnswer:
    error = mapping(payload.get("error"))
    code = whole(error.get("error_code"))
    outcome, advice = CODES.get(code or 0, ("refused", "open") if (code or 0) // 100 == 9 else ("failed", "backoff"))  # noqa: PLR2004  9xx: the account
    return OutsideAnswer(
        outcome, advice, code=code, message=text(error.get("error_message"), 200), raw=trimmed(dict(payload))
    )


def _unreadable(reply: Reply, why: str) -> OutsideAnswer:
    is_ours = OK < reply.status < SERVER_FAULT
    advice: Advice = "open" if reply.status in HTTP_ACCOUNT else "alert" if is_ours else "backoff"
    outcome: Outcome = "refused" if is_ours else "failed"
    return OutsideAnswer(outcome, advice, code=reply.status, message=f"HTTP {reply.status}: {why}")


def _seconds(timecode: str) -> int | None:
    """Read `mm:ss` or `hh:mm:ss`."""
    parts = timecode.split(":")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):  # noqa: PLR2004
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return total


def _score(value: Any) -> float | None:
    number = whole(value)
    return None if number is None else float(min(max(number, 0), 100))
