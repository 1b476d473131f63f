"""When to try a receiver again, and when to give it up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from airledger.platform.fetch_error import FetchCause, FetchError

FIRST_WAIT_S = 5.0
GROWTH = 3.0
LONGEST_WAIT_S = 3 * 3600.0
GIVE_UP_AFTER = timedelta(hours=24)
GONE_STATUS = 410
HOPELESS = frozenset({FetchCause.ADDRESS_REFUSED, FetchCause.BAD_URL})


@dataclass(frozen=True)
class Tried:
    """How one attempt went.

    Attributes:
        http_status: What the receiver answered; None when it gave no answer.
        ms: How long it took.
        error: Why it counts as failed; None when it was delivered.
        excerpt: The beginning of the answer.
        retry_after_s: How long the receiver asked us to wait.
        is_hopeless: Trying again would be pointless, or rude.
    """

    http_status: int | None
    ms: int
    error: str | None
    excerpt: str | None = None
    retry_after_s: float | None = None
    is_hopeless: bool = False

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.error is None


def judge(http_status: int, headers: Mapping[str, str], ms: float, body: bytes) -> Tried:
    """Read an answer: any 2xx is success, 410 means that nobody wants this any more, the rest is tried again."""
    excerpt = body.decode("utf-8", "replace").replace("\x00", "�") or None
    if 200 <= http_status < 300:  # noqa: PLR2004  success
        return Tried(http_status, round(ms), None, excerpt)
    if http_status == GONE_STATUS:
        return Tried(http_status, round(ms), "the receiver is gone (410)", excerpt, is_hopeless=True)
    if 300 <= http_status < 400:  # noqa: PLR2004  redirects
        error = f"the receiver redirects ({http_status}), which is refused: name the address it leads to"
        return Tried(http_status, round(ms), error, excerpt)
    wait = headers.get("retry-after", "").strip()
    retry_after_s = min(float(wait), LONGEST_WAIT_S) if wait.isascii() and wait.isdigit() and len(wait) < 10 else None  # noqa: PLR2004  a number that fits
    return Tried(http_status, round(ms), f"the receiver answered {http_status}", excerpt, retry_after_s)


def no_answer(error: FetchError, ms: float) -> Tried:
    """Read a failure to get any answer."""
    return Tried(None, round(ms), error.message, is_hopeless=error.cause in HOPELESS)


def wait_s(attempts: int, tried: Tried, spread: float) -> float:
    """Return how long to wait after so many failed attempts.

    Args:
        attempts: Failed ones so far, 1 or more.
        tried: The last of them.
        spread: 0 to 1; moves the wait by up to a tenth, so that many webhooks of one receiver do not come at once.
    """
    exponential = min(FIRST_WAIT_S * GROWTH ** min(attempts - 1, 20), LONGEST_WAIT_S)
    return max(exponential * (0.95 + 0.1 * spread), tried.retry_after_s or 0.0)


def pause_reason(tried: Tried, failing_since: datetime, now: datetime) -> str | None:
    """Return why to give a receiver up; None while there is hope."""
    if tried.is_hopeless:
        return tried.error
    if now - failing_since >= GIVE_UP_AFTER:
        return f"nothing could be delivered for 24 hours: {tried.error}"
    return None
