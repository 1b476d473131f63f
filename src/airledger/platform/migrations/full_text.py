"""The full-text index over `streams.search_text`: FTS5 in SQLite, an expression index of tsvectors in PostgreSQL.

It is no table of ours: it holds nothing that `search_text` does not say, is kept up by the database itself, and is left
out of comparisons and backups. SQLite drops triggers together with their table, so a later migration that makes
`streams` anew (a batch operation does) has to call `lay` once more.
"""

import re

from sqlalchemy import text
from sqlalchemy.engine import Connection

from airledger.platform.words import index_words

FTS_TABLE = "stream_words"
POSTGRES_INDEX = "ix_streams_words"
POSTGRES_VECTOR = "array_to_tsvector(array_remove(string_to_array(streams.search_text, ' '), ''))"
"""No parser of PostgreSQL's looks at the words: `platform/words.py` has split them."""
ROWS_AT_ONCE = 1_000

# Words are folded already. A word becomes a phrase where its letters are newer than SQLite's tables of Unicode.
_SQLITE = (
    """
    CREATE VIRTUAL TABLE stream_words USING fts5(
        search_text, content='streams', content_rowid='id',
        tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* Co' tokenchars '='"
    )""",
    """
    CREATE TRIGGER stream_words_added AFTER INSERT ON streams BEGIN
        INSERT INTO stream_words(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    """
    CREATE TRIGGER stream_words_removed AFTER DELETE ON streams BEGIN
        INSERT INTO stream_words(stream_words, rowid, search_text) VALUES ('delete', old.id, old.search_text);
    END""",
    """
    CREATE TRIGGER stream_words_changed AFTER UPDATE OF search_text ON streams
    WHEN old.search_text IS NOT new.search_text BEGIN
        INSERT INTO stream_words(stream_words, rowid, search_text) VALUES ('delete', old.id, old.search_text);
        INSERT INTO stream_words(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    "INSERT INTO stream_words(stream_words) VALUES ('rebuild')",
)
_OURS = re.compile(f"{FTS_TABLE}(_data|_idx|_content|_docsize|_config)?")


def lay(bind: Connection) -> None:
    """Make the index over what is there, and have the database keep it up. Doing it again makes it anew."""
    remove(bind)
    _refold(bind)
    if bind.dialect.name == "sqlite":
        for statement in _SQLITE:
            bind.exec_driver_sql(statement)
        return
    bind.exec_driver_sql(f"CREATE INDEX {POSTGRES_INDEX} ON streams USING gin (({POSTGRES_VECTOR}))")


def remove(bind: Connection) -> None:
    """Remove the index, if there is one."""
    if bind.dialect.name == "sqlite":
        for what in ("added", "removed", "changed"):
            bind.exec_driver_sql(f"DROP TRIGGER IF EXISTS {FTS_TABLE}_{what}")
        bind.exec_driver_sql(f"DROP TABLE IF EXISTS {FTS_TABLE}")
        return
    bind.exec_driver_sql(f"DROP INDEX IF EXISTS {POSTGRES_INDEX}")


def is_part(name: str | None) -> bool:
    """Tell whether a table or index is a part of the index."""
    return name == POSTGRES_INDEX or bool(name and _OURS.fullmatch(name))


def _refold(bind: Connection) -> None:
    """Write the words of rows that an earlier version wrote, which begin with no marked name."""
    last = 0
    while True:
        rows = bind.execute(
            text("SELECT id, name, search_text FROM streams WHERE id > :last ORDER BY id LIMIT :many"),
            {"last": last, "many": ROWS_AT_ONCE},
        ).all()
        if not rows:
            return
        last = rows[-1].id
        changes = [
            {"id": row.id, "words": index_words(row.name, [row.search_text])}
            for row in rows
            if not row.search_text.startswith("=")
        ]
        if changes:
            bind.execute(text("UPDATE streams SET search_text = :words WHERE id = :id"), changes)
