"""Do two names mean the same recording? By ISRC first, by title and artist else."""

import re
import unicodedata
from collections.abc import Collection

from airledger.repertoire.describe import normal_isrc

# What release notes add to a title without making another song of it. "Live", "remix" and "instrumental" do.
_EXTRA = re.compile(
    r"[(\[][^)\]]*\b(?:feat|ft|featuring|with|remaster(?:ed)?|radio edit|album version|single version|explicit|"
    r"original mix|mono|stereo|bonus track|official)\b[^)\]]*[)\]]"
    r"|\s[-–]\s.*\b(?:remaster(?:ed)?|radio edit|album version|single version|mono|stereo)\b.*$"
    r"|\b(?:feat|ft|featuring)\b.*$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"\s*(?:,|;|/|&|\+|\bfeat\b\.?|\bft\b\.?|\bfeaturing\b|\band\b|\bund\b|\by\b|\bet\b|\bx\b)\s*", re.IGNORECASE
)
_SIGNS = re.compile(r"[\W_]+")


def normal_title(text: str) -> str:
    """Return a title without case, accents, punctuation and what release notes add."""
    return _plain(_EXTRA.sub(" ", text)) or _plain(text)


def normal_artists(*names: str) -> frozenset[str]:
    """Return the performers named in one or several lines, each without case, accents and a leading article."""
    found = (_plain(part).removeprefix("the ") for name in names for part in _JOINT.split(name))
    return frozenset(one for one in found if one)


def is_same(ours: tuple[str, str, str | None], titles: str, artists: Collection[str], isrcs: Collection[str]) -> bool:
    """Tell whether our recording and an outside match mean the same.

    Args:
        ours: Title, artist, ISRC.
        titles: The match's title.
        artists: Its performers.
        isrcs: All ISRCs that the match bears.

    Returns:
        True when an ISRC is shared, or when the titles agree and a performer is shared. Different ISRCs alone are no
        disagreement: the same master is re-issued under new ones.
    """
    title, artist, isrc = ours
    normal = {normal_isrc(one) for one in isrcs} - {None}
    if isrc is not None and normal_isrc(isrc) in normal:
        return True
    if not normal_title(title) or normal_title(title) != normal_title(titles):
        return False
    return bool(normal_artists(artist) & normal_artists(*artists))


def _plain(text: str) -> str:
    """Fold case and accents and leave words only; a script without Latin letters stays as it is."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return _SIGNS.sub(" ", kept).strip()
