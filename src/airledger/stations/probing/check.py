"""A whole check of a batch of streams: knock, look, listen, and find out what failures mean."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from airledger.stations.levels import CONNECTS
from airledger.stations.probe import Tunes, prove_all
from airledger.stations.probing.first_frames import FirstFrames, FramesDecoder
from airledger.stations.probing.knock import LOOK_BYTES, Knock, Knocker
from airledger.stations.probing.light_proof import left_alone, light_proof
from airledger.stations.probing.second_look import explain
from airledger.stations.probing.stages import CheckJob, Stage
from airledger.stations.probing.together import Finding, settle
from airledger.stations.proof import Proof
from airledger.stations.proof_job import ProofJob

REMEMBER_HOSTS_S = 600.0


@dataclass
class Checker:
    """Checks batches of streams, for one task. Not thread-safe; used as `with Checker(...) as checker:`.

    Attributes:
        knocker: Asks, with the manners of the whole process. Closed with the checker.
        decoder: Decodes first bytes.
        tuner: Gives the running tuner, when something is to be listened to.
        concurrency: How many are listened to at the same time.
    """

    knocker: Knocker
    decoder: FramesDecoder
    tuner: Callable[[], Tunes]
    concurrency: int = 16

    def check_all(
        self, jobs: Sequence[CheckJob], now: datetime, stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Proof]]:
        """Check streams.

        Args:
            jobs: What to check, and how to begin.
            now: The present, for dates in URLs.
            stopping: True breaks off; what was not proven by then is not given.

        Yields:
            The job's id with its proof: successes as they come, failures at the end, when it is known what they mean.
        """
        batch = _Batch({one.job.id: one for one in jobs})
        yield from self._first_looks(batch, stopping)
        yield from self._listen(batch, stopping)
        if stopping():
            return
        settled = settle(batch.failed, self.knocker.manners.reached_hosts(REMEMBER_HOSTS_S))
        ours = [one for one in settled if one.proof.cause is not None and one.proof.cause.is_ours]
        theirs = [one for one in settled if one.proof.cause is None or not one.proof.cause.is_ours]
        for one in itertools.chain(ours, explain(theirs, self.knocker, now, stopping)):
            if one.proof.retry_after_s is not None:
                self.knocker.manners.rest(one.job.host, one.proof.retry_after_s)
            yield one.job.id, one.proof
        yield from ((job.id, left_alone(self.knocker.manners.rest_s(job.host))) for job in batch.left_alone)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.knocker.close()

    def _first_looks(self, batch: "_Batch", stopping: Callable[[], bool]) -> Iterator[tuple[int, Proof]]:
        asked = [one.job for one in batch.jobs.values() if one.stage is Stage.ASK]
        looked = [one.job for one in batch.jobs.values() if one.stage is Stage.LOOK]
        missing = {job.id: job for job in (*asked, *looked)}
        for knock in self.knocker.knock(asked, stopping=stopping):
            del missing[knock.job.id]
            self._note(knock.job, light := light_proof(knock))
            if knock.is_media:
                yield knock.job.id, light
            else:
                batch.to_listen.append(knock.job)
        looks = self.knocker.knock(looked, wanted_bytes=LOOK_BYTES, stopping=stopping)
        for knock, frames in self.decoder.decode_all(looks, stopping):
            del missing[knock.job.id]
            self._sort(batch, knock, frames)
        batch.left_alone += [] if stopping() else missing.values()

    def _sort(self, batch: "_Batch", knock: Knock, frames: FirstFrames | None) -> None:
        proof = light_proof(knock, frames)
        self._note(knock.job, proof)
        if proof.cause is None:
            batch.to_listen.append(knock.job)
        else:
            batch.failed.append(Finding(knock.job, proof, batch.jobs[knock.job.id].was_playing))

    def _listen(self, batch: "_Batch", stopping: Callable[[], bool]) -> Iterator[tuple[int, Proof]]:
        wanted = [one.job for one in batch.jobs.values() if one.stage is Stage.LISTEN]
        wanted += batch.to_listen
        batch.left_alone += [job for job in wanted if self.knocker.manners.rests(job.host)]
        jobs = [job for job in wanted if not self.knocker.manners.rests(job.host)]
        if not jobs:
            return
        for job, proof in prove_all(self.tuner(), jobs, concurrency=self.concurrency, stopping=stopping):
            self._note(job, proof)
            if proof.is_healthy:
                yield job.id, proof
            else:
                batch.failed.append(Finding(job, proof, batch.jobs[job.id].was_playing))

    def _note(self, job: ProofJob, proof: Proof) -> None:
        if proof.level >= CONNECTS:
            self.knocker.manners.reached(job.host)


@dataclass
class _Batch:
    """One batch on its way."""

    jobs: dict[int, CheckJob]
    to_listen: list[ProofJob] = field(default_factory=list)
    failed: list[Finding] = field(default_factory=list)
    left_alone: list[ProofJob] = field(default_factory=list)
