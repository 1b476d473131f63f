"""The recognition engine: spectrum, peaks, hashes, index, match. Arrays in, arrays out.

    from airledger.fingerprint.index import Index
    from airledger.fingerprint.match import DEFAULT_THRESHOLD, match
    from airledger.fingerprint.params import PROFILES
    from airledger.fingerprint.peaks import extract

    params = PROFILES["balanced"]
    with Index.create(folder, params) as index:
        index.add({1: extract(song_8k, params, dense="reference")})
        answers = match(index, extract(heard_8k, params, dense="query"))

Nothing is imported here: Numba and SciPy load only where the engine is used. Nothing is written outside the index's
folder, and nothing is read but the arrays and files that are handed over.
"""
