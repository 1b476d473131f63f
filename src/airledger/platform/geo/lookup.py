"""Country, place and network of an IP address, from MaxMind-DB files (https://maxmind.github.io/MaxMind-DB/).

Both layouts are read: the flat one of ip-location-db (`country_code`) and MaxMind's own (`country.iso_code`). A
database that is missing answers nothing; one that is replaced is noticed by its file's identity and opened anew.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airledger.platform.geo.places import Databases, Kind

if TYPE_CHECKING:
    from maxminddb.reader import Reader

DB_IP = "IP Geolocation by DB-IP (https://db-ip.com)"


@dataclass(frozen=True, slots=True)
class IpPlace:
    """What the databases tell of an address.

    Attributes:
        country_code: ISO 3166-1 alpha-2.
        city: Only from a city database, like the coordinates.
        network: Autonomous system number, from a network database.
        network_name: Who runs it.
        attribution: What must be shown beside a place from this database; empty for those in the public domain.
    """

    country_code: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    network: int | None = None
    network_name: str | None = None
    attribution: str = ""


class IpPlaces:
    """Looks addresses up. Thread-safe; databases are opened when first asked for."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._lock = threading.Lock()
        self._open: dict[Kind, tuple[tuple[int, int], Reader]] = {}

    def look_up(self, address: str) -> IpPlace:
        """Tell what is known of an address; an empty answer where nothing is, or where it is no public address."""
        plain = _public(address)
        if plain is None:
            return IpPlace()
        country, city, network = (self._record(kind, plain) for kind in ("country", "city", "network"))
        name = network.get("autonomous_system_organization") or network.get("as_name")
        return IpPlace(
            country_code=_country(city) or _country(country),
            city=_named(city.get("city")),
            latitude=_degrees(city, "latitude"),
            longitude=_degrees(city, "longitude"),
            network=_number(network.get("autonomous_system_number")),
            network_name=str(name) if name else None,
            attribution=DB_IP if city and self._is_of_db_ip() else "",
        )

    def country_of(self, address: str) -> str | None:
        """Return the country of an address; None where it is unknown."""
        plain = _public(address)
        return None if plain is None else _country(self._record("city", plain)) or _country(
            self._record("country", plain)
        )  # fmt: skip

    def known(self) -> dict[Kind, Path]:
        """Return the databases there are."""
        return {kind: path for kind in ("country", "city", "network") if (path := self._databases.path_of(kind))}

    def built(self, kind: Kind) -> int | None:
        """Return when a database was built, in seconds since 1970; None where there is none."""
        reader = self._reader(kind)
        return None if reader is None else int(reader.metadata().build_epoch)

    def close(self) -> None:
        """Close the databases."""
        with self._lock:
            for _, reader in self._open.values():
                reader.close()
            self._open.clear()

    def _is_of_db_ip(self) -> bool:
        reader = self._reader("city")
        return reader is not None and "geolite" not in str(reader.metadata().database_type).casefold()

    def _record(self, kind: Kind, address: str) -> Mapping[str, Any]:
        reader = self._reader(kind)
        if reader is None:
            return {}
        try:
            found = reader.get(address)
        except (ValueError, OSError):  # an IPv6 address asked of an IPv4 database, or a damaged file
            return {}
        return found if isinstance(found, dict) else {}

    def _reader(self, kind: Kind) -> "Reader | None":
        from maxminddb import InvalidDatabaseError, open_database
        from maxminddb.const import MODE_MMAP

        path = self._databases.path_of(kind)
        if path is None:
            return None
        stat = path.stat()
        identity = (stat.st_ino, stat.st_mtime_ns)
        with self._lock:
            held = self._open.get(kind)
            if held is None or held[0] != identity:
                try:
                    opened: Reader = open_database(path, MODE_MMAP)
                except (InvalidDatabaseError, OSError):
                    return None
                held = self._open[kind] = (identity, opened)  # readers in use elsewhere close the old one when done
            return held[1]


def _public(address: str) -> str | None:
    try:
        plain = ip_address(address.strip("[]"))
    except ValueError:
        return None
    return str(plain) if plain.is_global else None


def _country(record: Mapping[str, Any]) -> str | None:
    nested = record.get("country")
    code = record.get("country_code") or (nested.get("iso_code") if isinstance(nested, dict) else None)
    return str(code).upper() if code else None


def _named(value: object) -> str | None:
    if isinstance(value, dict):
        names = value.get("names")
        value = names.get("en") if isinstance(names, dict) else None
    return str(value) if value else None


def _degrees(record: Mapping[str, Any], name: str) -> float | None:
    nested = record.get("location")
    value = record.get(name, nested.get(name) if isinstance(nested, dict) else None)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None
