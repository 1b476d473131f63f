"""Rows as lines of JSON, and back, by the types of their columns: what SQLite wrote, PostgreSQL reads."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, Column, Float, Integer, LargeBinary, String, Table, Uuid

from airledger.platform.db import UtcDateTime
from airledger.platform.errors import InputError


def as_line(table: Table, row: Sequence[Any]) -> bytes:
    """Write a row, in the order of the table's columns, as one line of JSON.

    Raises:
        TypeError: A column has a type that this does not know; a test writes every table.
    """
    values = {
        column.name: _plain(column, value)
        for column, value in zip(table.columns, row, strict=True)
        if not (value is None and isinstance(column.type, JSON))
    }
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def from_line(table: Table, line: bytes, *, keeps_nul: bool = True) -> dict[str, Any]:
    """Read a row back.

    Args:
        table: Where it belongs.
        line: What `as_line` wrote.
        keeps_nul: False drops U+0000 from texts, which PostgreSQL cannot hold.

    Raises:
        InputError: The line is not a row of this table.
    """
    try:
        values = json.loads(line)
        return {name: _typed(table.columns[name], value, keeps_nul=keeps_nul) for name, value in values.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"the archive holds a line that is no row of {table.name}: {error}") from error


def _plain(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return value.isoformat()
    if isinstance(column.type, Uuid):
        return value.hex
    if isinstance(column.type, LargeBinary):
        return b64encode(value).decode()
    if isinstance(column.type, String | Integer | Float | Boolean | JSON):
        return value
    raise TypeError(f"column {column} has a type that backups do not know: {column.type!r}")


def _typed(column: Column[Any], value: Any, *, keeps_nul: bool) -> Any:
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, Uuid):
        return UUID(value)
    if isinstance(column.type, LargeBinary):
        return b64decode(value, validate=True)
    if isinstance(value, str) and isinstance(column.type, String) and not keeps_nul:
        return value.replace("\x00", "")
    return value
