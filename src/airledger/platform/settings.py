"""Settings: frozen, read once, passed in. Environment over `airledger.toml` over defaults.

Every name of the mission's configuration blocks is a setting here, under its own name, so an `.env` or a TOML table
written for it works unchanged: `ACRCLOUD_ACCESS_KEY`, `DATABASE_URL`, `REDIS_URL`, `[AUDIO_DETECTION_CONFIG]`, ...
"""

import os
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from airledger.platform.errors import ConfigurationError
from airledger.platform.geo.places import Databases, Kind

TOML_NAME = "airledger.toml"
SECTIONS = {
    "server",
    "crawling",
    "probing",
    "listening",
    "storage",
    "AUDIO_DETECTION_CONFIG",
    "PRO_INTEGRATION_CONFIG",
    "stream_monitoring",
    "alerts",
}


class Source(BaseModel):
    """One directory of streams to crawl."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    type: Literal[
        "asx",
        "html_directory",
        "icecast_status",
        "icecast_yp",
        "iptv_org",
        "m3u",
        "opml",
        "plain",
        "pls",
        "radio_browser",
        "shoutcast_json",
        "shoutcast_xml",
        "xspf",
    ]
    url: str
    every_hours: float = Field(default=6, gt=0)
    seconds_between_requests: float = Field(default=1.0, ge=0, le=60)
    robots: bool = True
    unwrap: bool = False
    options: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True


class OperatorUrl(BaseModel):
    """A service that the operator lets alerts go to, as an apprise address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    url: SecretStr


DEFAULT_SOURCES = (
    # An API that its makers offer to programs; robots.txt speaks to those who walk through web pages.
    Source(name="radio-browser", type="radio_browser", url="https://all.api.radio-browser.info", robots=False),
    Source(name="xiph", type="icecast_yp", url="https://dir.xiph.org/yp.xml"),
    Source(
        name="iptv-org",
        type="iptv_org",
        url="https://iptv-org.github.io/iptv/index.m3u",
        options={"database": "https://raw.githubusercontent.com/iptv-org/database/master/data"},
    ),
)


class _TomlSource(PydanticBaseSettingsSource):
    """Reads DATA/airledger.toml; tables named in SECTIONS only group keys for the reader's eye."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        super().__init__(settings_cls)
        self._values = _read_toml(path)

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Unused: the whole mapping is given at once."""
        del field
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._values


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        flat.update(value if key in SECTIONS and isinstance(value, dict) else {key: value})
    return {key.lower(): value for key, value in flat.items()}


def _named(name: str, *aliases: str) -> AliasChoices:
    return AliasChoices(f"airledger_{name}", *aliases, name)


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="AIRLEDGER_", frozen=True, extra="forbid", populate_by_name=True)

    data: Path = Field(
        default=Path("airledger-data"),
        description="The folder that holds everything: database, objects, index, secrets.",
    )
    database_url: str = Field(
        default="",
        validation_alias=_named("database_url", "database_url"),
        description="Empty: SQLite in the data folder. Else postgresql+psycopg://user:password@host/name.",
    )
    broker_url: str = Field(
        default="",
        validation_alias=_named("broker_url", "redis_url"),
        description="Empty: workers lease tasks from the database. Else redis://host:6379/0, carried by Celery.",
    )
    storage_url: str = Field(default="", description="Empty: file://DATA/objects.")
    events_url: str = Field(
        default="",
        description="Empty: events are read from the database. redis://host:6379/1: a stream is fed from it too.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on; 0.0.0.0 for all.")
    port: int = Field(default=8700, ge=0, le=65535, description="Port of API and page.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="How much is logged.")
    log_format: Literal["console", "json"] = Field(
        default="console", description="console for people, json for collectors."
    )
    user_agent: str = Field(
        default="Airledger/0.1",
        description="How we introduce ourselves to stations; add an address where you can be reached.",
    )
    access_token_minutes: int = Field(default=720, gt=0, description="How long a sign-in lasts.")
    requests_per_minute: int = Field(
        default=600, gt=0, description="What one caller without an account may ask the API."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses of proxies whose X-Forwarded-For is believed."
    )

    sources: tuple[Source, ...] = Field(default=DEFAULT_SOURCES, description="Directories to crawl.")
    accept_announcements: bool = Field(
        default=True,
        description="Icecast servers may announce their streams to us, as to any directory (`<yp-url>` HOST/yp).",
    )
    allow_networks: tuple[str, ...] = Field(
        default=(),
        description="Private networks that may be fetched, like 127.0.0.0/8. Empty: public addresses only.",
    )
    verification_hours: float = Field(
        default=2, gt=0, description="How often streams of doubtful state are proven anew."
    )
    health_check_hours: float = Field(
        default=1, gt=0, description="How often a stream is checked when nothing else is known."
    )
    probe_seconds: float = Field(default=12, ge=2, le=120, description="How long one proof listens after the burst.")
    probe_concurrency: int = Field(default=16, ge=1, le=512, description="Proofs at the same time in one worker.")
    look_days: float = Field(
        default=7, gt=0, description="How often a playing stream is looked at closely, to tell what it is and how good."
    )
    look_seconds: float = Field(default=60, ge=6, le=60, description="How long a close look listens.")

    smtp_host: str = Field(default="", description="Mail server that alerts are sent through; empty: no mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is protected."
    )
    smtp_user: str = Field(default="", description="Empty: the mail server asks for no account.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password of that account.")
    mail_from: str = Field(default="airledger@localhost", description="Sender of alerts by mail.")
    alert_urls: tuple[OperatorUrl, ...] = Field(
        default=(),
        description="Services alerts may go to, as [[alert_urls]] tables with name and url (an apprise address).",
    )

    geo_country_database: Path | None = Field(
        default=None,
        description="Country of an IP address (.mmdb); empty: what `airledger geo update` fetched, if any.",
    )
    geo_city_database: Path | None = Field(
        default=None, description="City of an IP address (.mmdb); empty: what `airledger geo update --city` fetched."
    )
    geo_network_database: Path | None = Field(
        default=None,
        description="Network of an IP address (.mmdb), to tell hosting firms; empty: DATA/geo/network.mmdb.",
    )

    fingerprint_profile: Literal["fast", "balanced", "high_quality"] = Field(
        default="balanced",
        description="How densely recordings are fingerprinted. Going to a denser one needs the files again.",
    )
    keep_sources: bool = Field(
        default=False,
        description="Keep the files of enrolled recordings in storage, so that a later engine can read them again.",
    )
    library_folders: tuple[Path, ...] = Field(
        default=(), description="Folders that are looked through every hour; new sound files there are enrolled."
    )
    index_in_storage: bool = Field(
        default=False,
        description="Workers build the index once, others fetch it from storage. Off: each machine builds its own.",
    )
    index_shards: int = Field(
        default=1, ge=1, le=1024, description="Parts that the index is cut into. From 2 on it is published in storage."
    )
    listener_shards: tuple[int, ...] = Field(
        default=(), description="Shards (from 0) that listeners of this machine hear with; empty: all."
    )
    index_cache_gb: float = Field(
        default=20, gt=0, description="Disk for fetched parts of the index; what is in use is kept beyond it."
    )

    listen_to_all: bool = Field(
        default=True, description="Hear every proven stream; off: only those that were started by hand."
    )
    max_sessions: int = Field(default=250, ge=0, description="Streams that one listener process hears at most.")
    window_seconds: float = Field(default=10, ge=4, le=60, description="Length of one recognition window.")
    hop_seconds: float = Field(default=5, ge=1, le=60, description="Distance between windows.")
    evidence_days: int = Field(default=90, ge=0, description="How long sound evidence is kept.")
    unmatched_days: int = Field(
        default=30,
        ge=0,
        description="How long fingerprints of unknown sound are kept, for what is enrolled later; 0: not at all.",
    )

    acrcloud_access_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=_named("acrcloud_access_key"), description="ACRCloud account."
    )
    acrcloud_access_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias=_named("acrcloud_access_secret"), description="ACRCloud secret."
    )
    acrcloud_host: str = Field(
        default="identify-eu-west-1.acrcloud.com",
        validation_alias=_named("acrcloud_host"),
        description="ACRCloud region.",
    )
    acrcloud_base_url: str = Field(
        default="", description="Empty: https:// and the region. Else a proxy's or a test server's address."
    )
    acrcloud_console_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of ACRCloud's metadata API, for look-ups by ISRC."
    )
    acrcloud_metadata_url: str = Field(
        default="https://eu-api-v2.acrcloud.com", description="Address of ACRCloud's metadata API."
    )
    acrcloud_price_micros: int = Field(
        default=0, ge=0, description="What a hit costs, in millionths of your currency; no result costs half."
    )
    audd_api_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_named("audd_api_token"),
        description="AudD account, asked where ACRCloud has no answer.",
    )
    audd_base_url: str = Field(default="https://api.audd.io", description="Address of AudD.")
    audd_price_micros: int = Field(
        default=0, ge=0, description="What a request to AudD costs, in millionths of your currency."
    )
    musicbrainz_url: str = Field(
        default="https://musicbrainz.org", description="MusicBrainz or a mirror of it; empty: it is not asked."
    )
    outside_proxy: str = Field(
        default="", description="Empty: outside services are reached directly. Else the proxy, http://host:port."
    )
    outside_daily_limit: int = Field(
        default=1_800, ge=0, description="Requests to one outside provider per day (UTC), of all processes together."
    )
    outside_per_minute: int = Field(
        default=45, ge=1, description="Requests to one outside provider per minute, of all processes together."
    )
    outside_concurrency: int = Field(
        default=5, ge=1, description="Requests to one outside provider at the same time, of all processes together."
    )
    local_confidence_threshold: float = Field(
        default=0.8,
        ge=0,
        le=1,
        validation_alias=_named("local_confidence_threshold"),
        description="Below this the outside is asked too.",
    )
    acrcloud_confidence_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        validation_alias=_named("acrcloud_confidence_threshold"),
        description="An outside answer below this is not believed.",
    )
    enable_hybrid_fallback: bool = Field(
        default=True, validation_alias=_named("enable_hybrid_fallback"), description="Ask the outside at all."
    )
    max_retry_attempts: int = Field(
        default=3, ge=0, validation_alias=_named("max_retry_attempts"), description="Attempts before giving up."
    )
    processing_timeout: int = Field(
        default=30,
        gt=0,
        validation_alias=_named("processing_timeout"),
        description="Seconds one identification may take.",
    )
    capture_interval_seconds: int = Field(
        default=30,
        gt=0,
        validation_alias=_named("capture_interval_seconds"),
        description="Sampled capture: one every so often (we hear continuously).",
    )
    capture_duration_seconds: int = Field(
        default=20, gt=0, validation_alias=_named("capture_duration_seconds"), description="Sampled capture: length."
    )
    overlap_seconds: int = Field(
        default=5, ge=0, validation_alias=_named("overlap_seconds"), description="Sampled capture: overlap."
    )
    confidence_threshold: float = Field(
        default=0.8,
        ge=0,
        le=1,
        validation_alias=_named("confidence_threshold"),
        description="Sampled capture: what counts as matched.",
    )
    enable_hybrid_detection: bool = Field(
        default=True, validation_alias=_named("enable_hybrid_detection"), description="Ask the outside for live sound."
    )
    enable_websocket_broadcast: bool = Field(
        default=True,
        validation_alias=_named("enable_websocket_broadcast"),
        description="Tell the page and WebSocket clients of detections.",
    )
    default_pro: str = Field(
        default="ghamro",
        validation_alias=_named("default_pro"),
        description="Society of works whose own is unknown (presumed).",
    )
    reciprocal_rate_ascap: float = Field(
        default=0.15,
        ge=0,
        le=1,
        validation_alias=_named("reciprocal_rate_ascap"),
        description="Seeds the agreement with ASCAP.",
    )
    reciprocal_rate_bmi: float = Field(
        default=0.15,
        ge=0,
        le=1,
        validation_alias=_named("reciprocal_rate_bmi"),
        description="Seeds the agreement with BMI.",
    )
    enable_international_routing: bool = Field(
        default=True,
        validation_alias=_named("enable_international_routing"),
        description="Send shares abroad through partner societies.",
    )

    @field_validator("allow_networks")
    @classmethod
    def _networks_parse(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, value: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if value.startswith(plain):
                return "postgresql+psycopg://" + value.removeprefix(plain)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order: arguments, environment, airledger.toml of the data folder."""
        del dotenv_settings, file_secret_settings
        chosen = init_settings().get("data") or os.environ.get("AIRLEDGER_DATA") or cls.model_fields["data"].default
        return init_settings, env_settings, _TomlSource(settings_cls, Path(chosen) / TOML_NAME)

    @property
    def database_address(self) -> str:
        """The database in use: the one configured, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/airledger.db"

    @property
    def is_index_published(self) -> bool:
        """Whether the index lies in storage, instead of being built by each machine."""
        return self.index_in_storage or self.index_shards > 1

    @property
    def geo_databases(self) -> Databases:
        """Where the databases of addresses lie."""
        named: tuple[tuple[Kind, Path | None], ...] = (
            ("country", self.geo_country_database),
            ("city", self.geo_city_database),
            ("network", self.geo_network_database),
        )
        return Databases(self.data, tuple((kind, path) for kind, path in named if path))

    @property
    def storage_address(self) -> str:
        """The object store in use."""
        return self.storage_url or f"file://{self.data.resolve()}/objects"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; arguments win over everything.

    Raises:
        ConfigurationError: Names each setting that is wrong, and why.
    """
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(
            f"the settings do not fit: {problems}. `airledger config show` lists every key."
        ) from error
