from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.fingerprint.align import align
from airledger.fingerprint.bank import UNCHANGED, Warp
from airledger.fingerprint.evidence import NOTHING, Evidence, probability, weigh
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import extract
from tunes import excerpt, noisy, tune

PARAMS = Params()
SURE = Evidence(
    raw=150.0, rival=10.0, again=10.0, strange=5.0, heard=0.9, closeness=80.0, first=0, last=99, hits=100,
    stretch_s=9.0, fit=6.0,
)  # fmt: skip


def laid(query_seed: int, reference_seed: int, *, snr_db: float = 40.0, warp: Warp = UNCHANGED) -> Evidence:
    """Evidence of 8 s of one tune laid over another at 10 s, where it belongs if they are the same."""
    reference = extract(tune(reference_seed), PARAMS, dense="reference")
    query = extract(noisy(excerpt(tune(query_seed), 10, 8), snr_db), PARAMS, dense="query")
    alignment = align(query, (reference.times_s, reference.freqs_hz), reference.duration_s, 10.0, warp)
    return weigh(alignment, query, reference.times_s)


@pytest.mark.parametrize("snr_db", [40, 5, 0])
def test_what_belongs_is_believed_and_what_does_not_is_not(snr_db: float) -> None:
    assert probability(laid(1, 1, snr_db=snr_db), 10_000) > 0.95
    assert probability(laid(2, 1, snr_db=snr_db), 10_000) < 0.05


@given(fewer=st.floats(1.5, 1e9), times=st.floats(1, 1e6))
def test_the_more_tracks_are_searched_the_less_an_answer_is_believed(fewer: float, times: float) -> None:
    assert probability(SURE, fewer * times) <= probability(SURE, fewer)


@given(raw=st.floats(0, 200), more=st.floats(0, 200))
def test_more_evidence_is_believed_more(raw: float, more: float) -> None:
    less, greater = (replace(SURE, raw=amount) for amount in (raw, raw + more))
    assert 0 <= probability(less, 1000) <= probability(greater, 1000) <= 1


def test_what_agrees_elsewhere_is_believed_less_unless_the_track_repeats_itself() -> None:
    strange = replace(SURE, raw=40.0, closeness=30.0, strange=25.0)
    assert probability(strange, 1000) < probability(replace(strange, strange=2.0), 1000)


def test_speed_and_pitch_that_are_no_way_of_playing_are_believed_less() -> None:
    reference = extract(tune(1), PARAMS, dense="reference")
    played = excerpt(tune(1), 10, 8)
    query = extract(played, PARAMS, dense="query")
    right = weigh(
        align(query, (reference.times_s, reference.freqs_hz), reference.duration_s, 10.0, UNCHANGED),
        query,
        reference.times_s,
    )
    bent = replace(query, times_s=(query.times_s * np.float32(1.009)), freqs_hz=query.freqs_hz * np.float32(0.994))
    wrong = weigh(
        align(bent, (reference.times_s, reference.freqs_hz), reference.duration_s, 10.0, Warp(1 / 1.009, 0.994)),
        bent,
        reference.times_s,
    )
    assert right.fit > 3
    assert wrong.fit < right.fit - 3


def test_nothing_is_not_believed() -> None:
    assert probability(NOTHING, 1000) < 0.01
