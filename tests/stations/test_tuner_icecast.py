"""The tuner against a real Icecast 2.4, fed by ffmpeg."""

from collections.abc import Iterator
from ipaddress import ip_network

import numpy as np
import pytest

from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.tuner import Tuner
from hearing import WAIT_S, Recorder
from made_sound import spectrum_peak_hz
from servers.icecast import Codec, IcecastServer
from servers.process import wait_until

HEARD_CODECS: dict[Codec, str] = {"mp3": "mp3", "aac": "aac", "vorbis": "vorbis", "opus": "opus"}


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as running:
        yield running


@pytest.mark.parametrize("codec", HEARD_CODECS)
def test_what_icecast_airs_is_heard(tuner: Tuner, icecast: IcecastServer, codec: Codec) -> None:
    with icecast.feed(f"/{codec}", "sine=frequency=440", codec, name="Radio Łódź", genre="Jazz") as feed:
        heard = Recorder()
        tuned = tuner.tune(feed.url, heard)
        wait_until(lambda: heard.seconds > 1.5, "sound is heard")
        tuned.close()
    assert heard.info is not None
    assert (heard.info.kind, heard.info.icy.name, heard.info.icy.genre) == ("icy", "Radio Łódź", "Jazz")
    assert heard.formats[0].codec == HEARD_CODECS[codec]
    assert spectrum_peak_hz(np.concatenate(heard.pieces)[-8000:]) == pytest.approx(440, abs=3)


def test_a_title_that_icecast_announces_is_told_and_the_end_of_the_source_too(
    tuner: Tuner, icecast: IcecastServer
) -> None:
    heard = Recorder()
    with icecast.feed("/one.mp3", "anoisesrc=color=pink", speed=4, name="One") as feed:
        icecast.set_title(feed.mount, "Ariadne — Die Bücher")
        tuner.tune(feed.url, heard)
        wait_until(lambda: bool(heard.titles), "the title is told")
    assert heard.titles[0][0] == "Ariadne — Die Bücher"
    assert heard.over.wait(WAIT_S)
    assert heard.end is not None
    assert heard.end.cause is Cause.ENDED


def test_a_mount_that_is_not_on_air_is_not_found(tuner: Tuner, icecast: IcecastServer) -> None:
    heard = Recorder()
    tuner.tune(icecast.base + "/nobody", heard)
    assert heard.over.wait(WAIT_S)
    assert heard.end is not None
    assert heard.end.cause is Cause.NOT_FOUND
