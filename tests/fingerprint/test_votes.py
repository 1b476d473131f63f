from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.bank import UNCHANGED
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import extract
from airledger.fingerprint.segment import PLACES_PER_S, Segment, open_segment, write_segment
from airledger.fingerprint.votes import WINDOW_PLACES, Question, _lists, tally
from tunes import excerpt, noise, tune

PARAMS = Params()


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Segment:
    path: Path = tmp_path_factory.mktemp("votes") / "segment"
    tracks = {seed: extract(tune(seed), PARAMS, dense="reference") for seed in (1, 2, 3)}
    tracks[4] = extract(noise(20), PARAMS, dense="reference")
    write_segment(path, tracks, PARAMS)
    return open_segment(path, PARAMS)


def postings(segment: Segment) -> dict[int, list[int]]:
    """Places by key, by brute force from the segment's own peaks."""
    found: dict[int, set[int]] = defaultdict(set)
    for index in range(len(segment.numbers)):
        peaks = segment.peaks(index)
        first, second = pairs(peaks, PARAMS, PARAMS.reference_fan)
        for key, i in zip(keys(peaks, first, second, PARAMS).tolist(), first.tolist(), strict=True):
            if key != NO_KEY:
                found[key].add(int(segment.starts[index]) + round(float(peaks.times_s[i]) * PLACES_PER_S))
    return {key: sorted(places) for key, places in found.items()}


def test_looking_up_finds_what_brute_force_finds(segment: Segment) -> None:
    expected = postings(segment)
    absent = np.random.default_rng(1).integers(0, 1 << 24, 5000)
    asked = np.array([*expected, *absent.tolist(), int(NO_KEY)], np.uint32)
    lows, counts = _lists(asked, segment.buckets, segment.remainders, segment.remainder_bits)
    for key, low, count in zip(asked.tolist(), lows.tolist(), counts.tolist(), strict=True):
        assert segment.places[low : low + count].tolist() == expected.get(key, [])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(1, 3), start_s=st.floats(0, 29), budget=st.sampled_from([1000, 1_000_000]))
def test_the_fullest_window_is_that_of_brute_force(segment: Segment, seed: int, start_s: float, budget: int) -> None:
    question = Question.full(extract(excerpt(tune(seed), start_s, 5), PARAMS, dense="query"), PARAMS)
    found = tally(question, segment, PARAMS, UNCHANGED, 8, budget)
    known = postings(segment)
    lists = [known.get(key, []) for key in keys(question.peaks, question.first, question.second, PARAMS).tolist()]
    shifts = np.rint(question.peaks.times_s[question.first] * np.float32(PLACES_PER_S)).astype(int).tolist()
    if sum(map(len, lists)) <= budget:
        votes = Counter(place - shift for places, shift in zip(lists, shifts, strict=True) for place in places)
        ordered = np.array(sorted(votes.elements()))
        ends = np.searchsorted(ordered, ordered + WINDOW_PLACES)
        assert found.cast == len(ordered)
        assert found.votes[0] == (ends - np.arange(len(ordered))).max()
    else:
        assert found.cast <= budget
    assert np.all(np.diff(found.votes) <= 0)
