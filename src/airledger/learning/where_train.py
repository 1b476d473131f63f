"""Training of the model of places, and its scores: rows of one domain never stand on both sides of a split."""

import json
import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_clues import CLUES, Detective, IpCountry, Memory
from airledger.learning.where_clues import VERSION as CLUES_VERSION
from airledger.learning.where_data import Labelled
from airledger.learning.where_export import text_onnx, trees_onnx
from airledger.learning.where_gazetteer import gazetteer
from airledger.learning.where_rank import (
    Calibration,
    Pairs,
    calibrate,
    fit_trees,
    log_odds,
    probabilities,
    squashed,
)
from airledger.learning.where_text import Corpus, TextModel
from airledger.learning.where_words import VERSION as WORDS_VERSION

FOLDS = 5
TV_SHARE = 0.35  # of the television rows that teach the second model: enough for the countries radio lacks
LEAST_WEBSITES_OF_HOST = 2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """Everything that predicts, before it is written; scores are of rows whose domains had no part in training."""

    text: TextModel
    trees: Any
    memory: Memory
    calibration: Calibration
    scores: "dict[str, Scores]"


@dataclass(frozen=True, slots=True)
class Scores:
    """How well places are told.

    Attributes:
        top1: Share of streams whose likeliest country is the claimed one.
        top3: Share whose claimed country is among the likeliest three.
        sure_half: `top1` of the half with the highest probabilities.
        ece: Expected calibration error of the likeliest country's probability, 15 bins of equal width.
    """

    streams: int
    top1: float
    top3: float
    sure_half: float
    ece: float


@dataclass(frozen=True, slots=True)
class Validated:
    """What the folds gave: clues and calibration to train with, and scores of rows whose domains were left out."""

    corpus: Corpus
    classes: tuple[str, ...]
    pairs: Pairs
    calibration: Calibration
    scores: "dict[str, Scores]"


def train(
    rows: Sequence[Labelled], ip_country: IpCountry | None, say: Say, *, seed: int = 1, work: Path | None = None
) -> Trained:
    """Train on rows, with the arguments of `validate`."""
    found = validate(rows, ip_country, say, seed=seed, work=work)
    everything = np.ones(len(rows), bool)
    trained = Trained(
        found.corpus.fit(found.classes, everything),
        fit_trees(found.pairs),
        remember(rows, everything),
        found.calibration,
        found.scores,
    )
    say("trained on everything")
    return trained


def validate(
    rows: Sequence[Labelled], ip_country: IpCountry | None, say: Say, *, seed: int = 1, work: Path | None = None
) -> Validated:
    """Score rows by models that their domains had no part in.

    The second model sees margins and memories that the row's own domain had no part in (`FOLDS` folds by domain), and
    the calibration, like the scores, log-odds of trees that did not know the row. The margins that taught those trees
    come from text models that did know the scored row, and the calibration is fitted to all radio rows.

    Args:
        rows: What to learn from.
        ip_country: Country of a numeric address; None without a database.
        say: Told of progress.
        seed: Of the folds.
        work: A folder where margins of the folds are kept, so that a training that was cut off goes on.
    """
    corpus = Corpus(rows)
    classes = corpus.classes()
    folds = fold_of(rows, FOLDS, seed)
    margins = _margins(corpus, classes, folds, work, say)
    memories = [remember(rows, folds != fold) for fold in range(FOLDS)]
    pairs = _pairs(rows, classes, margins, memories, folds, ip_country, seed)
    say(f"clues: {len(pairs.streams):,} candidates")
    odds = _odds(pairs, folds)
    radio = np.array([row.source == "radio" for row in rows])[pairs.streams]
    calibration = calibrate(squashed(pairs.streams[radio]), odds[radio], pairs.is_right[radio])
    say(f"calibrated: sharpness {calibration.sharpness:.3f}, elsewhere {calibration.elsewhere:.3f}")
    return Validated(corpus, classes, pairs, calibration, judge(rows, pairs, odds, calibration))


def judge(
    rows: Sequence[Labelled], pairs: Pairs, odds: NDArray[np.float64], calibration: Calibration
) -> dict[str, Scores]:
    """Score radio as a whole, and television of the countries that radio lacks."""
    chosen = {
        "radio": [row.source == "radio" for row in rows],
        "tv_US": [row.source == "tv" and row.country == "US" for row in rows],
        "tv_DE": [row.source == "tv" and row.country == "DE" for row in rows],
        "tv_all": [row.source == "tv" for row in rows],
    }
    found = {}
    for name, wanted in chosen.items():
        mine = np.array(wanted)[pairs.streams]
        if not mine.any():
            continue
        streams = pairs.streams[mine]
        shares = shares_of(squashed(streams), pairs.countries[mine].tolist(), odds[mine], calibration)
        found[name] = scores(shares, [rows[at].country for at in np.unique(streams).tolist()])
    return found


def shares_of(
    streams: NDArray[np.int64], countries: Sequence[str], odds: NDArray[np.float64], calibration: Calibration
) -> list[list[tuple[str, float]]]:
    """Return each stream's candidates with probabilities, the likeliest first."""
    found: list[list[tuple[str, float]]] = [[] for _ in range(int(streams.max()) + 1)]
    for stream, country, share in zip(
        streams.tolist(), countries, probabilities(streams, odds, calibration).tolist(), strict=True
    ):
        found[stream].append((country, share))
    for one in found:
        one.sort(key=lambda pair: (-pair[1], pair[0]))
    return found


def fold_of(rows: Sequence[Labelled], folds: int, seed: int) -> NDArray[np.int64]:
    """Split rows by domain, the same way for the same seed on every machine."""
    return np.array([zlib.crc32(f"s{seed}{row.group}".encode("utf-8", "surrogatepass")) % folds for row in rows])


def remember(rows: Sequence[Labelled], chosen: NDArray[np.bool_]) -> Memory:
    """Count the countries of each host's websites, and of radio rows as a whole."""
    websites: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    prior: dict[str, float] = defaultdict(float)
    for at in np.flatnonzero(chosen).tolist():
        row = rows[at]
        if row.told.stream:
            websites[row.told.stream.domain][row.country].add(row.group)
        if row.source == "radio":
            prior[row.country] += 1.0
    total = sum(prior.values()) or 1.0
    hosts = {host: {code: float(len(found)) for code, found in told.items()} for host, told in websites.items()}
    return Memory(hosts, {code: count / total for code, count in prior.items()})


def scores(shares: Sequence[Sequence[tuple[str, float]]], truth: Sequence[str]) -> Scores:
    """Score candidates, the likeliest first, against claimed countries."""
    is_right = np.array([bool(one) and one[0][0] == country for one, country in zip(shares, truth, strict=True)])
    is_near = [country in [code for code, _ in one[:3]] for one, country in zip(shares, truth, strict=True)]
    sure = np.array([one[0][1] if one else 0.0 for one in shares])
    half = np.argsort(-sure, kind="stable")[: max(len(sure) // 2, 1)]
    bins = np.minimum((sure * 15).astype(int), 14)
    gaps = [
        abs(float(sure[bins == place].mean()) - float(is_right[bins == place].mean())) * float((bins == place).mean())
        for place in range(15)
        if (bins == place).any()
    ]
    return Scores(
        len(sure), float(is_right.mean()), float(np.mean(is_near)), float(is_right[half].mean()), math.fsum(gaps)
    )


def version_of(rows: Sequence[Labelled]) -> str:
    """Name a training by its data: number of rows and a checksum of what they tell."""
    told = "\n".join(f"{row.told.name}\t{row.group}\t{row.country}" for row in rows)
    return f"where-{len(rows)}-{zlib.crc32(told.encode('utf-8', 'surrogatepass')):08x}"


def write(trained: Trained, folder: Path, about: dict[str, Any]) -> None:
    """Write the models and what belongs to them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "where_words.onnx").write_bytes(text_onnx(trained.text))
    (folder / "where_rank.onnx").write_bytes(trees_onnx(trained.trees, len(CLUES)))
    hosts = {
        host: {code: int(count) for code, count in found.items()}
        for host, found in sorted(trained.memory.hosts.items())
        if sum(found.values()) >= LEAST_WEBSITES_OF_HOST
    }
    told = {
        "versions": {"words": WORDS_VERSION, "clues": CLUES_VERSION},
        "classes": trained.text.classes,
        "calibration": {
            "sharpness": trained.calibration.sharpness,
            "elsewhere": trained.calibration.elsewhere,
        },
        "prior": {code: round(share, 6) for code, share in sorted(trained.memory.prior.items())},
        "hosts": hosts,
        "scores": {name: asdict(found) for name, found in trained.scores.items()},
        **about,
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (folder / "where.json").write_text(text + "\n", encoding="utf-8")


def _pairs(
    rows: Sequence[Labelled],
    classes: Sequence[str],
    margins: NDArray[np.float32],
    memories: Sequence[Memory],
    folds: NDArray[np.int64],
    ip_country: IpCountry | None,
    seed: int,
) -> Pairs:
    detectives = [Detective(classes[:-1], gazetteer(), memory, ip_country) for memory in memories]
    drawn = np.random.default_rng(seed).random(len(rows))
    streams: list[int] = []
    countries: list[str] = []
    values = []
    for at, row in enumerate(rows):
        if row.source == "tv" and drawn[at] > TV_SHARE:
            continue
        clues = detectives[folds[at]].gather(row.told, margins[at])
        streams += [at] * len(clues.countries)
        countries += clues.countries
        values.append(clues.values)
    numbers, codes = np.array(streams), np.array(countries)
    return Pairs(
        numbers,
        codes,
        np.concatenate(values),
        codes == np.array([row.country for row in rows])[numbers],
        np.array([row.weight for row in rows])[numbers],
    )


def _odds(pairs: Pairs, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each pair's log-odds by trees that its domain had no part in."""
    odds = np.zeros(len(pairs.streams))
    for fold in range(FOLDS):
        mine = folds[pairs.streams] == fold
        trees = fit_trees(pairs.of(folds != fold))
        odds[mine] = log_odds(trees.predict_proba(pairs.values[mine])[:, 1])
    return odds


def _margins(
    corpus: Corpus, classes: Sequence[str], folds: NDArray[np.int64], work: Path | None, say: Say
) -> NDArray[np.float32]:
    """Return each row's margins by a text model that its domain had no part in."""
    margins = np.zeros((len(folds), len(classes)), np.float32)
    for fold in range(FOLDS):
        kept = work / f"fold-{fold}.npy" if work else None
        if kept and kept.is_file():
            margins[folds == fold] = np.load(kept, allow_pickle=False)
            continue
        model = corpus.fit(classes, folds != fold)
        margins[folds == fold] = corpus.margins(model, folds == fold)
        say(f"words without part {fold + 1} of {FOLDS}: {len(model.vocabulary):,} tokens, {len(classes)} classes")
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, margins[folds == fold])
    return margins
