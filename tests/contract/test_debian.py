"""Programs that a machine lacks come from Debian, or their absence has a reason."""

import subprocess
from pathlib import Path

import pytest

from servers import debian
from servers.debian import ServerUnavailableError


def test_a_program_that_is_here_is_taken_as_it_is() -> None:
    assert debian.binary("sh", "dash").name == "sh"


def test_a_machine_without_apt_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLEDGER_SERVER_CACHE", str(tmp_path / "debs"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerUnavailableError, match=r"airledger-nonesuch is not installed .* no apt-get"):
        debian.binary("airledger-nonesuch", "nonesuch")


def test_a_name_that_is_no_package_never_reaches_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLEDGER_SERVER_CACHE", str(tmp_path / "debs"))
    for name in ("--allow-unauthenticated", "../etc", "a b"):
        with pytest.raises(ValueError, match="no Debian package name"):
            debian.unpack(name)


def test_an_unpacked_program_runs_with_its_data_beside_it() -> None:
    try:
        with debian.one_at_a_time():
            debian.unpack("hello")
    except ServerUnavailableError as error:
        pytest.skip(str(error))
    program = debian.unpacked("hello", "hello")
    assert program is not None
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "Hello, world!\n"
    copyright_file = debian.data_file(program, "hello", "/usr/share/doc/hello/copyright")
    assert copyright_file.is_file()
    assert copyright_file.is_relative_to(debian.cache_folder())
    assert debian.with_library(program, "libc6") == program
