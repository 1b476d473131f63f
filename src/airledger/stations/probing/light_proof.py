"""A knock, told as a proof: no more than level 1, or 2 where the first bytes were decoded."""

import time

from airledger.stations.cause import Cause
from airledger.stations.confidence import of_one_look
from airledger.stations.probing.first_frames import FirstFrames
from airledger.stations.probing.knock import Knock
from airledger.stations.proof import MAX_DETAIL_CHARS, Proof, allows_any_origin
from airledger.stations.tuner.listening import Connected
from airledger.stations.tuner.opening import read_icy


def light_proof(knock: Knock, frames: FirstFrames | None = None) -> Proof:
    """Read a proof off a knock, and off what its first bytes decode to."""
    cause = knock.cause or (frames.cause if frames is not None else None)
    detail = knock.detail or (frames.detail if frames is not None else "")
    head, decoded = knock.found.head, frames.format if frames is not None else None
    return Proof(
        level=max(knock.level, frames.level if frames is not None else knock.level),
        is_healthy=cause is None,
        cause=cause,
        permanent=cause.permanent if cause else False,
        detail=detail[:MAX_DETAIL_CHARS] or None,
        http_status=head.status if head is not None else None,
        response_time_ms=round(head.response_time_ms) if head is not None else None,
        codec=decoded.codec if decoded else None,
        sample_rate_hz=decoded.sample_rate_hz if decoded else None,
        channels=decoded.channels if decoded else None,
        is_hls=knock.what.name == "hls",
        url_final=knock.found.url_effective if knock.is_media else None,
        connected=_connected(knock),
        is_deep=False,
        cause_confidence=of_one_look(cause) if cause else None,
        retry_after_s=knock.retry_after_s,
        allows_any_origin=allows_any_origin(head.headers) if head is not None and knock.is_media else None,
        container=knock.what.name if knock.is_media else "",
    )


def left_alone(rest_s: float) -> Proof:
    """Return what is written of a stream whose host is not to be asked now: nothing against it."""
    return Proof(
        level=-1,
        is_healthy=False,
        cause=Cause.RATE_LIMITED,
        detail="Its host asked us, or made us, stay away for a while.",
        is_deep=False,
        cause_confidence=of_one_look(Cause.RATE_LIMITED),
        retry_after_s=rest_s,
    )


def _connected(knock: Knock) -> Connected | None:
    head = knock.found.head
    if head is None or not knock.is_media:
        return None
    icy = head.icy or any(name.startswith(("icy-", "ice-")) for name in head.headers)
    return Connected(
        url=knock.found.url_effective,
        via=(),
        status=head.status,
        headers=head.headers,
        icy=read_icy(head.headers),
        content_type=head.content_type,
        container=knock.what.name,
        kind="hls" if knock.what.name == "hls" else "icy" if icy else "http",
        response_time_ms=head.response_time_ms,
        remote_address=knock.found.remote_address,
        at=time.time(),
    )
