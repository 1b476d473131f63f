"""From a close look to a verdict: models where sound must be judged, rules where they are exact. Values in and out."""

from dataclasses import dataclass, field, replace
from math import gcd

import numpy as np
from numpy.typing import NDArray

from airledger.audio.look_frames import Looked
from airledger.audio.picture_vector import PictureFeatures, picture_features
from airledger.audio.resample import to_8k
from airledger.audio.sound_vector import (
    LEAST_S,
    SOUND_COLUMNS,
    WINDOW_COLUMNS,
    WINDOW_VERSION,
    sound_vector,
    window_vectors,
)
from airledger.audio.speech import LONGEST_S, MODEL_RATE_HZ, SpeechModelMissingError, listen_wide
from airledger.learning.fraud_detector import Signs, Suspicion, suspect
from airledger.learning.quality_predictor import SENT_COLUMNS, predict_quality, quality_reasons, sent_values
from airledger.learning.stream_classifier import LOOP, SOUND_CLASSES, UNHEARD, Classified, PieceFacts, classify
from airledger.stations.cause import Cause
from airledger.stations.verdict.picture import picture_faults, picture_quality
from airledger.stations.verdict.trained import Models

F32 = NDArray[np.float32]

VALID_ABOVE = 0.7
"""The mission's: a stream is valid where its probability is above."""
COLUMNS = SOUND_COLUMNS + SENT_COLUMNS
RULES = "rules 1"
ERROR_PAGE, SLATE, SILENCE = "error_page", "slate", "silence"
LABELS = (*SOUND_CLASSES, ERROR_PAGE, SLATE)
# A card or a dark picture in front of a programme may be a radio station sent as television.
TRUST_BY_FAULT = {Cause.PLACEHOLDER.value: 0.8, Cause.BLACK.value: 0.6, Cause.FROZEN.value: 0.6}
WORDS = {
    "advert_loop": "the same sound comes again and again",
    "noise": "it is noise",
    "silence": "it is silent",
    "tone": "it is a tone",
}
FAULT_WORDS = {
    Cause.BLACK.value: "the picture is black",
    Cause.FROZEN.value: "the picture stands still",
    Cause.PLACEHOLDER.value: "the picture is a card",
}
SURE = 0.85


@dataclass(frozen=True, slots=True)
class Weighed:
    """A verdict.

    Attributes:
        label: One of `LABELS`; None where a look saw nothing that can be judged.
        probabilities: Of each class.
        confidence: Probability that the stream is valid.
        risk_score: 1 - confidence x (1 - suspicion): never less than the mission's 1 - probability.
        quality: 0 to 1; None without sound and picture.
        reasons: Why, in words.
        faults: Of the picture.
        model_version: What judged.
        vector: The typical window, by the names of its columns; empty without sound.
        error: Why nothing could be judged; "" otherwise.
    """

    label: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    confidence: float | None = None
    risk_score: float | None = None
    quality: float | None = None
    reasons: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    model_version: str = RULES
    vector: dict[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def is_valid(self) -> bool | None:
        """Whether the stream is what a listener hopes for; None where nothing is known."""
        return None if self.confidence is None else self.confidence > VALID_ABOVE

    @property
    def features(self) -> str:
        """Version of the vector."""
        return WINDOW_VERSION if self.vector else ""


@dataclass(frozen=True, slots=True)
class Described:
    """A look's sound as models see it.

    Attributes:
        windows: float32[k, len(WINDOW_COLUMNS)], for the classifier.
        whole: float32[len(COLUMNS)], for the predictor of quality.
        facts: Of the sound as a whole, for the classifier.
    """

    windows: F32
    whole: F32
    facts: PieceFacts

    @property
    def values(self) -> dict[str, float]:
        """The whole by the names of its columns."""
        return {name: float(one) for name, one in zip(COLUMNS, self.whole, strict=True)}

    @property
    def typical(self) -> dict[str, float]:
        """The window that is nearest to the mean of all, by the names of its columns: what a person's word teaches."""
        spread = np.maximum(self.windows.std(axis=0), 1e-6)
        apart = np.square((self.windows - self.windows.mean(axis=0)) / spread).sum(axis=1)
        nearest = self.windows[int(apart.argmin())]
        return {name: round(float(one), 5) for name, one in zip(WINDOW_COLUMNS, nearest, strict=True)}


def describe(seen: Looked, data_bytes: int) -> Described:
    """Describe a look's sound.

    Args:
        seen: At least 4 s of sound.
        data_bytes: Bytes that hold this sound and nothing else; 0 where pictures came along.

    Raises:
        ValueError: There is too little sound.
    """
    pcm = seen.pcm.astype(np.float32) / np.float32(32768)
    narrow = to_8k(np.ascontiguousarray(pcm.mean(axis=1)), seen.rate_hz)
    heard = sound_vector(pcm, seen.rate_hz, narrow)
    sent = sent_values(seen.codec, data_bytes * 8 / 1000 / seen.sound_s)
    whole = np.concatenate([heard, sent])
    loop = float(whole[COLUMNS.index("loop_likeness")])
    return Described(window_vectors(narrow), whole, PieceFacts(loop, *_heard_by_the_ear(pcm, seen.rate_hz)))


def _heard_by_the_ear(pcm: F32, rate_hz: int) -> tuple[float, float]:
    """Ask `audio.speech` for its shares of speech and music; -1 each where its package is not installed."""
    from scipy.signal import resample_poly

    common = gcd(rate_hz, MODEL_RATE_HZ)
    wide = resample_poly(pcm.mean(axis=1), MODEL_RATE_HZ // common, rate_hz // common)
    try:
        content = listen_wide(np.asarray(wide[: int(LONGEST_S * MODEL_RATE_HZ)], np.float32))
    except SpeechModelMissingError:
        return UNHEARD, UNHEARD
    return content.speech, content.music


def weigh_refusal(cause: Cause) -> Weighed:
    """Judge an address that gave no media: a page instead of sound is known for what it is, all else says nothing."""
    if cause is not Cause.NOT_MEDIA:
        return Weighed(error=f"nothing could be heard: {cause.value}")
    said = ("the server sends a page or text instead of media",)
    return Weighed(ERROR_PAGE, {ERROR_PAGE: 1.0}, 0.0, 1.0, None, said)


def weigh(seen: Looked, signs: Signs, data_bytes: int, models: Models) -> Weighed:
    """Judge what was seen.

    Args:
        seen: A close look.
        signs: What else is known of the stream.
        data_bytes: Bytes that hold the sound and nothing else; 0 where pictures came along.
        models: What judges.
    """
    pictures = picture_features(seen.thumbs, seen.crops, seen.times_s)
    faults = picture_faults(pictures) if pictures else ()
    described = describe(seen, data_bytes) if seen.sound_s >= LEAST_S else None
    if described is None and pictures is None:
        return Weighed(error=seen.error or f"only {seen.sound_s:.1f} s of sound came")
    heard = _classified(seen, described, models) if described else None
    if described and heard and heard.label == LOOP:
        signs = replace(signs, loop_likeness=described.facts.loop_likeness)
    suspicion = suspect(signs)
    confidence = heard.programme if heard else float(not faults)
    for fault in faults:
        confidence *= TRUST_BY_FAULT[fault]
    is_slate = bool(faults) and (heard is None or heard.programme < 1 - VALID_ABOVE)
    quality, why = _quality(described, heard, pictures, models)
    return Weighed(
        label=SLATE if is_slate else heard.label if heard else None,
        probabilities={name: round(share, 4) for name, share in (heard.probabilities if heard else {}).items()},
        confidence=round(confidence, 4),
        risk_score=round(1 - confidence * (1 - suspicion.score), 4),
        quality=quality,
        reasons=_reasons(heard, faults, suspicion, why),
        faults=faults,
        model_version=heard.model_version if heard else RULES,
        vector=described.typical if described else {},
    )


def _classified(seen: Looked, described: Described, models: Models) -> Classified:
    """Digital silence is told by an exact rule, everything else by the model."""
    if int(np.abs(seen.pcm.astype(np.int32)).max(initial=0)) <= 1:
        return Classified(SILENCE, {name: float(name == SILENCE) for name in SOUND_CLASSES}, RULES)
    return classify(described.windows, WINDOW_COLUMNS, described.facts, models.classifier)


def _quality(
    described: Described | None, heard: Classified | None, pictures: PictureFeatures | None, models: Models
) -> tuple[float | None, list[str]]:
    """Judge sound by the model and pictures by rules; only a programme has a quality: silence is not clear."""
    parts: list[float] = []
    why: list[str] = []
    if described and heard and heard.programme >= 0.5:  # noqa: PLR2004  more likely a programme than not
        parts.append(predict_quality(described.whole, COLUMNS, models.predictor))
        why += quality_reasons(described.values)
    if pictures is not None:
        quality, reasons = picture_quality(pictures)
        parts.append(quality)
        why += reasons
    return (round(sum(parts) / len(parts), 3) if parts else None), why


def _reasons(
    heard: Classified | None, faults: tuple[str, ...], suspicion: Suspicion, why: list[str]
) -> tuple[str, ...]:
    said: list[str] = []
    if heard is not None and heard.label in WORDS:
        said.append(WORDS[heard.label])
    said += [FAULT_WORDS[fault] for fault in faults]
    if heard is not None and heard.probabilities[heard.label] < SURE:
        second = sorted(heard.probabilities, key=lambda name: -heard.probabilities[name])[1]
        said.append(f"it may also be {second.replace('_', ' ')}")
    return tuple(dict.fromkeys((*said, *suspicion.reasons, *why)))  # a loop is told by both
