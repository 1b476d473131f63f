"""Canonical URLs: one spelling per stream, so that duplicates meet, and nothing that a stranger can abuse.

What changes meaning is kept: the path's case, the order of the query, `mp=` and `sid=` (which stream of a server), and
`;` (SHOUTcast's way past its own web page).
"""

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import idna

from airledger.platform.errors import InputError

MAX_URL_BYTES = 8 * 1024
MAX_HOST_CHARS = 253
MAX_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}
# They name the visitor or the campaign, never the stream.
TRACKING_KEYS = frozenset({"fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid", "_ga"})
TRACKING_PREFIX = "utm_"
HEADER_NAMES = {"user-agent": "User-Agent", "referer": "Referer", "referrer": "Referer", "origin": "Origin"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_PIPED = re.compile(r"\|(?=[A-Za-z-]+=)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PATH_SAFE = "/:;=@!$&'()*+,~%|"
_QUERY_SAFE = _PATH_SAFE + '?[]{}^`\\"<>'


class UrlRefusedError(InputError):
    """An address that the catalogue does not take.

    Attributes:
        reason: stable word for counting: `url_too_long`, `control_characters`, `unsupported_scheme`, `credentials`,
            `not_an_address`.
    """

    code = "url_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


@dataclass(frozen=True)
class Address:
    """A canonical URL and the request headers that a list attached to it (`url|User-Agent=...`)."""

    url: str
    host: str
    headers: dict[str, str]

    @property
    def key(self) -> str:
        """What the catalogue knows the stream by."""
        return url_key(self.url)


def url_key(url: str) -> str:
    """Return the SHA-256 of a canonical URL, in hexadecimal."""
    return hashlib.sha256(url.encode()).hexdigest()


def canonical(url: str) -> str:
    """Return the one spelling of a URL.

    Raises:
        UrlRefusedError: too long, control characters, not http(s), credentials in it, or no address at all.
    """
    return parse_address(url).url


def parse_address(raw: str) -> Address:
    """Split off attached headers and make the URL canonical.

    Raises:
        UrlRefusedError: as `canonical`.
    """
    raw = raw.strip(" ")
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_URL_BYTES:
        raise UrlRefusedError("url_too_long", f"The URL is longer than {MAX_URL_BYTES} bytes.")
    if _CONTROL.search(raw):
        raise UrlRefusedError("control_characters", "The URL contains control characters.")
    bare, *attached = _PIPED.split(raw, maxsplit=1)
    scheme = _scheme(bare)
    host, port, rest = _split(bare)
    text_port = "" if port in (None, DEFAULT_PORTS[scheme]) else f":{port}"
    url = f"{scheme}://{host}{text_port}{rest}"
    if len(url) > MAX_URL_BYTES:  # percent-encoding made it longer
        raise UrlRefusedError("url_too_long", f"The URL is longer than {MAX_URL_BYTES} bytes once encoded.")
    return Address(url, host, _headers(attached[0]) if attached else {})


def _scheme(url: str) -> str:
    found = _SCHEME.match(url)
    scheme = found[1].lower() if found else ""
    if scheme in DEFAULT_PORTS:
        return scheme
    if found and url[found.end() :].startswith("//"):
        raise UrlRefusedError("unsupported_scheme", f"{scheme}:// is not supported: only http and https streams are.")
    raise UrlRefusedError("not_an_address", "This is not an http or https address.")


def _split(url: str) -> tuple[str, int | None, str]:
    try:
        parts = urlsplit(url)
        port, name = parts.port, parts.hostname
    except ValueError as error:
        raise UrlRefusedError("not_an_address", f"The address cannot be read: {error}.") from None
    if parts.username is not None or parts.password is not None:
        raise UrlRefusedError("credentials", "The URL carries somebody's user name or password.")
    if not name or port == 0:
        raise UrlRefusedError("not_an_address", "The URL names no host.")
    path = quote(parts.path, safe=_PATH_SAFE) or "/"
    query = quote(_without_tracking(parts.query), safe=_QUERY_SAFE)
    return _host(name), port, f"{path}?{query}" if query else path


def _host(name: str) -> str:
    if name[-1].isalpha() and ":" not in name:
        return _host_name(name)
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _host_name(name)
    return f"[{address.compressed}]" if address.version == 6 else str(address)  # noqa: PLR2004  IP's version


def _host_name(name: str) -> str:
    lowered = unquote(name).lower().rstrip(".")
    if not lowered.isascii():
        try:
            lowered = idna.encode(lowered, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise UrlRefusedError("not_an_address", "The host name cannot be written in DNS.") from None
    if len(lowered) > MAX_HOST_CHARS or ".." in lowered or not _HOST.fullmatch(lowered):
        raise UrlRefusedError("not_an_address", "The host name is not one that DNS knows.")
    return lowered


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if not _is_tracking(pair.partition("=")[0].lower()))


def _is_tracking(key: str) -> bool:
    return key in TRACKING_KEYS or key.startswith(TRACKING_PREFIX)


def _headers(attached: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in attached.split("&"))
    return wanted_headers({name: unquote(value) for name, _, value in pairs})


def wanted_headers(claimed: dict[str, str]) -> dict[str, str]:
    """Keep the request headers that a directory may set for us: user agent, referrer, origin; nothing that smuggles."""
    kept: dict[str, str] = {}
    for name, value in claimed.items():
        proper = HEADER_NAMES.get(name.strip().lower())
        value = value.strip()  # noqa: PLW2901  the stripped value is the value
        if proper and value and len(value) <= 1024 and value.isascii() and not _CONTROL.search(value):  # noqa: PLR2004
            kept[proper] = value
    return kept
