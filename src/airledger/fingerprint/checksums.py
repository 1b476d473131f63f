"""CRC-32 of blocks of a file, checked when a block is first looked at.

An index of thousands of hours cannot be read through when it is opened. So its file carries the CRC-32 (the one of
zlib) of every block, and compiled code checks a block before it uses the first byte of it.
"""

import zlib

import numpy as np

from airledger.fingerprint.arrays import U8, U32, kernel

BLOCK_BYTES = 4096
Guard = tuple[U8, U32, U8, U32]
"""What `is_sound` needs: the payload, the checksum of each block, which blocks are known to be sound, the table."""

_POLYNOMIAL = 0xEDB88320


def _table() -> U32:
    """Eight tables of 256: the CRC of a byte followed by 0 to 7 zero bytes ("slicing by 8", Kounavis 2005)."""
    table = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table[0, byte] = value
    for zeros in range(1, 8):
        table[zeros] = (table[zeros - 1] >> np.uint32(8)) ^ table[0, table[zeros - 1] & np.uint32(255)]
    return table


_TABLE = _table()


def guard(payload: U8, sums: U32) -> Guard:
    """A guard over a payload that nobody has looked at yet.

    Args:
        payload: uint8[n], a multiple of 8 bytes.
        sums: uint32[n / BLOCK_BYTES, rounded up].
    """
    return payload, sums, np.zeros(len(sums), np.uint8), _TABLE


def sums_of(payload: bytes | memoryview) -> list[int]:
    """The checksum of each block, the last of which may be shorter."""
    return [zlib.crc32(payload[at : at + BLOCK_BYTES]) for at in range(0, len(payload), BLOCK_BYTES)]


@kernel
def crc32(data: U8, start: int, end: int, table: U32) -> int:
    """CRC-32 of bytes start to end; their number is a multiple of 8."""
    value = np.uint32(0xFFFFFFFF)
    low, shift8, shift16, shift24 = np.uint32(255), np.uint32(8), np.uint32(16), np.uint32(24)
    for at in range(start, end - 7, 8):
        value ^= (
            np.uint32(data[at])
            | (np.uint32(data[at + 1]) << shift8)
            | (np.uint32(data[at + 2]) << shift16)
            | (np.uint32(data[at + 3]) << shift24)
        )
        value = (
            table[7, value & low]
            ^ table[6, (value >> shift8) & low]
            ^ table[5, (value >> shift16) & low]
            ^ table[4, value >> shift24]
            ^ table[3, data[at + 4]]
            ^ table[2, data[at + 5]]
            ^ table[1, data[at + 6]]
            ^ table[0, data[at + 7]]
        )
    return int(np.int64(value ^ np.uint32(0xFFFFFFFF)))


@kernel
def is_sound(watched: Guard, start: int, end: int) -> bool:
    """Whether bytes start to end of the payload exist and are what was written; remembers what it has checked."""
    payload, sums, checked, table = watched
    if start < 0 or end > len(payload) or start > end:
        return False
    for block in range(start // BLOCK_BYTES, (end + BLOCK_BYTES - 1) // BLOCK_BYTES):
        if checked[block] == 0:
            begin = block * BLOCK_BYTES
            if crc32(payload, begin, min(begin + BLOCK_BYTES, len(payload)), table) != sums[block]:
                return False
            checked[block] = 1
    return True
