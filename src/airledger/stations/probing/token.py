"""When the leave that a URL carries runs out. Values in, values out; nothing is fetched or verified.

Known are plain epoch parameters (`e=`, `expires=`, Wowza's `...endtime=`), Amazon's and Google's signed URLs, Azure's
`se=`, Akamai's `exp=` within `hdnts=`, and JSON Web Tokens with an `exp` claim (RFC 7519, 4.1.4).
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_EPOCH_NAMES = frozenset(
    {"e", "exp", "expire", "expires", "expiry", "expires_at", "validto", "valid_until", "endtime", "token_expiry"}
)
_EPOCH_ENDINGS = ("endtime", "expires", "expiry")
_SIGNED_FOR = re.compile(r"^x-(?:amz|goog)-(date|expires)$")
_AKAMAI = re.compile(r"(?:^|~)exp=(\d{9,11})(?:~|$)")
_JWT = re.compile(r"[\w-]{8,}\.([\w-]{8,2000})\.[\w-]{8,}")
EARLIEST_S, LATEST_S = 946_684_800, 4_102_444_800  # 2000 and 2100: other numbers are no times
MILLISECONDS_FROM = 100_000_000_000


def expires_at(url: str) -> datetime | None:
    """Return when a URL expires; None where it does not say."""
    moments = list(_moments(url))
    return min(moments) if moments else None


def _moments(url: str) -> Iterator[datetime]:
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, max_num_fields=200)
    except ValueError:
        return
    signed: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key in _EPOCH_NAMES or key.endswith(_EPOCH_ENDINGS):
            yield from _epoch(value)
        elif key == "se":
            yield from _iso(value)
        if found := _SIGNED_FOR.match(key):
            signed[found[1]] = value
        if found := _AKAMAI.search(value):
            yield from _epoch(found[1])
    if len(signed) == 2:  # noqa: PLR2004  both are needed
        yield from _signed(signed["date"], signed["expires"])
    for found in _JWT.finditer(f"{parts.path}?{parts.query}"):
        yield from _claimed(found[1])


def _epoch(text: str) -> Iterator[datetime]:
    if not (text.isascii() and text.isdigit() and len(text) < 15):  # noqa: PLR2004  longer ones are no times
        return
    seconds = int(text) / 1000 if int(text) >= MILLISECONDS_FROM else float(text)
    if EARLIEST_S <= seconds <= LATEST_S:
        yield datetime.fromtimestamp(seconds, UTC)


def _iso(text: str) -> Iterator[datetime]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _signed(date: str, seconds: str) -> Iterator[datetime]:
    try:
        began = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        yield began + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        return


def _claimed(payload: str) -> Iterator[datetime]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    if isinstance(expiry, int | float) and EARLIEST_S <= expiry <= LATEST_S:
        yield datetime.fromtimestamp(expiry, UTC)
