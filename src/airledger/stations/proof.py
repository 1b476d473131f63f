"""What a proof says, and how it is read off an observation. Values in, values out; listening is `probe.py`'s."""

from collections.abc import Mapping
from dataclasses import dataclass

from airledger.audio.stream_format import StreamFormat
from airledger.stations.cause import Cause
from airledger.stations.confidence import of_one_look
from airledger.stations.levels import CONNECTS, DECODES, HEADERS, LIVE, NOTHING, STRANGE_ORIGIN, SUSTAINED
from airledger.stations.tuner.listening import Connected, TuneEnded

SILENT_BELOW_DBFS = -60.0
SILENCE_S = 10.0
LONG_PROOF_S = 65.0
LOOP_JUDGED_FROM_S = 55.0  # 2.75 passes of 20 s
FALSE_BITRATE_FACTOR = 1.6
MIN_SOUND_S = 0.5
PACE_SLACK_S = 3.0
HLS_PACE_SLACK_S = 12.0  # segments come whole
PACE_SLACK_SHARE = 0.05
MAX_DETAIL_CHARS = 500

# The server was reached, whatever it said then.
_CONNECTED_CAUSES = frozenset(
    {
        Cause.STALLED,
        Cause.NOT_FOUND,
        Cause.FORBIDDEN,
        Cause.AUTH,
        Cause.GEO_BLOCKED,
        Cause.SERVER_ERROR,
        Cause.HTTP_ERROR,
        Cause.REDIRECT_LOOP,
        Cause.NOT_MEDIA,
        Cause.UNDECODABLE,
        Cause.ENCRYPTED,
        Cause.NO_SOUND,
        Cause.ENDED,
        Cause.TOO_LARGE,
        Cause.DECODER_CRASHED,
        Cause.RATE_LIMITED,
        Cause.SOURCE_OFFLINE,
    }
)
_HEADERS_CAUSES = _CONNECTED_CAUSES - {
    Cause.NOT_FOUND,
    Cause.FORBIDDEN,
    Cause.AUTH,
    Cause.GEO_BLOCKED,
    Cause.SERVER_ERROR,
    Cause.HTTP_ERROR,
    Cause.REDIRECT_LOOP,
    Cause.RATE_LIMITED,
    Cause.SOURCE_OFFLINE,
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What was heard of a stream.

    Attributes:
        is_complete: Sound came for as long as was wanted.
        sound_s: Decoded sound in seconds.
        wall_s: From the first sound to the end of listening.
        late_sound_s: Sound that came in the second half of `wall_s`, so after any burst.
        received_bytes: Media bytes.
        loudest_dbfs: RMS level of the loudest second; None without a whole second.
        loop_period_s: Length of the piece that repeats without end.
        claimed_kbps: What the directory claims.
        is_stuck: A live HLS playlist did not go on in the time that it should have.
        picture_faults: What is wrong with the picture, worst first (values of `Cause`).
    """

    connected: Connected | None = None
    ended: TuneEnded | None = None
    format: StreamFormat | None = None
    title: str | None = None
    is_complete: bool = False
    sound_s: float = 0.0
    wall_s: float = 0.0
    late_sound_s: float = 0.0
    received_bytes: int = 0
    loudest_dbfs: float | None = None
    loop_period_s: float | None = None
    claimed_kbps: int | None = None
    is_stuck: bool = False
    picture_faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict on a stream.

    `level` is the highest that was reached: -1 nothing, 0 connects, 1 headers, 2 frames decode, 3 sustained rate,
    4 neither silent nor looped.

    Attributes:
        is_deep: Sound was listened to; False when only the server was asked (`probing/knock.py`), which then claims no
            more than level 1 or 2 and leaves what a deep proof found as it was.
        cause_confidence: How sure we are of the cause, from 0 to 1; None without one.
        retry_after_s: For how long the server asks to be left alone.
        allows_any_origin: Whether scripts of other sites may read the stream; None where nobody asked.
        picture_codec: Of the picture, by FFmpeg's name.
        container: Of the bytes, by FFmpeg's name.
    """

    level: int
    is_healthy: bool
    cause: Cause | None = None
    permanent: bool = False
    detail: str | None = None
    http_status: int | None = None
    response_time_ms: int | None = None
    bandwidth_kbps: int | None = None
    bitrate_claimed_kbps: int | None = None
    codec: str | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    sound_s: float = 0.0
    stream_title: str | None = None
    warnings: tuple[str, ...] = ()
    has_sound: bool | None = None
    has_picture: bool | None = None
    is_hls: bool = False
    is_wrapped: bool = False
    url_final: str | None = None
    connected: Connected | None = None
    is_deep: bool = True
    cause_confidence: float | None = None
    retry_after_s: float | None = None
    allows_any_origin: bool | None = None
    picture_codec: str | None = None
    container: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it heard enough to tell a loop."""
        return self.sound_s >= LOOP_JUDGED_FROM_S

    @property
    def do_not_index(self) -> bool:
        """Whether the owner asks directories to leave the stream out."""
        return self.connected is not None and self.connected.icy.do_not_index


@dataclass(frozen=True, slots=True)
class _Fault:
    level: int
    cause: Cause
    detail: str


def judge(seen: Observation) -> Proof:
    """Read a proof off an observation."""
    fault = _fault(seen)
    measured = measured_kbps(seen)
    connected, decoded = seen.connected, seen.format
    claims = [claim for claim in (connected and connected.icy.bitrate_kbps, seen.claimed_kbps) if claim]
    has_heard = seen.sound_s >= MIN_SOUND_S
    return Proof(
        level=fault.level if fault else LIVE,
        is_healthy=fault is None,
        cause=fault.cause if fault else None,
        permanent=_is_permanent(seen, fault),
        detail=fault.detail[:MAX_DETAIL_CHARS] if fault else None,
        http_status=_http_status(seen),
        response_time_ms=round(connected.response_time_ms) if connected else None,
        bandwidth_kbps=measured,
        bitrate_claimed_kbps=claims[0] if claims else None,
        codec=decoded.codec if decoded else None,
        sample_rate_hz=decoded.sample_rate_hz if decoded else None,
        channels=decoded.channels if decoded else None,
        sound_s=round(seen.sound_s, 3),
        stream_title=seen.title,
        warnings=_warnings(seen, measured, claims),
        has_sound=True if has_heard else False if fault and fault.cause is Cause.NO_SOUND else None,
        has_picture=decoded.picture is not None if decoded else None,
        is_hls=connected is not None and connected.kind == "hls",
        is_wrapped=connected is not None and bool(connected.via),
        url_final=connected.url if connected else None,
        connected=connected,
        cause_confidence=of_one_look(fault.cause) if fault else None,
        retry_after_s=seen.ended.retry_after_s if seen.ended else None,
        allows_any_origin=allows_any_origin(connected.headers) if connected else None,
        picture_codec=decoded.picture.codec if decoded and decoded.picture else None,
        container=connected.container if connected else "",
    )


def allows_any_origin(headers: Mapping[str, str]) -> bool:
    """Tell whether the answer to a request with an `Origin` lets scripts of that site, a stranger's, read it."""
    return headers.get("access-control-allow-origin", "").strip() in {"*", STRANGE_ORIGIN}


def _http_status(seen: Observation) -> int | None:
    if seen.ended is not None and seen.ended.http_status is not None:
        return seen.ended.http_status
    return seen.connected.status if seen.connected is not None else None


def measured_kbps(seen: Observation) -> int | None:
    """Return media bytes per decoded second: right whatever burst came first, and at any speed of delivery."""
    if seen.sound_s < 2:  # noqa: PLR2004  the decoder's own delay would spoil it
        return None
    return max(round(seen.received_bytes * 8 / seen.sound_s / 1000), 1) if seen.received_bytes else None


def _fault(seen: Observation) -> _Fault | None:
    if seen.ended is not None:
        return _Fault(_level_at_end(seen, seen.ended), seen.ended.cause, seen.ended.detail)
    if seen.connected is None:
        return _Fault(NOTHING, Cause.TIMEOUT, "The server did not answer in time.")
    if seen.sound_s < MIN_SOUND_S:
        return _Fault(HEADERS, Cause.STALLED, "The server answered, but no sound came.")
    return _fault_of_sound(seen)


def _fault_of_sound(seen: Observation) -> _Fault | None:
    if seen.is_stuck:
        return _Fault(DECODES, Cause.STALLED, "The HLS playlist does not go on: its last segments are all there is.")
    if _is_slow(seen):
        return _Fault(
            DECODES, Cause.SLOW, f"Only {seen.sound_s:.1f} s of sound came in {seen.wall_s:.1f} s: players would stop."
        )
    if seen.loudest_dbfs is not None and seen.sound_s >= SILENCE_S and seen.loudest_dbfs < SILENT_BELOW_DBFS:
        return _Fault(SUSTAINED, Cause.SILENT, f"{seen.sound_s:.0f} s of silence (below {SILENT_BELOW_DBFS:.0f} dBFS).")
    if seen.loop_period_s is not None:
        return _Fault(SUSTAINED, Cause.LOOPED, f"The same {seen.loop_period_s:.1f} s come again and again.")
    if seen.picture_faults:
        return _Fault(SUSTAINED, Cause(seen.picture_faults[0]), f"The picture is {' and '.join(seen.picture_faults)}.")
    return None


def _level_at_end(seen: Observation, ended: TuneEnded) -> int:
    if seen.sound_s >= MIN_SOUND_S:
        return DECODES
    if seen.connected is not None or ended.cause in _HEADERS_CAUSES:
        return HEADERS
    return CONNECTS if ended.cause in _CONNECTED_CAUSES or ended.http_status else NOTHING


def _is_slow(seen: Observation) -> bool:
    is_hls = seen.connected is not None and seen.connected.kind == "hls"
    slack_s = (HLS_PACE_SLACK_S if is_hls else PACE_SLACK_S) + PACE_SLACK_SHARE * seen.wall_s
    has_dried_up = seen.late_sound_s < seen.wall_s / 2 - slack_s
    return not seen.is_complete or seen.sound_s < seen.wall_s - slack_s or has_dried_up


def _is_permanent(seen: Observation, fault: _Fault | None) -> bool:
    if fault is None:
        return False
    return seen.ended.permanent if seen.ended is not None else fault.cause.permanent


def _warnings(seen: Observation, measured: int | None, claims: list[int]) -> tuple[str, ...]:
    found = []
    if measured is not None and (seen.format is None or seen.format.picture is None):
        factors = [max(claim, measured) / min(claim, measured) for claim in claims]
        if any(factor > FALSE_BITRATE_FACTOR for factor in factors):
            found.append(Cause.FALSE_BITRATE.value)
    return tuple(found)
