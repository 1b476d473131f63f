"""Votes to one answer. Pure: values in, values out.

Votes on the country are joined as independent evidence (a product of odds, as in naive Bayes). A method whose evidence
the text model has read already, like the homepage's domain, is kept for people to see and not counted a second time.
The point is the most precise one among votes for the country that won; a hosting firm's address never gives one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MODERATOR, SIBLING, TEXT = "moderator", "sibling", "text_model"
SOURCE_POSITION, SOURCE_COUNTRY, CITY, STATE, ICY = "source_position", "source_country", "city", "state", "icy_headers"
HOMEPAGE_TLD, STREAM_TLD, PLACE_NAME, LANGUAGE = "homepage_cctld", "stream_cctld", "place_name", "language"
SERVER = "server_ip"
METHODS = (
    MODERATOR,
    SIBLING,
    SOURCE_POSITION,
    ICY,
    CITY,
    STATE,
    SOURCE_COUNTRY,
    TEXT,
    HOMEPAGE_TLD,
    STREAM_TLD,
    PLACE_NAME,
    LANGUAGE,
    SERVER,
)
READ_BY_TEXT_MODEL = frozenset({HOMEPAGE_TLD, STREAM_TLD, PLACE_NAME, LANGUAGE})
# Claims of one directory entry are one witness, however many fields they fill: only the strongest counts.
ONE_WITNESS = frozenset({SOURCE_POSITION, SOURCE_COUNTRY, CITY, STATE})
ALTERNATIVES = 20.0  # countries that a wrong vote might as well have named
LEAST_SHARE = 0.005
COUNTRIES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Vote:
    """What one method says.

    Attributes:
        country_code: None where it tells of no country.
        radius_km: How far off the point may be.
        confidence: Probability that the country is right.
        evidence: What it rests on, for people.
        shares: The text model's probabilities of all its candidates; empty for every other method.
        may_place: Whether its point may be the answer's: not for hosting firms' addresses.
    """

    method: str
    country_code: str | None
    confidence: float
    latitude: float | None = None
    longitude: float | None = None
    radius_km: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    may_place: bool = True

    @property
    def has_point(self) -> bool:
        """Whether it names a point that may be shown."""
        return self.may_place and self.latitude is not None and self.longitude is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a stream is.

    Attributes:
        candidates: Countries and probabilities, the likeliest first.
        method: Of the vote that gives the point; `country` where it is the middle of a country.
        confidence: That the point is right within its radius.
        city: Name of the place, where one was told.
    """

    country_code: str
    probability: float
    candidates: tuple[tuple[str, float], ...]
    latitude: float
    longitude: float
    radius_km: int
    method: str
    confidence: float
    city: str | None = None


@dataclass(frozen=True, slots=True)
class Middle:
    """The middle of a country, and how far its borders are."""

    latitude: float
    longitude: float
    radius_km: int


def fuse(votes: Sequence[Vote], middles: Mapping[str, Middle]) -> Answer | None:
    """Join votes into one answer.

    Args:
        votes: At most one of each method.
        middles: Of countries, for answers that know no more than the country.

    Returns:
        None where nobody names a country.
    """
    told = next((vote for vote in votes if vote.method == MODERATOR and vote.country_code), None)
    if told is not None:
        shares: dict[str, float] = {str(told.country_code): 1.0}
    else:
        shares = _shares(_counted(votes))
    if not shares:
        return None
    order = sorted(shares, key=lambda code: (-shares[code], code))
    best = order[0]
    point = _point([told] if told is not None and told.has_point else votes, best)
    candidates = tuple((code, round(shares[code], 4)) for code in order[:COUNTRIES_SHOWN])
    if point is None:
        middle = middles.get(best)
        if middle is None:
            return None
        return Answer(
            best,
            shares[best],
            candidates,
            middle.latitude,
            middle.longitude,
            middle.radius_km,
            MODERATOR if told else "country",
            shares[best],
        )
    return Answer(
        best,
        shares[best],
        candidates,
        float(point.latitude or 0.0),
        float(point.longitude or 0.0),
        point.radius_km or 0,
        point.method,
        shares[best] * point.confidence if told is None else 1.0,
        str(point.evidence["city"]) if point.evidence.get("city") else None,
    )


def _counted(votes: Sequence[Vote]) -> list[Vote]:
    has_text = any(vote.method == TEXT for vote in votes)
    known = [vote for vote in votes if vote.country_code and vote.confidence > 0]
    if has_text:
        known = [vote for vote in known if vote.method not in READ_BY_TEXT_MODEL]
    claims = [vote for vote in known if vote.method in ONE_WITNESS]
    rest = [vote for vote in known if vote.method not in ONE_WITNESS]
    return rest + sorted(claims, key=lambda vote: -vote.confidence)[:1]


def _shares(votes: Sequence[Vote]) -> dict[str, float]:
    """Multiply what each vote gives each country; what no vote names shares the rest."""
    named = {str(vote.country_code) for vote in votes} | {code for vote in votes for code in vote.shares}
    if not named:
        return {}
    scores = {code: sum(math.log(_given(vote, code)) for vote in votes) for code in named}
    elsewhere = sum(math.log(_given(vote, "")) for vote in votes)
    top = max([*scores.values(), elsewhere])
    total = sum(math.exp(score - top) for score in scores.values()) + math.exp(elsewhere - top)
    shares = {code: math.exp(score - top) / total for code, score in scores.items()}
    best = max(shares.values())
    return {code: share for code, share in shares.items() if share >= LEAST_SHARE or share == best}


def _given(vote: Vote, code: str) -> float:
    """How likely this vote would be, were the stream in a country."""
    sure = min(max(vote.confidence, 0.01), 0.999)
    if vote.shares:
        rest = max(1.0 - sum(vote.shares.values()), 0.0)
        return max(vote.shares.get(code, rest / ALTERNATIVES), 0.001)
    return sure if code == vote.country_code else (1.0 - sure) / ALTERNATIVES


def _point(votes: Sequence[Vote], country: str) -> Vote | None:
    near = [vote for vote in votes if vote.has_point and vote.country_code == country]
    return min(near, key=lambda vote: (vote.radius_km or 0, -vote.confidence, vote.method), default=None)
