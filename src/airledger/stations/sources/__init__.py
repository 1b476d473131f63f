"""Kinds of directories, one file each; all pass one contract test (tests/stations/test_sources.py)."""

from airledger.platform.errors import InputError
from airledger.stations.sources.base import SourceFile
from airledger.stations.sources.icecast_status import IcecastStatus
from airledger.stations.sources.icecast_yp import IcecastYp
from airledger.stations.sources.m3u import M3u
from airledger.stations.sources.radio_browser import RadioBrowser

SOURCE_FILES: dict[str, SourceFile] = {
    adapter.name: adapter for adapter in (M3u(), IcecastYp(), IcecastStatus(), RadioBrowser())
}


def source_file(kind: str) -> SourceFile:
    """Find an adapter by its name.

    Raises:
        InputError: There is no such kind.
    """
    try:
        return SOURCE_FILES[kind]
    except KeyError:
        raise InputError(f"There is no kind of source named {kind!r}: choose of {', '.join(SOURCE_FILES)}.") from None


def sniff(start: bytes) -> SourceFile:
    """Tell a file's kind by its first 4 KiB.

    Raises:
        InputError: It is of no kind that we read.
    """
    for kind in ("icecast_status", "icecast_yp", "radio_browser", "m3u"):
        if SOURCE_FILES[kind].recognises(start):
            return SOURCE_FILES[kind]
    raise InputError(
        f"This is none of {', '.join(SOURCE_FILES)}: name the kind with --type, or check what the address gives."
    )
