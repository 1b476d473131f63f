"""Compile every kernel ahead of time."""

import tempfile
from pathlib import Path

import numpy as np

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.peaks import extract


def warm() -> None:
    """Run the whole engine once on noise, so that its kernels are compiled and kept on disk.

    Takes some 20 s the first time after an installation and well under a second afterwards.
    """
    rng = np.random.default_rng(1)
    params = Params()
    noise = (0.1 * rng.standard_normal(12 * SAMPLE_RATE_HZ)).astype(np.float32)
    with tempfile.TemporaryDirectory(prefix="airledger-warm-") as folder, Index.create(Path(folder), params) as index:
        index.add({1: extract(noise, params, dense="reference")})
        match(index, extract(noise[SAMPLE_RATE_HZ:], params, dense="query"))
        match(index, extract(noise[::-1].copy(), params, dense="query"))
