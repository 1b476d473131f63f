"""What failures mean together that each alone does not: our network is down, or a host has banned us.

Values in, values out. A name that does not resolve means a dead host, unless hardly any name resolves; a 403 means
nothing much, unless all streams of a host that played an hour ago say it at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from airledger.stations.cause import Cause
from airledger.stations.confidence import agreed, doubted, of_one_look
from airledger.stations.proof import Proof
from airledger.stations.proof_job import ProofJob

OURS_FROM_HOSTS = 5
OURS_FROM_SHARE = 0.8
BANNED_FROM_STREAMS = 3
BANNED_FROM_SHARE = 2 / 3
BAN_REST_S = 6 * 3_600.0
UNREACHED = frozenset({Cause.DEAD_HOST, Cause.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Finding:
    """A stream and what a look at it found.

    Attributes:
        was_playing: What the catalogue believed before.
    """

    job: ProofJob
    proof: Proof
    was_playing: bool = False


def settle(failed: Sequence[Finding], reached_hosts: Iterable[str]) -> list[Finding]:
    """Give failures the causes that only all of them together show.

    Args:
        failed: The failures of a batch.
        reached_hosts: Hosts of any that we could connect to of late.
    """
    reached = set(reached_hosts)
    unreached = {one.job.host for one in failed if one.proof.cause in UNREACHED} - reached
    is_ours = _is_our_network(len(unreached), len(reached))
    banned = _banned_hosts(failed)
    return [_settled(one, is_ours=is_ours, has_network=bool(reached), banned=banned) for one in failed]


def _settled(one: Finding, *, is_ours: bool, has_network: bool, banned: dict[str, int]) -> Finding:
    if one.proof.cause in UNREACHED and is_ours:
        return _caused(one, Cause.OUR_NETWORK, "Hardly any host can be reached: that is our network, not theirs.")
    if one.proof.cause in UNREACHED and not has_network:
        confidence = doubted(of_one_look(one.proof.cause), 1)
        return replace(one, proof=replace(one.proof, cause_confidence=confidence))
    if one.proof.cause is Cause.FORBIDDEN and one.job.host in banned:
        times = banned[one.job.host]
        told = _caused(one, Cause.BANNED, f"All {times} streams of this host that we asked say 403 at once.")
        confidence = agreed(of_one_look(Cause.BANNED), times - BANNED_FROM_STREAMS)
        return replace(told, proof=replace(told.proof, cause_confidence=confidence, retry_after_s=BAN_REST_S))
    return one


def _is_our_network(unreached: int, reached: int) -> bool:
    return unreached >= OURS_FROM_HOSTS and unreached >= OURS_FROM_SHARE * (unreached + reached)


def _banned_hosts(failed: Sequence[Finding]) -> dict[str, int]:
    """Return the hosts all of whose streams say 403, most of which played before, with how many there are."""
    by_host: dict[str, list[Finding]] = defaultdict(list)
    for one in failed:
        by_host[one.job.host].append(one)
    return {
        host: len(those)
        for host, those in by_host.items()
        if len(those) >= BANNED_FROM_STREAMS
        and all(one.proof.cause is Cause.FORBIDDEN for one in those)
        and sum(one.was_playing for one in those) >= BANNED_FROM_SHARE * len(those)
    }


def _caused(one: Finding, cause: Cause, detail: str) -> Finding:
    proof = replace(
        one.proof, cause=cause, permanent=cause.permanent, detail=detail, cause_confidence=of_one_look(cause)
    )
    return replace(one, proof=proof)
