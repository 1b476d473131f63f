"""Putting the pieces together from the settings."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage
from airledger.recognition.answer import Answer
from airledger.recognition.outside.acrcloud import AcrCloud
from airledger.recognition.outside.acrcloud_metadata import AcrCloudMetadata
from airledger.recognition.outside.answer import ACRCLOUD, AUDD, Provider
from airledger.recognition.outside.ask import Desk
from airledger.recognition.outside.audd import AudD
from airledger.recognition.outside.budget import take_turn
from airledger.recognition.outside.http_call import HttpDoor, open_door
from airledger.recognition.outside.hybrid import HybridParts
from airledger.recognition.outside.isrc import IsrcDesk, IsrcSource
from airledger.recognition.outside.musicbrainz import NAME as MUSICBRAINZ
from airledger.recognition.outside.musicbrainz import MusicBrainz
from airledger.recognition.outside.route import Routes
from airledger.recognition.outside.share import Limits

REQUEST_S = 15.0


def providers_of(settings: Settings) -> tuple[Provider, ...]:
    """Make the providers that have an account, in the order in which they are asked."""
    made: list[Provider] = []
    timeout_s = min(REQUEST_S, settings.processing_timeout)
    key, secret = settings.acrcloud_access_key.get_secret_value(), settings.acrcloud_access_secret.get_secret_value()
    if key and secret:
        base = settings.acrcloud_base_url or f"https://{settings.acrcloud_host}"
        made.append(AcrCloud(_door(settings, timeout_s), base, key, secret))
    token = settings.audd_api_token.get_secret_value()
    if token:
        made.append(AudD(_door(settings, timeout_s), settings.audd_base_url, token))
    return tuple(made)


def _door(settings: Settings, timeout_s: float = REQUEST_S) -> HttpDoor:
    return open_door(settings.user_agent, proxy=settings.outside_proxy, timeout_s=timeout_s)


def hybrid_parts(
    settings: Settings,
    database: Database,
    clock: Clock,
    storage: Storage,
    counts: Counts,
    identify_local: Callable[[NDArray[np.float32], UUID], Answer],
) -> HybridParts:
    """Put hybrid identification together."""
    desk = Desk(
        database,
        clock,
        counts,
        Limits(settings.outside_daily_limit, settings.outside_per_minute, settings.outside_concurrency),
        attempts=settings.max_retry_attempts,
        timeout_s=settings.processing_timeout,
        prices_micros={ACRCLOUD: settings.acrcloud_price_micros, AUDD: settings.audd_price_micros},
    )
    routes = Routes(
        settings.local_confidence_threshold, settings.acrcloud_confidence_threshold, settings.enable_hybrid_fallback
    )
    return HybridParts(database, clock, storage, desk, providers_of(settings), routes, identify_local)


def isrc_desk(settings: Settings, database: Database, clock: Clock, counts: Counts) -> IsrcDesk:
    """Put ISRC look-up together: ACRCloud's metadata where there is a token, MusicBrainz unless it is switched off."""
    sources: list[IsrcSource] = []
    token = settings.acrcloud_console_token.get_secret_value()
    if token:
        sources.append(AcrCloudMetadata(_door(settings), settings.acrcloud_metadata_url, token))
    if settings.musicbrainz_url:

        def book_turn(every_s: float) -> float:
            with database.unit() as unit:
                return take_turn(unit, MUSICBRAINZ, every_s, clock.now())

        sources.append(MusicBrainz(_door(settings), settings.musicbrainz_url, book_turn))
    return IsrcDesk(database, clock, counts, tuple(sources))
