"""Which network addresses a stranger's URL may lead to.

A URL in a directory is a stranger's wish that *our* machine dials something. Without a guard it can name our database,
a cloud's metadata server or the router. The guard judges the address that is about to be dialled, so that names,
decimal or hexadecimal spellings, redirects and rebinding DNS servers cannot get around it.
"""

import ipaddress
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from airledger.platform.fetch_error import AddressRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64_PREFIX = IPv6Network("64:ff9b::/96")
# `is_global` of Python 3.11 wrongly says True for addresses in each of these.
REFUSED_NETWORKS: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/23"),
    IPv6Network("fec0::/10"),
)
LOW_32_BITS = 0xFFFFFFFF
REMEMBERED = 50_000


def embedded_address(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address merely wraps (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64_PREFIX:
        return IPv4Address(int(address) & LOW_32_BITS)
    return address


def is_public(address: Address) -> bool:
    """Whether the address belongs to the open internet, whatever it is wrapped in."""
    inner = embedded_address(address)
    if any(inner in network for network in REFUSED_NETWORKS if network.version == inner.version):
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


class AddressGuard:
    """Refuses addresses outside the open internet, but for the networks that the operator allowed."""

    def __init__(self, allow: Iterable[Network] = ()) -> None:
        self.allow = tuple(allow)
        self._passed: set[str] = set()

    def check(self, ip: str) -> None:
        """Let an address pass, or refuse it.

        Args:
            ip: a numeric IPv4 or IPv6 address, perhaps with a zone (`fe80::1%eth0`).

        Raises:
            AddressRefusedError: it is no numeric address, or not one that strangers may lead us to.
        """
        if ip in self._passed:
            return
        try:
            address = ipaddress.ip_address(ip.partition("%")[0])
        except ValueError:
            raise AddressRefusedError(f"{ip!r} is not a numeric network address.") from None
        if is_public(address) or self._allowed(embedded_address(address)):
            self._remember(ip)
            return
        raise AddressRefusedError(
            f"{ip} is not a public address; name its network in the setting of allowed networks to reach it.", ip=ip
        )

    def _remember(self, ip: str) -> None:
        """Judge an address once: hosts are dialled again and again, and the judgement depends on nothing else."""
        if len(self._passed) >= REMEMBERED:
            self._passed.clear()
        self._passed.add(ip)

    def _allowed(self, address: Address) -> bool:
        return any(address in network for network in self.allow if network.version == address.version)
