"""The demo band: who sends what, from where, in which way. All names are invented; the places are real cities."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

Way = Literal["icecast", "shoutcast", "hls-ts", "hls-fmp4", "hls-picture", "missing", "refused", "hanging", "page",
              "redirecting"]  # fmt: skip
Sound = Literal["programme", "silence", "loop"]

_NAMESPACE = uuid.UUID("6f1c3a52-8a0e-4b57-9c0e-0a1d1ed9e201")


@dataclass(frozen=True)
class Station:
    """One station of the band.

    ``bitrate_kbps`` is sent, ``claimed_kbps`` is said. ``playlist`` is the path of a .pls or .m3u that the directories
    publish instead of the stream. ``expected_cause`` is empty for good ones, else the cause by which it must be
    recognised; "false_bitrate" is a warning on a station that plays.
    """

    key: str
    name: str
    way: Way
    codec: str
    bitrate_kbps: int
    mount: str
    city: str
    country: str
    country_code: str
    language: str
    latitude: float
    longitude: float
    tags: tuple[str, ...]
    claimed_kbps: int
    playlist: str = ""
    sound: Sound = "programme"
    expected_cause: str = ""

    @property
    def is_ogg(self) -> bool:
        """Whether the stream is Ogg."""
        return self.codec in {"vorbis", "opus"}

    @property
    def is_hls(self) -> bool:
        """Whether the stream is HLS."""
        return self.way.startswith("hls")

    @property
    def is_tv(self) -> bool:
        """Whether there is a picture."""
        return self.way == "hls-picture"

    @property
    def is_heard(self) -> bool:
        """Whether a listener hears the programme: all good ones, and those that only claim something untrue."""
        return self.sound == "programme" and self.expected_cause in {"", "false_bitrate"}

    @property
    def homepage(self) -> str:
        """An address that cannot exist (RFC 2606)."""
        return f"https://{self.key}.example/"

    @property
    def uuid(self) -> str:
        """The same for ever."""
        return str(uuid.uuid5(_NAMESPACE, self.key))


@dataclass(frozen=True)
class Published:
    """A station as the directories tell of it: its address there, the stream behind it, and what it is."""

    station: Station
    url: str
    stream_url: str

    @property
    def key(self) -> str:
        """The station's key, by which the truth calls it."""
        return self.station.key

    @property
    def expected_cause(self) -> str:
        """Empty for a good station."""
        return self.station.expected_cause


def _station(
    key: str,
    name: str,
    sends: tuple[Way, str, int],
    mount: str,
    place: tuple[str, str, str, str, float, float],
    tags: str,
    *,
    claimed_kbps: int = 0,
    playlist: str = "",
    sound: Sound = "programme",
    cause: str = "",
) -> Station:
    way, codec, bitrate_kbps = sends
    city, country, code, language, latitude, longitude = place
    claimed_kbps = claimed_kbps or bitrate_kbps
    return Station(key, name, way, codec, bitrate_kbps, mount, city, country, code, language, latitude, longitude,
                   tuple(tags.split(",")), claimed_kbps, playlist, sound, cause)  # fmt: skip


GOOD: tuple[Station, ...] = (
    _station("spreewelle", "Radio Spreewelle Berlin", ("icecast", "mp3", 128), "/spreewelle.mp3",
             ("Berlin", "Germany", "DE", "german", 52.52, 13.405), "pop,hits"),
    _station("canal-lumiere", "Canal Lumière Paris", ("icecast", "mp3-stereo", 160), "/canal-lumiere",
             ("Paris", "France", "FR", "french", 48.8566, 2.3522), "chanson,pop"),
    _station("onda-giralda", "Onda Giralda FM", ("shoutcast", "mp3", 96), "/onda-giralda",
             ("Sevilla", "Spain", "ES", "spanish", 37.3891, -5.9845), "latino,pop"),
    _station("minato-fm", "みなとウェーブ横浜", ("icecast", "aac", 64), "/minato.aac",
             ("Yokohama", "Japan", "JP", "japanese", 35.4437, 139.638), "jpop,city pop"),
    _station("beira-mar", "Rádio Beira-Mar Salvador", ("icecast", "vorbis", 112), "/beira-mar.ogg",
             ("Salvador", "Brazil", "BR", "portuguese", -12.9777, -38.5016), "mpb,samba"),
    _station("harbour-light", "Harbour Light 98.5 Sydney", ("icecast", "opus", 64), "/harbour-light.opus",
             ("Sydney", "Australia", "AU", "english", -33.8688, 151.2093), "indie,rock"),
    _station("naseem-el-nil", "إذاعة نسيم النيل", ("hls-ts", "aac", 64), "/naseem/live.m3u8",
             ("القاهرة", "Egypt", "EG", "arabic", 30.0444, 31.2357), "arabic,variety"),
    _station("hudson-sound", "Hudson Sound New York", ("hls-fmp4", "aac", 96), "/hudson/index.m3u8",
             ("New York", "United States", "US", "english", 40.7128, -74.006), "adult contemporary,soul"),
    _station("sagar-tv", "Sagar TV Mumbai", ("hls-picture", "aac", 96), "/sagar/index.m3u8",
             ("Mumbai", "India", "IN", "hindi", 19.076, 72.8777), "tv,music videos"),
    _station("nadwislanska", "Fala Nadwiślańska", ("icecast", "mp3", 128), "/fala",
             ("Warszawa", "Poland", "PL", "polish", 52.2297, 21.0122), "rock,alternative", playlist="/fala.pls"),
    _station("savana", "Savana Sounds Nairobi", ("icecast", "aac", 48), "/savana",
             ("Nairobi", "Kenya", "KE", "swahili", -1.2921, 36.8219), "afropop,dance", playlist="/savana.m3u"),
    _station("severny-briz", "Радио Северный Бриз", ("icecast", "mp3", 64), "/severny-briz",
             ("Мурманск", "Russia", "RU", "russian", 68.9585, 33.0827), "electronic,ambient"),
    _station("table-bay", "Table Bay Community Radio", ("icecast", "mp3", 112), "/table-bay",
             ("Cape Town", "South Africa", "ZA", "english", -33.9249, 18.4241), "community,jazz"),
)  # fmt: skip

BAD: tuple[Station, ...] = (
    _station("gone-fm", "Gone FM Toronto", ("missing", "mp3", 128), "/gone.mp3",
             ("Toronto", "Canada", "CA", "english", 43.6532, -79.3832), "oldies", cause="not_found"),
    _station("dichte-tuer", "Radio Alpenglühen Innsbruck", ("refused", "mp3", 128), "/live.mp3",
             ("Innsbruck", "Austria", "AT", "german", 47.2692, 11.4041), "schlager", cause="refused"),
    _station("radio-attesa", "Radio Attesa Napoli", ("hanging", "mp3", 128), "/attesa.mp3",
             ("Napoli", "Italy", "IT", "italian", 40.8518, 14.2681), "italiana", cause="stalled"),
    _station("front-page", "Front Page Radio Dublin", ("page", "mp3", 128), "/front-page.mp3",
             ("Dublin", "Ireland", "IE", "english", 53.3498, -6.2603), "talk", cause="not_media"),
    _station("hiljainen", "Hiljainen Aalto Helsinki", ("icecast", "mp3", 64), "/hiljainen.mp3",
             ("Helsinki", "Finland", "FI", "finnish", 60.1699, 24.9384), "chill", sound="silence", cause="silent"),
    _station("ronda-lima", "Radio Ronda Lima", ("icecast", "mp3", 96), "/ronda.mp3",
             ("Lima", "Peru", "PE", "spanish", -12.0464, -77.0428), "cumbia", sound="loop", cause="looped"),
    _station("vueltas", "Vueltas FM Bogotá", ("redirecting", "mp3", 128), "/vueltas/a",
             ("Bogotá", "Colombia", "CO", "spanish", 4.711, -74.0721), "salsa", cause="redirect_loop"),
    _station("big-sound", "Big Sound Manila", ("icecast", "mp3", 64), "/big-sound.mp3",
             ("Manila", "Philippines", "PH", "tagalog", 14.5995, 120.9842), "top 40", claimed_kbps=320,
             cause="false_bitrate"),
)  # fmt: skip

BAND = GOOD + BAD
