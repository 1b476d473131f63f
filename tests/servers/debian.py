"""Find the program of a real server, or fetch it from Debian: as root by installing, else by unpacking beside us.

`binary("redis-server", "redis-server")` is all that a fixture calls. What is already there is taken as it is. Root
installs the package (with every service held back from starting); anybody else gets the package and those of its
dependencies that the machine lacks unpacked under a cache folder, and a small launcher that sets the library path.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALL_LIMIT_S = 600
# Debian keeps daemons out of the ordinary PATH, and PostgreSQL's programs in a folder per major version. Chromium's own
# folder stands before usr/bin: the script there names absolute paths, which are not to be had where it is unpacked.
PROGRAM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/lib/chromium", "usr/bin", "usr/sbin", "bin", "sbin")
# The folders of libraries that packages of ours keep beside the standard ones.
LIBRARY_FOLDERS = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "usr/lib/*-linux-gnu*/pulseaudio")
_PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_TO_INSTALL = re.compile(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", re.MULTILINE)


class ServerUnavailableError(Exception):
    """The program is not on this machine and cannot be fetched; the message says why."""


def cache_folder() -> Path:
    """The folder for fetched packages: `$AIRLEDGER_SERVER_CACHE`, else `.cache/debs` of the repository."""
    return Path(os.environ.get("AIRLEDGER_SERVER_CACHE") or REPOSITORY / ".cache" / "debs")


def binary(name: str, package: str) -> Path:
    """Return the path of the program `name`, fetching the Debian package `package` where it is missing.

    Args:
        name: The program's file name, such as `redis-server`.
        package: The Debian package that brings it.

    Returns:
        A path that can be executed as it is (the program, or a launcher that sets its library path).

    Raises:
        ServerUnavailableError: There is no such program here and no way to fetch it.
    """
    present = installed(name)
    if present:
        return present
    with one_at_a_time():
        # Another worker may have fetched it while we waited for the lock.
        present = installed(name) or unpacked(name, package)
        if present:
            return present
        if shutil.which("apt-get") is None:
            raise ServerUnavailableError(f"{name} is not installed and this machine has no apt-get to fetch {package}")
        if os.geteuid() == 0:
            install(package)
            found = installed(name)
        else:
            unpack(package)
            found = unpacked(name, package)
    if found is None:
        raise ServerUnavailableError(f"the Debian package {package} brought no program named {name}")
    return found


def installed(name: str) -> Path | None:
    """Return the program as the machine has it, or None."""
    on_path = shutil.which(name)
    return Path(on_path) if on_path else _executable(Path("/"), name)


def unpacked(name: str, package: str) -> Path | None:
    """Return the launcher of a program that was unpacked earlier, or None."""
    root = package_root(package)
    program = _executable(root, name) if (root / ".complete").exists() else None
    return _launcher(root, program) if program else None


def package_root(package: str) -> Path:
    """Where `package` and the dependencies it lacked are unpacked; stands for `/` in their paths."""
    return cache_folder() / package


def with_library(program: Path, package: str) -> Path:
    """Return what runs `program`, fetching the Debian package of a library that it may miss here.

    Raises:
        ServerUnavailableError: The library is missing and cannot be fetched.
    """
    if _runs(program):
        return program
    with one_at_a_time():
        if os.geteuid() == 0:
            install(package)
            return program
        if not (package_root(package) / ".complete").exists():
            unpack(package)
        return _launcher(package_root(package), program)


def data_file(program: Path, package: str, path: str) -> Path:
    """Return the place of a package's data file, whether installed or unpacked.

    Args:
        program: What `binary` returned.
        package: The package asked for then.
        path: The file's place in a machine that has the package installed, such as `/usr/share/icecast2/web`.
    """
    root = package_root(package)
    return root / path.lstrip("/") if program.is_relative_to(root) else Path(path)


def install(package: str) -> None:
    """Install `package` by apt-get as root; no service is started by that."""
    environment = {
        **os.environ,
        "DEBIAN_FRONTEND": "noninteractive",
        # invoke-rc.d refuses to start services in runlevel 1; with the policy file below this holds everywhere.
        "RUNLEVEL": "1",
    }
    install_command = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", package]
    with _services_held_back():
        try:
            _run(install_command, environment)
        except ServerUnavailableError:
            # Lists may be missing (slim images) or name a version that the mirror no longer has.
            _update_lists([], environment)
            _run(install_command, environment)


def unpack(package: str) -> None:
    """Download `package` with the dependencies this machine lacks and unpack all into `package_root(package)`.

    The caller holds `one_at_a_time`.
    """
    if _PACKAGE_NAME.fullmatch(package) is None:
        raise ValueError(f"{package!r} is no Debian package name")
    root, archives = package_root(package), cache_folder() / "archives" / package
    for folder in (root, archives):
        folder.mkdir(parents=True, exist_ok=True)
    options, environment = _private_apt(), dict(os.environ)
    try:
        _download(package, archives, options)
    except ServerUnavailableError:
        # No lists yet, or they name a version that the mirror no longer has.
        _update_lists(options, environment)
        _download(package, archives, options)
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg", "-x", str(archive), str(root)], environment)
    shutil.rmtree(archives)
    _turn_links_inward(root)
    (root / ".complete").touch()


def _download(package: str, archives: Path, options: list[str]) -> None:
    """Put the archives of `package` and of what it needs and the machine lacks into the folder `archives`."""
    environment = dict(os.environ)
    plan = _run(["apt-get", *options, "--simulate", "--no-install-recommends", "install", package], environment)
    # Nothing to install: it is there, but its program is on no path of ours, so its own archive is all we can take.
    wanted = [f"{name}={version}" for name, version in _TO_INSTALL.findall(plan)] or [package]
    _run(["apt-get", *options, "download", *wanted], environment, folder=archives)


def _turn_links_inward(root: Path) -> None:
    """Let absolute links, which mean the machine's root, point to their like under `root`."""
    for link in root.rglob("*"):
        if link.is_symlink() and link.readlink().is_absolute():
            inward = root / link.readlink().relative_to("/")
            if inward.exists():
                link.unlink()
                link.symlink_to(inward)


def _private_apt() -> list[str]:
    """Options that let an ordinary user keep package lists of his own; what is installed is read from the system."""
    state = cache_folder() / "apt"
    for folder in (state / "lists" / "partial", state / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": state / "cache",
        "Debug::NoLocking": "1",
        # As root apt would hand downloads to the user _apt, who may not write here.
        "APT::Sandbox::User": "",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _update_lists(options: list[str], environment: dict[str, str]) -> None:
    """Fetch package lists; one foreign source that cannot be reached must not spoil the rest."""
    try:
        _run(["apt-get", *options, "-q", "update"], environment)
    except ServerUnavailableError as error:
        # The install that follows fails with its own reason if the lists it needs are not there.
        print(error)  # noqa: T201 - pytest shows it beside that failure


def _run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    """Run `command`; return what it printed.

    Raises:
        ServerUnavailableError: It failed or took too long; with the end of its output.
    """
    try:
        done = subprocess.run(
            command,
            env={**environment, "LC_ALL": "C.UTF-8"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT_S,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerUnavailableError(f"`{shlex.join(command)}` took more than {INSTALL_LIMIT_S} s") from error
    except (subprocess.CalledProcessError, OSError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise ServerUnavailableError(f"`{shlex.join(command)}` failed: {said.strip()[-2000:]}") from error
    return done.stdout


def _runs(program: Path) -> bool:
    """Tell whether the program starts at all: the loader ends it where a library is missing."""
    asked = [str(program), "--version"]
    return subprocess.run(asked, capture_output=True, check=False, timeout=INSTALL_LIMIT_S).returncode == 0


def _executable(root: Path, name: str) -> Path | None:
    """Return the program `name` under `root`, the highest version first, or None."""
    for folder in PROGRAM_FOLDERS:
        for candidate in sorted(root.glob(f"{folder}/{name}"), reverse=True):
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return candidate
    return None


def _launcher(root: Path, program: Path) -> Path:
    """Write the script that runs an unpacked program with the libraries unpacked beside it; `exec` keeps its pid."""
    folders = [folder for pattern in LIBRARY_FOLDERS for folder in sorted(root.glob(pattern)) if folder.is_dir()]
    libraries = ":".join(str(folder) for folder in folders)
    launcher = root / ".launchers" / program.name
    launcher.parent.mkdir(exist_ok=True)
    script = f'#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(libraries)} exec {shlex.quote(str(program))} "$@"\n'
    if not launcher.exists() or launcher.read_text() != script:
        # Written aside and moved: another worker may be starting from the same launcher.
        descriptor, name = tempfile.mkstemp(dir=launcher.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(script)
        Path(name).chmod(0o755)
        Path(name).replace(launcher)
    return launcher


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock that keeps pytest's workers from fetching at the same time; the kernel lets go when we die."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_held_back() -> Iterator[None]:
    """Forbid maintainer scripts to start services while we install; a policy that is already there is left alone."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)
