"""Which servers there are of a service that many run, by DNS SRV records (RFC 2782): Radio Browser asks for that."""

import random
from typing import Any

LIFETIME_S = 5.0


def servers_by_srv(name: str, *, nameserver: tuple[str, int] | None = None) -> list[str]:
    """Return `host:port` of a service's servers in the order to try them; empty where DNS tells of none.

    Args:
        name: Such as `_api._tcp.radio-browser.info`.
        nameserver: Address and port of a DNS server; None: the system's.
    """
    import dns.exception
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=nameserver is None)
    if nameserver is not None:
        resolver.nameservers, resolver.port = [nameserver[0]], nameserver[1]
    try:
        records = list(resolver.resolve(name, "SRV", lifetime=LIFETIME_S))
    except (dns.exception.DNSException, OSError):
        return []
    return [f"{str(record.target).rstrip('.')}:{record.port}" for record in sorted(records, key=_turn)]


def _turn(record: Any) -> tuple[int, float]:
    """Order by priority, then by chance in proportion to the weight (Efraimidis and Spirakis' exponents)."""
    chance: float = random.random()  # noqa: S311  load is shared, nothing is guarded
    return int(record.priority), -(chance ** (1.0 / max(int(record.weight), 1)))
