"""What the routes share, and how they get at it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from airledger.api.cached import AnswerCache
from airledger.api.hub import EventHub
from airledger.api.rate_limit import RateLimiter
from airledger.api.threads import Threads
from airledger.api.traffic import Traffic
from airledger.app import Airledger
from airledger.platform.auth.authenticate import Authenticator


@dataclass(frozen=True)
class ApiState:
    """Everything that lives as long as the API process."""

    app: Airledger
    threads: Threads
    authenticator: Authenticator
    limiter: RateLimiter
    attempts: RateLimiter
    announcers: RateLimiter
    cache: AnswerCache
    figures: AnswerCache  # counts of whole tables, which no visitor needs to the second
    counts: AnswerCache  # by country, tag and the like, of the whole catalogue: a minute old at most
    visit_secret: bytes  # what marks of clicks and votes are keyed with
    hub: EventHub
    traffic: Traffic

    def now(self) -> datetime:
        """Return the present moment."""
        return self.app.clock.now()


def state_of(connection: HTTPConnection) -> ApiState:
    """Return the state of the API that serves a connection."""
    return cast("ApiState", connection.app.state.airledger)


State = Annotated[ApiState, Depends(state_of)]
