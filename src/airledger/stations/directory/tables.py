"""Tables, written piece by piece: JSON, CSV, and Radio Browser's XML."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from airledger.stations.directory.entries import Entry
from airledger.stations.directory.playlists import XML_HEAD

Fields = Callable[[Entry], dict[str, Any]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Json:
    """One JSON array of objects."""

    media_type = "application/json"

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._has_begun = False

    def head(self) -> str:
        """Begin."""
        return "["

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some objects."""
        written = ",\n".join(json.dumps(self._fields(one), ensure_ascii=False, default=str) for one in some)
        comma = ",\n" if self._has_begun and written else ""
        self._has_begun = self._has_begun or bool(written)
        return comma + written

    def tail(self) -> str:
        """End."""
        return "]\n"


class Csv:
    """A table with a line of names (RFC 4180).

    A cell that a spreadsheet would take for a formula gets an apostrophe before it: names come from strangers.
    """

    media_type = "text/csv"

    def __init__(self, fields: Fields, names: Iterable[str]) -> None:
        self._fields = fields
        self._names = list(names)

    def head(self) -> str:
        """Begin."""
        return csv_rows([dict(zip(self._names, self._names, strict=True))], self._names)

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some lines."""
        return csv_rows((self._fields(one) for one in some), self._names)

    def tail(self) -> str:
        """End."""
        return ""


class Xml:
    """Radio Browser's XML: `<result>` with an element per row and its fields as attributes."""

    media_type = "application/xml"

    def __init__(self, fields: Fields, name: str = "station") -> None:
        self._fields = fields
        self._name = name

    def head(self) -> str:
        """Begin."""
        return f"{XML_HEAD}<result>\n"

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some elements."""
        return "".join(xml_element(self._name, self._fields(one)) for one in some)

    def tail(self) -> str:
        """End."""
        return "</result>\n"


def xml_element(name: str, fields: dict[str, Any]) -> str:
    """Write a row as an element; what is unknown has no attribute."""
    told = {key: value for key, value in fields.items() if value is not None}
    return f"<{name} " + " ".join(f"{key}={quoteattr(_plain(value))}" for key, value in told.items()) + "/>\n"


def csv_rows(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> str:
    """Write rows as lines of a table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _plain(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _NOT_XML.sub("", text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = ",".join(str(one) for one in value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
