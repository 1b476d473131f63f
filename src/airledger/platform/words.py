"""What people type, and what they mean by it: words without case, accents and punctuation.

Rows are stored under `index_words(...)` and asked for by `query_words(...)`; both sides are folded here, so SQLite and
PostgreSQL never have to agree on what a letter is (`platform/migrations/full_text.py` tells how they are asked).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_WORD_CHARS = 64
MAX_INDEXED_WORDS = 400
MAX_QUERY_WORDS = 8
NAME_MARK = "="
"""Begins the words of a name, which rank above others: `=radio`; the whole name is one more word, `=radio=accra=`."""

# Letters that Unicode does not take apart, spelt as people without that key type them.
_SPELT = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ħ": "h",
        "ŧ": "t",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ŋ": "n",
        "\u0131": "i",  # the dotless i
    }
)
_ACCENT = re.compile("[\u0300-\u036f\u064b-\u0652\u0670\u0640]")  # Latin, Greek and Cyrillic; Arabic vowel signs
_ASCII_WORD = re.compile(r"[a-z0-9]+")
# Written without spaces: each sign is a word of its own, so that a part of a name is found.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def fold(text: str) -> str:
    """Return text without case and accents: `Straße` and `STRASSE`, `Łódź` and `lodz` are the same."""
    if text.isascii():
        return text.lower()
    apart = _ACCENT.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", apart).casefold().translate(_SPELT)


def split_words(text: str) -> list[str]:
    """Split text into folded words, in order; signs of scripts without spaces stand alone."""
    folded = fold(text)
    if folded.isascii():
        return [word[:MAX_WORD_CHARS] for word in _ASCII_WORD.findall(folded)]
    spaced = _UNSPACED.sub(lambda sign: f" {sign.group()} ", folded)
    kept = "".join(sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in spaced)
    return [word[:MAX_WORD_CHARS] for word in kept.split()]


def index_words(name: str | None, others: Iterable[str]) -> str:
    """Return what a row is found by: the words of its name, marked and plain, and all others, each once."""
    named = split_words(name or "")
    whole = _whole(named)
    marked = [whole] if whole else []
    marked += [NAME_MARK + word for word in named]
    words = dict.fromkeys([*marked, *named])
    for text in others:
        words.update(dict.fromkeys(split_words(text)))
    return " ".join(list(words)[:MAX_INDEXED_WORDS])


def query_words(text: str) -> list[str]:
    """Return the words that a row must have; its last one may be the beginning of a longer one."""
    return split_words(text)[:MAX_QUERY_WORDS]


def named(words: Sequence[str]) -> list[str]:
    """Return the same question asked of names alone."""
    return [NAME_MARK + word for word in words]


def whole_name(words: Sequence[str]) -> str:
    """Return the word that only a row of exactly this name has."""
    return _whole(list(words))


def _whole(words: list[str]) -> str:
    return f"{NAME_MARK}{NAME_MARK.join(words)}{NAME_MARK}"[: 4 * MAX_WORD_CHARS] if words else ""
