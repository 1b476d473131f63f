"""Searching the catalogue by words, alike on both databases: what matches, and in which order it comes.

Every word must occur; the last one may be the beginning of a longer one. Streams of exactly the name asked for come
first, then those that have all words in their name, then the others; among equals the catalogue's own order holds. The
rank is a small whole number and not a score of the database's, so that pages join up while rows come and go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from airledger.platform.errors import InputError
from airledger.platform.migrations.full_text import FTS_TABLE, POSTGRES_VECTOR
from airledger.platform.words import named, query_words, whole_name

MAX_QUERY_CHARS = 200


class _HasWords(FunctionElement[Any]):
    """True of streams whose words match, found by the full-text index."""

    type = Integer()  # of a Boolean, SQLAlchemy would write `= 1`, which keeps SQLite from finding rows by it
    inherit_cache = True


class _SaysWords(FunctionElement[Any]):
    """The same, found by reading the row: for rows that are at hand anyway."""

    type = Integer()
    inherit_cache = True


class _HowMany(FunctionElement[int]):
    """How many streams match, counted up to a limit."""

    type = Integer()
    inherit_cache = True


@compiles(_HasWords, "sqlite")
def _has_in_sqlite(element: _HasWords, compiler: SQLCompiler, **options: Any) -> str:
    return f"streams.id IN ({_sqlite_rows(element, compiler, options)})"


@compiles(_HasWords, "postgresql")
@compiles(_SaysWords, "postgresql")
def _has_in_postgresql(element: _HasWords, compiler: SQLCompiler, **options: Any) -> str:
    _, asked, *_ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{POSTGRES_VECTOR} @@ CAST({asked} AS tsquery)"


@compiles(_SaysWords, "sqlite")
def _says_in_sqlite(element: _SaysWords, compiler: SQLCompiler, **options: Any) -> str:
    _, _, *patterns = (compiler.process(clause, **options) for clause in element.clauses)
    return "(" + " AND ".join(f"(' ' || streams.search_text || ' ') LIKE {pattern}" for pattern in patterns) + ")"


@compiles(_HowMany, "sqlite")
def _count_in_sqlite(element: _HowMany, compiler: SQLCompiler, **options: Any) -> str:
    limit = compiler.process(list(element.clauses)[-1], **options)
    return f"(SELECT count(*) FROM ({_sqlite_rows(element, compiler, options)} LIMIT {limit}))"  # noqa: S608  ours


def _sqlite_rows(element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]) -> str:
    asked = compiler.process(next(iter(element.clauses)), **options)
    return f"SELECT rowid FROM {FTS_TABLE} WHERE {FTS_TABLE} MATCH {asked}"  # noqa: S608  our own names


@dataclass(frozen=True)
class Question:
    """Words that a stream must have, in the spellings of the databases."""

    words: tuple[str, ...]
    is_beginning: bool = True

    def has(self) -> ColumnElement[bool]:
        """Return the condition, for the full-text index to find rows by."""
        return _HasWords(*self._spellings())

    def says(self) -> ColumnElement[bool]:
        """Return the condition, for rows that something else finds."""
        patterns = [f"% {word} %" for word in self.words]
        if self.is_beginning:
            patterns[-1] = patterns[-1].removesuffix(" %") + "%"
        return _SaysWords(*self._spellings(), *(literal(pattern) for pattern in patterns))

    def how_many(self, limit: int) -> ColumnElement[int]:
        """Return the number of streams that match, counted up to a limit; for SQLite alone."""
        return _HowMany(*self._spellings(), literal(limit))

    def _spellings(self) -> tuple[ColumnElement[str], ColumnElement[str]]:
        # Words hold letters, digits and our own mark, so none of them needs anything escaped.
        sqlite = " AND ".join(f'"{word}"' for word in self.words) + ("*" if self.is_beginning else "")
        postgresql = " & ".join(f"'{word}'" for word in self.words) + (":*" if self.is_beginning else "")
        return literal(sqlite), literal(postgresql)


@dataclass(frozen=True)
class Search:
    """What somebody typed, as three questions, each a part of the one before."""

    anywhere: Question
    in_name: Question
    exact_name: Question

    @classmethod
    def of(cls, text: str) -> "Search | None":
        """Read what was typed; None when there is no word in it.

        Raises:
            InputError: It is longer than 200 characters.
        """
        words = asked_words(text)
        if not words:
            return None
        return cls(
            Question(tuple(words)),
            Question(tuple(named(words))),
            Question((whole_name(words),), is_beginning=False),
        )


def asked_words(text: str) -> Sequence[str]:
    """Return the words of what was typed.

    Raises:
        InputError: It is longer than 200 characters.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise InputError(f"The search text is longer than {MAX_QUERY_CHARS} characters.")
    return query_words(text)
