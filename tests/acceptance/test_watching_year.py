"""A year of ten thousand streams with known faults, on a stepped clock: what is found, what is not, who is told.

Every decision is production's: `decide` for each of about ninety million checks, `gather` for every minute.
"""

import json
import multiprocessing
import os
import time

import numpy as np
import pytest

from stations.made_year import Down, Made, gaps_s, make_streams, scored, tell, watch

pytestmark = pytest.mark.acceptance
STREAMS = int(os.environ.get("AIRLEDGER_YEAR_STREAMS", "10000"))
DAYS = 365.0
SEED = 20_260_105


def lived(stream: Made) -> tuple[list[Down], list[tuple[float, float]], int]:
    watch(stream, DAYS, SEED)
    return stream.downs, stream.flapping, stream.checks


def test_a_year_of_ten_thousand_streams() -> None:
    streams = make_streams(STREAMS, DAYS, SEED)
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for stream, found in zip(streams, pool.imap(lived, streams, chunksize=25), strict=True):
            stream.downs, stream.flapping, stream.checks = found
    score = scored(streams, DAYS)
    messages = tell(streams, DAYS)
    gaps = gaps_s(messages)
    largest = max((sum(one.what == "opened" for one in bundle.notices) for _, bundle in messages), default=0)
    figures = {
        "streams": len(streams),
        "hosts": len({stream.host for stream in streams}),
        "checks": sum(stream.checks for stream in streams),
        "faults_over_1h": score.faults,
        "recall": round(score.recall, 4),
        "alerts": score.alerts,
        "precision": round(score.precision, 4),
        "median_delay_min": round(float(np.median(score.late_s)) / 60, 1),
        "messages": len(messages),
        "most_faults_in_one_message": largest,
        "least_minutes_between_messages_of_a_host": round(float(gaps.min()) / 60, 1),
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(figures))  # noqa: T201  the figures are the proof
    assert score.recall >= 0.95
    assert score.precision >= 0.95
    assert gaps.min() >= 3_600
