"""XML directories read element by element: no DTD, no entities, bounded depth, memory and text."""

from collections.abc import Collection, Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from airledger.platform.errors import InputError, LimitError

MAX_DEPTH = 16
MAX_CHILDREN = 64
MAX_CHILD_CHARS = 16 * 1024
MAX_ELEMENT_BYTES = 1024 * 1024


def xml_rows(body: BinaryIO, names: Collection[str], *, depth: int) -> Iterator[tuple[Element, bool]]:
    """Give the finished elements of some names; memory stays with one of them.

    Args:
        body: The document.
        names: Names of elements, without their namespace.
        depth: How many elements lie around one: 1 for the children of the outermost.

    Yields:
        The element, and whether it was too large to be kept whole.

    Raises:
        InputError: It is not XML, or has entities or a DTD in it.
        LimitError: It is nested too deeply, or an element does not end.
    """
    walk = _Walk(body, keeps_below=depth)
    for event, element, ancestors in walk.events():
        if event == "end" and len(ancestors) == depth and local_name(element) in names:
            yield element, walk.take_spoilt()


def xml_starts(body: BinaryIO, name: str) -> Iterator[tuple[Element, tuple[Element, ...]]]:
    """Give the elements of a name as they begin, attributes only, with those around them, outermost first.

    Raises:
        InputError: It is not XML, or has entities or a DTD in it.
        LimitError: It is nested too deeply, or an element does not end.
    """
    for event, element, ancestors in _Walk(body, keeps_below=MAX_DEPTH).events():
        if event == "start" and local_name(element) == name:
            yield element, ancestors


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child_texts(element: Element) -> dict[str, str] | None:
    """Return the texts of an element's children by name, None where one is larger than any directory's is."""
    if any(len(child.text or "") > MAX_CHILD_CHARS for child in element):
        return None
    return {local_name(child): (child.text or "").strip() for child in element}


class _Walk:
    """Walks the XML and lets go of what it has seen, however the tree is shaped."""

    def __init__(self, body: BinaryIO, *, keeps_below: int) -> None:
        self._body = body
        self._keeps_below = keeps_below
        self._path: list[Element] = []
        self._read_since_event = 0
        self._is_spoilt = False

    def read(self, size: int = -1) -> bytes:
        """Read for the parser; text that never ends would otherwise pile up in it."""
        data = self._body.read(size)
        self._read_since_event += len(data)
        if self._read_since_event > MAX_ELEMENT_BYTES:
            raise LimitError(f"An element of the directory is larger than {MAX_ELEMENT_BYTES} bytes.")
        return data

    def take_spoilt(self) -> bool:
        """Tell whether the row that just ended was too large; the next one starts clean."""
        is_spoilt, self._is_spoilt = self._is_spoilt, False
        return is_spoilt

    def events(self) -> Iterator[tuple[str, Element, tuple[Element, ...]]]:
        """Give `start` and `end` of each element, and what lies around it."""
        try:
            for event, element in iterparse(self, events=("start", "end"), forbid_dtd=True):
                self._read_since_event = 0
                if event == "start":
                    yield event, element, tuple(self._path)
                    self._descend(element)
                    continue
                self._path.pop()
                yield event, element, tuple(self._path)
                self._let_go()
        except ParseError as error:
            raise InputError(f"The directory is not well-formed XML: {error}.") from None
        except DefusedXmlException:
            raise InputError("The directory declares a DTD or entities, which are refused.") from None

    def _descend(self, element: Element) -> None:
        self._path.append(element)
        if len(self._path) > MAX_DEPTH:
            raise LimitError(f"The directory's XML is nested deeper than {MAX_DEPTH} elements.")

    def _let_go(self) -> None:
        if not self._path:
            return
        parent = self._path[-1]
        if len(self._path) <= self._keeps_below:
            del parent[:]
        elif len(parent) > MAX_CHILDREN:
            del parent[:]
            self._is_spoilt = True
