"""Who is believed: our library, the outside, both, or people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from airledger.platform.audit import SYSTEM
from airledger.platform.errors import InputError
from airledger.platform.events import EventRow
from airledger.recognition.answer import Answer
from airledger.recognition.outside.hybrid import HybridAnswer, curve_of, identify_hybrid
from airledger.recognition.outside.models import OutsideCalibration, RecognitionReview
from airledger.recognition.outside.refit import refit_all
from airledger.recognition.outside.reviews import decide
from airledger.recognition.outside.route import Routes, Source, settle, way
from airledger.recognition.outside.tell import answer_json
from airledger.repertoire.models import Recording
from airledger.testing.scripted_acrcloud import business, music_item
from airledger.testing.scripted_audd import audd_result
from outside_house import NOON, Audd, Cloud, House, heard, sound

ROUTES = Routes()
probability = st.floats(0, 1)


def ask(house: House, *providers: object, local: Answer | None = None, **changes: object) -> HybridAnswer:
    parts = house.parts(*providers, local=None if local is None else lambda _pcm, _who: local, **changes)  # type: ignore[arg-type]
    return identify_hybrid(parts, sound(), asker=house.asker, started_at=NOON)


def recordings(house: House) -> list[Recording]:
    with house.database.read() as session:
        return list(session.scalars(select(Recording).order_by(Recording.created_at)))


def test_a_sure_library_is_not_second_guessed(house: House, cloud: Cloud) -> None:
    recording_id = house.record("Harmattan", "Ama Serwaa", "GHA012600001")
    answer = ask(house, cloud.provider, local=heard(recording_id, 0.8))
    assert (answer.source, answer.confidence, answer.recording_id, answer.route) == (
        "local",
        0.8,
        recording_id,
        "local",
    )
    assert (answer.title, answer.isrc, answer.outcome) == ("Harmattan", "GHA012600001", None)
    assert cloud.scripted.service.asked == []


def test_what_only_the_outside_knows_becomes_a_recording(house: House, cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item()]
    answer = ask(house, cloud.provider)
    assert (answer.source, answer.outcome, answer.isrc) == ("acrcloud", "hit", "GHA012600001")
    assert answer.confidence == pytest.approx(0.97)
    (recording,) = recordings(house)
    assert (recording.id, recording.album, recording.duration_ms) == (answer.recording_id, "Dust", 180_000)
    assert recording.source_name.startswith("acrcloud:")
    assert answer.acrcloud_response is not None
    assert answer.external_metadata["upcs"] == ["0123456789012"]
    assert answer_json(answer)["outside"]["confidence_score"] == pytest.approx(0.97)


def test_the_outsides_isrc_finds_what_we_have(house: House, cloud: Cloud) -> None:
    recording_id = house.record("Harmatan (sic)", "Ama", "GHA012600001")
    cloud.scripted.everything = [music_item()]
    assert ask(house, cloud.provider).recording_id == recording_id
    assert len(recordings(house)) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("Harmattan", "Ama Serwaa", "GHA012600001"), {"title": "Anything else", "isrc": ["GH-A01-26-00001"]}),
        (("Harmattan", "Ama Serwaa", None), {"title": "HARMATTAN - 2026 Remaster", "isrc": None}),
        (("Harmattan", "Ama Serwaa & Kojo", "GHA012600001"), {"isrc": "GBAAA0000001"}),  # a re-issue
        (("Été à Dakar", "Les Frères", None), {"title": "Ete a Dakar", "artist": "LES FRÈRES feat. X", "isrc": None}),
    ],
)
def test_agreement_is_hybrid_and_surer_than_either(
    house: House, cloud: Cloud, ours: tuple[str, str, str | None], theirs: dict[str, object]
) -> None:
    recording_id = house.record(*ours)
    cloud.scripted.everything = [music_item(**theirs)]  # type: ignore[arg-type]
    answer = ask(house, cloud.provider, local=heard(recording_id, 0.6))
    assert (answer.source, answer.recording_id) == ("hybrid", recording_id)
    assert answer.confidence == pytest.approx(1 - 0.4 * 0.03)
    assert len(recordings(house)) == 1


@pytest.mark.parametrize("title", ["Harmattan (Live)", "Harmattan (Acoustic Remix)", "Other"])
def test_disagreement_is_nobodys_until_people_decide(house: House, cloud: Cloud, title: str) -> None:
    recording_id = house.record("Harmattan", "Ama Serwaa", "GHA012600009")
    cloud.scripted.everything = [music_item(title)]
    answer = ask(house, cloud.provider, local=heard(recording_id, 0.6))
    assert (answer.source, answer.recording_id, answer.confidence) == ("none", None, 0.0)
    with house.database.read() as session:
        (review,) = session.scalars(select(RecognitionReview))
        (event,) = session.scalars(select(EventRow).where(EventRow.type == "review.opened"))
    assert (review.id, review.reason, review.local_score) == (answer.review_id, "disagreement", 0.6)
    assert event.payload["review_id"] == str(review.id)
    with house.storage.open(str(review.sound_key)) as file:
        assert file.read(4) == b"RIFF"
    house.clock.step(3_601)
    assert ask(house, cloud.provider, local=heard(recording_id, 0.6)).review_id == review.id


def test_among_several_matches_the_one_that_agrees_counts(house: House, cloud: Cloud) -> None:
    recording_id = house.record("Harmattan", "Ama Serwaa")
    cloud.scripted.everything = [music_item("Cover version", "Others", score=100), music_item(score=90)]
    answer = ask(house, cloud.provider, local=heard(recording_id, 0.6))
    assert (answer.source, answer.recording_id) == ("hybrid", recording_id)


def test_an_outside_match_that_nobody_believes_does_not_unseat_ours(house: House, cloud: Cloud) -> None:
    recording_id = house.record("Harmattan", "Ama Serwaa")
    cloud.scripted.everything = [music_item("Other", score=71)]
    answer = ask(house, cloud.provider, local=heard(recording_id, 0.6))
    assert (answer.source, answer.recording_id, answer.review_id) == ("local", recording_id, None)


def test_no_answer_outside_leaves_ours(house: House, cloud: Cloud) -> None:
    recording_id = house.record("Harmattan", "Ama Serwaa")
    for script, outcome in ((business(1001), "none"), (business(3006), "refused"), (business(2004), "unfit")):
        cloud.scripted.service.then(script)
        house.clock.step(3_601)
        answer = ask(house, cloud.provider, local=heard(recording_id, 0.6))
        assert (answer.source, answer.confidence, answer.outcome) == ("local", 0.6, outcome)


def test_the_second_provider_is_asked_where_the_first_has_no_answer(
    house: House, cloud: Cloud, audd_service: Audd
) -> None:
    audd_service.scripted.everything = audd_result()
    answer = ask(house, cloud.provider, audd_service.provider)
    assert (answer.source, answer.outcome, answer.isrc) == ("audd", "hit", "GHA012600001")
    assert [one.provider for one in answer.asked] == ["acrcloud", "audd"]
    assert answer.acrcloud_response is not None
    cloud.scripted.service.then(business(3001))
    house.clock.step(3_601)
    assert ask(house, cloud.provider, audd_service.provider).source == "audd"


def test_what_the_first_names_or_cannot_hear_is_not_asked_twice(house: House, cloud: Cloud, audd_service: Audd) -> None:
    cloud.scripted.service.then(business(2004))
    assert ask(house, cloud.provider, audd_service.provider).outcome == "unfit"
    assert audd_service.scripted.service.asked == []


def test_nobody_is_asked_when_it_is_off_silent_or_nobody_is_there(house: House, cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item()]
    assert ask(house, cloud.provider, routes=Routes(is_hybrid=False)).route == "nobody"
    assert ask(house).outcome == "off"
    assert ask(house, cloud.provider, local=Answer((), is_silent=True, cpu_ms=0)).source == "none"
    assert cloud.scripted.service.asked == []


def test_too_little_sound_is_refused(house: House, cloud: Cloud) -> None:
    with pytest.raises(InputError, match="too short"):
        identify_hybrid(house.parts(cloud.provider), sound(2), asker=house.asker, started_at=NOON)


def test_a_deleted_recording_is_nobody(house: House, cloud: Cloud) -> None:
    gone = house.organisation_id
    assert ask(house, local=heard(gone, 0.9)).source == "none"
    assert ask(house, cloud.provider, local=heard(gone, 0.6)).source == "none"


def test_decisions_teach_the_curve(house: House, cloud: Cloud) -> None:
    """Ten matches of score 70 that people called wrong make 70 worth less; the curve still never falls."""
    cloud.scripted.everything = [music_item(score=70)]
    parts = house.parts(cloud.provider)
    for seed in range(10):
        answer = identify_hybrid(parts, sound(seed=seed), asker=house.asker, started_at=NOON)
        with house.database.unit() as unit:
            review = unit.session.get_one(RecognitionReview, answer.review_id)
            decide(unit, SYSTEM, review, "neither", note=None, now=NOON)
    with house.database.unit() as unit:
        before = curve_of(unit.session, "acrcloud").probability(70)
        refit_all(unit, NOON)
    with house.database.read() as session:
        after = curve_of(session, "acrcloud")
        row = session.get_one(OutsideCalibration, "acrcloud")
    assert row.answers == 10
    assert after.probability(70) < before / 2
    assert after.probability(100) == pytest.approx(0.97)
    house.clock.step(3_601)
    assert ask(house, cloud.provider).outside_confidence == pytest.approx(after.probability(70))


@given(local=st.none() | probability, outside=st.none() | probability, do_agree=st.booleans())
def test_verdicts_hold_together(local: float | None, outside: float | None, *, do_agree: bool) -> None:
    provider: Source = "acrcloud"
    verdict = settle(local, outside, provider, ROUTES, do_agree=do_agree)
    assert 0 <= verdict.probability <= 1
    if verdict.source == "hybrid":
        assert local is not None
        assert outside is not None
        assert verdict.probability >= max(local, outside)
    if verdict.source == provider:
        assert outside is not None
        assert outside >= ROUTES.outside
        assert local is None
    if verdict.review == "disagreement":
        assert verdict.source == "none"
        assert local is not None
        assert not do_agree
    if outside is None:
        assert verdict.source == ("none" if local is None else "local")


@given(local=st.none() | probability, is_hybrid=st.booleans())
def test_the_threshold_chooses_the_way(local: float | None, *, is_hybrid: bool) -> None:
    chosen = way(local, Routes(is_hybrid=is_hybrid))
    assert (chosen == "local") == (local is not None and local >= 0.8)
    assert chosen != "ask" or is_hybrid
