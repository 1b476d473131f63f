"""A private Icecast 2.4 and the source clients that feed it (ffmpeg as a separate program)."""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

import httpx
import imageio_ffmpeg
from defusedxml.ElementTree import fromstring

from servers.debian import binary, data_file
from servers.process import HOST, LocalServer, ServerFailedError, bound_to_us, unprivileged_user, wait_until

PACKAGE = "icecast2"
ADMIN_USER = "admin"
FEED_LIMIT_S = 20.0
Codec = Literal["mp3", "aac", "vorbis", "opus"]


@dataclass(frozen=True)
class _Container:
    encoder: str
    format: str
    content_type: str


_CONTAINERS: dict[Codec, _Container] = {
    "mp3": _Container("libmp3lame", "mp3", "audio/mpeg"),
    "aac": _Container("aac", "adts", "audio/aac"),
    "vorbis": _Container("libvorbis", "ogg", "application/ogg"),
    "opus": _Container("libopus", "ogg", "application/ogg"),
}
# The children of a yp.xml entry and the fields of Icecast's statistics that they come from.
_YP_FIELDS = {
    "server_name": "server_name",
    "listen_url": "listenurl",
    "server_type": "server_type",
    "bitrate": "bitrate",
    "channels": "channels",
    "samplerate": "samplerate",
    "genre": "genre",
    "current_song": "title",
}


@dataclass(frozen=True)
class Feed:
    """A source client that is on air.

    Attributes:
        mount: Its mount point, with the leading slash.
        url: Where listeners connect.
        process: The ffmpeg that feeds it; kill it to see a source die.
    """

    mount: str
    url: str
    process: subprocess.Popen[bytes]


class IcecastServer(LocalServer):
    """Icecast on one port, with statistics, administration and a folder of static files.

    Names and titles are UTF-8 on every mount; Icecast's own default for MP3 and AAC would be Latin-1.
    """

    def __init__(self, yp_url: str = "") -> None:
        """Find or fetch the program; nothing runs yet.

        Args:
            yp_url: A directory that public mounts are announced to.
        """
        self._icecast = binary("icecast2", PACKAGE)
        self._yp_url = yp_url
        self.source_password = secrets.token_hex(8)
        self.admin_password = secrets.token_hex(8)
        # One client for all questions: making one costs more than asking. A proxy of the environment has no business
        # between us and 127.0.0.1.
        self._client = httpx.Client(trust_env=False, auth=(ADMIN_USER, self.admin_password), timeout=5)
        # It refuses to run as root.
        super().__init__("icecast", unprivileged_user())

    @property
    def base(self) -> str:
        """The server's address without a trailing slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def status_url(self) -> str:
        """The public status page in JSON."""
        return f"{self.base}/status-json.xsl"

    @property
    def webroot(self) -> Path:
        """The folder of the status pages; what is put there is served from `/`."""
        return self.folder / "web"

    def prepare(self) -> None:
        """Copy the pages: the status page is a style sheet among them."""
        for part in ("web", "admin"):
            shutil.copytree(data_file(self._icecast, PACKAGE, f"/usr/share/icecast2/{part}"), self.folder / part)

    def command(self) -> list[str]:
        """Write the configuration for the port chosen and return the command line."""
        configuration = self.folder / "icecast.xml"
        configuration.write_text(self._configuration())
        return [str(self._icecast), "-c", str(configuration)]

    def answers(self) -> bool:
        """Tell whether it shows its statistics to our administrator."""
        try:
            return self._administer("stats").is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """Stop it, and asking it."""
        self._client.close()
        super().close()

    def mounts(self) -> set[str]:
        """Return the mount points that are on air and described in the statistics (which follow a moment later)."""
        return {source.get("mount", "") for source in self._sources() if source.findtext("server_type")}

    @contextmanager
    def feed(
        self,
        mount: str,
        source: Path | str,
        codec: Codec = "mp3",
        *,
        bitrate_kbps: int = 96,
        speed: float = 1.0,
        name: str = "Test Radio",
        genre: str = "Various",
    ) -> Iterator[Feed]:
        """Put a source on air while the block runs.

        Args:
            mount: The mount point, such as `/one.mp3`.
            source: A sound file, played endlessly, or an ffmpeg lavfi expression such as `sine=frequency=440`.
            codec: What it is sent as.
            bitrate_kbps: The encoder's bitrate.
            speed: 1 is real time.
            name: The station's name in the directory and in `icy-name`.
            genre: Its genre.

        Raises:
            ServerFailedError: ffmpeg ended or the mount did not come up; with ffmpeg's words.
        """
        container = _CONTAINERS[codec]
        given = ["-stream_loop", "-1", "-i", str(source)] if isinstance(source, Path) else ["-f", "lavfi", "-i", source]
        target = f"icecast://source:{self.source_password}@{HOST}:{self.port}{mount}"
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "warning"),
            *("-readrate", f"{speed:g}", *given, "-map", "0:a:0"),
            *("-c:a", container.encoder, "-b:a", f"{bitrate_kbps}k", "-ar", "48000", "-ac", "2"),
            *("-ice_name", name, "-ice_genre", genre, "-ice_public", "1"),
            *("-content_type", container.content_type, "-f", container.format, target),
        ]
        log_path = self.folder / f"feed-{secrets.token_hex(4)}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                bound_to_us(command, signal.SIGKILL), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(lambda: mount in self.mounts() or process.poll() is not None, f"{mount} is on air", FEED_LIMIT_S)
            if process.poll() is not None:
                raise ServerFailedError(f"ffmpeg ended with {process.returncode}: {log_path.read_text()}")
            yield Feed(mount, f"{self.base}{mount}", process)
        finally:
            process.kill()
            process.wait()

    def set_title(self, mount: str, title: str) -> None:
        """Announce the title that an MP3 or AAC mount plays now (Ogg carries titles in its stream)."""
        query = {"mount": mount, "mode": "updinfo", "charset": "UTF-8", "song": title}
        self._administer("metadata", query).raise_for_status()

    def yp_xml(self) -> bytes:
        """Return what is on air in the form of a directory's `yp.xml`, which Icecast itself does not serve."""
        directory = Element("directory")
        for source in self._sources():
            entry = SubElement(directory, "entry")
            for name, field in _YP_FIELDS.items():
                SubElement(entry, name).text = source.findtext(field)
        document: bytes = tostring(directory, encoding="utf-8", xml_declaration=True)
        return document

    def publish_yp(self) -> str:
        """Write `yp_xml` among the static files; return its address."""
        (self.webroot / "yp.xml").write_bytes(self.yp_xml())
        return f"{self.base}/yp.xml"

    def _sources(self) -> list[Element]:
        return list(fromstring(self._administer("stats").content).iter("source"))

    def _administer(self, page: str, query: dict[str, str] | None = None) -> httpx.Response:
        return self._client.get(f"{self.base}/admin/{page}", params=query)

    def _directory(self) -> str:
        if not self._yp_url:
            return ""
        return f"<directory><yp-url-timeout>5</yp-url-timeout><yp-url>{self._yp_url}</yp-url></directory>"

    def _configuration(self) -> str:
        return f"""<icecast>
  <limits>
    <clients>400</clients><sources>50</sources><queue-size>524288</queue-size><client-timeout>30</client-timeout>
    <header-timeout>15</header-timeout><source-timeout>10</source-timeout><burst-size>65535</burst-size>
  </limits>
  <authentication>
    <source-password>{self.source_password}</source-password>
    <admin-user>{ADMIN_USER}</admin-user><admin-password>{self.admin_password}</admin-password>
  </authentication>
  <hostname>{HOST}</hostname>
  {self._directory()}
  <listen-socket><port>{self.port}</port><bind-address>{HOST}</bind-address></listen-socket>
  <http-headers><header name="Access-Control-Allow-Origin" value="*" /></http-headers>
  <mount type="default"><charset>UTF-8</charset></mount>
  <location>Test</location><admin>nobody@localhost</admin>
  <fileserve>1</fileserve>
  <paths>
    <logdir>{self.folder}</logdir><webroot>{self.webroot}</webroot><adminroot>{self.folder / "admin"}</adminroot>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>-</errorlog><loglevel>3</loglevel></logging>
</icecast>
"""
