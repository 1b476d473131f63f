"""JSON from a service: limited in size, depth and count before anybody looks at it, and read without trust after."""

import json
import re
from collections.abc import Mapping
from typing import Any

from airledger.platform.errors import InputError, LimitError

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 50_000
TEXT_LIMIT = 500
KEPT_TEXT = 300
KEPT_ITEMS = 20
KEPT_DEPTH = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_LARGEST = 2**53


def read_json(content: bytes) -> Any:
    """Read JSON.

    Raises:
        LimitError: It is larger than 2 MiB, deeper than 24, or has more than 50,000 values.
        InputError: It is no JSON.
    """
    if len(content) > MAX_BYTES:
        raise LimitError(f"the answer has more than {MAX_BYTES >> 20} MiB")
    if _depth(content) > MAX_DEPTH:
        raise LimitError(f"the answer is nested deeper than {MAX_DEPTH}")
    try:
        value = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the answer is no JSON: {str(error)[:100]}") from error
    if _count(value) > MAX_NODES:
        raise LimitError(f"the answer has more than {MAX_NODES:,} values")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one where there is something else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list; a single value as a list of it, nothing as an empty one."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def text(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Return a storable line of text; numbers as their digits, anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _CONTROL.sub(" ", str(value)).strip()[:limit]


def whole(value: Any) -> int | None:
    """Return a whole number, also from text such as "12040" or "12040.0"; None for anything else."""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return None if number is None or not abs(number) < _LARGEST else round(number)


def names(value: Any) -> tuple[str, ...]:
    """Return names from a list of {name}, a list of text, one object or one text."""
    found = [text(mapping(one).get("name")) if isinstance(one, dict) else text(one) for one in items(value)]
    return tuple(dict.fromkeys(one for one in found if one))[:KEPT_ITEMS]


def trimmed(value: Any, depth: int = 0) -> Any:
    """Return JSON cut to what is worth keeping: 20 items per list, 300 characters per text, 8 levels."""
    if isinstance(value, dict):
        if depth >= KEPT_DEPTH:
            return {}
        kept = list(value.items())[: KEPT_ITEMS * 2]
        return {text(key, 100): trimmed(one, depth + 1) for key, one in kept}
    if isinstance(value, list):
        return [] if depth >= KEPT_DEPTH else [trimmed(one, depth + 1) for one in value[:KEPT_ITEMS]]
    return text(value, KEPT_TEXT) if isinstance(value, str) else value


def _depth(content: bytes) -> int:
    """Return how deep brackets nest, strings left out: found before the parser's own recursion is at risk."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", content)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _count(value: Any) -> int:
    waiting, count = [value], 0
    while waiting and count <= MAX_NODES:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
