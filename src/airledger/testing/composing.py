"""Compose songs: bars of notes from a seed, with sections, motifs, harmony, bass and drums.

A song has sections (verse, chorus, bridge) with a chord progression and a rhythmic motif each, so that it is a song
and not noise; within them every bar is drawn anew, so that no bar repeats exactly. That matters: were bars repeated,
a place in the song could not be told from its sound, and the truth of the demo would be ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airledger.testing.chances import chance

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
PROGRESSIONS: tuple[tuple[int, ...], ...] = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 4, 3), (0, 2, 3, 4), (5, 4, 3, 4), (1, 4, 0, 5), (0, 6, 3, 0),
    (0, 4, 1, 3), (3, 0, 4, 5), (0, 2, 5, 3), (5, 1, 4, 0),
)  # fmt: skip
METRES = (4, 4, 4, 4, 3, 4, 3, 5)
FORM = ("verse", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "chorus")
TICKS_PER_BEAT = 12
DEGREES = 7


@dataclass(frozen=True)
class Note:
    """One struck note. Start and length in ticks (12 to the beat) from its bar's start; MIDI pitch; velocity 0..1."""

    part: str
    start_ticks: int
    length_ticks: int
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Bar:
    """One bar: its section, the chord as scale degree, all notes."""

    section: str
    degree: int
    notes: tuple[Note, ...]

    @property
    def signature(self) -> tuple[tuple[str, int, int, int], ...]:
        """What makes the bar the bar: pitches and rhythm of the pitched parts, without drums and velocities."""
        pitched = (n for n in self.notes if n.part != "drums")
        return tuple(sorted((n.part, n.start_ticks, n.length_ticks, n.pitch) for n in pitched))


@dataclass(frozen=True)
class Style:
    """What holds for a whole song. Tempo in beats per minute; pitches are MIDI numbers."""

    tempo_bpm: float
    beats_per_bar: int
    tonic: int
    scale: tuple[int, ...]
    swing: float
    lead_register: int
    comping: str
    drum_density: float
    seed: int


@dataclass(frozen=True)
class Composition:
    """A song on paper. ``lead_in_s`` is the silence before the first bar; ``fades`` says whether it ends in a fade."""

    style: Style
    bars: tuple[Bar, ...]
    lead_in_s: float
    fades: bool

    @property
    def bar_s(self) -> float:
        """Length of a bar in seconds."""
        return 60.0 / self.style.tempo_bpm * self.style.beats_per_bar


@dataclass(frozen=True)
class _Section:
    name: str
    progression: tuple[int, ...]
    lead_rhythm: tuple[int, ...]
    bass_rhythm: tuple[int, ...]
    energy: float


def compose(seed: int, number: int, length_s: float) -> Composition:
    """Compose one song.

    Args:
        seed: the library's seed.
        number: the song's number within the library; another number is another song.
        length_s: how long it should be; the song has the nearest whole number of bars.

    Returns:
        The same composition for the same arguments, on every machine.
    """
    rng = np.random.default_rng([seed, number])
    style = _style(rng, number)
    bar_count = max(4, round(length_s / (60.0 / style.tempo_bpm * style.beats_per_bar)))
    sections = {name: _section(rng, style, name) for name in dict.fromkeys(FORM)}
    seen: set[tuple[tuple[str, int, int, int], ...]] = set()
    bars: list[Bar] = []
    for index in range(bar_count):
        section = sections[FORM[index // 4 % len(FORM)]]
        bar = _bar(rng, style, section, index=index, count=bar_count)
        while bar.signature in seen:
            bar = _bar(rng, style, section, index=index, count=bar_count)
        seen.add(bar.signature)
        bars.append(bar)
    return Composition(style, tuple(bars), float(rng.choice([0.0, 0.05, 0.15, 0.3])), chance(rng, 0.3))


def _style(rng: np.random.Generator, number: int) -> Style:
    names = list(SCALES)
    return Style(
        tempo_bpm=float(np.round(rng.uniform(76, 148), 2)),
        beats_per_bar=METRES[number % len(METRES)],
        tonic=int(rng.integers(36, 48)),
        scale=SCALES[names[int(rng.integers(len(names)))]],
        swing=float(rng.choice([0.0, 0.0, 0.12, 0.22])),
        lead_register=int(rng.integers(2, 4)),
        comping=str(rng.choice(["pad", "stabs", "arpeggio"])),
        drum_density=float(rng.uniform(0.3, 1.0)),
        seed=int(rng.integers(1 << 31)),
    )


def _section(rng: np.random.Generator, style: Style, name: str) -> _Section:
    steps = style.beats_per_bar * 4
    density = {"verse": 0.35, "chorus": 0.5, "bridge": 0.25}[name]
    lead = tuple(s for s in range(steps) if chance(rng, density * (1.6 if s % 4 == 0 else 0.8)))
    bass = tuple(s for s in range(steps) if s == 0 or chance(rng, 0.5 if s % 4 == 0 else 0.15))
    progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    return _Section(name, progression, lead or (0,), bass, {"verse": 0.75, "chorus": 1.0, "bridge": 0.65}[name])


def _bar(rng: np.random.Generator, style: Style, section: _Section, *, index: int, count: int) -> Bar:
    degree = section.progression[index % len(section.progression)]
    if chance(rng, 0.2):
        degree = int(rng.integers(DEGREES))
    notes: list[Note] = []
    thin = index in {0, 1, count - 1}
    notes += _lead(rng, style, section, degree)
    notes += _comping(rng, style, section, degree)
    notes += _bass(rng, style, section, degree)
    if not (thin and chance(rng, 0.5)):
        notes += _drums(rng, style, section, fill=(index + 1) % 4 == 0)
    return Bar(section.name, degree, tuple(notes))


def _pitch(style: Style, degree: int, octave: int) -> int:
    octaves, step = divmod(degree, DEGREES)
    return style.tonic + 12 * (octave + octaves) + style.scale[step]


def _lead(rng: np.random.Generator, style: Style, section: _Section, degree: int) -> list[Note]:
    steps = style.beats_per_bar * 4
    starts = sorted({s for s in section.lead_rhythm if chance(rng, 0.8)} | _extra_steps(rng, steps))
    tone = degree + int(rng.choice([0, 2, 4, 7]))
    notes = []
    for here, following in zip(starts, [*starts[1:], steps], strict=True):
        tone += int(rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3]))
        tone = min(max(tone, -2), 11)
        if here % 4 == 0 and chance(rng, 0.6):
            tone = degree % DEGREES + int(rng.choice([0, 2, 4]))
        length = min(following - here, int(rng.choice([2, 3, 4, 6, 8])))
        velocity = section.energy * float(rng.uniform(0.65, 1.0))
        notes.append(Note("lead", here * 3, length * 3, _pitch(style, tone, style.lead_register), velocity))
    return notes


def _extra_steps(rng: np.random.Generator, steps: int) -> set[int]:
    return {int(s) for s in rng.integers(0, steps, size=int(rng.integers(1, 4)))}


def _comping(rng: np.random.Generator, style: Style, section: _Section, degree: int) -> list[Note]:
    chord = [degree, degree + 2, degree + 4]
    if chance(rng, 0.4):
        chord.append(degree + 6)
    inversion = int(rng.integers(3))
    voices = [_pitch(style, tone + (DEGREES if i < inversion else 0), 1) for i, tone in enumerate(chord)]
    bar_ticks = style.beats_per_bar * TICKS_PER_BEAT
    if style.comping == "arpeggio":
        eighths = range(0, bar_ticks, 6)
        return [
            Note("chords", t, int(rng.choice([6, 9, 12])), voices[int(rng.integers(len(voices)))] + 12, section.energy)
            for t in eighths
            if chance(rng, 0.85)
        ]
    if style.comping == "stabs":
        starts = [t for t in range(0, bar_ticks, 6) if chance(rng, 0.5 if t % 12 else 0.25)] or [6]
        lengths = [int(rng.choice([3, 4, 6])) for _ in starts]
    else:
        split = int(rng.integers(1, style.beats_per_bar)) * TICKS_PER_BEAT
        starts, lengths = [0, split], [split, bar_ticks - split]
    velocity = section.energy * float(rng.uniform(0.7, 0.95))
    return [Note("chords", t, n, v, velocity) for t, n in zip(starts, lengths, strict=True) for v in voices]


def _bass(rng: np.random.Generator, style: Style, section: _Section, degree: int) -> list[Note]:
    steps = style.beats_per_bar * 4
    starts = sorted({s for s in section.bass_rhythm if s == 0 or chance(rng, 0.85)})
    if chance(rng, 0.5):
        starts = sorted({*starts, int(rng.integers(1, steps))})
    notes = []
    for here, following in zip(starts, [*starts[1:], steps], strict=True):
        tone = degree + (0 if here == 0 else int(rng.choice([0, 0, 2, 4, 7, -1])))
        length = min(following - here, int(rng.choice([2, 3, 4, 6])))
        notes.append(Note("bass", here * 3, length * 3, _pitch(style, tone, 0), float(rng.uniform(0.8, 1.0))))
    return notes


def _drums(rng: np.random.Generator, style: Style, section: _Section, *, fill: bool) -> list[Note]:
    notes: list[Note] = []

    def hit(piece: int, step: float, velocity: float) -> None:
        notes.append(Note("drums", int(step * 3), 3, piece, velocity * float(rng.uniform(0.8, 1.0))))

    steps = style.beats_per_bar * 4
    for step in range(steps):
        beat, rest = divmod(step, 4)
        if step == 0 or chance(rng, (0.3 if rest == 0 else 0.1) * style.drum_density):
            hit(KICK, step, 1.0)
        if (rest == 0 and beat % 2 == 1) or chance(rng, 0.05 * style.drum_density):
            hit(SNARE, step, section.energy)
        if chance(rng, (0.9 if rest % 2 == 0 else 0.5) * style.drum_density):
            hit(OPEN_HAT if chance(rng, 0.1) else HAT, step, 0.7 if rest == 0 else 0.45)
        if fill and step >= steps - 4 and chance(rng, 0.7):
            hit(TOM, step, 0.8)
    return notes


KICK, SNARE, HAT, OPEN_HAT, TOM = 36, 38, 42, 46, 45
