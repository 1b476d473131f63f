"""What a stream tells of itself before anybody asks where it is: its name and its addresses, taken apart."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

WORD = re.compile(r"[^\W_]+")
LETTERS = re.compile(r"[a-z]+")
SIGN = re.compile(r"(?<![A-Za-z0-9])[A-Z0-9]{3,10}(?![a-z0-9])")
FREQUENCY = re.compile(r"(?<![\d.,])(\d{2,4})[.,](\d{1,2})(?!\d)")
MAX_WORDS = 24
MAX_PATH_WORDS = 16
MAX_CHARS = 400
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Address:
    """One address, taken apart.

    Attributes:
        host: Case-folded host name, or the numeric address.
        prefix: Labels before the registrable domain, like `live.s1`.
        label: The registrable domain's own label, like `bbc`.
        suffix: Public suffix, like `co.uk`; empty for numeric addresses.
        words: Words of path and query.
    """

    host: str
    prefix: str
    label: str
    suffix: str
    words: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether the host is an IP address."""
        return not self.suffix and (":" in self.host or _IPV4.fullmatch(self.host) is not None)

    @property
    def domain(self) -> str:
        """The registrable domain, or the bare host where there is none."""
        return f"{self.label}.{self.suffix}" if self.suffix else self.host


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one stream, none of it a claim of its country.

    Attributes:
        name: Case-folded, compatibility-normalised name.
        words: Its words.
        stream: The stream's own address.
        homepage: The station's website.
        tags: Further words: tags and genre.
        languages: Case-folded language names or codes, where somebody told them.
        signs: Runs of capitals and digits in name and path, as call signs are written.
    """

    name: str
    stream: Address | None = None
    homepage: Address | None = None
    words: tuple[str, ...] = field(default=())
    tags: tuple[str, ...] = field(default=())
    languages: tuple[str, ...] = field(default=())
    signs: tuple[str, ...] = field(default=())

    @property
    def group(self) -> str:
        """The domain that siblings share: the homepage's, else the stream's."""
        known = self.homepage or self.stream
        return known.domain if known else ""


def told(name: str, url: str, homepage: str = "", tags: str = "", languages: str = "") -> Told:
    """Take apart what is known of a stream; whatever cannot be read counts as not told."""
    clean = unicodedata.normalize("NFKC", name[:MAX_CHARS]).casefold()
    return Told(
        name=clean,
        stream=address(url),
        homepage=address(homepage),
        words=tuple(WORD.findall(clean)[:MAX_WORDS]),
        tags=tuple(WORD.findall(tags[:MAX_CHARS].casefold())[:MAX_WORDS]),
        languages=tuple(one.strip() for one in re.split(r"[,;/]", languages[:MAX_CHARS].casefold()) if one.strip()),
        signs=tuple(SIGN.findall(f"{name[:MAX_CHARS]} {url[:MAX_CHARS].partition('://')[2].partition('/')[2]}")),
    )


def address(url: str) -> Address | None:
    """Take an address apart; None when it names no host."""
    try:
        parts: SplitResult = urlsplit(url.strip())
        host = (parts.hostname or "").lower().strip(".")
        path = unquote(f"{parts.path}?{parts.query}").casefold()[:MAX_CHARS]
    except ValueError:
        return None
    if not host:
        return None
    prefix, label, suffix = _parts_of(host)
    return Address(host, prefix, label, suffix, tuple(WORD.findall(path)[:MAX_PATH_WORDS]))


def grams(word: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield the character n-grams of a word."""
    for length in range(shortest, longest + 1):
        for start in range(len(word) - length + 1):
            yield word[start : start + length]


@lru_cache(maxsize=200_000)
def _parts_of(host: str) -> tuple[str, str, str]:
    found = _extractor()(host)
    return found.subdomain, found.domain, found.suffix


@lru_cache(maxsize=1)
def _extractor():  # type: ignore[no-untyped-def]  # noqa: ANN202
    """The public suffix list that the package carries: nothing is fetched or cached on disk."""
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)
