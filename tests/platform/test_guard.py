from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.fetch_error import AddressRefusedError
from airledger.platform.guard import AddressGuard

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing binds it
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.9",
    "192.88.99.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "localhost",
    "",
    "2130706433",
    "0x7f000001",
    "127.1",
    "127.0.0.1\x00.example.org",
]
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]


@pytest.mark.parametrize("ip", REFUSED)
def test_an_address_outside_the_open_internet_is_refused(ip: str) -> None:
    with pytest.raises(AddressRefusedError):
        AddressGuard().check(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_a_public_address_passes(ip: str) -> None:
    AddressGuard().check(ip)


def test_an_allowed_network_passes_in_every_wrapping_and_no_other_does() -> None:
    guard = AddressGuard([IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")])
    for ip in ("127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "::1"):
        guard.check(ip)
    for ip in ("10.0.0.1", "::2", "fe80::1"):
        with pytest.raises(AddressRefusedError):
            guard.check(ip)


@given(st.ip_addresses(v=4))
def test_wrapping_an_ipv4_address_never_changes_the_judgement(address: IPv4Address) -> None:
    def passes(ip: str) -> bool:
        try:
            AddressGuard().check(ip)
        except AddressRefusedError:
            return False
        return True

    nat64 = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    sixtofour = IPv6Address((0x2002 << 112) + (int(address) << 80) + 1)
    assert passes(str(address)) == passes(f"::ffff:{address}") == passes(str(nat64)) == passes(str(sixtofour))
    assert not passes(f"::{address}")
