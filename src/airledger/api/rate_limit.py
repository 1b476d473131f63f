"""How often one caller may ask: a token bucket per account, key, or address."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import ceil

from airledger.platform.errors import ConfigurationError

CALLERS = 50_000
KNOWN_FACTOR = 10  # callers with an account may ask this much more often than strangers
IPV6_PREFIX = 64  # one customer's network: single addresses of it cost nothing
FORWARDED_LIMIT = 20

Network = IPv4Network | IPv6Network


class RateLimiter:
    """Buckets in memory of this process, bounded in number: the caller who was silent longest is forgotten first."""

    def __init__(self, per_minute: int, *, tick: Callable[[], float] = time.monotonic, callers: int = CALLERS) -> None:
        self._per_minute = per_minute
        self._tick = tick
        self._callers = callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, *, factor: float = 1.0, cost: float = 1.0) -> int | None:
        """Take from a caller's bucket.

        Args:
            caller: Whom to charge.
            factor: How many times the usual rate (and burst, of one minute's worth) they have.
            cost: What the request weighs.

        Returns:
            None when it may go on, else the seconds to wait.
        """
        full = self._per_minute * factor
        rate = full / 60
        now = self._tick()
        level, at = self._buckets.pop(caller, (full, now))
        level = min(full, level + (now - at) * rate)
        is_allowed = level >= cost
        self._buckets[caller] = (level - cost if is_allowed else level, now)
        while len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
        return None if is_allowed else max(1, ceil((cost - level) / rate))


class Proxies:
    """Which neighbours' X-Forwarded-For is believed."""

    def __init__(self, trusted: Sequence[str]) -> None:
        try:
            self._trusted: list[Network] = [ip_network(entry, strict=False) for entry in trusted]
        except ValueError as error:
            raise ConfigurationError(f"trusted_proxies: {error}") from error

    def is_trusted(self, address: str) -> bool:
        """Tell whether an address is one of our proxies."""
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
            return self.is_trusted(str(ip.ipv4_mapped))
        return any(ip in network for network in self._trusted)

    def caller(self, peer: str, forwarded: str | None) -> str:
        """Return the address that a request came from.

        The header is read from its end: each trusted proxy vouches for the entry before it, and no further.
        """
        address = peer
        for hop in reversed((forwarded or "").split(",")[-FORWARDED_LIMIT:]):
            entry = hop.strip()
            if not entry or not self.is_trusted(address) or not _is_address(entry):
                break
            address = entry
        return address


def bucket_name(address: str) -> str:
    """Return what an address is charged under: itself, or its network for IPv6."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return f"address:{ip_network((ip, IPV6_PREFIX), strict=False)}"
    return f"address:{ip}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
