"""The profiles of recognition: which peaks serve which profile.

Peaks that were chosen for a denser profile serve a thinner one, for the most prominent are among them. The reverse
needs the sound again.
"""

from dataclasses import asdict
from functools import cache
from typing import Literal

from airledger.fingerprint.params import PROFILES, Params, params_hash
from airledger.fingerprint.peaks import Peaks, strongest

ProfileName = Literal["fast", "balanced", "high_quality"]

# What decides which cells of a spectrogram are peaks at all; the rest only decides how many are kept and how they pair.
_SHAPE = ("frame_samples", "hop_samples", "lowest_hz", "highest_hz", "maximum_frames", "maximum_bins", "floor_db")


# Peaks of engines before whose peaks are those of today, though their keys are not: hash of their parameters, and how
# many peaks a second they keep. Engine 1, `balanced` (and `fast`) and `high_quality`.
_EARLIER = {
    "249cc8714ba1079177964f3eae71266b536802d9788f87d9b39a410e0e0d9f41": 25,
    "30f42da944564053fb6805f8cc193f281a84fa603646fb4120d1993a6d3457a1": 35,
}
_EARLIER_SHAPE = Params()


@cache
def usable_hashes(params: Params) -> frozenset[str]:
    """Return the hashes of all parameters whose reference peaks an index of `params` can be made from."""
    wanted = params.reference_peaks_per_s
    ours = {params_hash(one) for one in (*PROFILES.values(), params) if _serves(one, params)}
    earlier = {made_with for made_with, per_s in _EARLIER.items() if per_s >= wanted}
    return frozenset(ours | (earlier if _same_shape(_EARLIER_SHAPE, params) else set()))


def fitted(peaks: Peaks, made_with: str, params: Params) -> Peaks:
    """Give the peaks at the density that an index of `params` has.

    Args:
        peaks: as they are stored.
        made_with: the hash of the parameters by which they were chosen, one of `usable_hashes`.
        params: of the index.
    """
    if made_with == params_hash(params) or _EARLIER.get(made_with) == params.reference_peaks_per_s:
        return peaks
    return strongest(peaks, params.reference_peaks_per_s)


def profile_of(made_with: str) -> str | None:
    """Return the profile that has these parameters today, the default where several have; None when none has."""
    return next((name for name in ("balanced", *PROFILES) if params_hash(PROFILES[name]) == made_with), None)


def _serves(source: Params, wanted: Params) -> bool:
    return _same_shape(source, wanted) and source.reference_peaks_per_s >= wanted.reference_peaks_per_s


def _same_shape(source: Params, wanted: Params) -> bool:
    have, need = asdict(source), asdict(wanted)
    return all(have[name] == need[name] for name in _SHAPE)
