"""Databases of addresses: read, fetched from a registry, refused when they are not what was announced."""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from airledger.platform.errors import InputError, UnavailableError
from airledger.platform.geo.lookup import IpPlaces
from airledger.platform.geo.places import Databases
from airledger.platform.geo.update import COUNTRY, update_from_file, update_from_registry
from platform_mmdb import write_mmdb

GHANA = {"41.66.192.0/18": {"country_code": "GH"}}


class Registry:
    """A registry of one package, as npm's protocol has it."""

    def __init__(self, package: bytes, integrity: str) -> None:
        registry = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = package
                if self.path.endswith("/latest"):
                    tarball = f"{registry.url}/package.tgz"
                    body = json.dumps(
                        {"version": "2.0.1", "dist": {"tarball": tarball, "integrity": integrity}}
                    ).encode()
                    registry.asked = self.path
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

        self.asked = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def packed(database: bytes, name: str = "package/geo.mmdb") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as package:
        member = tarfile.TarInfo(name)
        member.size = len(database)
        package.addfile(member, io.BytesIO(database))
    return out.getvalue()


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    return packed(write_mmdb(tmp_path / "made.mmdb", GHANA).read_bytes())


@pytest.fixture
def registry(package: bytes) -> Iterator[Registry]:
    made = Registry(package, "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode())
    yield made
    made.close()


def test_a_database_comes_from_the_registry_and_is_used_at_once(registry: Registry, tmp_path: Path) -> None:
    databases = Databases(tmp_path)
    places = IpPlaces(databases)
    done = update_from_registry(COUNTRY, databases.folder, registry.url)
    assert (done.kind, done.version) == ("country", "2.0.1")
    assert registry.asked == "/@ip-location-db%2Fgeo-whois-asn-country-mmdb/latest"
    assert places.country_of("41.66.200.1") == "GH"
    assert places.country_of("8.8.8.8") is None


def test_a_package_that_is_not_what_was_announced_changes_nothing(package: bytes, tmp_path: Path) -> None:
    wrong = Registry(package, "sha512-" + base64.b64encode(hashlib.sha512(b"other").digest()).decode())
    with pytest.raises(UnavailableError, match="SHA-512"):
        update_from_registry(COUNTRY, tmp_path / "geo", wrong.url)
    wrong.close()
    assert not (tmp_path / "geo").exists()


def test_a_newer_file_is_noticed(tmp_path: Path) -> None:
    databases = Databases(tmp_path)
    places = IpPlaces(databases)
    update_from_file(write_mmdb(tmp_path / "one.mmdb", GHANA), databases.folder)
    assert places.country_of("41.66.200.1") == "GH"
    update_from_file(write_mmdb(tmp_path / "two.mmdb", {"41.66.192.0/18": {"country_code": "NG"}}), databases.folder)
    assert places.country_of("41.66.200.1") == "NG"


def test_kinds_are_told_apart_and_both_layouts_read(tmp_path: Path) -> None:
    databases = Databases(tmp_path)
    city = {
        "5.6.7.0/24": {
            "city": {"names": {"en": "Accra"}},
            "country": {"iso_code": "GH"},
            "location": {"latitude": 5.5, "longitude": -0.2},
        }
    }
    network = {"5.6.7.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"}}
    assert update_from_file(write_mmdb(tmp_path / "c.mmdb", city), databases.folder).kind == "city"
    assert update_from_file(write_mmdb(tmp_path / "n.mmdb", network), databases.folder).kind == "network"
    found = IpPlaces(databases).look_up("5.6.7.8")
    assert (found.country_code, found.city, found.latitude, found.longitude) == ("GH", "Accra", 5.5, -0.2)
    assert (found.network, found.network_name) == (64500, "Example Hosting")
    assert "db-ip.com" in found.attribution


def test_without_databases_nothing_is_known_and_nothing_fails(tmp_path: Path) -> None:
    places = IpPlaces(Databases(tmp_path / "none", (("country", tmp_path / "missing.mmdb"),)))
    assert places.look_up("8.8.8.8").country_code is None
    assert places.look_up("no address").country_code is None
    assert places.country_of("127.0.0.1") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no MaxMind-DB"),
        (b"plain text", "no MaxMind-DB"),
        (b"\x1f\x8bnot gzip at all", "unpacked"),
        (b"\xab\xcd\xefMaxMind.com", "damaged"),
        (packed(b"plain text"), "no MaxMind-DB"),
        (packed(b"x", "package/readme.md"), "holds no"),
    ],
)
def test_other_files_are_refused_and_what_was_there_stays(content: bytes, said: str, tmp_path: Path) -> None:
    databases = Databases(tmp_path)
    update_from_file(write_mmdb(tmp_path / "one.mmdb", GHANA), databases.folder)
    wrong = tmp_path / "wrong"
    wrong.write_bytes(content)
    with pytest.raises(InputError, match=said):
        update_from_file(wrong, databases.folder)
    assert [path.name for path in databases.folder.iterdir()] == ["country.mmdb"]
    assert IpPlaces(databases).country_of("41.66.200.1") == "GH"
