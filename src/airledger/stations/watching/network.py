"""Which network an address lies in, as far as the address itself tells. Pure."""

from ipaddress import IPv4Address, ip_address, ip_network

V4_BITS, V6_BITS = 24, 48  # what is usually given to one customer, and routed together


def network_of(address: str | None) -> str | None:
    """Return the /24 or /48 that an address lies in; None for loopback and for what is no address."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if parsed.is_loopback:
        return None
    bits = V4_BITS if isinstance(parsed, IPv4Address) else V6_BITS
    return str(ip_network(f"{parsed}/{bits}", strict=False))
