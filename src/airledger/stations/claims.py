"""What directories claim of a stream, and how claims of several are laid together. Values in, values out.

The first directory that says something of a field is believed; later ones fill what is still empty. Where a directory
corrects its own word, and that word stands in the catalogue, the correction is taken. Every claim stays in `listings`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from airledger.platform.words import index_words
from airledger.stations.account import Line
from airledger.stations.locate import Position, country_name, is_better, locate
from airledger.stations.sources.base import Entry
from airledger.stations.urls import Address, parse_address

FILLED = (
    "name",
    "type",
    "genre",
    "bitrate",
    "codec",
    "country_code",
    "country_name",
    "city",
    "language",
    "website",
    "description",
    "logo",
    "tags",
    "request_headers",
    "says_geo_blocked",
    "says_part_time",
)
SEARCHED = ("genre", "country_name", "country_code", "city", "language", "url")


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry of a directory, made canonical.

    Attributes:
        key: What the directory knows the entry by.
        fields: Non-empty values, JSON-able: those of `FILLED` and whatever else the entry said.
        line: Of the crawl's account, where one is kept.
    """

    address: Address
    url_key: str
    key: str
    fields: dict[str, Any]
    line: Line | None = None


@dataclass
class Draft:
    """A stream as it shall be: a new one (`id` None), or a known one and what changes of it."""

    url_key: str
    values: dict[str, Any]
    id: int | None = None
    host: str = ""
    identity: str = ""
    method: str | None = None
    is_verified: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    position: Position | None = None
    source: str = ""

    def set(self, name: str, value: Any) -> None:
        """Change a field, remembering that it changed."""
        self.values[name] = value
        self.changes[name] = value


def claim(entry: Entry) -> Claim:
    """Make an entry canonical.

    Raises:
        UrlRefusedError: Its address cannot be used.
    """
    address = parse_address(entry.url)
    url_key = address.key
    said: dict[str, Any] = {name: getattr(entry, name) for name in FILLED if name not in {"tags", "request_headers"}}
    said |= {
        "url": entry.url,
        "tags": list(entry.tags),
        "request_headers": {**address.headers, **entry.headers},
        "latitude": entry.latitude,
        "longitude": entry.longitude,
        **entry.extra,
    }
    fields = {name: value for name, value in said.items() if not _is_empty(value)}
    return Claim(address, url_key, entry.key or url_key, fields)


def new_draft(found: Claim, source: str) -> Draft:
    """Begin a stream that the catalogue does not have."""
    draft = Draft(
        found.url_key, {"url": found.address.url}, host=found.address.host, identity=identity(found), source=source
    )
    lay_on(draft, found, before=None)
    return draft


def lay_on(draft: Draft, found: Claim, before: Mapping[str, Any] | None) -> None:
    """Lay a claim on a stream.

    Args:
        draft: The stream; changed in place.
        found: What the directory says now.
        before: What the same entry said at the last crawl; None when it is new.
    """
    for name in FILLED:
        value, standing = found.fields.get(name), draft.values.get(name)
        if _is_empty(value) or value == standing:
            continue
        if _is_empty(standing) or (before is not None and before.get(name) == standing):
            draft.set(name, value)
    if not draft.values.get("country_name") and (derived := country_name(draft.values.get("country_code"))):
        draft.set("country_name", derived)
    _place(draft, found)


def search_text(values: Mapping[str, Any]) -> str:
    """Return the folded words that a stream is found by."""
    others = [str(values[name]) for name in SEARCHED if values.get(name)]
    return index_words(values.get("name"), [*others, *(values.get("tags") or [])])


def identity(found: Claim) -> str:
    """Tell an entry's station: same homepage, name and country are one; without a homepage it stands alone."""
    name, website = found.fields.get("name"), found.fields.get("website")
    if not name or not website:
        return f"stream:{found.url_key}"
    home = urlsplit(website)
    place = (home.hostname or "").removeprefix("www.") + home.path.rstrip("/")
    told = "\x00".join((name.casefold(), place, found.fields.get("country_code", "")))
    return f"home:{hashlib.sha256(told.encode()).hexdigest()}"


def _place(draft: Draft, found: Claim) -> None:
    position = locate(
        found.fields.get("latitude"),
        found.fields.get("longitude"),
        found.fields.get("city"),
        draft.values.get("country_code"),
    )
    if position is None or draft.is_verified:
        return
    if draft.method is None or is_better(position.method, draft.method):
        draft.position, draft.method = position, position.method


def _is_empty(value: object) -> bool:
    return value is None or (not value and not isinstance(value, int | float))
