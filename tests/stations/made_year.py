"""Made traces of streams with known faults, and what the watching makes of them.

Every outage has a kind: a stream's own, its host's, its network's, its closing time (no fault), or a spell of coming
and going. Beside them one check in two hundred fails for no reason, as it does on a real line. The checks come when
production would make them; what they lead to is decided by production's own functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airledger.stations.alerts.gather import Bundle, Notice, gather, keys_of
from airledger.stations.cause import Cause
from airledger.stations.decide import decide
from airledger.stations.models import FAILING, PLAYING
from airledger.stations.proof import Proof
from airledger.stations.standing import Pace, Standing
from airledger.stations.watching.habit import NO_HABIT

HOUR_S, DAY_S = 3_600.0, 86_400.0
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
OWN, HOST, NETWORK, CLOSED, SPELL = "own", "host", "network", "closed", "spell"
NOISE = 0.005
FAULTS_PER_YEAR = {OWN: 6.0, HOST: 3.0, NETWORK: 0.5}
MEDIAN_S = {OWN: 3 * HOUR_S, HOST: 2 * HOUR_S, NETWORK: 1.5 * HOUR_S}
SIGMA = 1.1
SHARE_NIGHTLY, SHARE_WEEKLY, SHARE_SPELLS = 0.06, 0.02, 0.01
GOOD = Proof(level=4, is_healthy=True, sound_s=65.0)
BAD = Proof(level=0, is_healthy=False, cause=Cause.TIMEOUT)
GONE = Proof(level=0, is_healthy=False, cause=Cause.NOT_FOUND, permanent=True)
PLANNER_S = 60.0


class Outage(NamedTuple):
    """When a stream cannot be heard, and why."""

    begins_s: float
    ends_s: float
    kind: str


class Down(NamedTuple):
    """When the watching held a stream to be failing, and whether it knew it to be flapping then."""

    begins_s: float
    ends_s: float
    is_flapping: bool


@dataclass
class Made:
    """One stream: where it is, when it is off, and what the watching found."""

    id: int
    host: str
    network: str
    outages: list[Outage]
    downs: list[Down] = field(default_factory=list)
    flapping: list[tuple[float, float]] = field(default_factory=list)
    checks: int = 0


@dataclass
class Score:
    """Right and wrong, counted."""

    faults: int = 0
    found: int = 0
    alerts: int = 0
    right: int = 0
    late_s: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / max(self.faults, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.alerts, 1)


def make_streams(count: int, days: float, seed: int, first_id: int = 1) -> list[Made]:
    """Make streams on hosts of very different size, a third as many hosts as streams."""
    chance = np.random.default_rng(seed)
    span_s = days * DAY_S
    hosts = np.minimum(chance.zipf(1.6, count), max(count // 3, 1))
    of_host = {int(one): _faults(chance, HOST, span_s) for one in np.unique(hosts)}
    of_network = {one: _faults(chance, NETWORK, span_s) for one in range(max(count // 12, 1))}
    made = []
    for number in range(count):
        # The largest hosts of the draw are few and crowded; the rest get hosts of their own.
        host = int(hosts[number]) if hosts[number] < count // 30 else 10_000_000 + number // 2
        if host not in of_host:
            of_host[host] = _faults(chance, HOST, span_s)
        network = host % len(of_network)
        outages = [*_faults(chance, OWN, span_s), *of_host[host], *of_network[network], *_closing(chance, span_s)]
        if chance.random() < SHARE_SPELLS:
            outages += _spell(chance, span_s)
        made.append(Made(first_id + number, f"h{host}", f"n{network}", sorted(outages)))
    return made


def watch(stream: Made, days: float, seed: int, pace: Pace | None = None) -> None:
    """Let a stream be checked for its whole time, as production would."""
    begins, ends = _merged(stream.outages)
    noise = np.random.default_rng((seed, stream.id)).random(4_096) < NOISE
    bad = GONE if stream.id % 3 == 0 else BAD
    base_s, end_s, pace = BEGIN.timestamp(), days * DAY_S, pace or Pace()
    standing, habit = Standing(), NO_HABIT
    at_s, before_s, place, checks = 0.0, 0.0, 0, 0
    down_s = flapping_s = -1.0
    while at_s < end_s:
        while ends[place] <= at_s:
            place += 1
        is_up = at_s < begins[place] and not noise[checks & 4_095]
        checks += 1
        was = standing
        # Noise is a time-out, whatever the outages of this stream look like.
        proof = GOOD if is_up else bad if at_s >= begins[place] else BAD
        standing, habit, pause_s = decide(
            was, habit, proof, elapsed_s=at_s - before_s, clock_s=base_s + at_s, pace=pace, stream_id=stream.id
        )
        if standing.state != was.state:
            if standing.state == FAILING:
                down_s = at_s
            elif was.state == FAILING and standing.state == PLAYING:
                stream.downs.append(Down(down_s, at_s, standing.is_flapping))
                down_s = -1.0
        if standing.is_flapping != was.is_flapping:
            if standing.is_flapping:
                flapping_s = at_s
            else:
                stream.flapping.append((flapping_s, at_s))
        before_s, at_s = at_s, at_s + pause_s
    if down_s >= 0:
        stream.downs.append(Down(down_s, end_s, standing.is_flapping))
    stream.checks = checks


def scored(streams: Sequence[Made], days: float, since_day: float = 1.0) -> Score:
    """Compare what was held to be failing with what was off.

    A fault is found when an alert opens while it lasts; an alert is right when the stream was off when it opened, and
    not because it was closed. Closing times are no faults, spells of coming and going are judged by their own kind,
    and what touches the end of the trace or begins before `since_day` is left out.
    """
    score, end_s = Score(), days * DAY_S
    for stream in streams:
        real = _joined([one for one in stream.outages if one.kind not in {CLOSED, SPELL}])
        spells = _joined([one for one in stream.outages if one.kind == SPELL], gap_s=3 * HOUR_S)
        for begins_s, ends_s in real:
            if ends_s - begins_s <= HOUR_S or begins_s < since_day * DAY_S or ends_s > end_s:
                continue
            score.faults += 1
            hits = [down for down in stream.downs if down.begins_s < ends_s and down.ends_s > begins_s]
            score.found += bool(hits)
            if hits:
                score.late_s.append(max(hits[0].begins_s - begins_s, 0.0))
        for down in stream.downs:
            is_spell = any(begins_s <= down.begins_s <= ends_s for begins_s, ends_s in spells)
            if is_spell or (since_day > 1 and down.begins_s < since_day * DAY_S):
                continue
            score.alerts += 1
            score.right += any(begins_s <= down.begins_s < ends_s for begins_s, ends_s in real)
    return score


def tell(streams: Sequence[Made], days: float) -> list[tuple[datetime, Bundle]]:
    """Have one channel told of everything, as production plans its messages; return when it was told what."""
    flips, over_at = _flips(streams)
    flapping = {stream.id: stream.flapping for stream in streams}
    watched = len({stream.host for stream in streams})
    told: dict[str, datetime] = {}
    waiting: dict[int, Notice] = {}
    messages: list[tuple[datetime, Bundle]] = []
    coming = iter(flips)
    following = next(coming, None)
    for step in range(int((days * DAY_S + 2 * HOUR_S) / PLANNER_S)):
        at_s = step * PLANNER_S
        while following is not None and following[0] <= at_s:
            waiting[following[1].id] = following[1]
            following = next(coming, None)
        if not waiting:
            continue
        given = [
            one._replace(
                is_over=over_at[one.alert_id] <= at_s,
                is_flapping=any(begins <= at_s < ends for begins, ends in flapping[one.stream_id]),
            )
            for one in waiting.values()
        ]
        found = gather(given, told, _moment(at_s), watched_hosts=watched)
        for bundle in found.bundles:
            told.update(dict.fromkeys(keys_of(bundle.scope, bundle.notices), _moment(at_s)))
            messages.append((_moment(at_s), bundle))
        for number in (*found.dropped, *(one.id for bundle in found.bundles for one in bundle.notices)):
            del waiting[number]
    return messages


def _flips(streams: Sequence[Made]) -> tuple[list[tuple[float, Notice]], dict[int, float]]:
    """Every beginning and end of a stream's being down, in order, and when each was over."""
    flips: list[tuple[float, Notice]] = []
    over_at: dict[int, float] = {}
    for stream in streams:
        for down in stream.downs:
            alert_id = len(over_at)
            over_at[alert_id] = down.ends_s
            opened = _moment(down.begins_s)
            for place, (what, at_s) in enumerate((("opened", down.begins_s), ("closed", down.ends_s))):
                notice = Notice(
                    id=2 * alert_id + place,
                    alert_id=alert_id,
                    kind="down",
                    what=what,
                    at=_moment(at_s),
                    opened_at=opened,
                    stream_id=stream.id,
                    host=stream.host,
                    network=stream.network,
                )
                flips.append((at_s, notice))
    return sorted(flips, key=lambda flip: (flip[0], flip[1].id)), over_at


def _moment(at_s: float) -> datetime:
    return BEGIN + timedelta(seconds=at_s)


def _faults(chance: np.random.Generator, kind: str, span_s: float) -> list[Outage]:
    count = chance.poisson(FAULTS_PER_YEAR[kind] * span_s / (365 * DAY_S))
    begins = chance.uniform(0, span_s, count)
    lengths = np.exp(chance.normal(np.log(MEDIAN_S[kind]), SIGMA, count))
    return [Outage(float(start), float(start + length), kind) for start, length in zip(begins, lengths, strict=True)]


def _closing(chance: np.random.Generator, span_s: float) -> list[Outage]:
    """Nights, or a day of each week; by a clock that goes forward and back with the seasons."""
    draw = chance.random()
    if draw >= SHARE_NIGHTLY + SHARE_WEEKLY:
        return []
    every_s = DAY_S if draw < SHARE_NIGHTLY else 7 * DAY_S
    length_s = chance.uniform(4, 9) * HOUR_S if every_s == DAY_S else chance.uniform(10, 30) * HOUR_S
    start_s = chance.uniform(0, every_s)
    has_summer = chance.random() < 0.5
    found = []
    for turn in range(-1, int(span_s // every_s) + 1):
        day = (turn * every_s + start_s) / DAY_S
        shift_s = -HOUR_S if has_summer and 82 <= day < 293 else 0.0
        begins_s = turn * every_s + start_s + shift_s + chance.normal(0, 300)
        found.append(Outage(begins_s, begins_s + length_s + chance.normal(0, 300), CLOSED))
    return [one for one in found if one.ends_s > 0]


def _spell(chance: np.random.Generator, span_s: float) -> list[Outage]:
    """A day or two of coming and going."""
    at_s = chance.uniform(0, span_s)
    until_s = at_s + chance.uniform(1, 2) * DAY_S
    found = []
    while at_s < until_s:
        ends_s = at_s + chance.uniform(10, 50) * 60
        found.append(Outage(at_s, ends_s, SPELL))
        at_s = ends_s + chance.uniform(10, 50) * 60
    return found


def _merged(outages: Sequence[Outage]) -> tuple[list[float], list[float]]:
    """When a stream is off at all, in order, with an end that is never reached."""
    joined = _joined(outages)
    never = float("inf")
    return [*(one[0] for one in joined), never], [*(one[1] for one in joined), never]


def _joined(outages: Sequence[Outage], gap_s: float = 0.0) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for one in sorted(outages):
        if joined and one.begins_s <= joined[-1][1] + gap_s:
            joined[-1] = joined[-1][0], max(joined[-1][1], one.ends_s)
        else:
            joined.append((one.begins_s, one.ends_s))
    return joined


def gaps_s(messages: Sequence[tuple[datetime, Bundle]]) -> NDArray[np.float64]:
    """Return the seconds between each two messages that tell of the same host."""
    last: dict[str, datetime] = {}
    gaps = []
    for moment, bundle in messages:
        for host in {one.host for one in bundle.notices}:
            if host in last:
                gaps.append((moment - last[host]).total_seconds())
            last[host] = moment
    return np.array(gaps)
