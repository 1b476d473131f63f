"""For how long a server asks to be left alone (RFC 9110, 10.2.3). Values in, values out."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_S = 86_400.0
TOO_MANY_S = 60.0
_ASKS = frozenset({429, 503})


def retry_after_s(status: int, headers: Mapping[str, str], now_s: float) -> float | None:
    """Read `Retry-After` of a 429 or 503, in seconds or as a date.

    Args:
        status: Of the answer; others ask for nothing.
        headers: Names in lower case.
        now_s: Epoch seconds.

    Returns:
        Seconds, at most a day; a minute for a 429 that names no time; None where nothing is asked.
    """
    if status not in _ASKS:
        return None
    told = headers.get("retry-after", "").strip()
    wait_s = _seconds(told, now_s)
    if wait_s is None:
        return TOO_MANY_S if status == 429 else None  # noqa: PLR2004  too many requests
    return min(max(wait_s, 0.0), LONGEST_S)


def _seconds(told: str, now_s: float) -> float | None:
    if told.isascii() and told.isdigit() and len(told) < 10:  # noqa: PLR2004  beyond that nobody means it
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s
