"""JSON arrays of objects read one element at a time, so that memory does not grow with the file."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from airledger.platform.errors import InputError, LimitError

READ_BYTES = 64 * 1024
MAX_ROW_CHARS = 1024 * 1024
SPACES = " \t\r\n\ufeff"

_DECODER = json.JSONDecoder()


def json_rows(body: BinaryIO) -> Iterator[Any]:
    """Give the elements of a JSON array.

    Raises:
        InputError: It is not JSON, not an array, or breaks off.
        LimitError: An element is larger than 1 MiB or nested too deeply.
    """
    window = _Window(body)
    if window.next_char() != "[":
        raise InputError("This is not a JSON array of rows.")
    window.skip()
    if window.next_char() == "]":
        return
    while True:
        yield window.take_value()
        separator = window.next_char()
        window.skip()
        if separator == "]":
            return
        if separator != ",":
            raise InputError("The JSON array breaks off: a row is followed by neither a comma nor the end.")


class _Window:
    """The part of the body that is in memory, and how far it has been read."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""
        self._at = 0
        self._at_end = False

    def next_char(self) -> str:
        """Move to the next character that is no white space; return it, empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACES:
                self._at += 1
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        """Step over one character."""
        self._at += 1

    def take_value(self) -> Any:
        """Decode one value, reading on until it is whole."""
        self.next_char()
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise LimitError("A row is nested too deeply.") from None
            except ValueError as error:
                self._need_more(error)
            else:
                return value

    def _need_more(self, error: ValueError) -> None:
        if len(self._text) - self._at > MAX_ROW_CHARS:
            raise LimitError(f"A row is not valid JSON, or larger than {MAX_ROW_CHARS} characters.") from None
        if not self._read_on():
            raise InputError(f"A row is not valid JSON: {error}.") from None

    def _read_on(self) -> bool:
        if self._at_end:
            return False
        data = self._body.read(READ_BYTES)
        self._at_end = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._at_end)
        self._at = 0
        return bool(data)
