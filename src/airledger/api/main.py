"""Putting the API together."""

import contextlib
import hmac
from asyncio import create_task, gather
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI

from airledger.api import (
    accounts,
    alerts,
    duplicates,
    evidence,
    export,
    health,
    history,
    library,
    library_changes,
    library_writes,
    live,
    logos,
    merges,
    music_monitor_acrcloud,
    music_monitor_fingerprint,
    music_monitor_streams,
    now,
    page,
    places,
    plays,
    points,
    probe_agents,
    provenance,
    radio_browser,
    radio_browser_acts,
    radio_browser_lists,
    reference,
    remote,
    reviews,
    schedules,
    sessions,
    sign_in,
    stations,
    stats,
    stream_actions,
    streams,
    submissions,
    system,
    takedowns,
    unknowns,
    verification,
    webhooks,
    yp,
)
from airledger.api.cached import AnswerCache
from airledger.api.cross_origin import OpenCatalogue
from airledger.api.head_requests import HeadRequests
from airledger.api.hub import EventHub
from airledger.api.limit_requests import LimitRequests
from airledger.api.problem import add_error_handlers
from airledger.api.rate_limit import Proxies, RateLimiter
from airledger.api.security_headers import SecurityHeaders
from airledger.api.state import ApiState
from airledger.api.threads import Threads
from airledger.api.trace_requests import TraceRequests
from airledger.api.traffic import Traffic
from airledger.api.trim_slash import TrimSlash
from airledger.app import Airledger
from airledger.platform.auth.authenticate import Authenticator
from airledger.platform.auth.tokens import Tokens, load_secret

FIGURES_S = 15.0
COUNTS_S = 60.0
ANNOUNCEMENTS_PER_MINUTE = 60  # adds, touches and removals of one server
ATTEMPTS_PER_MINUTE = 10  # to sign in, per address and per account
ROUTERS = (
    health.router,
    streams.router,
    stations.router,
    export.router,
    logos.router,
    merges.router,
    stream_actions.router,
    places.router,
    submissions.router,
    provenance.router,
    points.router,
    probe_agents.router,
    stats.router,
    plays.router,
    evidence.router,
    reviews.router,
    sessions.router,
    remote.router,
    library.router,
    unknowns.router,
    duplicates.router,
    library_changes.router,
    library_writes.router,
    music_monitor_fingerprint.router,
    music_monitor_acrcloud.router,
    music_monitor_streams.router,
    system.router,
    schedules.router,
    sign_in.router,
    accounts.router,
    verification.router,
    webhooks.router,
    alerts.router,
    history.router,
    takedowns.router,
    yp.router,
    live.router,
    now.router,
    radio_browser.router,
    radio_browser_acts.router,
    radio_browser_lists.router,
    reference.router,
    page.router,  # last: it answers every path
)


def build_api(app: Airledger) -> FastAPI:
    """Make the ASGI application that serves an opened App; the App stays the caller's to close."""
    app.declare_tasks()  # routes enqueue
    state = _state(app)
    api = FastAPI(
        title="Airledger",
        version=version("airledger"),
        summary="Streams found and proven, sounds heard, plays logged.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # it would load its scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    api.state.airledger = state
    api.state.routes = [route for router in ROUTERS for route in router.routes]
    add_error_handlers(api)
    for router in ROUTERS:
        api.include_router(router)
    # The last one added is the outermost.
    api.add_middleware(LimitRequests, state.limiter, Proxies(app.settings.trusted_proxies), state.authenticator)
    api.add_middleware(OpenCatalogue)
    api.add_middleware(HeadRequests)
    api.add_middleware(TrimSlash)
    api.add_middleware(SecurityHeaders)
    api.add_middleware(TraceRequests, state.traffic)
    return api


def _state(app: Airledger) -> ApiState:
    threads, traffic = Threads(app.database), Traffic()
    secret = load_secret(app.settings.data)
    tokens = Tokens(secret, app.clock, minutes=app.settings.access_token_minutes)
    return ApiState(
        app=app,
        threads=threads,
        authenticator=Authenticator(app.database, tokens, app.clock),
        limiter=RateLimiter(app.settings.requests_per_minute),
        attempts=RateLimiter(ATTEMPTS_PER_MINUTE),
        announcers=RateLimiter(ANNOUNCEMENTS_PER_MINUTE),
        cache=AnswerCache(on_look=traffic.count_look),
        figures=AnswerCache(keep_s=FIGURES_S),
        counts=AnswerCache(keep_s=COUNTS_S),
        visit_secret=hmac.digest(secret, b"visits", "sha256"),
        hub=EventHub(threads, tells_of_sessions=app.settings.enable_websocket_broadcast),
        traffic=traffic,
    )


@contextlib.asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    hub: EventHub = api.state.airledger.hub
    reading = create_task(hub.run(), name="event-hub")
    try:
        yield
    finally:
        hub.end_all()
        reading.cancel()
        await gather(reading, return_exceptions=True)
