"""The child that parses a stranger's web page: orders as JSON on stdin, rows as JSON on stdout.

It runs under the limits of `platform/sandbox`; what it cannot parse in time or memory ends with it.
"""

import json
import sys
from typing import Any

MAX_ROWS = 50_000
MAX_TEXT_CHARS = 16_384  # more than any address may have, so that a cut one is refused


def main() -> None:
    """Read one page."""
    json.dump(answer(json.load(sys.stdin)), sys.stdout)


def answer(orders: dict[str, Any]) -> dict[str, Any]:
    """Give the rows, or the error."""
    from selectolax.lexbor import SelectolaxError

    try:
        return {"rows": read_rows(orders["html"], orders["rows"], orders["fields"])}
    except (ValueError, MemoryError, SelectolaxError) as error:
        return {"error": str(error)[:200] or type(error).__name__}


def read_rows(html: str, rows: str, fields: dict[str, str]) -> list[dict[str, str]]:
    """Take fields out of the page's rows.

    Args:
        html: The page.
        rows: CSS selector of a row.
        fields: Per field `selector`, `selector@attribute`, or `@one|@other` of the row itself; empty: the row's text.
    """
    from selectolax.lexbor import LexborHTMLParser

    found = LexborHTMLParser(html).css(rows)[:MAX_ROWS]
    return [{name: _value(node, where)[:MAX_TEXT_CHARS] for name, where in fields.items()} for node in found]


def _value(row: Any, where: str) -> str:
    for choice in where.split("|"):
        selector, _, attribute = choice.strip().partition("@")
        node = row.css_first(selector) if selector.strip() else row
        if node is None:
            continue
        value = node.attributes.get(attribute) if attribute else node.text(deep=True, separator=" ")
        if value:
            return " ".join(str(value).split())
    return ""


if __name__ == "__main__":
    main()
