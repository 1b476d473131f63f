"""The recognition kit's corpus (AIRLEDGER_KIT) as a station's repertoire: enrolled songs, held-out music, speech."""

import csv
import os
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from airledger.testing.pcm import SONG_RATE_HZ, Pcm16
from airledger.testing.programme import Take

ENROLLED = 260
SHARES_MATERIAL = frozenset({"ec655d2d8b71", "be9c0fb00838", "fbad2eec2389", "ef572878c73a", "f54ffcaff6e3"})
"""Held-out tracks that share material with enrolled ones (the kit's `bad_tracks.txt`)."""
LEAST_S = 30.0
SPEECH_PEAK = 0.5


def read_wav(path: Path) -> tuple[Pcm16, int]:
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return pcm.reshape(-1, file.getnchannels())[:, 0], file.getframerate()


@dataclass
class Kit:
    """The corpus in a folder."""

    folder: Path
    _sounds: dict[str, Pcm16] = field(default_factory=dict)
    _reel: Pcm16 | None = None

    @staticmethod
    def find() -> "Kit | None":
        told = os.environ.get("AIRLEDGER_KIT")
        return Kit(Path(told)) if told and (Path(told) / "corpus" / "tracks.csv").exists() else None

    def enrolled(self) -> list[Take]:
        return self._takes("song", sorted(self._ids("enrolled"))[:ENROLLED])

    def strangers(self) -> list[Take]:
        return self._takes("stranger", sorted(set(self._ids("heldout")) - SHARES_MATERIAL))

    def by_package(self) -> dict[str, list[Take]]:
        """All music, enrolled and held out, by the package that it came in."""
        groups: dict[str, list[str]] = {}
        for row in self._rows():
            groups.setdefault(row["package"], []).append(row["id"])
        return {package: self._takes("stranger", sorted(ids)) for package, ids in groups.items()}

    def wav(self, name: str) -> Path:
        return self.folder / "corpus" / "wav" / f"{name}.wav"

    def reel(self) -> Pcm16:
        """All prompts in one long talk, 44.1 kHz."""
        if self._reel is None:
            pieces = [_prompt(path) for path in self.prompts()]
            self._reel = np.concatenate([one for one in pieces if len(one)])
        return self._reel

    def prompts(self) -> list[Path]:
        found = [path for path in (self.folder / "corpus" / "raw").rglob("*.wav") if "asterisk" in str(path)]
        spoken = [path for path in found if "silence" not in path.parts and path.stat().st_size > 16_000]
        order = np.random.default_rng(5).permutation(len(spoken))
        spoken.sort()
        return [spoken[index] for index in order]

    def sound_of(self, take: Take) -> Pcm16:
        name, _, into = take.name.partition("@")
        first = int(into or 0)
        return self._sound(name)[first : first + take.samples]

    def _sound(self, name: str) -> Pcm16:
        if name == "speech":
            return self.reel()
        if name not in self._sounds:
            while len(self._sounds) > 12:
                del self._sounds[next(iter(self._sounds))]
            self._sounds[name] = read_wav(self.wav(name))[0]
        return self._sounds[name]

    def _ids(self, split: str) -> list[str]:
        return [row["id"] for row in self._rows() if row["split"] == split and float(row["used_s"]) >= LEAST_S]

    def _rows(self) -> Sequence[dict[str, str]]:
        return _read_rows(self.folder / "corpus" / "tracks.csv")

    def _takes(self, kind: str, ids: Sequence[str]) -> list[Take]:
        takes = []
        for name in ids:
            with wave.open(str(self.wav(name))) as file:
                takes.append(Take("song" if kind == "song" else "stranger", name, file.getnframes()))
        return takes


@lru_cache
def _read_rows(path: Path) -> tuple[dict[str, str], ...]:
    with path.open(newline="") as file:
        return tuple(csv.DictReader(file))


def _prompt(path: Path) -> Pcm16:
    pcm, rate_hz = read_wav(path)
    sound = resample_poly(pcm.astype(np.float32), SONG_RATE_HZ, rate_hz)
    loudest = float(np.abs(sound).max()) or 1.0
    levelled: Pcm16 = (sound * (SPEECH_PEAK * 32_767 / loudest)).astype(np.int16)
    return levelled
