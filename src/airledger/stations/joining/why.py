"""Are two streams one station's? A pure judgement over what is known of both, with its reason in words and numbers."""

from dataclasses import dataclass, field
from typing import Any

from airledger.stations.joining.clues import ADDRESS, HOME, HOME_NAME, SERVER_NAME, TARGET, Clues

SAME_SOUND, SAME_ADDRESS, SAME_TARGET, SAME_HOME, SAME_SERVER, BY_HAND = (
    "same_sound", "same_address", "same_target", "same_homepage_and_name", "same_server_and_name", "by_hand",
)  # fmt: skip
REASONS = (SAME_SOUND, SAME_ADDRESS, SAME_TARGET, SAME_HOME, SAME_SERVER, BY_HAND)

HEARD_SAME, HEARD_RELATED, HEARD_DIFFERENT = "same", "related", "different"

LEAST_SOUND = 0.98
SHARED_TARGET = 6
"""A target that streams of more names lead to is a notice (`off air`, `blocked`) or a load balancer, not a station."""
OWN_HOME = 20
HOSTED = 200
"""A homepage or server of more names than this is a hosting company's: it says nothing about who broadcasts."""
SHARED_SERVER = 60
_WORDS_OF_A_NAME = 2


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream that bears on whose it is."""

    stream_id: int
    station_id: int
    name: str | None
    country_code: str | None
    type: str | None
    clues: Clues


@dataclass(frozen=True, slots=True)
class Heard:
    """What listening has told of two streams.

    Attributes:
        verdict: `same`, `related` or `different`.
        probability: That they carry the same programme.
        looks: How many looks that rests on.
        delay_s: How much later the second is.
    """

    verdict: str
    probability: float
    looks: int
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two streams are one station's; `evidence` explains it to a person."""

    kind: str
    confidence: float
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Carried:
    """By how many different names clues are carried in the whole catalogue."""

    names: dict[tuple[str, str], int] = field(default_factory=dict)

    def by(self, kind: str, clue: str | None) -> int:
        """Return the number of names; 1 for what nobody counted."""
        return self.names.get((kind, clue or ""), 1)


def why_one(one: StreamFacts, other: StreamFacts, carried: Carried, heard: Heard | None = None) -> Reason | None:
    """Say why two streams are one station's, or None.

    The ear decides where it has heard enough: the same sound joins, whatever directories claim; different sound keeps
    apart all but two spellings of one address. Without it, countries or kinds (radio, TV) that contradict each other
    keep apart, and homepages, servers and targets count the less the more names share them.

    Args:
        one: A stream.
        other: Another.
        carried: How common their clues are.
        heard: What listening told of the two, if it has.
    """
    if heard is not None and heard.verdict == HEARD_SAME and heard.probability >= LEAST_SOUND:
        return Reason(
            SAME_SOUND,
            heard.probability,
            {"looks": heard.looks, "delay_s": heard.delay_s, "names": [one.name, other.name]},
        )
    if one.clues.by_kind[ADDRESS] == other.clues.by_kind[ADDRESS]:
        return Reason(SAME_ADDRESS, 0.99, {"address": one.clues.by_kind[ADDRESS]})
    if _contradicts(one, other) or (heard is not None and heard.verdict != HEARD_SAME):
        return None
    return _same_target(one, other, carried) or _same_home(one, other, carried) or _same_server(one, other, carried)


def _contradicts(one: StreamFacts, other: StreamFacts) -> bool:
    countries = {one.country_code, other.country_code} - {None, ""}
    kinds = {one.type, other.type} & {"radio", "tv"}
    return len(countries) > 1 or len(kinds) > 1


def _same_target(one: StreamFacts, other: StreamFacts, carried: Carried) -> Reason | None:
    ours, theirs = one.clues.by_kind, other.clues.by_kind
    led = {ours.get(TARGET), ours[ADDRESS]} & {theirs.get(TARGET), theirs[ADDRESS]} - {None}
    for target in sorted(clue for clue in led if clue):
        names = max(carried.by(TARGET, target), carried.by(ADDRESS, target))
        if names <= SHARED_TARGET:
            return Reason(SAME_TARGET, 0.97 if names <= _WORDS_OF_A_NAME else 0.93, {"target": target, "names": names})
    return None


def _same_home(one: StreamFacts, other: StreamFacts, carried: Carried) -> Reason | None:
    clue = one.clues.by_kind.get(HOME_NAME)
    if clue is None or clue != other.clues.by_kind.get(HOME_NAME):
        return None
    home = one.clues.by_kind[HOME]
    names = carried.by(HOME, home)
    if names > HOSTED or (names > OWN_HOME and " " not in one.clues.name_key):
        return None
    confidence = 0.97 if names <= OWN_HOME else 0.93
    return Reason(SAME_HOME, confidence, {"homepage": home, "name": one.name, "names_of_homepage": names})


def _same_server(one: StreamFacts, other: StreamFacts, carried: Carried) -> Reason | None:
    clue = one.clues.by_kind.get(SERVER_NAME)
    if clue is None or clue != other.clues.by_kind.get(SERVER_NAME):
        return None
    server = clue.partition(" ")[0]
    names = carried.by("server", server)
    if names > HOSTED or (names > SHARED_SERVER and " " not in one.clues.name_key):
        return None
    confidence = 0.96 if names <= OWN_HOME else 0.92
    return Reason(SAME_SERVER, confidence, {"server": server, "name": one.name, "names_of_server": names})
