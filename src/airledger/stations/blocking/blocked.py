"""The block list as a value: loaded once, asked for every address."""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.stations.blocking.models import Blocked

URL, HOST, PATTERN = "url", "host", "pattern"
KINDS = (URL, HOST, PATTERN)


@dataclass(frozen=True)
class BlockList:
    """What never enters the catalogue.

    Attributes:
        urls: Canonical addresses.
        hosts: Hosts, each with all names below it.
        patterns: Of whole canonical addresses.
    """

    urls: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[tuple[str, str]]) -> "BlockList":
        """Make a list of pairs (kind, value); patterns know `*` and `?`."""
        pairs = list(entries)
        return cls(
            frozenset(value for kind, value in pairs if kind == URL),
            frozenset(value.casefold() for kind, value in pairs if kind == HOST),
            tuple(re.compile(fnmatch.translate(value.casefold())) for kind, value in pairs if kind == PATTERN),
        )

    def is_blocked(self, url: str) -> bool:
        """Tell whether a canonical address is left out."""
        if not (self.urls or self.hosts or self.patterns):
            return False
        return (
            url in self.urls
            or any(host in self.hosts for host in _with_parents(urlsplit(url).hostname or ""))
            or any(pattern.match(url.casefold()) for pattern in self.patterns)
        )


def load_block_list(session: Session) -> BlockList:
    """Load the block list: once for a crawl, and for each submission."""
    return BlockList.of((row.kind, row.value) for row in session.execute(select(Blocked.kind, Blocked.value)))


def _with_parents(host: str) -> Iterable[str]:
    """Yield a host and the names above it, short of the top level."""
    labels = host.casefold().split(".")
    if labels[-1].isdigit():  # an address has no names above it
        return [host]
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
