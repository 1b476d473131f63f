"""Searching the catalogue by words, alike on both databases: what matches, and in which order it comes.

Every word must occur; the last one may be the beginning of a longer one. Streams of exactly the name asked for come
first, then those that have all words in their name, then the others; among equals the catalogue's own order holds. The
rank is a small whole number and not a score of the database's, so that pages join up while rows come and go.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, case, false, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from airledger.platform.errors import InputError
from airledger.platform.migrations.full_text import FTS_TABLE, POSTGRES_VECTOR
from airledger.platform.words import named, query_words, whole_name

MAX_QUERY_CHARS = 200
EXACT_NAME, IN_NAME, ANYWHERE = 2, 1, 0


class _HasWords(FunctionElement[bool]):
    """True of streams whose words match; its arguments are the question in SQLite's and in PostgreSQL's spelling."""

    type = Boolean()
    inherit_cache = True


@compiles(_HasWords, "sqlite")
def _for_sqlite(element: _HasWords, compiler: SQLCompiler, **options: Any) -> str:
    asked = compiler.process(next(iter(element.clauses)), **options)
    return f"streams.id IN (SELECT rowid FROM {FTS_TABLE} WHERE {FTS_TABLE} MATCH {asked})"  # noqa: S608  our names


@compiles(_HasWords, "postgresql")
def _for_postgresql(element: _HasWords, compiler: SQLCompiler, **options: Any) -> str:
    asked = compiler.process(list(element.clauses)[1], **options)
    return f"{POSTGRES_VECTOR} @@ CAST({asked} AS tsquery)"


def matches(text: str) -> ColumnElement[bool] | None:
    """Return the condition that streams match what somebody typed; None when they typed nothing.

    Raises:
        InputError: It is longer than 200 characters.
    """
    words = _words(text)
    if words:
        return _has(words)
    return false() if text.strip() else None


def rank(text: str) -> ColumnElement[int]:
    """Return how well a matching stream answers: 2 has this very name, 1 has all words in its name, 0 the rest."""
    words = _words(text)
    if not words:
        return literal(ANYWHERE)
    return case(
        (_has([whole_name(words)], is_beginning=False), EXACT_NAME), (_has(named(words)), IN_NAME), else_=ANYWHERE
    )


def _words(text: str) -> list[str]:
    if len(text) > MAX_QUERY_CHARS:
        raise InputError(f"The search text is longer than {MAX_QUERY_CHARS} characters.")
    return query_words(text)


def _has(words: Sequence[str], *, is_beginning: bool = True) -> ColumnElement[bool]:
    # Words hold letters, digits and our own mark, so neither spelling needs anything escaped.
    sqlite = " AND ".join(f'"{word}"' for word in words) + ("*" if is_beginning else "")
    postgresql = " & ".join(f"'{word}'" for word in words) + (":*" if is_beginning else "")
    return _HasWords(literal(sqlite), literal(postgresql))
