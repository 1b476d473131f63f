"""Webhooks: have what happens posted to an address of yours."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import LARGEST_ID, Id, Text
from airledger.api.paging import next_link
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.webhooks import hooks
from airledger.platform.webhooks.deliver import Courier
from airledger.platform.webhooks.feed import DELIVER, key_of
from airledger.platform.webhooks.hooks import MOST_NAMES, WebhookPlan
from airledger.platform.webhooks.rows import ACTIVE, Webhook

URL_LIMIT = 8_192
MAX_LIMIT = 1_000
TEST_TIMEOUT_S = 10.0

router = APIRouter(prefix="/api/v1", tags=["webhooks"])
Caller = Annotated[Principal, allow(Scope.WEBHOOKS_WRITE)]
TypeName = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]{1,40}\.(\*|[a-z_]{1,40}))$")]


class WebhookIn(BaseModel):
    """Where to post, and what about. Empty filters do not narrow; several narrow together."""

    model_config = ConfigDict(extra="forbid")

    url: Text = Field(min_length=1, max_length=URL_LIMIT)
    name: Text = Field(default="", max_length=200)
    types: list[TypeName] = Field(
        default=["*"], min_length=1, max_length=MOST_NAMES, description="Events: names, 'play.*', or '*' for all."
    )
    station_ids: list[Id] = Field(default=[], max_length=MOST_NAMES)
    stream_ids: list[Id] = Field(default=[], max_length=MOST_NAMES)
    recording_ids: list[UUID] = Field(default=[], max_length=MOST_NAMES)
    owner_organisation_id: UUID | None = Field(
        default=None,
        description="Only what this organisation owns (yours); else the public catalogue's events come too.",
    )


class WebhookOut(BaseModel):
    """A webhook, and how far it has been told."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    url: str
    name: str
    types: list[str]
    station_ids: list[int]
    stream_ids: list[int]
    recording_ids: list[UUID]
    owner_organisation_id: UUID | None
    status: str = Field(description="active or paused.")
    pause_reason: str | None
    position: int = Field(description="Of the last event that was delivered or did not concern it.")
    attempts: int = Field(description="Failed ones of the event that is next.")
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_delivered_at: datetime | None
    created_at: datetime


class SecretOut(BaseModel):
    """A secret, shown this once."""

    secret: str


class WebhookMadeOut(WebhookOut):
    """A webhook that was just created, with the secret that signs what it gets; shown this once."""

    secret: str


class DeliveryOut(BaseModel):
    """One attempt to tell a webhook one event."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    message_id: str = Field(description="Sent as webhook-id: the same however often the event is sent.")
    position: int | None
    type: str
    attempt: int
    status: str = Field(description="delivered or failed.")
    http_status: int | None
    ms: int
    error: str | None
    body_excerpt: str | None = Field(description="The first KiB of the receiver's answer.")
    at: datetime


class ReplayOut(BaseModel):
    """From where to where events are told again."""

    since: int
    newest: int


@router.post("/webhooks", status_code=status.HTTP_201_CREATED)
async def create_webhook(body: WebhookIn, state: State, response: Response, caller: Caller) -> WebhookMadeOut:
    """Create a webhook; it hears what happens from now on. Its secret is shown this once."""

    def make(unit: Unit) -> WebhookMadeOut:
        hook, secret = hooks.create_webhook(unit, caller.actor, caller.organisation_id, _plan(body), now=state.now())
        return WebhookMadeOut(**WebhookOut.model_validate(hook).model_dump(), secret=secret)

    made = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return made


@router.get("/webhooks")
async def list_webhooks(state: State, caller: Caller) -> list[WebhookOut]:
    """List your organisation's webhooks."""

    def make(session: Session) -> list[WebhookOut]:
        return [WebhookOut.model_validate(row) for row in hooks.find_webhooks(session, caller.organisation_id)]

    return await state.threads.read(make)


@router.get("/webhooks/{webhook_id}")
async def get_webhook(webhook_id: UUID, state: State, caller: Caller) -> WebhookOut:
    """Return one webhook."""
    return await state.threads.read(
        lambda session: WebhookOut.model_validate(hooks.get_webhook(session, caller.organisation_id, webhook_id))
    )


@router.put("/webhooks/{webhook_id}")
async def change_webhook(webhook_id: UUID, body: WebhookIn, state: State, caller: Caller) -> WebhookOut:
    """Give a webhook another address, name or filters; they hold for what waits, too."""

    def make(unit: Unit) -> WebhookOut:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        hooks.change_webhook(unit, caller.actor, hook, _plan(body), now=state.now())
        return WebhookOut.model_validate(hook)

    return await state.threads.write(make)


@router.delete("/webhooks/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_webhook(webhook_id: UUID, state: State, caller: Caller) -> None:
    """Delete a webhook and its log."""

    def make(unit: Unit) -> None:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        hooks.delete_webhook(unit, caller.actor, hook, now=state.now())

    await state.threads.write(make)


@router.post("/webhooks/{webhook_id}/pause")
async def pause_webhook(webhook_id: UUID, state: State, caller: Caller) -> WebhookOut:
    """Stop telling a webhook; what happens meanwhile waits for it for 30 days."""

    def make(unit: Unit) -> WebhookOut:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        hooks.pause(unit, caller.actor, hook, "paused by hand", now=state.now())
        return WebhookOut.model_validate(hook)

    return await state.threads.write(make)


@router.post("/webhooks/{webhook_id}/resume")
async def resume_webhook(webhook_id: UUID, state: State, caller: Caller) -> WebhookOut:
    """Go on telling a webhook, from where it stopped."""

    def make(unit: Unit) -> WebhookOut:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        hooks.resume(unit, caller.actor, hook, now=state.now())
        _hurry(unit, state, hook)
        return WebhookOut.model_validate(hook)

    return await state.threads.write(make)


@router.post("/webhooks/{webhook_id}/replay", status_code=status.HTTP_202_ACCEPTED)
async def replay_events(
    webhook_id: UUID,
    state: State,
    caller: Caller,
    since: Annotated[int, Query(ge=0, le=LARGEST_ID, description="The last position that you know.")],
) -> ReplayOut:
    """Tell a webhook everything after a position again, in order, with the ids that the messages had before."""

    def make(unit: Unit) -> ReplayOut:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        newest = hooks.replay(unit, caller.actor, hook, since, now=state.now())
        _hurry(unit, state, hook)
        return ReplayOut(since=hook.position, newest=newest)

    return await state.threads.write(make)


@router.post("/webhooks/{webhook_id}/test")
async def test_webhook(webhook_id: UUID, state: State, caller: Caller) -> DeliveryOut:
    """Post a `webhook.test` message now, and return what came of it."""
    hook = await state.threads.read(lambda session: hooks.get_webhook(session, caller.organisation_id, webhook_id))
    courier = Courier(state.app.database, state.app.clock, state.app.fetcher, timeout_s=TEST_TIMEOUT_S)
    return DeliveryOut.model_validate(await state.threads.outgoing(lambda: courier.test(hook)))


@router.post("/webhooks/{webhook_id}/secret")
async def change_secret(webhook_id: UUID, state: State, caller: Caller) -> SecretOut:
    """Give a webhook another secret, shown this once; the old one signs beside it for 24 hours."""

    def make(unit: Unit) -> SecretOut:
        hook = hooks.get_webhook(unit.session, caller.organisation_id, webhook_id)
        return SecretOut(secret=hooks.change_secret(unit, caller.actor, hook, now=state.now()))

    return await state.threads.write(make)


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: UUID,
    request: Request,
    response: Response,
    state: State,
    caller: Caller,
    status: Annotated[Literal["delivered", "failed"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[DeliveryOut]:
    """List the attempts to tell a webhook, newest first; they are kept for 30 days."""

    def make(session: Session) -> tuple[list[DeliveryOut], str | None]:
        hook = hooks.get_webhook(session, caller.organisation_id, webhook_id)
        rows, following = hooks.find_deliveries(session, hook.id, status=status, limit=limit, cursor=cursor)
        return [DeliveryOut.model_validate(row) for row in rows], following

    deliveries, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return deliveries


def _plan(body: WebhookIn) -> WebhookPlan:
    return WebhookPlan(
        url=body.url,
        name=body.name,
        types=tuple(body.types),
        station_ids=tuple(body.station_ids),
        stream_ids=tuple(body.stream_ids),
        recording_ids=tuple(body.recording_ids),
        owner_organisation_id=body.owner_organisation_id,
    )


def _hurry(unit: Unit, state: ApiState, hook: Webhook) -> None:
    """Have a webhook looked after at once; the feed would come to it within a second."""
    if hook.status == ACTIVE:
        args = {"webhook_id": str(hook.id)}
        state.app.tasks.enqueue(
            unit.session,
            DELIVER,
            args,
            now=state.now(),
            unique_key=key_of(hook.id),
            organisation_id=hook.organisation_id,
        )
