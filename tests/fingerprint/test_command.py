import csv
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from airledger.cli.fingerprint import app
from tunes import excerpt, noise, tune


def write_wav(path: Path, pcm: np.ndarray, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16_000)
        samples = np.repeat(np.repeat(pcm, 2), channels)  # 8 kHz to 16 kHz; the image above 4 kHz is filtered out again
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def write_list(path: Path, rows: dict[str, Path]) -> str:
    path.write_text("".join(f"{name}\t{file}\n" for name, file in rows.items()) + "\n", encoding="utf-8")
    return str(path)


def test_a_list_is_enrolled_and_another_answered(tmp_path: Path) -> None:
    songs = {f"song {seed}": write_wav(tmp_path / f"{seed}.wav", tune(seed), channels=seed) for seed in (1, 2)}
    asked = {
        "a": write_wav(tmp_path / "a.wav", excerpt(tune(2), 11, 6)),
        "b": write_wav(tmp_path / "b.wav", noise(6)),
        "c": write_wav(tmp_path / "c.wav", np.zeros(8000, np.float32)),
    }
    run = CliRunner()
    index, out = str(tmp_path / "index"), tmp_path / "answers.csv"
    done = run.invoke(app, ["enrol", write_list(tmp_path / "songs.txt", songs), index])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith("STAT audio_s 80.0 extract_cpu_s ")
    done = run.invoke(app, ["query", write_list(tmp_path / "asked.txt", asked), index, str(out)])
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8") as file:
        rows = {row["query"]: row for row in csv.DictReader(file)}
    assert list(next(iter(rows.values()))) == [
        "query", "track", "offset_s", "score", "extract_cpu_ms", "match_cpu_ms", "wall_ms"
    ]  # fmt: skip
    assert [rows[name]["track"] for name in "abc"] == ["song 2", "", ""]
    assert float(rows["a"]["offset_s"]) == pytest.approx(11, abs=0.03)
    assert float(rows["a"]["score"]) > 0.95


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wav file at all, but long enough to look at" * 9])
def test_what_is_no_wav_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    listing = write_list(tmp_path / "list", {"x": tmp_path / "bad.wav"})
    done = CliRunner().invoke(app, ["enrol", listing, str(tmp_path / "index")])
    assert done.exit_code == 2
    assert "bad.wav" in done.output.replace("\n", "").replace("│", "").replace(" ", "") or "bad.wav" in done.output


def test_a_list_of_another_form_and_an_unknown_profile_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("no tab here\n", encoding="utf-8")
    run = CliRunner()
    done = run.invoke(app, ["enrol", str(tmp_path / "list"), str(tmp_path / "index")])
    assert (done.exit_code, "Line 1" in done.output) == (2, True)
    done = run.invoke(app, ["enrol", str(tmp_path / "list"), str(tmp_path / "index"), "--profile", "best"])
    assert (done.exit_code, "high_quality" in done.output) == (2, True)


def test_what_is_not_wav_is_decoded_too(tmp_path: Path) -> None:
    song = write_wav(tmp_path / "song.wav", tune(2))
    container = av.open(str(tmp_path / "asked.flac"), "w", format="flac")
    with container:
        stream = container.add_stream("flac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(
            (np.repeat(excerpt(tune(2), 11, 6), 2)[None, :] * 32767).astype(np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    run = CliRunner()
    index, out = str(tmp_path / "index"), tmp_path / "answers.csv"
    assert run.invoke(app, ["enrol", write_list(tmp_path / "songs", {"song": song}), index]).exit_code == 0
    asked = write_list(tmp_path / "asked", {"a": tmp_path / "asked.flac"})
    assert run.invoke(app, ["query", asked, index, str(out)]).exit_code == 0
    with out.open(encoding="utf-8") as file:
        answer = next(csv.DictReader(file))
    assert answer["track"] == "song"
    assert float(answer["offset_s"]) == pytest.approx(11, abs=0.03)


def test_an_index_is_verified(tmp_path: Path) -> None:
    run = CliRunner()
    song = {"song": write_wav(tmp_path / "1.wav", tune(1))}
    index = tmp_path / "index"
    assert run.invoke(app, ["verify", str(index)]).exit_code == 2
    assert run.invoke(app, ["enrol", write_list(tmp_path / "songs.txt", song), str(index)]).exit_code == 0
    sound = run.invoke(app, ["verify", str(index)])
    assert (sound.exit_code, sound.output.endswith("postings: all as they were written.\n")) == (0, True)
    segment = next(index.glob("segment-*.fp"))
    data = bytearray(segment.read_bytes())
    data[5000] ^= 1
    segment.write_bytes(bytes(data))
    assert run.invoke(app, ["verify", str(index)]).exit_code == 1
