"""What is told now, in one message or several: grouping, the hour between two tellings, flapping. Pure.

A notice waits five minutes, because what breaks seldom breaks alone: a host's other streams are looked at meanwhile
(`raise_alerts.py`), and then one message tells of all. After that nobody hears of the same stream, or of anything on
the same host or network, for an hour; what happens meanwhile is told together when the hour is over. A fault that is
over before it was told is not told at all; a recovery is only told to those who heard of the fault.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from airledger.stations.alerts.models import CLOSED, OPENED, STILL

GROUP_WAIT = timedelta(minutes=5)
HOUR = timedelta(hours=1)
FLAPPING_WAIT = timedelta(hours=1)
HOST_FROM = 2  # streams
NETWORK_FROM = 3  # hosts
EVERYTHING_FROM = 20  # hosts
EVERYTHING_SHARE = 0.3  # of the hosts that are watched
STREAM, HOST, NETWORK, EVERYTHING, SUMMARY = "stream", "host", "network", "everything", "summary"
DOWN = "down"


class Notice(NamedTuple):
    """That an alert began or ended, for one channel.

    Attributes:
        is_over: The alert has ended by now.
        is_flapping: Its stream comes and goes.
    """

    id: int
    alert_id: int
    kind: str
    what: str
    at: datetime
    opened_at: datetime
    stream_id: int
    host: str
    network: str | None
    is_over: bool = False
    is_flapping: bool = False


@dataclass(frozen=True)
class Bundle:
    """What goes into one message.

    Attributes:
        scope: stream, host, network, everything, or summary (of quiet hours).
        key: Which of them.
        notices: In order of time.
    """

    scope: str
    key: str
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Gathered:
    """What is told now, and what never will be."""

    bundles: tuple[Bundle, ...] = ()
    dropped: tuple[int, ...] = ()


def gather(
    waiting: Sequence[Notice],
    told: Mapping[str, datetime],
    now: datetime,
    *,
    watched_hosts: int = 0,
    quiet_ended: datetime | None = None,
) -> Gathered:
    """Decide what one channel is told.

    Args:
        waiting: Its notices that are in no message yet.
        told: When it was last told of a stream, host or network: by `keys_of`.
        now: The present, outside its quiet hours.
        watched_hosts: How many hosts are watched; where many of them fail at once, it is probably our own line.
        quiet_ended: When its last quiet hours ended: what is older was held and is summed up, whatever became of it.
    """
    if quiet_ended is not None and any(one.at < quiet_ended for one in waiting):
        return Gathered((Bundle(SUMMARY, SUMMARY, _in_order(waiting)),))
    dropped = _never_told(waiting)
    ready = [one for one in waiting if one.id not in dropped and not _is_flapping_down(one, now)]
    ready = [one for one in ready if not _was_told(one, told, now)]
    bundles = [one for one in _bundled(ready, watched_hosts) if now - one.notices[0].at >= GROUP_WAIT]
    return Gathered(tuple(bundles), tuple(sorted(dropped)))


def keys_of(scope: str, notices: Sequence[Notice]) -> set[str]:
    """Return what a message tells of, as `told` names it: its streams and hosts, and the whole where it is one."""
    keys = {f"{STREAM}:{one.stream_id}" for one in notices} | {f"{HOST}:{one.host}" for one in notices}
    if scope in (NETWORK, EVERYTHING):
        keys |= {f"{NETWORK}:{one.network}" for one in notices if one.network}
    if scope == EVERYTHING:
        keys.add(EVERYTHING)
    return keys


def _never_told(waiting: Sequence[Notice]) -> set[int]:
    """Faults that are over before anybody heard of them, with their ends."""
    unheard = {one.alert_id for one in waiting if one.what == OPENED and one.is_over}
    late = {one.id for one in waiting if one.what.startswith(STILL) and one.is_over}  # no reminder of what is over
    return late | {one.id for one in waiting if one.alert_id in unheard}


def _is_flapping_down(one: Notice, now: datetime) -> bool:
    """A stream that comes and goes is told of as flapping; its being down only when it stays."""
    return one.is_flapping and one.kind == DOWN and one.what == OPENED and now - one.opened_at < FLAPPING_WAIT


def _bundled(ready: Sequence[Notice], watched_hosts: int) -> list[Bundle]:
    hosts = {one.host for one in ready if one.what == OPENED}
    if len(hosts) >= max(EVERYTHING_FROM, EVERYTHING_SHARE * watched_hosts):
        return [Bundle(EVERYTHING, EVERYTHING, _in_order(ready))]
    crowded = _crowded_networks(ready)
    groups: dict[tuple[str, str], list[Notice]] = defaultdict(list)
    streams = Counter(one.host for one in {(one.host, one.stream_id): one for one in ready}.values())
    for one in ready:
        if one.network in crowded:
            groups[NETWORK, str(one.network)].append(one)
        elif streams[one.host] >= HOST_FROM:
            groups[HOST, one.host].append(one)
        else:
            groups[STREAM, str(one.stream_id)].append(one)
    return [Bundle(scope, key, _in_order(found)) for (scope, key), found in groups.items()]


def _crowded_networks(ready: Sequence[Notice]) -> set[str]:
    hosts: dict[str, set[str]] = defaultdict(set)
    for one in ready:
        if one.network and one.what == OPENED:
            hosts[one.network].add(one.host)
    return {network for network, found in hosts.items() if len(found) >= NETWORK_FROM}


def _was_told(one: Notice, told: Mapping[str, datetime], now: datetime) -> bool:
    """Tell whether this channel heard of the stream, its host, its network or of everything within the hour."""
    keys = (f"{STREAM}:{one.stream_id}", f"{HOST}:{one.host}", f"{NETWORK}:{one.network}", EVERYTHING)
    return any(now - told[key] < HOUR for key in keys if key in told)


def _in_order(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    return tuple(sorted(notices, key=lambda one: (one.at, one.what == CLOSED, one.id)))
