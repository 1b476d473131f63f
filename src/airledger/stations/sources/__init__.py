"""Kinds of directories, one file each; all pass one contract test (tests/stations/test_sources.py)."""

from airledger.platform.errors import InputError
from airledger.stations.sources.asx import Asx
from airledger.stations.sources.base import SourceFile
from airledger.stations.sources.html_directory import HtmlDirectory
from airledger.stations.sources.icecast_status import IcecastStatus
from airledger.stations.sources.icecast_yp import IcecastYp
from airledger.stations.sources.iptv_org import IptvOrg
from airledger.stations.sources.m3u import M3u
from airledger.stations.sources.opml import Opml
from airledger.stations.sources.plain import Plain
from airledger.stations.sources.pls import Pls
from airledger.stations.sources.radio_browser import RadioBrowser
from airledger.stations.sources.shoutcast_json import ShoutcastJson
from airledger.stations.sources.shoutcast_xml import ShoutcastXml
from airledger.stations.sources.xspf import Xspf

# In the order of sniffing: what is recognised by a mark of its own comes before what is recognised by its looks.
SOURCE_FILES: dict[str, SourceFile] = {
    adapter.name: adapter
    for adapter in (
        IcecastStatus(),
        IcecastYp(),
        ShoutcastXml(),
        Opml(),
        Xspf(),
        Asx(),
        RadioBrowser(),
        ShoutcastJson(),
        IptvOrg(),
        M3u(),
        Pls(),
        Plain(),
        HtmlDirectory(),
    )
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
    for adapter in SOURCE_FILES.values():
        if adapter.recognises(start):
            return adapter
    raise InputError(
        f"This is none of {', '.join(SOURCE_FILES)}: name the kind with --type, or check what the address gives."
    )
