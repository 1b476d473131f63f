"""One HTTP request to a service that the operator configured: no redirects, limited in size and in time as a whole."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from airledger.recognition.outside.bounded_json import MAX_BYTES

CONNECT_S = 5.0


@dataclass(frozen=True)
class Reply:
    """What came back: `status` 0 when nothing did, and why in `fault`."""

    status: int
    body: bytes = b""
    fault: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True)
class HttpDoor:
    """A client with its limits; one per service, shared by threads."""

    client: httpx.Client
    timeout_s: float = 15.0
    max_bytes: int = MAX_BYTES

    def send(self, method: str, url: str, **request: Any) -> Reply:
        """Send a request and read its answer; what goes wrong is in the reply.

        The deadline holds for the whole answer: a server that sends a byte now and then is cut off too.
        """
        deadline = time.monotonic() + self.timeout_s
        try:
            with self.client.stream(method, url, **request) as answer:
                pieces, size = [], 0
                for piece in answer.iter_bytes():
                    pieces.append(piece)
                    size += len(piece)
                    if size > self.max_bytes:
                        return Reply(answer.status_code, fault=f"more than {self.max_bytes >> 10} KiB")
                    if time.monotonic() > deadline:
                        return Reply(0, fault=f"not finished within {self.timeout_s:g} s")
                return Reply(answer.status_code, b"".join(pieces), retry_after_s=_retry_after(answer))
        except httpx.TimeoutException:
            return Reply(0, fault=f"no answer within {self.timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Reply(0, fault=f"{type(error).__name__}: {error}"[:200])

    def close(self) -> None:
        """Give back connections."""
        self.client.close()


def open_door(user_agent: str, *, proxy: str = "", timeout_s: float = 15.0, max_bytes: int = MAX_BYTES) -> HttpDoor:
    """Make a client that follows no redirect and takes nothing from the environment: neither proxies nor logins."""
    client = httpx.Client(
        timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        follow_redirects=False,
        headers={"User-Agent": user_agent},
        proxy=proxy or None,
        trust_env=False,
    )
    return HttpDoor(client, timeout_s, max_bytes)


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdigit() and len(given) < 6 else None  # noqa: PLR2004  a day has 86,400 s
