"""What is to be proven. Light, so that whoever only asks servers loads no decoder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"localhost", "::1", "[::1]"})


@dataclass(frozen=True, slots=True)
class ProofJob:
    """What is to be proven.

    Attributes:
        id: The caller's own, given back with the proof.
        url: Where.
        seconds: How long sound is listened to; from 55 s on loops are looked for.
        headers: Sent along.
        claimed_kbps: The directory's claim.
    """

    id: int
    url: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    claimed_kbps: int | None = None

    @property
    def host(self) -> str:
        """Whom politeness counts."""
        return (urlsplit(self.url).hostname or "").lower()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its own name for itself."""
    return host in LOOPBACK_HOSTS or (host.startswith("127.") and host.replace(".", "").isdigit())
