"""Writes small MaxMind-DB files, after the published format, so that tests need nobody's data."""

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TYPES = {
    "binary_format_major_version": 5,
    "binary_format_minor_version": 5,
    "ip_version": 5,
    "record_size": 5,
    "build_epoch": 9,
}
_MARK = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, records: Mapping[str, Mapping[str, Any]], kind: str = "test") -> Path:
    """Write an IPv4 database of networks; record size 32 bits."""
    data, offsets = bytearray(), {}
    for network, record in records.items():
        offsets[network] = len(data)
        data += _encoded(record)
    nodes: list[list[Any]] = [[None, None]]
    for network in records:
        net = ipaddress.IPv4Network(network)
        bits = [int(net.network_address) >> (31 - place) & 1 for place in range(net.prefixlen)]
        at = 0
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][bits[-1]] = ("data", offsets[network])
    tree = bytearray()
    for node in nodes:
        for branch in node:
            if branch is None:
                value = len(nodes)
            elif isinstance(branch, tuple):
                value = len(nodes) + 16 + branch[1]
            else:
                value = branch
            tree += struct.pack(">I", value)
    about = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_750_000_000,
        "database_type": kind,
        "description": {"en": "made by a test"},
        "ip_version": 4,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": 32,
    }
    path.write_bytes(bytes(tree) + bytes(16) + bytes(data) + _MARK + _encoded(about))
    return path


def _encoded(value: Any, integer: int = 6) -> bytes:
    if isinstance(value, Mapping):
        parts = b"".join(_encoded(key) + _encoded(one, _TYPES.get(key, 6)) for key, one in value.items())
        return _head(7, len(value)) + parts
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(_encoded(one) for one in value)
    if isinstance(value, str):
        return _head(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    body: bytes = value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")
    return _head(integer, len(body)) + body


def _head(kind: int, size: int) -> bytes:
    assert size < 29 + 256, "long values are not needed here"
    low = min(29, size)
    head = bytes([(kind << 5 | low)]) if kind <= 7 else bytes([low, kind - 7])
    return head + (bytes([size - 29]) if size >= 29 else b"")
