from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.stream_format import PictureFormat, StreamFormat
from airledger.stations.cause import Cause
from airledger.stations.levels import DECODES, HEADERS, LIVE, NOTHING, SUSTAINED
from airledger.stations.proof import Observation, judge
from airledger.stations.tuner.listening import Connected, IcyInfo, TuneEnded

MP3 = StreamFormat("mp3", "mp3", 44_100, 2)
INFO = Connected(
    url="http://a/live",
    via=(),
    status=200,
    headers={},
    icy=IcyInfo(bitrate_kbps=128),
    content_type="audio/mpeg",
    container="mp3",
    kind="icy",
    response_time_ms=12.4,
    remote_address="192.0.2.1",
    at=0.0,
)
GOOD = Observation(
    connected=INFO,
    format=MP3,
    title="A - B",
    is_complete=True,
    sound_s=15.0,
    wall_s=12.0,
    late_sound_s=6.0,
    received_bytes=240_000,
    loudest_dbfs=-12.0,
)
ENDS = st.builds(
    TuneEnded,
    cause=st.sampled_from(Cause),
    permanent=st.booleans(),
    detail=st.text(max_size=20),
    http_status=st.sampled_from([None, 200, 404, 503]),
)
OBSERVATIONS = st.builds(
    Observation,
    connected=st.sampled_from([None, INFO, replace(INFO, kind="hls", via=("http://a/x.m3u",))]),
    ended=st.none() | ENDS,
    format=st.sampled_from([None, MP3, replace(MP3, picture=PictureFormat("h264", 1, 1))]),
    title=st.none() | st.text(max_size=5),
    is_complete=st.booleans(),
    sound_s=st.floats(0, 200),
    wall_s=st.floats(0, 100),
    late_sound_s=st.floats(0, 100),
    received_bytes=st.integers(0, 10**8),
    loudest_dbfs=st.none() | st.floats(-120, 0),
    loop_period_s=st.none() | st.floats(2, 30),
    claimed_kbps=st.none() | st.integers(1, 10_000),
)


def test_a_good_stream() -> None:
    proof = judge(GOOD)
    assert (proof.level, proof.is_healthy, proof.cause, proof.warnings) == (LIVE, True, None, ())
    assert (proof.bandwidth_kbps, proof.bitrate_claimed_kbps, proof.response_time_ms) == (128, 128, 12)
    assert (proof.codec, proof.sample_rate_hz, proof.stream_title, proof.has_sound) == ("mp3", 44_100, "A - B", True)


def test_silence_and_loops_are_found_out() -> None:
    silent = judge(replace(GOOD, loudest_dbfs=-75.0))
    assert (silent.level, silent.cause, silent.has_sound) == (SUSTAINED, Cause.SILENT, True)
    assert judge(replace(GOOD, loudest_dbfs=-75.0, sound_s=8.0, wall_s=8.0)).is_healthy  # a pause is no silence yet
    assert judge(replace(GOOD, loop_period_s=20.0)).cause is Cause.LOOPED


def test_a_burst_that_dries_up_is_too_slow() -> None:
    assert judge(replace(GOOD, late_sound_s=0.5)).cause is Cause.SLOW
    assert judge(replace(GOOD, sound_s=6.0, late_sound_s=3.0)).cause is Cause.SLOW
    assert judge(replace(GOOD, is_complete=False)).level == DECODES


def test_hls_comes_in_lumps() -> None:
    lumps = replace(GOOD, connected=replace(INFO, kind="hls"), late_sound_s=0.0)
    assert judge(lumps).is_healthy


def test_false_claims_are_a_warning() -> None:
    assert judge(replace(GOOD, claimed_kbps=320)).warnings == ("false_bitrate",)
    assert judge(replace(GOOD, claimed_kbps=320)).is_healthy
    assert judge(replace(GOOD, claimed_kbps=192)).warnings == ()
    picture = replace(MP3, picture=PictureFormat("h264", 640, 360))
    assert judge(replace(GOOD, format=picture, claimed_kbps=5_000)).warnings == ()


def test_levels_of_what_never_played() -> None:
    def level(cause: Cause, connected: Connected | None = None, status: int | None = None) -> int:
        return judge(Observation(connected=connected, ended=TuneEnded(cause, True, "why", status))).level

    assert level(Cause.REFUSED) == level(Cause.DEAD_HOST) == level(Cause.TIMEOUT) == NOTHING
    assert level(Cause.NOT_FOUND, status=404) == level(Cause.REDIRECT_LOOP) == 0
    assert level(Cause.NOT_MEDIA) == level(Cause.STALLED) == HEADERS
    assert level(Cause.UNDECODABLE, connected=INFO) == HEADERS
    assert judge(Observation()).cause is Cause.TIMEOUT
    assert judge(Observation(connected=INFO)).cause is Cause.STALLED


@given(OBSERVATIONS)
def test_every_observation_is_judged_consistently(seen: Observation) -> None:
    proof = judge(seen)
    assert proof.is_healthy == (proof.cause is None) == (proof.level == LIVE)
    assert NOTHING <= proof.level <= LIVE
    assert proof.is_healthy or proof.detail is not None
    assert not (proof.is_healthy and (proof.permanent or seen.ended))
    assert proof.level < DECODES or seen.sound_s >= 0.5
    assert proof.bandwidth_kbps is None or proof.bandwidth_kbps >= 1
    assert judge(seen) == proof


@given(OBSERVATIONS, st.floats(0.1, 100))
def test_more_sound_never_makes_a_stream_slower(seen: Observation, more_s: float) -> None:
    if judge(seen).cause is not Cause.SLOW:
        more = replace(seen, sound_s=seen.sound_s + more_s, late_sound_s=seen.late_sound_s + more_s)
        assert judge(more).cause is not Cause.SLOW or seen.sound_s < 0.5
