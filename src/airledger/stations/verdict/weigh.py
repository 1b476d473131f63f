"""From a close look to a verdict: models where sound must be judged, rules where they are exact. Values in and out."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from airledger.audio.look_frames import Looked
from airledger.audio.picture_vector import picture_features
from airledger.audio.resample import to_8k
from airledger.audio.sound_vector import LEAST_S, SOUND_COLUMNS, SOUND_VERSION, sound_vector
from airledger.learning.fraud_detector import Signs, Suspicion, suspect
from airledger.learning.quality_predictor import SENT_COLUMNS, predict_quality, quality_reasons, sent_values
from airledger.learning.stream_classifier import SOUND_CLASSES, Classified, classify
from airledger.stations.cause import Cause
from airledger.stations.verdict.picture import picture_faults, picture_quality

F32 = NDArray[np.float32]

VALID_ABOVE = 0.7
"""The mission's: a stream is valid where its probability is above."""
COLUMNS = SOUND_COLUMNS + SENT_COLUMNS
RULES = "rules 1"
ERROR_PAGE, SLATE, SILENCE, LOOP = "error_page", "slate", "silence", "advert_loop"
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
        vector: Values by the names of `COLUMNS`; empty without sound.
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
        return SOUND_VERSION if self.vector else ""


def vector_of(seen: Looked, data_bytes: int) -> F32:
    """Describe a look's sound, float32[len(COLUMNS)].

    Args:
        seen: At least 4 s of sound.
        data_bytes: Bytes that hold this sound and nothing else; 0 where pictures came along.

    Raises:
        ValueError: There is too little sound.
    """
    pcm = seen.pcm.astype(np.float32) / np.float32(32768)
    heard = sound_vector(pcm, seen.rate_hz, to_8k(np.ascontiguousarray(pcm.mean(axis=1)), seen.rate_hz))
    return np.concatenate([heard, sent_values(seen.codec, data_bytes * 8 / 1000 / seen.sound_s)])


def weigh_refusal(cause: Cause) -> Weighed:
    """Judge an address that gave no media: a page instead of sound is known for what it is, all else says nothing."""
    if cause is not Cause.NOT_MEDIA:
        return Weighed(error=f"nothing could be heard: {cause.value}")
    said = ("the server sends a page or text instead of media",)
    return Weighed(ERROR_PAGE, {ERROR_PAGE: 1.0}, 0.0, 1.0, None, said)


def weigh(seen: Looked, signs: Signs, data_bytes: int) -> Weighed:
    """Judge what was seen.

    Args:
        seen: A close look.
        signs: What else is known of the stream.
        data_bytes: Bytes that hold the sound and nothing else; 0 where pictures came along.
    """
    pictures = picture_features(seen.thumbs, seen.crops, seen.times_s)
    faults = picture_faults(pictures) if pictures else ()
    is_heard = seen.sound_s >= LEAST_S
    if not is_heard and pictures is None:
        return Weighed(error=seen.error or f"only {seen.sound_s:.1f} s of sound came")
    vector = vector_of(seen, data_bytes) if is_heard else None
    heard = _classified(seen, vector) if vector is not None else None
    if vector is not None and heard is not None and heard.label == LOOP:
        signs = replace(signs, loop_likeness=float(vector[COLUMNS.index("loop_likeness")]))
    suspicion = suspect(signs)
    confidence = heard.programme if heard else float(not faults)
    for fault in faults:
        confidence *= TRUST_BY_FAULT[fault]
    is_slate = bool(faults) and (heard is None or heard.programme < 1 - VALID_ABOVE)
    quality, why = _quality(vector, heard)
    if pictures is not None:
        picture, picture_why = picture_quality(pictures)
        quality, why = (picture if quality is None else (quality + picture) / 2), [*why, *picture_why]
    return Weighed(
        label=SLATE if is_slate else heard.label if heard else None,
        probabilities={name: round(share, 4) for name, share in (heard.probabilities if heard else {}).items()},
        confidence=round(confidence, 4),
        risk_score=round(1 - confidence * (1 - suspicion.score), 4),
        quality=None if quality is None else round(quality, 3),
        reasons=_reasons(heard, faults, suspicion, why),
        faults=faults,
        model_version=heard.model_version if heard else RULES,
        vector=_named(vector) if vector is not None else {},
    )


def _classified(seen: Looked, vector: F32) -> Classified:
    """Digital silence is told by an exact rule, everything else by the model."""
    if int(np.abs(seen.pcm.astype(np.int32)).max(initial=0)) <= 1:
        return Classified(SILENCE, {name: float(name == SILENCE) for name in SOUND_CLASSES}, RULES)
    return classify(vector, COLUMNS)


def _quality(vector: F32 | None, heard: Classified | None) -> tuple[float | None, list[str]]:
    """Only a programme has a quality: silence is not clear, and noise not clipped."""
    if vector is None or heard is None or heard.programme < 0.5:  # noqa: PLR2004  more likely none
        return None, []
    return predict_quality(vector, COLUMNS), quality_reasons(_named(vector))


def _named(vector: F32) -> dict[str, float]:
    return {name: float(one) for name, one in zip(COLUMNS, vector, strict=True)}


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
    return (*said, *suspicion.reasons, *why)
