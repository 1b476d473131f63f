"""How likely a listing is not what it says: an additive score with weights set by hand, not a trained model.

No labelled frauds exist to train on or to judge by, so nothing here is calibrated: a weight, and where a sign begins to
count and counts in full, are judgements (docs/decisions/0035-fraud.md). `bench/fraud.py` measures how often two of the
seven signs speak up among the rows of a real directory. Signs are taken for independent: 1 - score = product of
(1 - weight x strength).
"""

from dataclasses import dataclass

DOUBTFUL = 0.5

WEIGHTS = {
    "looped": 0.6,
    "shared_sound": 0.5,
    "many_countries": 0.6,
    "false_bitrate": 0.45,
    "tag_stuffing": 0.55,
    "click_burst": 0.6,
    "place_conflict": 0.35,
}
MANY_TAGS, STUFFED_TAGS = 12, 40
LONG_TAGS_CHARS, STUFFED_CHARS = 180, 500
COUNTRIES_FROM, COUNTRIES_FULL = 2, 5
SHARED_FULL = 4
BITRATE_FROM, BITRATE_FULL = 1.5, 4.0
BURST_CLICKS, BURST_FROM, BURST_FULL = 50, 4.0, 30.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a stream that may speak against it; the defaults say nothing.

    Attributes:
        loop_likeness: How far its sound repeats itself, 0 to 1 (`audio/loop.py`).
        shared_with: Stations of other countries that were heard to send the same at the same time.
        countries: Different countries that listings of this address claim.
        claimed_kbps: The listing's bitrate.
        measured_kbps: What came.
        tags: The listing's tags.
        clicks: Clicks of the last day.
        clicks_counted: Those that counted: one per address and day.
        claimed_country: ISO code.
        told_countries: What else tells a country: top-level domains, the network, the language.
    """

    loop_likeness: float = 0.0
    shared_with: int = 0
    countries: int = 1
    claimed_kbps: int | None = None
    measured_kbps: int | None = None
    tags: tuple[str, ...] = ()
    clicks: int = 0
    clicks_counted: int = 0
    claimed_country: str | None = None
    told_countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A score and why.

    Attributes:
        score: 0 to 1.
        reasons: The signs that raised it, the heaviest first.
    """

    score: float
    reasons: tuple[str, ...]


def suspect(signs: Signs) -> Suspicion:
    """Weigh the signs."""
    found = {
        "looped": (_ramp(signs.loop_likeness, 0.5, 0.8), "the same sound comes again and again"),
        "shared_sound": (
            _ramp(signs.shared_with, 0, SHARED_FULL),
            f"{signs.shared_with} stations of other countries send the same sound",
        ),
        "many_countries": (
            _ramp(signs.countries, COUNTRIES_FROM - 1, COUNTRIES_FULL),
            f"listed in {signs.countries} countries",
        ),
        "false_bitrate": (_bitrate(signs), f"claims {signs.claimed_kbps} kbit/s, sends {signs.measured_kbps}"),
        "tag_stuffing": (tag_stuffing(signs.tags), f"{len(signs.tags)} tags"),
        "click_burst": (_burst(signs), f"{signs.clicks} clicks of which {signs.clicks_counted} count"),
        "place_conflict": (_conflict(signs), f"claims {signs.claimed_country}, but {_told(signs)} is told"),
    }
    shares = {name: WEIGHTS[name] * strength for name, (strength, _) in found.items() if strength > 0}
    innocence = 1.0
    for share in shares.values():
        innocence *= 1 - share
    ordered = sorted(shares, key=lambda name: -shares[name])
    return Suspicion(round(1 - innocence, 4), tuple(found[name][1] for name in ordered))


def tag_stuffing(tags: tuple[str, ...]) -> float:
    """Measure how far tags are there to be found rather than to describe, 0 to 1: many, long, or repeated."""
    if not tags:
        return 0.0
    words = [word for tag in tags for word in tag.casefold().split()]
    repeated = 1 - len(set(words)) / len(words) if len(words) >= MANY_TAGS else 0.0
    return max(
        _ramp(len(tags), MANY_TAGS, STUFFED_TAGS),
        _ramp(sum(len(tag) for tag in tags), LONG_TAGS_CHARS, STUFFED_CHARS),
        _ramp(repeated, 0.4, 0.8),
    )


def _bitrate(signs: Signs) -> float:
    """Only a claim above what comes is a lie that pays."""
    if not signs.claimed_kbps or not signs.measured_kbps:
        return 0.0
    return _ramp(signs.claimed_kbps / signs.measured_kbps, BITRATE_FROM, BITRATE_FULL)


def _burst(signs: Signs) -> float:
    if signs.clicks < BURST_CLICKS:
        return 0.0
    return _ramp(signs.clicks / max(signs.clicks_counted, 1), BURST_FROM, BURST_FULL)


def _conflict(signs: Signs) -> float:
    """Two tellers that agree with each other against the claim; one alone may be a host abroad."""
    if signs.claimed_country is None or signs.claimed_country in signs.told_countries:
        return 0.0
    most = max((signs.told_countries.count(one) for one in set(signs.told_countries)), default=0)
    return _ramp(most, 1, 2)


def _told(signs: Signs) -> str:
    return max(set(signs.told_countries), key=signs.told_countries.count) if signs.told_countries else "another country"


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
