import io
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.bank import BANK, UNCHANGED
from airledger.fingerprint.draft import write_tracks
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.postings import STEP_PLACES, bucket_words, read_list
from airledger.fingerprint.segment import PLACES_PER_S, Segment, segment_from
from airledger.fingerprint.votes import WINDOW_PLACES, Question, tally
from tunes import excerpt, noise, tune

PARAMS = Params()
TRACKS = {seed: extract(tune(seed), PARAMS, dense="reference") for seed in (1, 2, 3)}
TRACKS[4] = extract(noise(20), PARAMS, dense="reference")


def made(tracks: dict[int, Peaks]) -> Segment:
    file = io.BytesIO()
    write_tracks(file, tracks, PARAMS)
    return segment_from(memoryview(file.getvalue()), PARAMS, "segment")


@pytest.fixture(scope="module")
def segment() -> Segment:
    return made(TRACKS)


@pytest.fixture(scope="module")
def known(segment: Segment) -> dict[int, list[int]]:
    """Places by key, by brute force from the peaks."""
    found: dict[int, set[int]] = defaultdict(set)
    for number, peaks in TRACKS.items():
        first, second = pairs(peaks, PARAMS, PARAMS.reference_fan)
        start = int(segment.starts[segment.index_of(number)])
        for key, i in zip(keys(peaks, first, second, PARAMS).tolist(), first.tolist(), strict=True):
            if key != NO_KEY:
                found[key].add(STEP_PLACES * (start + round(float(peaks.times_s[i]) * PLACES_PER_S / STEP_PLACES)))
    return {key: sorted(places) for key, places in found.items()}


def test_looking_up_finds_what_brute_force_finds(segment: Segment, known: dict[int, list[int]]) -> None:
    absent = np.random.default_rng(1).integers(0, PARAMS.key_count, 5000)
    source = segment.postings.source
    for key in [*known, *absent.tolist()]:
        out = np.zeros(4096, np.uint32)
        count = read_list(source, bucket_words(source, key >> segment.postings.key_bits), key, 0, out, 0)
        assert out[:count].tolist() == known.get(key, [])


def test_what_does_not_fit_is_left_out(segment: Segment, known: dict[int, list[int]]) -> None:
    key = max(known, key=lambda one: len(known[one]))
    assert len(known[key]) > 2
    source = segment.postings.source
    out = np.zeros(3, np.uint32)
    bucket = bucket_words(source, key >> segment.postings.key_bits)
    assert read_list(source, bucket, key, 0, out, 1) == 3
    assert out.tolist() == [0, *known[key][:2]]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(1, 3), start_s=st.floats(0, 29), budget=st.sampled_from([50, 1_000_000]))
def test_the_fullest_window_is_that_of_brute_force(
    segment: Segment, known: dict[int, list[int]], seed: int, start_s: float, budget: int
) -> None:
    question = Question.full(extract(excerpt(tune(seed), start_s, 5), PARAMS, dense="query"), PARAMS)
    found = tally(question, segment, PARAMS, [UNCHANGED], 8, budget)
    lists = [known.get(key, []) for key in keys(question.peaks, question.first, question.second, PARAMS).tolist()]
    shifts = np.rint(question.peaks.times_s[question.first].astype(np.float64) * PLACES_PER_S).astype(int).tolist()
    votes = Counter(place - shift for places, shift in zip(lists, shifts, strict=True) for place in places)
    ordered = np.array(sorted(votes.elements()))
    ends = np.searchsorted(ordered, ordered + WINDOW_PLACES)
    most = (ends - np.arange(len(ordered))).max()
    if budget > len(ordered) * 4:
        assert found.cast.tolist() == [len(ordered)]
        assert found.votes[0, 0] == most
    else:
        assert len(question.first) // 8 < found.cast[0] <= len(ordered)
        assert found.votes[0, 0] >= most // 8
    assert np.all(np.diff(found.votes[0]) <= 0)


def test_many_warps_are_asked_about_at_once(segment: Segment) -> None:
    question = Question.coarse(extract(excerpt(tune(2), 3, 6), PARAMS, dense="query"), PARAMS).fewer(300)
    assert len(question.first) == 300
    together = tally(question, segment, PARAMS, BANK, 3)
    for warp, votes, places in zip(BANK, together.votes.tolist(), together.places.tolist(), strict=True):
        alone = tally(question, segment, PARAMS, [warp], 3)
        assert (alone.votes[0].tolist(), alone.places[0].tolist()) == (votes, places)
