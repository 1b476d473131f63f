"""The tuner: from a stream's address to 8 kHz sound, titles and the reason why it ended."""

from airledger.stations.tuner.limits import LIVE, TunerLimits
from airledger.stations.tuner.listening import Connected, FollowsPlaylists, IcyInfo, Listening, PlaylistRead, TuneEnded
from airledger.stations.tuner.tuner import Tuned, Tuner

__all__ = [
    "LIVE",
    "Connected",
    "FollowsPlaylists",
    "IcyInfo",
    "Listening",
    "PlaylistRead",
    "TuneEnded",
    "Tuned",
    "Tuner",
    "TunerLimits",
]
