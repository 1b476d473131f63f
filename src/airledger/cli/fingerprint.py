"""`airledger fingerprint`: the bare engine on lists of sound files, without a library or a database."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airledger.recognition.decode import FileDecoder

app = typer.Typer(help="The recognition engine on lists of sound files.", no_args_is_help=True)

_MAX_LIST_BYTES = 64 << 20
_MAX_FILE_S = 24 * 3600.0
_DECODED_HZ = 8000
_RATE_HZ = 44_100
_NAMES_FILE = "names.txt"
_FULL_SCALE = 32768
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list."""

    name: str
    path: Path


@app.command()
def enrol(
    listing: Annotated[Path, typer.Argument(metavar="LIST", help="Lines of: track name, tab, sound file.")],
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Folder to make the index in.")],
    profile: Annotated[str, typer.Option(help="fast, balanced or high_quality.")] = "balanced",
) -> None:
    """Make an index of sound files: 16-bit WAV, or whatever the decoders know."""
    import numpy as np

    from airledger.fingerprint.index import Index
    from airledger.fingerprint.params import PROFILES
    from airledger.fingerprint.peaks import Peaks, extract

    params = PROFILES.get(profile)
    if params is None:
        raise typer.BadParameter(f"There is no profile {profile!r}; choose one of {', '.join(PROFILES)}.")
    extract(_at_8k(np.zeros(2 * _RATE_HZ, np.int16), _RATE_HZ), params, dense="reference")  # loads what is compiled
    tracks = list(_read_list(listing))
    audio_s = cpu_s = 0.0
    batch: dict[int, Peaks] = {}
    with Index.create(index, params) as made, _Ears() as ears:
        (index / _NAMES_FILE).write_text("".join(f"{track.name}\n" for track in tracks), encoding="utf-8")
        for number, track in enumerate(tracks):
            pcm, rate = ears.read(track.path)
            before_s = time.process_time()
            batch[number] = extract(_at_8k(pcm, rate), params, dense="reference")
            cpu_s += time.process_time() - before_s
            audio_s += len(pcm) / rate
            if len(batch) == _BATCH or number == len(tracks) - 1:
                made.add(batch)
                batch = {}
        hashes = made.postings
    typer.echo(f"STAT audio_s {audio_s:.1f} extract_cpu_s {cpu_s:.3f} hashes {hashes}")


@app.command()
def query(
    listing: Annotated[Path, typer.Argument(metavar="LIST", help="Lines of: query name, tab, sound file.")],
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Folder with the index.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="CSV file to write the answers to.")],
) -> None:
    """Recognise sound files; of a file longer than a query, its first part."""
    import csv

    from airledger.fingerprint.index import Index
    from airledger.fingerprint.match import DEFAULT_THRESHOLD, MAX_QUERY_S, match
    from airledger.fingerprint.peaks import extract
    from airledger.fingerprint.warm import warm

    warm()
    names = (index / _NAMES_FILE).read_text(encoding="utf-8").splitlines()
    with Index.open(index) as library, out.open("w", newline="", encoding="utf-8") as file, _Ears() as ears:
        rows = csv.writer(file)
        rows.writerow(["query", "track", "offset_s", "score", "extract_cpu_ms", "match_cpu_ms", "wall_ms"])
        for one in _read_list(listing):
            pcm, rate = ears.read(one.path)
            clock = _Clock()
            sound = _at_8k(pcm[: int(MAX_QUERY_S * rate)], rate)
            peaks = extract(sound, library.params, dense="query")
            extract_ms = clock.lap_ms()
            best = next(iter(match(library, peaks, limit=1)), None)
            times = [f"{ms:.2f}" for ms in (extract_ms, clock.lap_ms(), clock.wall_ms())]
            if best is None:
                rows.writerow([one.name, "", "", 0.0, *times])
                continue
            track = names[best.track] if best.score >= DEFAULT_THRESHOLD else ""
            rows.writerow([one.name, track, f"{best.offset_s:.3f}", repr(best.score), *times])


@app.command()
def verify(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Folder with the index.")],
) -> None:
    """Read every byte of an index, and tell whether it is what was written."""
    from airledger.fingerprint.errors import FingerprintError
    from airledger.fingerprint.index import Index

    try:
        with Index.open(index) as library:
            library.verify()
            typer.echo(f"{len(library)} tracks, {library.postings} postings: all as they were written.")
    except FileNotFoundError as error:
        raise typer.BadParameter(f"There is no index in {index}.") from error
    except FingerprintError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


class _Clock:
    """CPU time between laps, and wall time since the start."""

    def __init__(self) -> None:
        self._lap_s = time.process_time()
        self._start_s = time.perf_counter()

    def lap_ms(self) -> float:
        """CPU time since the last lap."""
        now_s = time.process_time()
        lap_ms = (now_s - self._lap_s) * 1000
        self._lap_s = now_s
        return lap_ms

    def wall_ms(self) -> float:
        """Wall time since the start."""
        return (time.perf_counter() - self._start_s) * 1000


def _read_list(path: Path) -> Iterator[Listed]:
    if path.stat().st_size > _MAX_LIST_BYTES:
        raise typer.BadParameter(f"{path} is larger than {_MAX_LIST_BYTES >> 20} MiB; split the list.")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        name, tab, file = line.partition("\t")
        if not tab or not name or not file:
            raise typer.BadParameter(f"Line {number} of {path} is not: name, tab, sound file.")
        yield Listed(name, Path(file))


class _Ears:
    """Reads sound files: 16-bit WAV at once, anything else through the sandboxed decoder, one child for all."""

    def __init__(self) -> None:
        self._decoder: FileDecoder | None = None

    def read(self, path: Path) -> "tuple[NDArray[np.float32] | NDArray[np.int16], int]":
        """The mono sound of a file, and its rate."""
        from airledger.recognition.decode import FileDecoder, FileLimits, MediaError

        if path.suffix.lower() == ".wav":
            return _read_wav(path)
        try:
            if self._decoder is None:
                self._decoder = FileDecoder()
            decoded = self._decoder.decode(path, FileLimits(max_duration_s=_MAX_FILE_S))
        except MediaError as error:
            raise typer.BadParameter(f"{error}") from error
        return decoded.pcm, _DECODED_HZ

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._decoder is not None:
            self._decoder.close()


def _read_wav(path: Path) -> "tuple[NDArray[np.float32] | NDArray[np.int16], int]":
    """The samples of a 16-bit WAV file, its channels averaged, and its rate."""
    import wave

    import numpy as np

    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, frames = file.getframerate(), file.getnchannels(), file.getnframes()
            if file.getsampwidth() != 2:  # noqa: PLR2004
                raise typer.BadParameter(f"{path} has {8 * file.getsampwidth()} bits a sample; convert it to 16.")
            if rate <= 0 or frames / rate > _MAX_FILE_S:
                raise typer.BadParameter(f"{path} claims more than a day of sound.")
            data = file.readframes(frames)
    except (wave.Error, EOFError, FileNotFoundError, IsADirectoryError) as error:
        raise typer.BadParameter(f"{path} cannot be read as a WAV file: {error or 'it ends too early'}.") from error
    samples = np.frombuffer(data[: len(data) - len(data) % (2 * channels)], "<i2")
    if channels == 1:
        return samples, rate
    mixed = samples.reshape(-1, channels).sum(axis=1, dtype=np.float32)
    return mixed * np.float32(1 / (_FULL_SCALE * channels)), rate


def _at_8k(pcm: "NDArray[np.float32] | NDArray[np.int16]", rate: int) -> "NDArray[np.float32]":
    from airledger.audio.resample import to_8k

    return to_8k(pcm, rate)
