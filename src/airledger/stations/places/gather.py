"""What is known of a stream, to votes: each source of evidence speaks for itself. Values in, values out."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airledger.learning.where_gazetteer import Gazetteer, gazetteer, plainly
from airledger.learning.where_marks import WORLDS_TLDS, languages, tld_country
from airledger.learning.where_told import WORD, Told, told
from airledger.platform.geo.lookup import IpPlace
from airledger.stations.locate import CITY_RADIUS_KM, SOURCE_RADIUS_KM, city_point, nearest_country
from airledger.stations.places import fuse
from airledger.stations.places.fuse import Vote
from airledger.stations.places.trust import Trust

OWN_LISTING = "place"  # what we ourselves filled in: no evidence
STREAM_LISTING = "stream"  # what a stream says of itself in its headers
PLACE_SHARE = 0.8
PLACE_PEOPLE = 100_000
STATE_RADIUS_KM = 250
IP_RADIUS_KM = 50
# Firms whose addresses tell where a machine stands, not a station.
_HOSTING = re.compile(
    r"host|cloud|server|vps|data ?cent|colo|cdn|akamai|fastly|amazon|aws|google|microsoft|azure|oracle|ovh|hetzner|"
    r"digitalocean|linode|vultr|choopa|contabo|leaseweb|scaleway|online s\.?a\.?s|gtt|m247|zenlayer|limelight|"
    r"edgecast|stackpath|softlayer|rackspace|ionos|strato|netcup|myloc|alibaba|tencent|psychz|quadranet|worldstream",
    re.IGNORECASE,
)
Shares = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a stream.

    Attributes:
        claims: By directory, what it claims; what the stream's own headers say is under `stream`.
        server_address: The numeric address that answered, or that the URL names.
        siblings: Country → streams of the same domain that people placed there.
    """

    url: str
    host: str
    name: str = ""
    website: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    server_address: str = ""
    siblings: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """SHA-256 of everything: the same evidence needs no second look."""
        fields = [self.url, self.name, self.website, self.tags, self.language, self.server_address]
        told_by = {name: claim for name, claim in self.claims.items() if name != OWN_LISTING}
        text = json.dumps([fields, told_by, self.siblings], sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def told(self) -> Told:
        """What the text model reads."""
        return told(self.name, self.url, self.website, " ".join(self.tags), self.language)


def votes_of(
    evidence: Evidence,
    shares: Shares,
    look_up: Callable[[str], IpPlace],
    trust: Trust,
    *,
    places: Gazetteer | None = None,
) -> list[Vote]:
    """Let every method vote.

    Args:
        evidence: What is known.
        shares: The text model's candidates, the likeliest first; empty without a model.
        look_up: Asks the databases of addresses.
        trust: How far each method is believed on this host.
        places: Names of places.
    """
    parts, names = evidence.told, places or gazetteer()
    found = [
        *_claimed(evidence, trust),
        _sibling(evidence),
        _text(evidence, shares, trust),
        _tld(fuse.HOMEPAGE_TLD, parts.homepage, evidence, trust),
        _tld(fuse.STREAM_TLD, parts.stream, evidence, trust),
        _named(evidence, parts, shares, names, trust),
        _language(evidence, trust),
        _server(evidence, look_up, trust),
    ]
    return [vote for vote in found if vote is not None]


def is_hosting(network_name: str | None) -> bool:
    """Tell whether a network is a hosting firm's or a content network's, by its name."""
    return network_name is not None and _HOSTING.search(network_name) is not None


def _claimed(evidence: Evidence, trust: Trust) -> list[Vote]:
    """What directories claim: of several that fill a field the first by name, each method once."""
    votes: dict[str, Vote] = {}
    for source, claims in sorted(evidence.claims.items()):
        if source == OWN_LISTING:
            continue
        for vote in _of_claims(source, claims, evidence, trust):
            votes.setdefault(vote.method, vote)
    return list(votes.values())


def _of_claims(source: str, claims: Mapping[str, Any], evidence: Evidence, trust: Trust) -> list[Vote]:
    country, latitude, longitude = (claims.get(name) for name in ("country_code", "latitude", "longitude"))
    is_own = source == STREAM_LISTING
    said = {"source": source}
    votes = []
    if latitude is not None and longitude is not None:
        method = fuse.ICY if is_own else fuse.SOURCE_POSITION
        point_country = country or nearest_country(float(latitude), float(longitude))
        votes.append(
            Vote(
                method,
                point_country,
                trust.of(method, evidence.host),
                float(latitude),
                float(longitude),
                SOURCE_RADIUS_KM,
                said,
            )
        )
    elif is_own and country:
        votes.append(Vote(fuse.ICY, country, trust.of(fuse.ICY, evidence.host), evidence=said))
    if country and not is_own:
        votes.append(Vote(fuse.SOURCE_COUNTRY, country, trust.of(fuse.SOURCE_COUNTRY, evidence.host), evidence=said))
    for method, name, radius_km in (
        (fuse.CITY, claims.get("city"), CITY_RADIUS_KM),
        (fuse.STATE, claims.get("state"), STATE_RADIUS_KM),
    ):
        point = city_point(country, str(name)) if country and name else None
        if point is not None:
            told_name = said | {"city" if method == fuse.CITY else "state": str(name)}
            votes.append(Vote(method, country, trust.of(method, evidence.host), *point, radius_km, told_name))
    return votes


def _sibling(evidence: Evidence) -> Vote | None:
    if not evidence.siblings:
        return None
    best = max(evidence.siblings, key=lambda code: (evidence.siblings[code], code))
    total = sum(evidence.siblings.values())
    # Laplace's rule of succession, with one imagined stream for and one against.
    sure = (evidence.siblings[best] + 1) / (total + 2)
    return Vote(fuse.SIBLING, best, sure, evidence={"placed_by_people": dict(evidence.siblings)})


def _text(evidence: Evidence, shares: Shares, trust: Trust) -> Vote | None:
    if not shares:
        return None
    believed = trust.scale(fuse.TEXT, evidence.host)
    held = {code: share * believed for code, share in shares}
    best = shares[0][0]
    return Vote(
        fuse.TEXT,
        best,
        held[best],
        evidence={"candidates": {code: round(share, 4) for code, share in shares[:5]}},
        shares=held,
    )


def _tld(method: str, address: Any, evidence: Evidence, trust: Trust) -> Vote | None:
    code = tld_country(address)
    if not code or code in WORLDS_TLDS or code not in languages():
        return None
    return Vote(method, code, trust.of(method, evidence.host), evidence={"domain": address.domain})


def _named(evidence: Evidence, parts: Told, shares: Shares, names: Gazetteer, trust: Trust) -> Vote | None:
    """A place's name in the stream's name: believed as a point where the country is likely for other reasons too."""
    likely = shares[0][0] if shares else None
    for hit in sorted(names.in_words(parts.words), key=lambda hit: -hit.chars):
        code = max(hit.share, key=lambda one: hit.share[one])
        if hit.share[code] < PLACE_SHARE or hit.people[code] < PLACE_PEOPLE or (likely and code != likely):
            continue
        point = city_point(code, hit.name)
        if point is not None:
            about = {"city": hit.name.title(), "share_of_its_people": round(hit.share[code], 3)}
            return Vote(fuse.PLACE_NAME, code, trust.of(fuse.PLACE_NAME, evidence.host), *point, CITY_RADIUS_KM, about)
    return None


def _language(evidence: Evidence, trust: Trust) -> Vote | None:
    """A language spoken in one country only."""
    words = [plainly(word) for word in WORD.findall(evidence.language) if len(word) in {2, 3}]
    for word in words:
        spoken = [code for code, found in languages().items() if found and found[0] == word]
        if len(spoken) == 1:
            method = fuse.LANGUAGE
            return Vote(method, spoken[0], trust.of(method, evidence.host), evidence={"language": word})
    return None


def _server(evidence: Evidence, look_up: Callable[[str], IpPlace], trust: Trust) -> Vote | None:
    if not evidence.server_address:
        return None
    found = look_up(evidence.server_address)
    if found.country_code is None:
        return None
    hosting = is_hosting(found.network_name)
    about = {"ip": evidence.server_address, "network": found.network_name, "is_hosting": hosting}
    about |= {"city": found.city, "attribution": found.attribution} if found.attribution else {}
    has_point = found.latitude is not None and found.network_name is not None and not hosting
    return Vote(
        fuse.SERVER,
        found.country_code,
        0.0 if hosting else trust.of(fuse.SERVER, evidence.host),
        found.latitude if has_point else None,
        found.longitude if has_point else None,
        IP_RADIUS_KM if has_point else None,
        about,
        may_place=has_point,  # without a database of networks nobody can tell that it is no hosting firm's
    )
