"""The recognition engine: spectrum, peaks, hashes, index, match. Arrays in, arrays out.

    peaks = extract(pcm_8k, params, dense="reference")
    with Index.create(folder, params) as index:
        index.add({1: peaks})
        answers = match(index, extract(heard_8k, params, dense="query"))

The names below are imported on first use, so that importing this package does not load Numba or SciPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airledger.fingerprint.errors import (
        FingerprintError,
        IndexBusyError,
        IndexDamagedError,
        ParamsMismatchError,
    )
    from airledger.fingerprint.index import Index
    from airledger.fingerprint.match import DEFAULT_THRESHOLD, MAX_QUERY_S, Candidate, match
    from airledger.fingerprint.params import ENGINE_VERSION, PROFILES, Params, params_hash
    from airledger.fingerprint.peaks import Peaks, extract
    from airledger.fingerprint.quality import FingerprintQuality, assess
    from airledger.fingerprint.warm import warm

_HOME = {
    "DEFAULT_THRESHOLD": "match",
    "ENGINE_VERSION": "params",
    "MAX_QUERY_S": "match",
    "PROFILES": "params",
    "Candidate": "match",
    "FingerprintError": "errors",
    "FingerprintQuality": "quality",
    "Index": "index",
    "IndexBusyError": "errors",
    "IndexDamagedError": "errors",
    "Params": "params",
    "ParamsMismatchError": "errors",
    "Peaks": "peaks",
    "assess": "quality",
    "extract": "peaks",
    "match": "match",
    "params_hash": "params",
    "warm": "warm",
}

__all__ = [
    "DEFAULT_THRESHOLD",
    "ENGINE_VERSION",
    "MAX_QUERY_S",
    "PROFILES",
    "Candidate",
    "FingerprintError",
    "FingerprintQuality",
    "Index",
    "IndexBusyError",
    "IndexDamagedError",
    "Params",
    "ParamsMismatchError",
    "Peaks",
    "assess",
    "extract",
    "match",
    "params_hash",
    "warm",
]


def __getattr__(name: str) -> Any:
    """Import the module that holds `name` when it is first asked for."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
