"""The processes that are not the API: worker, scheduler, listener. Each runs until SIGTERM or SIGINT."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

from airledger.app import Airledger
from airledger.platform.children import die_with_parent
from airledger.platform.errors import UnavailableError
from airledger.platform.logging import configure_logging, logger
from airledger.platform.settings import Settings
from airledger.platform.stopping import catch_signals
from airledger.platform.tasks.queue import sweep
from airledger.platform.tasks.registry import QUEUES
from airledger.platform.tasks.schedules import fire_due
from airledger.platform.tasks.worker import work
from airledger.platform.webhooks.feed import WebhookFeed
from airledger.recognition.outside.jobs import is_configured

CONCURRENCY = {"probe": 2, "recognise": 1, "transcode": 1, "analyse": 1, "money": 1, "deliver": 8, "default": 2}
TICK_S = 1.0

log = logger(__name__)


def run_worker(settings: Settings, queues: tuple[str, ...] = ()) -> None:
    """Do tasks: leased from the database, or carried by Celery where `broker_url` names a broker.

    Args:
        settings: Of the installation.
        queues: Only these; all when empty.
    """
    with _process(settings, "worker") as (app, stop, holder):
        app.declare_tasks()
        chosen = queues or QUEUES
        if not settings.broker_url:
            concurrency = {queue: CONCURRENCY[queue] for queue in chosen}
            work(app.database, app.tasks, app.clock, holder=holder, concurrency=concurrency, stop=stop)
            return
        from airledger.platform.tasks.celery import carrier, work_by_celery

        work_by_celery(
            carrier(settings.broker_url),
            app.database,
            app.tasks,
            app.clock,
            holder=holder,
            queues=chosen,
            concurrency=sum(CONCURRENCY[queue] for queue in chosen),
            stop=stop,
        )


def run_scheduler(settings: Settings) -> None:
    """Dispatch events, fire schedules, sweep tasks of dead workers, and send ids where Celery carries them."""
    with _process(settings, "scheduler") as (app, stop, holder):
        app.declare_tasks()
        _patiently(app.declare_schedules, stop)
        loops: list[Callable[[], object]] = [
            app.dispatcher(holder).turn,
            WebhookFeed(app.database, app.tasks, app.clock).turn,
        ]
        if settings.broker_url:
            from airledger.platform.tasks.celery import Sender, carrier

            loops.append(Sender(carrier(settings.broker_url), app.database, app.clock).turn)
        if settings.events_url:
            from airledger.platform.event_feed import RedisFeed

            loops.append(RedisFeed(settings.events_url, app.database).turn)
        threads = [threading.Thread(target=_loop, args=(call, stop, 0.2), daemon=True) for call in loops]
        for thread in threads:
            thread.start()
        _loop(lambda: _tick(app), stop, TICK_S)
        for thread in threads:
            thread.join(5)


def run_listener(settings: Settings) -> None:
    """Hear the stations that are wanted, as many as `max_sessions` allows."""
    with _process(settings, "listener") as (app, stop, holder):
        from airledger.listening.doubtful import DoubtfulKeeper
        from airledger.listening.evidence_keeper import EvidenceKeeper
        from airledger.listening.listener import Listener, ListenerSettings
        from airledger.listening.same_sound_keep import SoundPrinter
        from airledger.listening.same_sound_print import LookPlan

        limits = ListenerSettings(
            max_sessions=settings.max_sessions,
            window_s=settings.window_seconds,
            hop_s=settings.hop_seconds,
            threads=min(2, _cores()),
            installation=settings,
        )
        spool = settings.data / "spool"
        evidence = EvidenceKeeper(app.database, app.storage, app.clock, app.counts)
        doubtful = None
        if is_configured(settings) and settings.enable_hybrid_detection:
            sure_score = settings.local_confidence_threshold
            doubtful = DoubtfulKeeper(app.database, app.storage, app.clock, app.counts, sure_score=sure_score)
        listener = Listener(
            holder,
            app.database,
            app.clock,
            app.library,
            app.live_tuner,
            app.counts,
            spool,
            limits,
            evidence=evidence,
            unknown_storage=app.storage if settings.unmatched_days else None,
            doubtful=doubtful,
            printer=SoundPrinter(holder, app.database, app.storage, app.clock, app.counts, LookPlan()),
        )
        listener.run(stop)


def _cores() -> int:
    """How many cores this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tick(app: Airledger) -> None:
    now = app.clock.now()
    with app.unit() as unit:
        fire_due(unit.session, app.tasks, now)
        sweep(unit.session, now)


@contextlib.contextmanager
def _process(settings: Settings, role: str) -> Iterator[tuple[Airledger, threading.Event, str]]:
    """Open the App with signals, logs and a heartbeat."""
    die_with_parent()
    configure_logging(role, level=settings.log_level, style=settings.log_format)
    stop = threading.Event()
    catch_signals(stop)
    with Airledger.open(settings) as app:
        presence = app.presence(role)
        heart = threading.Thread(target=presence.run, args=(stop,), name="heartbeat", daemon=True)
        heart.start()
        log.info("started", role=role, holder=presence.name)
        try:
            yield app, stop, presence.name
        finally:
            stop.set()
            heart.join(5)
            log.info("stopped", role=role)


def _loop(call: Callable[[], object], stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        _once(call)


def _once(call: Callable[[], object]) -> None:
    """Do one turn; a database that is away is tried again at the next."""
    try:
        call()
    except UnavailableError as error:
        log.warning("turn_skipped", error=str(error))


def _patiently(call: Callable[[], object], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            call()
        except UnavailableError as error:
            log.warning("waiting_for_database", error=str(error))
            stop.wait(1)
        else:
            return
