"""Words and character n-grams of a stream's name and addresses, as hashes with weights: what the text model reads.

Each group of tokens (name, host, path, ...) weighs the same whatever its length: a value is `weight / sqrt(tokens)`.
A token's hash is CRC-32 of its UTF-8 bytes, the same on every machine and in every version.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_told import FREQUENCY, LETTERS, Address, Told, grams

VERSION = 1
MAX_GRAM_WORD = 24
Group = tuple[Iterable[str], float]


def hashed(told: Told) -> dict[int, float]:
    """Return token hashes with their values."""
    found: dict[int, float] = {}
    for tokens, weight in _groups(told):
        each = set(tokens)
        if not each:
            continue
        value = weight / len(each) ** 0.5
        for token in each:
            key = zlib.crc32(token.encode("utf-8", "surrogatepass"))
            found[key] = found.get(key, 0.0) + value
    return found


def bags(rows: Sequence[Told], vocabulary: NDArray[np.uint32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Look the tokens of rows up in a vocabulary.

    Args:
        rows: n streams.
        vocabulary: Sorted hashes.

    Returns:
        Places (n, longest) and values (n, longest), both padded with zeros: place 0 with value 0 adds nothing.
    """
    found = []
    for row in rows:
        tokens = hashed(row)
        keys = np.fromiter(tokens, np.uint32, len(tokens))
        at = np.searchsorted(vocabulary, keys)
        at[at == len(vocabulary)] = 0
        known = vocabulary[at] == keys
        found.append((at[known], np.fromiter(tokens.values(), np.float32, len(tokens))[known]))
    longest = max((len(at) for at, _ in found), default=0) or 1
    places = np.zeros((len(rows), longest), np.int32)
    values = np.zeros((len(rows), longest), np.float32)
    for number, (at, value) in enumerate(found):
        places[number, : len(at)], values[number, : len(at)] = at, value
    return places, values


def _groups(told: Told) -> Iterator[Group]:
    words = told.words
    yield [f"w:{word}" for word in words] + [f"n:{gram}" for word in words for gram in _marked(word, 2, 5)], 1.0
    yield [f"b:{one} {other}" for one, other in pairwise(words)], 0.5
    yield [f"f:{match[2][-1]}" for match in FREQUENCY.finditer(told.name)], 0.3
    yield [f"w:{word}" for word in told.tags], 0.4
    yield from _of_address("h", told.homepage)
    yield from _of_address("s", told.stream)


def _of_address(kind: str, address: Address | None) -> Iterator[Group]:
    if address is None:
        yield [f"{kind}:none"], 0.5
        return
    if address.is_numeric:
        yield [f"{kind}:ip", *(f"{kind}i:{address.host.rsplit('.', cut)[0]}" for cut in (1, 2, 3))], 1.0
    else:
        yield [f"{kind}t:{address.suffix}", f"{kind}T:{address.suffix.rsplit('.', 1)[-1]}"], 1.5
        yield [f"{kind}d:{address.domain}"], 0.7
        yield [f"d:{gram}" for gram in _marked(address.label, 3, 5)] + [f"w:{w}" for w in address.label.split("-")], 0.8
        before = [word for word in LETTERS.findall(address.prefix) if word != "www"]
        yield (
            [f"{kind}S:{word}" for word in before] + [f"d:{gram}" for word in before for gram in _marked(word, 3, 4)],
            0.5,
        )
    spoken = [word for word in address.words if not word.isdigit()]
    path = [f"{kind}p:{word}" for word in address.words] + [f"w:{word}" for word in spoken]
    if kind == "s":
        path += [f"p:{gram}" for word in spoken for gram in _marked(word, 3, 4)]
    yield path, 0.7 if kind == "s" else 0.5


def _marked(word: str, shortest: int, longest: int) -> Iterator[str]:
    return grams(f"^{word[:MAX_GRAM_WORD]}$", shortest, longest)
