"""Sound files that are none, given to `library add` and `identify`: each is refused by name, good ones are taken."""

import json
from pathlib import Path

import pytest

from damage.conftest import Terminal
from made_sound import encoded, melody

HUGE = 2 << 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sounds")
    wav = encoded(melody(5.0), "wav")
    at = wav.index(b"data") + 4
    kinds = {
        "lying.wav": wav[:at] + (2_000_000_000).to_bytes(4, "little") + wav[at + 4 :],
        "riffless.wav": b"RIFF\xff\xff\xff\x7fWAVE",
        "empty.mp3": b"",
        "letter.mp3": b"Dear listener,\nthere is no sound here.\n" * 100,
        "zeros.flac": bytes(100_000),
        "good.wav": wav,
    }
    for name, data in kinds.items():
        (folder / name).write_bytes(data)
    with (folder / "sparse.wav").open("wb") as file:
        file.write(wav)
        file.truncate(HUGE + 1)
    return {path.name: path for path in folder.iterdir()}


def test_the_library_refuses_each_by_its_name_and_takes_the_good_one(
    terminal: Terminal, files: dict[str, Path]
) -> None:
    ran = terminal.type("library", "add", str(files["good.wav"].parent), "--json")
    outcomes = {Path(row["file"]).name: row for row in map(json.loads, ran.out.splitlines())}
    assert ran.code == 1
    assert outcomes.keys() == files.keys()
    assert outcomes.pop("good.wav")["outcome"] == "enrolled"
    for name, row in outcomes.items():
        assert (row["outcome"], name in row["reason"]) == ("refused", True)


def test_identify_names_each_and_goes_on(terminal: Terminal, files: dict[str, Path]) -> None:
    ran = terminal.type("identify", *map(str, files.values()), "--json")
    rows = {Path(row["file"]).name: row for row in map(json.loads, ran.out.splitlines())}
    assert ran.code == 1
    assert rows.keys() == files.keys()
    assert "plays" in rows.pop("good.wav")
    assert all(name in row["error"] for name, row in rows.items())


@pytest.mark.parametrize(
    "table",
    [b"file,title\ngood.wav,A\x00B\n", b"\x00\x01\x02", b"title\nx\n", b"file\n" + b"a" * 200_000, None],
    ids=["NUL in a cell", "no text", "no column", "huge cell", "2 GiB"],
)
def test_a_table_that_is_none_is_refused_or_cleaned(
    terminal: Terminal, files: dict[str, Path], tmp_path: Path, table: bytes | None
) -> None:
    path = tmp_path / "titles.csv"
    with path.open("wb") as file:
        file.write(table or b"file,title\n")
        if table is None:
            file.truncate(HUGE)
    ran = terminal.type("library", "add", str(files["good.wav"]), "--csv", str(path))
    if ran.code == 0:
        assert table is not None
        assert b"NUL" not in ran.out.encode()
        listed = terminal.type("library", "list", "--json").out
        assert "\\u0000" not in listed
    else:
        assert ran.is_plain_failure
        assert "titles.csv" in ran.err


@pytest.mark.parametrize("name", ["no-such-file.wav", "a" * 100_000, "\udcff.wav"], ids=["missing", "long", "bytes"])
def test_names_of_no_file_are_refused_with_a_sentence(terminal: Terminal, name: str) -> None:
    for command in (("library", "add"), ("identify",)):
        ran = terminal.type(*command, name)
        assert ran.code in {1, 2}
        assert (ran.out + ran.err).strip()
