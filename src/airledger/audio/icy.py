"""Taking ICY metadata out of a stream, byte for byte.

The body is N audio bytes (`icy-metaint: N`), one length byte L, then 16·L bytes of text padded with NUL, and so on.
L = 0 means that nothing changed. The protocol was never written down; this is what SHOUTcast and Icecast send.
"""

from dataclasses import dataclass

METAINT_LIMIT_BYTES = 1 << 20
LENGTH_UNIT_BYTES = 16
TITLE_LIMIT_CHARS = 1024


@dataclass(frozen=True, slots=True)
class IcyTitle:
    """A title and where it begins: at this byte of the audio (metadata removed). Empty where the station cleared it."""

    text: str
    byte_position: int
    url: str = ""


def parse_metadata(block: bytes) -> dict[str, str]:
    """Read `StreamTitle='...';StreamUrl='...';` into a dict with names in lower case.

    A value ends at `';`, since titles contain quotes. The charset is undeclared: UTF-8 if that decodes, else
    Latin-1.
    """
    raw = block.rstrip(b"\x00")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    found: dict[str, str] = {}
    rest = text.replace("\x00", "")
    while "='" in rest:
        name, _, rest = rest.partition("='")
        value, _, rest = rest.partition("';")
        if not rest:  # the last one may lack its semicolon
            value = value.removesuffix("'")
        found.setdefault(name.strip().lower(), value.strip()[:TITLE_LIMIT_CHARS])
    return found


class IcyDemuxer:
    """Separates sound from titles; any way of cutting the stream into pieces gives the same result."""

    def __init__(self, metaint: int) -> None:
        """Begin at the first byte of the body.

        Args:
            metaint: audio bytes between two blocks of metadata.

        Raises:
            ValueError: it is not within 1 byte and 1 MiB.
        """
        if not 1 <= metaint <= METAINT_LIMIT_BYTES:
            raise ValueError(f"icy-metaint must lie within 1 and {METAINT_LIMIT_BYTES}, not {metaint}.")
        self._metaint = metaint
        self._audio_left = metaint
        self._block_left: int | None = None  # None: the length byte has not come yet
        self._block = bytearray()
        self._position = 0
        # A station that has not announced anything yet sends an empty title; that is no change.
        self._last_title = ("", "")

    def feed(self, data: bytes) -> tuple[bytes, list[IcyTitle]]:
        """Take the next bytes; give the audio in them and the titles that changed."""
        audio = bytearray()
        titles: list[IcyTitle] = []
        at = 0
        while at < len(data):
            if self._audio_left:
                taken = data[at : at + self._audio_left]
                audio += taken
                self._audio_left -= len(taken)
                self._position += len(taken)
                at += len(taken)
            elif self._block_left is None:
                self._block_left = data[at] * LENGTH_UNIT_BYTES
                at += 1
            else:
                taken = data[at : at + self._block_left]
                self._block += taken
                self._block_left -= len(taken)
                at += len(taken)
            if self._block_left == 0 and not self._audio_left:
                titles += self._finish_block()
        return bytes(audio), titles

    def _finish_block(self) -> list[IcyTitle]:
        found = parse_metadata(bytes(self._block))
        self._block.clear()
        self._block_left = None
        self._audio_left = self._metaint
        if "streamtitle" not in found:
            return []
        title = (found["streamtitle"], found.get("streamurl", ""))
        if title == self._last_title:
            return []
        self._last_title = title
        return [IcyTitle(text=title[0], byte_position=self._position, url=title[1])]
