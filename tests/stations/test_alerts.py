"""Alerts from the catalogue's events to mailboxes, signed webhooks and the operator's services."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from airledger.platform.audit import Actor
from airledger.platform.auth.rows import Organisation
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import ConfigurationError, ForbiddenError, InputError, NotFoundError, UnavailableError
from airledger.platform.events import Dispatcher, publish
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.platform.notify import Notifier
from airledger.platform.settings import OperatorUrl, Settings
from airledger.platform.tasks.registry import Context, Registry
from airledger.platform.tasks.rows import TaskRow
from airledger.stations.alerts import jobs
from airledger.stations.alerts.channels import (
    Allowed,
    ChannelPlan,
    SubscriptionPlan,
    create_channel,
    delete_address,
    export_address,
    subscribe,
)
from airledger.stations.alerts.find_alerts import AlertFilter, acknowledge, find_alerts, unacknowledge
from airledger.stations.alerts.models import (
    FAILING,
    LOST,
    SENT,
    WORKING,
    Alert,
    AlertChannel,
    AlertMessage,
    AlertNotice,
)
from airledger.stations.alerts.raise_alerts import EVENTS, hear
from airledger.stations.alerts.send import AlertPost
from airledger.stations.cause import Cause
from airledger.stations.events import StreamClassChanged
from airledger.stations.models import PLAYING, Stream
from airledger.stations.record import record_proofs
from airledger.stations.standing import Pace
from mail_server import Mailbox, mail_server
from receiver import Receiver, Reply, receiver
from stations.rows import LONG, add_stream, bad

US = Actor("user:test")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class House:
    """An installation with a mail server, a receiver, and one organisation."""

    database: Database
    clock: SteppedClock
    mail: Mailbox
    receiver: Receiver
    post: AlertPost
    registry: Registry
    organisation_id: UUID

    def channel(self, kind: str = "email", *addresses: str, **fields: Any) -> UUID:
        plan = ChannelPlan(kind, addresses or ("ops@example.org",), **fields)
        with self.database.unit() as unit:
            names = Allowed(["desk"])
            made = create_channel(unit, US, self.organisation_id, plan, names, now=self.clock.now())
            subscribe(unit, US, self.organisation_id, SubscriptionPlan(made.id), now=self.clock.now())
            return made.id

    def checked(self, *stream_ids: int, cause: Cause | None = None) -> None:
        """Write a healthy proof, or three bad ones; the dispatcher hears of it."""
        proofs = [(one, bad(cause)) for one in stream_ids for _ in range(3)] if cause else []
        proofs = proofs or [(one, LONG) for one in stream_ids for _ in range(2)]
        with self.database.unit() as unit:
            record_proofs(unit, proofs, now=self.clock.now(), pace=Pace())
        self.dispatch()

    def dispatch(self) -> None:
        dispatcher = Dispatcher(self.database, self.clock, "test")
        dispatcher.subscribe("alerts", EVENTS, lambda unit, told: hear(unit, told, self.clock.now()))
        while dispatcher.turn():
            pass

    def look(self, minutes: float = 6) -> list[AlertMessage]:
        """Let time pass, have messages made, and do the tasks that deliver them."""
        self.clock.step(60 * minutes)
        self.post.gather_all()
        self.deliver()
        return self.rows(select(AlertMessage).order_by(AlertMessage.at, AlertMessage.id))

    def deliver(self, attempt: int = 1) -> None:
        for task in self.rows(select(TaskRow).where(TaskRow.name == "alerts.deliver")):
            context = Context(task.id, attempt, lambda _: None, lambda: False)
            try:
                self.registry.get(task.name).call(context, **task.args)
            except (UnavailableError, ConfigurationError):
                continue

    def rows(self, query: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(query))


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    with housed(database) as house:
        yield house


@pytest.fixture
def either_house(either_database: Database) -> Iterator[House]:
    with housed(either_database) as house:
        yield house


@contextmanager
def housed(database: Database) -> Iterator[House]:
    clock = SteppedClock(NOON)
    organisation_id = uuid4()
    with database.unit() as unit:
        unit.session.add(Organisation(id=organisation_id, slug="o", name="O", created_at=NOON))
    with mail_server() as mail, receiver() as running:
        settings = Settings(
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_security="none",
            mail_from="radio@airledger.example",
            alert_urls=(OperatorUrl(name="desk", url=SecretStr(running.base.replace("http", "json") + "/desk")),),
        )
        registry = Registry()
        fetcher = Fetcher(AddressGuard([ip_network("127.0.0.0/8")]), "test")
        post = AlertPost(database, registry, clock, fetcher, Notifier(settings))
        jobs.declare(registry, post)
        yield House(database, clock, mail, running, post, registry, organisation_id)


def streams(house: House, count: int, host: str = "one.example", **fields: Any) -> list[int]:
    ids = [
        add_stream(house.database, house.clock, f"http://{host}/{n}", name=f"Radio {n}", **fields) for n in range(count)
    ]
    house.checked(*ids)
    return ids


def test_a_fault_and_its_end_are_told_by_mail(either_house: House) -> None:
    house = either_house
    [stream_id] = streams(house, 1)
    house.channel()
    house.checked(stream_id, cause=Cause.TIMEOUT)
    [message] = house.look()
    assert (message.status, message.scope, message.subject) == (SENT, "stream", "Radio 0 is down")
    [(to, mail)] = house.mail.got
    assert to == ["ops@example.org"]
    assert mail["Subject"] == "Radio 0 is down"
    assert mail["From"] == "radio@airledger.example"
    assert mail["Message-ID"] == f"<alert-{message.id}@airledger.example>"
    assert "2026-03-02 12:00 UTC" in mail.get_content()
    house.checked(stream_id)
    assert len(house.look(10)) == 1  # told within the hour
    assert [one.subject for one in house.look(60)] == ["Radio 0 is down", "Radio 0 is back"]


def test_what_never_played_raises_no_alert_and_silence_is_no_outage(house: House) -> None:
    dead = add_stream(house.database, house.clock, "http://dead.example/")
    [quiet] = streams(house, 1)
    house.channel()
    house.checked(dead, cause=Cause.TIMEOUT)
    house.checked(quiet, cause=Cause.SILENT)
    assert [(one.stream_id, one.kind) for one in house.rows(select(Alert))] == [(quiet, "silence")]


def test_a_host_that_fails_is_one_message_and_its_neighbours_are_looked_at(house: House) -> None:
    ids = streams(house, 20)
    house.channel()
    house.clock.step(120)
    house.checked(ids[0], cause=Cause.REFUSED)
    due = house.rows(select(Stream.id).where(Stream.state == PLAYING, Stream.next_check_at <= house.clock.now()))
    assert len(due) == 16
    house.checked(*ids[1:], cause=Cause.REFUSED)
    [message] = house.look()
    assert (message.scope, message.subject) == ("host", "20 streams have a fault on one.example")
    assert len(message.data["notices"]) == 20
    for _ in range(3):
        house.checked(*ids)
        house.checked(*ids, cause=Cause.REFUSED)
        house.look(5)
    assert len(house.mail.got) == 1


def test_two_workers_that_look_at_once_tell_once(either_house: House) -> None:
    house = either_house
    [stream_id] = streams(house, 1)
    house.channel()
    house.checked(stream_id, cause=Cause.TIMEOUT)
    with house.database.unit() as unit:  # heard twice, as by two dispatchers
        for told in ({"from_state": "playing", "to_state": "failing", "cause": "timeout", "stream_id": stream_id},):
            from airledger.platform.events import Told

            hear(unit, Told(1, "stream.state_changed", house.clock.now(), None, told), house.clock.now())
    house.clock.step(600)
    together = threading.Barrier(4)

    def look() -> None:
        together.wait()
        house.post.gather_all()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.deliver()
    house.deliver()  # a task that came back after its worker died
    assert len(house.rows(select(Alert))) == len(house.rows(select(AlertNotice))) == 1
    assert len(house.mail.got) == 1


def test_webhooks_are_signed(house: House) -> None:
    [stream_id] = streams(house, 1)
    channel_id = house.channel("webhook", house.receiver.base + "/hook")
    house.checked(stream_id, cause=Cause.TIMEOUT)
    house.look()
    [got] = house.receiver.at("/hook")
    [channel] = house.rows(select(AlertChannel).where(AlertChannel.id == channel_id))
    key = base64.b64decode(channel.secret.removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(got.body)
    assert told["type"] == "alert"
    assert told["data"]["notices"][0]["cause"] == "timeout"
    assert (channel.status, channel.error) == (WORKING, None)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's
def test_services_of_the_operator_are_spoken_to_by_apprise_and_are_nobody_elses(house: House) -> None:
    [stream_id] = streams(house, 1)
    house.channel("operator", "desk")
    house.checked(stream_id, cause=Cause.TIMEOUT)
    house.look()
    [got] = house.receiver.at("/desk")
    assert json.loads(got.body)["title"] == "Radio 0 is down"
    plan = ChannelPlan("operator", ("desk",))
    with pytest.raises(ForbiddenError), house.database.unit() as unit:
        create_channel(unit, US, house.organisation_id, plan, Allowed(), now=NOON)


def test_a_channel_that_fails_is_shown_and_tried_again(house: House) -> None:
    [stream_id] = streams(house, 1)
    house.channel("webhook", house.receiver.base + "/hook")
    house.channel()
    house.mail.refusals = ["450 later"]
    house.receiver.reply = lambda _: Reply(500)
    house.checked(stream_id, cause=Cause.TIMEOUT)
    house.look()
    channels = house.rows(select(AlertChannel))
    assert {one.status for one in channels} == {FAILING}
    assert {one.error for one in channels} == {
        "the receiver answered 500",
        "the mail server asks to wait: 450 later",
    }
    house.receiver.reply = lambda _: Reply()
    house.deliver(attempt=2)
    assert {one.status for one in house.rows(select(AlertChannel))} == {WORKING}
    messages = house.rows(select(AlertMessage))
    assert {(one.status, one.attempts) for one in messages} == {(SENT, 2)}
    assert len(house.mail.got) == 1


def test_what_is_refused_for_good_is_lost_at_once_and_the_rest_in_the_end(house: House) -> None:
    [stream_id] = streams(house, 1)
    house.channel()
    house.channel("webhook", house.receiver.base + "/hook")
    house.mail.refusals = ["550 nobody here"]
    house.receiver.reply = lambda _: Reply(500)
    house.checked(stream_id, cause=Cause.TIMEOUT)
    messages = house.look()
    assert sorted(one.status for one in messages) == [LOST, "waiting"]
    house.deliver(attempt=jobs.ATTEMPTS)
    assert {one.status for one in house.rows(select(AlertMessage))} == {LOST}


def test_quiet_hours_hold_and_are_summed_up(house: House) -> None:
    one, two = streams(house, 2, "h1.example")[0], streams(house, 1, "h2.example")[0]
    house.channel(time_zone="Africa/Accra", quiet_from="22:00", quiet_to="07:00")
    house.clock.step(11 * 3_600)  # 23:00
    house.checked(one, two, cause=Cause.TIMEOUT)
    assert house.look(60) == []
    house.checked(one)  # over before anybody was told
    assert house.look(60) == []
    [message] = house.look(6 * 60)
    assert message.scope == "summary"
    assert message.subject.startswith("While it was quiet:")
    assert len(message.data["notices"]) == 3


def test_what_nobody_acknowledges_is_told_again(either_house: House) -> None:
    house = either_house
    [stream_id] = streams(house, 1)
    house.channel(resend_hours=2)
    house.checked(stream_id, cause=Cause.TIMEOUT)
    assert len(house.look()) == 1
    assert len(house.look(90)) == 1
    house.look(40)
    assert [one.subject for one in house.look(6)] == ["Radio 0 is down", "Radio 0 still is down"]
    with house.database.unit() as unit:
        [alert] = unit.session.scalars(select(Alert))
        acknowledge(unit, US, house.organisation_id, alert.id, "on it", now=house.clock.now())
    house.look(200)
    assert len(house.look(10)) == 2
    with house.database.unit() as unit:
        assert unacknowledge(unit, US, house.organisation_id, alert.id, now=house.clock.now()).ack is None
    house.look(10)
    assert len(house.look(10)) == 3


def test_subscriptions_narrow_and_lists_are_paged(either_house: House) -> None:
    house = either_house
    [ghana] = streams(house, 1, "gh.example", country_code="GH", tags=["Highlife"])
    [peru] = streams(house, 1, "pe.example", country_code="PE", tags=["rock"])
    now = house.clock.now()
    with house.database.unit() as unit:
        made = create_channel(
            unit, US, house.organisation_id, ChannelPlan("email", ("a@b.example",)), Allowed(), now=now
        )
        for plan in (
            SubscriptionPlan(made.id, countries=("gh",), tags=("highlife",)),
            SubscriptionPlan(made.id, kinds=("flapping",)),
        ):
            subscribe(unit, US, house.organisation_id, plan, now=now)
    house.checked(ghana, peru, cause=Cause.TIMEOUT)
    assert len(house.rows(select(Alert))) == 2
    [told] = house.look()
    assert [one["stream_id"] for one in told.data["notices"]] == [ghana]
    with house.database.read() as session:
        page, cursor = find_alerts(session, house.organisation_id, AlertFilter(is_open=True), limit=1)
        rest, end = find_alerts(session, house.organisation_id, AlertFilter(is_open=True), limit=1, cursor=cursor)
        assert [page[0].alert.stream_id, rest[0].alert.stream_id] == [peru, ghana]
        assert end is None
        assert (
            find_alerts(session, house.organisation_id, AlertFilter(host="gh.example"))[0][0].alert.stream_id == ghana
        )


@pytest.mark.parametrize(
    "plan",
    [
        ChannelPlan("email", ("nobody",)),
        ChannelPlan("email", ("a@b.example\r\nBcc: all@b.example",)),
        ChannelPlan("email", ()),
        ChannelPlan("webhook", ("ftp://a.example/",)),
        ChannelPlan("webhook", ("http://user:word@a.example/",)),
        ChannelPlan("webhook", ("http://a.example/", "http://b.example/")),
        ChannelPlan("email", ("a@b.example",), time_zone="Nowhere"),
    ],
)
def test_what_cannot_be_told_is_refused(house: House, plan: ChannelPlan) -> None:
    with pytest.raises(InputError), house.database.unit() as unit:
        create_channel(unit, US, house.organisation_id, plan, Allowed(), now=NOON)


def test_a_person_can_see_and_take_back_their_address(house: House) -> None:
    house.channel("email", "Ama@example.org", "kofi@example.org")
    alone = house.channel("email", "ama@example.org")
    with house.database.read() as session:
        assert len(export_address(session, "ama@example.org")) == 2
    with house.database.unit() as unit:
        assert delete_address(unit, US, "ama@example.org", now=NOON) == 2
    assert [one.addresses for one in house.rows(select(AlertChannel))] == [["kofi@example.org"]]
    with pytest.raises(NotFoundError), house.database.unit() as unit:
        subscribe(unit, US, house.organisation_id, SubscriptionPlan(alone), now=NOON)


def test_a_test_message_says_what_came_of_it(house: House) -> None:
    house.channel()
    house.mail.refusals = ["550 no"]
    [channel] = house.rows(select(AlertChannel))
    assert house.post.test(channel).status == LOST
    assert house.post.test(channel).status == SENT
    assert house.mail.got[0][1]["Subject"] == "Airledger: a test"


def test_another_class_of_sound_is_a_wrong_programme_until_it_is_one_again(house: House) -> None:
    [stream_id] = streams(house, 1)
    for was, now_is, is_open in (("music", "speech", 0), ("speech", "error_page", 1), ("error_page", "mixed", 0)):
        with house.database.unit() as unit:
            change = StreamClassChanged(stream_id=stream_id, from_class=was, to_class=now_is)
            publish(unit, change, at=house.clock.now())
        house.dispatch()
        open_ones = house.rows(select(Alert).where(Alert.closed_at.is_(None)))
        assert [one.kind for one in open_ones] == ["wrong_programme"] * is_open
    [alert] = house.rows(select(Alert))
    assert alert.detail == "It is heard to be error page, and was speech before."


def test_retired_streams_have_no_open_alerts(house: House) -> None:
    [stream_id] = streams(house, 1)
    house.checked(stream_id, cause=Cause.TIMEOUT)
    from airledger.stations.submit import retire

    with house.database.unit() as unit:
        retire(unit, stream_id, US, now=house.clock.now() + timedelta(hours=1))
        unit.session.execute(update(Stream).values(next_check_at=None))
    house.dispatch()
    with house.database.read() as session:
        assert session.scalar(select(func.count()).where(Alert.closed_at.is_(None))) == 0
