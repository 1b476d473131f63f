"""Recordings of made tunes, enrolled without files: their rows and peak objects, as an enroller writes them."""

from collections.abc import Iterable
from pathlib import Path

from airledger.fingerprint.peaks import extract
from airledger.recognition.enrol import Prepared
from airledger.recognition.peaks_file import to_bytes
from airledger.repertoire.describe import Description
from library_house import Library
from tunes import tune


def enrol_made(library: Library, seeds: Iterable[int], *, sound: int | None = None) -> None:
    """Enrol the tunes of these seeds, or as many recordings of one tune where their sound does not matter."""
    prepared = []
    for seed in seeds:
        key = f"peaks/made/{seed}.npz"
        pcm = tune(seed if sound is None else sound)
        library.enroller.storage.put(key, to_bytes(extract(pcm, library.enroller.params, dense="reference")))
        prepared.append(
            Prepared(
                file=Path(f"{seed}.wav"),
                content_sha256=f"{seed:064x}",
                described=Description(title=f"Tune {seed}", artist="Made"),
                tags={},
                duration_s=40.0,
                audible_from_s=0.0,
                audible_to_s=40.0,
                quality={},
                peaks_key=key,
                source_key=None,
            )
        )
    library.enroller.store(prepared)
