"""Which of many sounds of the same minutes may be one? Candidates for `same_sound`, without comparing all with all.

Pairs of each sound's strongest peaks make keys (`hashes`), which are laid in one sorted list. Sounds that meet at a key
within the greatest delay get a count for this delay, in steps of a second; two copies of one programme meet at the same
delay again and again. Each entry is held against the few that follow it under its key, so the work grows with the
number of sounds, not with its square; copies of one programme keep their order in time, and so stay neighbours.

Counts share a table of fixed size: what collides there makes a false candidate now and then, which a closer look
refuses, and never hides a true one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import I64, U16, U64, kernel
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import Peaks, strongest

_PEAKS_PER_S = 12
_FAN = 3
_TICK_S = 0.02
_TIME_BITS = 16
_OWNER_BITS = 24
_FOLLOWERS = 32
_TABLE_BITS = 24
_STEP_TICKS = 50  # of delay: a second
_MOST_FOUND = 1 << 20
_LEAST_MET = 60
_SIGMAS = 10.0
_OF_EACH = 24


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A sound and when it began, in seconds on a clock that all share."""

    peaks: Peaks
    start_s: float


def alike(sounds: Sequence[Placed], *, max_delay_s: float = 90.0) -> list[tuple[int, int]]:
    """Pairs of sounds that may be one programme, as places in the list, the lesser first.

    Args:
        sounds: of the same minutes, at most 22 of them long, and at most 16 million sounds.
        max_delay_s: how much later one may be.
    """
    entries = _entries(sounds)
    if len(sounds) < 2 or not len(entries):  # noqa: PLR2004  a pair
        return []
    counts = np.zeros(1 << _TABLE_BITS, np.uint16)
    reach = int(max_delay_s / _TICK_S)
    met = _count(entries, reach, counts)
    mean = met / len(counts)
    enough = int(_LEAST_MET + mean + _SIGMAS * np.sqrt(mean))
    found = _above(entries, reach, counts, enough)
    if not len(found):
        return []
    codes, times = np.unique(found, return_counts=True)
    best = codes[np.argsort(-times, kind="stable")]
    return _few_of_each([(int(code >> _OWNER_BITS), int(code & ((1 << _OWNER_BITS) - 1))) for code in best])


def _few_of_each(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """At most so many partners of each sound, those that met most."""
    partners: dict[int, int] = {}
    chosen: list[tuple[int, int]] = []
    for one, other in found:
        if partners.get(one, 0) < _OF_EACH or partners.get(other, 0) < _OF_EACH:
            chosen.append((one, other))
            partners[one] = partners.get(one, 0) + 1
            partners[other] = partners.get(other, 0) + 1
    return sorted(chosen)


def _entries(sounds: Sequence[Placed]) -> U64:
    """One sorted list of (key, time, sound), packed into 64 bits."""
    if not sounds:
        return np.empty(0, np.uint64)
    params = PROFILES["balanced"]
    begin_s = min(sound.start_s for sound in sounds)
    made = []
    for owner, sound in enumerate(sounds):
        few = strongest(sound.peaks, _PEAKS_PER_S)
        first, second = pairs(few, params, _FAN)
        found = keys(few, first, second, params)
        ticks = (few.times_s[first] + (sound.start_s - begin_s)) / _TICK_S
        usable = (found != NO_KEY) & (ticks < (1 << _TIME_BITS))
        packed = found[usable].astype(np.uint64) << np.uint64(_TIME_BITS + _OWNER_BITS)
        packed |= ticks[usable].astype(np.uint64) << np.uint64(_OWNER_BITS)
        made.append(packed | np.uint64(owner))
    return np.sort(np.concatenate(made))


@kernel
def _cell(one: int, other: int, late: int, mask: int) -> int:
    """Where two sounds are counted at a delay."""
    mixed = (one * 2_654_435_761 + other * 40_503 + late * 2_246_822_519) & 0xFFFFFFFFFFFF
    mixed ^= mixed >> 23
    mixed = (mixed * 2_127_599_391) & 0xFFFFFFFFFFFF
    return (mixed >> 17) & mask


@kernel
def _count(entries: U64, reach: int, counts: U16) -> int:
    """Count all meetings; return how many there were."""
    shift, low, times = np.uint64(40), np.uint64(0xFFFFFF), np.uint64(0xFFFF)
    mask = len(counts) - 1
    met = 0
    for i in range(len(entries)):
        key, own = entries[i] >> shift, np.int64(entries[i] & low)
        tick = np.int64((entries[i] >> np.uint64(24)) & times)
        for j in range(i + 1, min(len(entries), i + 1 + _FOLLOWERS)):
            if entries[j] >> shift != key:
                break
            late = np.int64((entries[j] >> np.uint64(24)) & times) - tick
            if late > reach:
                break
            other = np.int64(entries[j] & low)
            if other == own:
                continue
            step = late // _STEP_TICKS if own < other else -(late // _STEP_TICKS) - 1
            cell = _cell(int(min(own, other)), int(max(own, other)), int(step), mask)
            if counts[cell] < np.uint16(65_535):
                counts[cell] += np.uint16(1)
            met += 1
    return met


@kernel
def _above(entries: U64, reach: int, counts: U16, enough: int) -> I64:
    """The pairs (first sound, second sound) whose count reaches a threshold, once for each meeting."""
    shift, low, times = np.uint64(40), np.uint64(0xFFFFFF), np.uint64(0xFFFF)
    mask = len(counts) - 1
    found = np.empty(_MOST_FOUND, np.int64)
    made = 0
    for i in range(len(entries)):
        key, own = entries[i] >> shift, np.int64(entries[i] & low)
        tick = np.int64((entries[i] >> np.uint64(24)) & times)
        for j in range(i + 1, min(len(entries), i + 1 + _FOLLOWERS)):
            if entries[j] >> shift != key:
                break
            late = np.int64((entries[j] >> np.uint64(24)) & times) - tick
            if late > reach:
                break
            other = np.int64(entries[j] & low)
            if other == own:
                continue
            step = late // _STEP_TICKS if own < other else -(late // _STEP_TICKS) - 1
            if counts[_cell(int(min(own, other)), int(max(own, other)), int(step), mask)] >= enough:
                if made == len(found):
                    return found
                found[made] = (min(own, other) << 24) | max(own, other)
                made += 1
    return found[:made].copy()
