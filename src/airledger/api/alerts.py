"""Alerts: what went wrong, who is told of it and where, and saying that it was seen."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Id, Text
from airledger.api.paging import next_link
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.stations.alerts import channels, find_alerts
from airledger.stations.alerts.channels import (
    MOST_MAILBOXES,
    MOST_NAMES,
    WEBHOOK,
    Allowed,
    ChannelPlan,
    SubscriptionPlan,
)
from airledger.stations.alerts.find_alerts import MAX_LIMIT, AlertFilter, AlertView
from airledger.stations.alerts.models import AlertChannel
from airledger.stations.alerts.raise_alerts import KINDS

URL_LIMIT = 8_192
MOST_HOURS = 24 * 30

router = APIRouter(prefix="/api/v1", tags=["alerts"])
Reader = Annotated[Principal, allow(Scope.ALERTS_READ)]
Writer = Annotated[Principal, allow(Scope.ALERTS_WRITE)]
Kind = Literal["down", "silence", "flapping", "degrading", "wrong_programme"]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class AckOut(BaseModel):
    """That somebody of your organisation has seen it."""

    model_config = ConfigDict(from_attributes=True)

    by: str
    note: str
    at: datetime


class AlertOut(BaseModel):
    """Something that is, or was, wrong with a stream."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str = Field(description="down, silence, flapping, degrading or wrong_programme.")
    stream_id: int
    name: str
    host: str
    network: str | None = Field(description="The /24 or /48 that its server was last seen in.")
    cause: str | None
    detail: str
    opened_at: datetime
    closed_at: datetime | None
    ack: AckOut | None = None


class NoteIn(BaseModel):
    """What you want to say about it."""

    model_config = ConfigDict(extra="forbid")

    note: Text = Field(default="", max_length=1_000)


class ChannelIn(BaseModel):
    """Where you want to be told."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["email", "webhook", "operator"] = Field(
        description="operator: a service of alert_urls in airledger.toml, for those who run the installation."
    )
    addresses: list[Annotated[Text, StringConstraints(min_length=1, max_length=URL_LIMIT)]] = Field(
        min_length=1, max_length=MOST_MAILBOXES, description="Mailboxes; one URL; or one name of alert_urls."
    )
    name: Text = Field(default="", max_length=200)
    time_zone: Text = Field(default="UTC", max_length=64, description="Like Africa/Accra: of quiet hours and times.")
    quiet_from: Clock | None = Field(default=None, description="HH:MM; what happens then is summed up afterwards.")
    quiet_to: Clock | None = None
    resend_hours: int = Field(
        default=0, ge=0, le=MOST_HOURS, description="Repeat what is still wrong and not acknowledged; 0: never."
    )


class ChannelOut(BaseModel):
    """A channel, and whether it works."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    name: str
    addresses: list[str]
    time_zone: str
    quiet_from: str | None
    quiet_to: str | None
    resend_hours: int
    status: str = Field(description="working or failing.")
    error: str | None
    failing_since: datetime | None
    last_sent_at: datetime | None
    created_at: datetime


class ChannelMadeOut(ChannelOut):
    """A channel that was just made; a webhook's secret is shown this once."""

    secret: str | None


class MessageOut(BaseModel):
    """One message to a channel."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    scope: str = Field(description="stream, host, network, everything, summary (of quiet hours) or test.")
    subject: str
    text: str
    data: dict[str, Any]
    status: str = Field(description="waiting, sent or lost.")
    attempts: int
    error: str | None
    at: datetime
    sent_at: datetime | None


class SubscriptionIn(BaseModel):
    """Which alerts a channel gets. Empty lists do not narrow; several narrow together."""

    model_config = ConfigDict(extra="forbid")

    channel_id: UUID
    kinds: list[Kind] = Field(default=[], max_length=10)
    station_ids: list[Id] = Field(default=[], max_length=MOST_NAMES)
    stream_ids: list[Id] = Field(default=[], max_length=MOST_NAMES)
    tags: list[Annotated[Text, StringConstraints(max_length=100)]] = Field(default=[], max_length=MOST_NAMES)
    countries: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]] = Field(default=[], max_length=300)


class SubscriptionOut(BaseModel):
    """A subscription."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    channel_id: UUID
    kinds: list[str]
    station_ids: list[int]
    stream_ids: list[int]
    tags: list[str]
    countries: list[str]
    created_at: datetime


class ChoicesOut(BaseModel):
    """What this installation can do for you."""

    kinds: list[str]
    has_mail: bool
    operator_names: list[str]


@router.get("/alerts")
async def list_alerts(
    request: Request,
    response: Response,
    state: State,
    caller: Reader,
    open: Annotated[bool | None, Query(description="Only those that last, or only those that are over.")] = None,  # noqa: A002
    acknowledged: bool | None = None,
    kind: Kind | None = None,
    stream_id: Annotated[Id | None, Query()] = None,
    host: Annotated[Text | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[AlertOut]:
    """List alerts, newest first."""
    wanted = AlertFilter(is_open=open, kind=kind, stream_id=stream_id, host=host, is_acknowledged=acknowledged)

    def make(session: Session) -> tuple[list[AlertOut], str | None]:
        views, following = find_alerts.find_alerts(session, caller.organisation_id, wanted, limit=limit, cursor=cursor)
        return [_alert(one) for one in views], following

    alerts, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return alerts


@router.post("/alerts/{alert_id}/ack")
async def acknowledge_alert(alert_id: Id, body: NoteIn, state: State, caller: Writer) -> AlertOut:
    """Say that an alert was seen: it is not repeated to your organisation."""

    def make(unit: Unit) -> AlertOut:
        who = caller.actor, caller.organisation_id
        return _alert(find_alerts.acknowledge(unit, *who, alert_id, body.note, now=state.now()))

    return await state.threads.write(make)


@router.delete("/alerts/{alert_id}/ack")
async def unacknowledge_alert(alert_id: Id, state: State, caller: Writer) -> AlertOut:
    """Take that back."""

    def make(unit: Unit) -> AlertOut:
        who = caller.actor, caller.organisation_id
        return _alert(find_alerts.unacknowledge(unit, *who, alert_id, now=state.now()))

    return await state.threads.write(make)


@router.get("/alert-choices")
async def get_alert_choices(state: State, caller: Reader) -> ChoicesOut:
    """Tell which kinds of alerts and channels there are."""
    notifier = state.app.notifier
    names = sorted(_allowed(state, caller).operator_names)
    return ChoicesOut(kinds=list(KINDS), has_mail=notifier.has_mail, operator_names=names)


@router.get("/alert-channels")
async def list_alert_channels(state: State, caller: Reader) -> list[ChannelOut]:
    """List your organisation's channels."""

    def make(session: Session) -> list[ChannelOut]:
        return [ChannelOut.model_validate(row) for row in channels.find_channels(session, caller.organisation_id)]

    return await state.threads.read(make)


@router.post("/alert-channels", status_code=status.HTTP_201_CREATED)
async def create_alert_channel(body: ChannelIn, state: State, response: Response, caller: Writer) -> ChannelMadeOut:
    """Make a channel; it is told of nothing before it has a subscription."""

    def make(unit: Unit) -> ChannelMadeOut:
        who = caller.actor, caller.organisation_id
        row = channels.create_channel(unit, *who, _plan(body), _allowed(state, caller), now=state.now())
        secret = row.secret if row.kind == WEBHOOK else None
        return ChannelMadeOut(**ChannelOut.model_validate(row).model_dump(), secret=secret)

    made = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/alert-channels/{made.id}"
    return made


@router.put("/alert-channels/{channel_id}")
async def change_alert_channel(channel_id: UUID, body: ChannelIn, state: State, caller: Writer) -> ChannelOut:
    """Give a channel other addresses or quiet hours."""

    def make(unit: Unit) -> ChannelOut:
        row = channels.get_channel(unit.session, caller.organisation_id, channel_id)
        channels.change_channel(unit, caller.actor, row, _plan(body), _allowed(state, caller), now=state.now())
        return ChannelOut.model_validate(row)

    return await state.threads.write(make)


@router.delete("/alert-channels/{channel_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_alert_channel(channel_id: UUID, state: State, caller: Writer) -> None:
    """Delete a channel with its subscriptions and messages."""

    def make(unit: Unit) -> None:
        row = channels.get_channel(unit.session, caller.organisation_id, channel_id)
        channels.delete_channel(unit, caller.actor, row, now=state.now())

    await state.threads.write(make)


@router.post("/alert-channels/{channel_id}/test")
async def test_alert_channel(channel_id: UUID, state: State, caller: Writer) -> MessageOut:
    """Send a test message now, and return what came of it."""
    row = await state.threads.read(lambda session: channels.get_channel(session, caller.organisation_id, channel_id))
    return MessageOut.model_validate(await state.threads.outgoing(lambda: state.app.alert_post.test(row)))


@router.get("/alert-channels/{channel_id}/messages")
async def list_alert_messages(
    channel_id: UUID, state: State, caller: Reader, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100
) -> list[MessageOut]:
    """List what a channel was told, newest first."""

    def make(session: Session) -> list[MessageOut]:
        channel: AlertChannel = channels.get_channel(session, caller.organisation_id, channel_id)
        return [MessageOut.model_validate(row) for row in find_alerts.find_messages(session, channel, limit)]

    return await state.threads.read(make)


@router.get("/alert-subscriptions")
async def list_alert_subscriptions(state: State, caller: Reader) -> list[SubscriptionOut]:
    """List your organisation's subscriptions."""

    def make(session: Session) -> list[SubscriptionOut]:
        rows = channels.find_subscriptions(session, caller.organisation_id)
        return [SubscriptionOut.model_validate(row) for row in rows]

    return await state.threads.read(make)


@router.post("/alert-subscriptions", status_code=status.HTTP_201_CREATED)
async def create_alert_subscription(body: SubscriptionIn, state: State, caller: Writer) -> SubscriptionOut:
    """Have a channel told of some alerts from now on."""

    def make(unit: Unit) -> SubscriptionOut:
        plan = SubscriptionPlan(
            channel_id=body.channel_id,
            kinds=tuple(body.kinds),
            station_ids=tuple(body.station_ids),
            stream_ids=tuple(body.stream_ids),
            tags=tuple(body.tags),
            countries=tuple(body.countries),
        )
        row = channels.subscribe(unit, caller.actor, caller.organisation_id, plan, now=state.now())
        return SubscriptionOut.model_validate(row)

    return await state.threads.write(make)


@router.delete("/alert-subscriptions/{subscription_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_alert_subscription(subscription_id: UUID, state: State, caller: Writer) -> None:
    """Delete a subscription."""

    def make(unit: Unit) -> None:
        who = caller.actor, caller.organisation_id
        channels.unsubscribe(unit, *who, subscription_id, now=state.now())

    await state.threads.write(make)


def _alert(view: AlertView) -> AlertOut:
    shown = AlertOut.model_validate(view.alert)
    return shown.model_copy(update={"ack": AckOut.model_validate(view.ack) if view.ack else None})


def _plan(body: ChannelIn) -> ChannelPlan:
    return ChannelPlan(
        kind=body.kind,
        addresses=tuple(body.addresses),
        name=body.name,
        time_zone=body.time_zone,
        quiet_from=body.quiet_from,
        quiet_to=body.quiet_to,
        resend_hours=body.resend_hours,
    )


def _allowed(state: ApiState, caller: Principal) -> Allowed:
    """What runs past the guard on addresses is for those alone who run the installation."""
    return Allowed(state.app.notifier.operator_names if Scope.SYSTEM_WRITE in caller.scopes else ())
