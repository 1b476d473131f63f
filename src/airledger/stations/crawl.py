"""Reading a directory into the catalogue: canonical addresses, duplicates merged, every entry accounted for."""

import hashlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError, LimitError, UnavailableError
from airledger.platform.events import publish
from airledger.platform.fetch import Fetcher
from airledger.stations.account import Account, Line
from airledger.stations.blocking.blocked import BlockList, load_block_list
from airledger.stations.claims import Claim, claim
from airledger.stations.crawl_writes import Chunk, write_chunk
from airledger.stations.events import CrawlFinished
from airledger.stations.models import Crawl, Listing
from airledger.stations.polite import Manners, PoliteDoor
from airledger.stations.reading import CrawlTarget, Reading, Validators
from airledger.stations.sources.base import MAX_ENTRIES, Entry, Refused
from airledger.stations.taking import plan_chunk
from airledger.stations.urls import UrlRefusedError

FIRST_CHUNK = 200
WRITE_ATTEMPTS = 3
MIN_CHUNK, MAX_CHUNK = 100, 1_000  # a commit costs the same whatever is in it
TARGET_LOCK_S = 0.06
KEY_BYTES = 12
MAX_ERROR_CHARS = 1_000


BLOCKED = "blocked"  # the reason for which an entry on the block list is refused


@dataclass
class CrawlReport:
    """How a crawl went; `found` is the sum of all that follow.

    Attributes:
        added: Streams that are new to the catalogue.
        merged: Entries new to us whose stream the catalogue had (or that repeat an entry of this very list).
        updated: Known entries that say something else than last time.
        unchanged: Known entries that say the same.
        refused: Entries that cannot be used, by reason.
        error: Why reading ended early, None when the end was reached.
        is_unchanged: The server said that nothing changed since our last visit.
    """

    source: str
    found: int = 0
    added: int = 0
    merged: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    error: str | None = None
    is_unchanged: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.__dict__, "refused": dict(self.refused), "seconds": round(self.seconds, 3)}


def _short(key: str) -> bytes:
    """Return what is enough to tell keys apart, so that half a million of them fit in memory."""
    return hashlib.blake2b(key.encode(), digest_size=KEY_BYTES).digest()


Monitor = Callable[[CrawlReport], None]


def crawl(
    database: Database,
    clock: Clock,
    fetcher: Fetcher,
    target: CrawlTarget,
    *,
    check_frequency_s: int = 3_600,
    monitor: Monitor | None = None,
    stopping: Callable[[], bool] = lambda: False,
    door: PoliteDoor | None = None,
    account: Account | None = None,
) -> CrawlReport:
    """Read a directory into the catalogue.

    A directory that cannot be read is no error of ours: the reason is in the report, in `crawls.error` and in the event
    `crawl.finished`, and what was read before stays.

    Args:
        database: Where to.
        clock: Tells creation times.
        fetcher: For addresses.
        target: What to read.
        check_frequency_s: Nominal distance between checks of new streams.
        monitor: Called after every chunk with the report so far.
        stopping: Asked after every chunk; True ends the crawl.
        door: Through which directories are asked; one for all crawls of a process. None: one of its own.
        account: Where each entry's fate is written.
    """
    crawling = _Crawling(database, clock, door or PoliteDoor(fetcher), target, check_frequency_s, account)
    return crawling.run(monitor or (lambda _: None), stopping)


class _Crawling:
    """One crawl under way."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        door: PoliteDoor,
        target: CrawlTarget,
        check_frequency_s: int,
        account: Account | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._door = door
        self._target = target
        self._check_frequency_s = check_frequency_s
        self._account = account
        self._report = CrawlReport(target.name)
        self._seen: dict[bytes, int] = {}  # the number of the entry that was first
        self._chunk_size = FIRST_CHUNK
        self._blocked = BlockList()

    def run(self, monitor: Monitor, stopping: Callable[[], bool]) -> CrawlReport:
        began = time.monotonic()
        crawl_id, validators = self._begin()
        try:
            self._read(validators, monitor, stopping)
        except (AirledgerError, OSError) as error:
            self._report.error = str(error)[:MAX_ERROR_CHARS]
        self._report.is_unchanged = validators.is_unchanged
        self._report.seconds = time.monotonic() - began
        self._finish(crawl_id, validators)
        return self._report

    def _begin(self) -> tuple[UUID, Validators]:
        with self._database.unit() as unit:
            self._blocked = load_block_list(unit.session)
            last = unit.session.execute(
                select(Crawl.validators)
                .where(Crawl.source == self._target.name, Crawl.finished_at.is_not(None), Crawl.error.is_(None))
                .order_by(Crawl.started_at.desc())
                .limit(1)
            ).first()
            row = Crawl(source=self._target.name, started_at=self._clock.now())
            unit.session.add(row)
            unit.session.flush()
            told = (last.validators or {}) if last else {}
            is_same = told.get("target") == self._target.fingerprint
            return row.id, Validators(told.get("addresses", {}) if is_same else {})

    def _read(self, validators: Validators, monitor: Monitor, stopping: Callable[[], bool]) -> None:
        manners = Manners(self._target.distance_s, self._target.robots, stopping)
        reading = Reading(self._target, self._door, validators, manners)
        for chunk in self._chunks(reading):
            self._take(chunk)
            self._write_account()
            monitor(self._report)
            if stopping():
                raise LimitError("The crawl was stopped; the next one goes on.")
        if validators.is_unchanged:
            self._keep_all()

    def _chunks(self, reading: Reading) -> Iterator[list[Claim]]:
        entries = reading.entries()
        while True:
            claims: list[Claim] = []
            read = 0
            try:
                for entry in itertools.islice(entries, self._chunk_size):
                    read += 1
                    claims += self._judge(entry, reading.part)
            except (AirledgerError, OSError):
                if read:
                    yield claims  # what stood before the fault is good
                raise
            if not read:
                return
            yield claims

    def _judge(self, entry: Entry | Refused, part: str) -> Iterable[Claim]:
        self._report.found += 1
        if self._report.found > MAX_ENTRIES:
            self._report.found -= 1
            raise LimitError(f"The source has more than {MAX_ENTRIES} entries: split it.")
        where = f"{part}: {entry.where}" if part and self._account else entry.where
        if isinstance(entry, Refused):
            return self._refuse(entry.reason, where, None)
        try:
            found = claim(entry)
        except UrlRefusedError as error:
            return self._refuse(error.reason, where, entry.url)
        if self._blocked.is_blocked(found.fields["url"]):
            return self._refuse(BLOCKED, where, entry.url)
        return self._once(found, where)

    def _refuse(self, reason: str, where: str, url: str | None) -> Iterable[Claim]:
        self._report.refused[reason] += 1
        if self._account:
            self._account.note(Line(self._report.found, where, url, reason=reason))
        return ()

    def _once(self, found: Claim, where: str) -> Iterable[Claim]:
        """Drop an entry that repeats one of this very list; a key used for two addresses is told apart by them."""
        number = self._report.found
        line = Line(number, where, found.fields["url"], url_key=found.url_key) if self._account else None
        pair, key = _short(found.key + found.url_key), _short(found.key)
        if pair in self._seen:
            self._report.merged += 1
            if self._account and line:
                line.outcome, line.repeats = "merged", self._seen[pair]
                self._account.note(line)
            return ()
        is_reused = key in self._seen
        self._seen[pair] = number
        self._seen.setdefault(key, number)
        if self._account and line:
            self._account.note(line)
        return (
            (replace(found, key=f"{found.key} {found.url_key}", line=line),)
            if is_reused
            else (replace(found, line=line) if line else found,)
        )

    def _write_account(self) -> None:
        if self._account:
            with self._database.read() as session:
                self._account.write(session)

    def _take(self, claims: list[Claim]) -> None:
        """Write a chunk; one that met another writer's lock is decided and written anew."""
        for attempt in range(WRITE_ATTEMPTS if claims else 0):
            chunk = self._plan(claims)
            try:
                added = self._write(chunk)
            except UnavailableError:
                if attempt == WRITE_ATTEMPTS - 1:
                    raise
                continue
            fresh = chunk.counts.pop("added", 0)
            chunk.counts.update(added=added, merged=fresh - added)  # another crawl may have been faster
            for name, count in chunk.counts.items():
                setattr(self._report, name, getattr(self._report, name) + count)
            return

    def _write(self, chunk: Chunk) -> int:
        began = time.monotonic()
        with self._database.unit() as unit:
            added = write_chunk(unit.session, chunk, self._clock.now(), check_frequency_s=self._check_frequency_s)
        held_s = time.monotonic() - began
        if chunk.listings_new:
            wanted = self._chunk_size * TARGET_LOCK_S / max(held_s, 1e-4)
            self._chunk_size = int(min(max(wanted, self._chunk_size / 2, MIN_CHUNK), self._chunk_size * 2, MAX_CHUNK))
        return added

    def _plan(self, claims: list[Claim]) -> Chunk:
        """Decide on a chunk by what the catalogue holds."""
        with self._database.read() as session:
            return plan_chunk(session, self._target.name, claims)

    def _keep_all(self) -> None:
        """Nothing changed there, so all that was listed is listed still."""
        with self._database.unit() as unit:
            kept = unit.session.execute(
                update(Listing)
                .where(Listing.source == self._target.name)
                .values(last_seen=self._clock.now())
                .execution_options(synchronize_session=False)
            )
        self._report.found = self._report.unchanged = kept.rowcount  # type: ignore[attr-defined]

    def _finish(self, crawl_id: UUID, validators: Validators) -> None:
        report = self._report
        refused = report.refused.total()
        with self._database.unit() as unit:
            row = unit.session.get_one(Crawl, crawl_id)
            now = self._clock.now()
            row.finished_at, row.error, row.refused, row.refused_reasons = now, report.error, refused, report.refused
            row.found, row.added, row.merged = report.found, report.added, report.merged
            row.updated, row.unchanged = report.updated, report.unchanged
            row.validators = {"target": self._target.fingerprint, "addresses": validators.found}
            event = CrawlFinished(
                source=report.source,
                found=report.found,
                added=report.added,
                merged=report.merged,
                updated=report.updated,
                unchanged=report.unchanged,
                refused=refused,
                error=report.error,
            )
            publish(unit, event, at=now)
