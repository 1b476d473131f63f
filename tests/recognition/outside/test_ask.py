"""Asking: within the account's limits, whoever asks; every request accounted for; nothing asked twice."""

import threading
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from airledger.platform.events import EventRow
from airledger.recognition.outside.answer import OutsideAnswer
from airledger.recognition.outside.budget import Asker, Refused, circuit_of, read_usage, reserve, settle
from airledger.recognition.outside.http_call import HttpDoor
from airledger.recognition.outside.models import OutsideCall
from airledger.recognition.outside.sample import Sample, cut_sample
from airledger.recognition.outside.share import Limits
from airledger.recognition.outside.spending import spent, status
from airledger.testing.scripted_acrcloud import business, music_item
from airledger.testing.scripted_http import Scripted
from outside_house import NOON, Audd, Cloud, House, sound


def sample(seed: int = 1) -> Sample:
    return cut_sample(sound(seed=seed))


def calls(house: House) -> list[OutsideCall]:
    with house.database.read() as session:
        return list(session.scalars(select(OutsideCall).order_by(OutsideCall.at, OutsideCall.attempt)))


def test_a_hit_is_accounted_for_and_not_asked_again_for_an_hour(house: House, cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item()]
    desk = house.desk()
    first = desk.ask(cloud.provider, sample(), NOON, house.asker)
    again = desk.ask(cloud.provider, sample(), NOON, house.asker)
    assert (first.answer.outcome, first.is_cached, first.attempts) == ("hit", False, 1)
    assert (again.answer, again.is_cached) == (first.answer, True)
    (call,) = calls(house)
    assert (call.outcome, call.code, call.billed_halves, call.cost_micros) == ("hit", 0, 2, 4_000)
    assert (call.stream_id, call.sharer, call.day) == (7, "stream:7", "2026-11-20")
    house.clock.step(3_601)
    assert not desk.ask(cloud.provider, sample(), NOON, house.asker).is_cached
    counts = house.counts.snapshot()["counts"]
    assert (counts["outside_cache_hits"], counts["outside_cache_misses"], counts["outside_hit"]) == (1, 2, 2)


def test_a_miss_costs_half_and_is_kept_five_minutes(house: House, cloud: Cloud) -> None:
    desk = house.desk()
    assert desk.ask(cloud.provider, sample(), NOON, house.asker).answer.outcome == "none"
    assert desk.ask(cloud.provider, sample(), NOON, house.asker).is_cached
    house.clock.step(301)
    assert not desk.ask(cloud.provider, sample(), NOON, house.asker).is_cached
    with house.database.read() as session:
        (day,) = spent(session, since=NOON.date())
        (now,) = status(session, ["acrcloud"], Limits(), house.clock.now())
    assert (day.requests, day.hits, day.billed, day.cost_micros) == (2, 0, 1.0, 4_000)
    assert (now.requests, now.left, now.outcomes, now.circuit) == (2, 1_798, {"none": 2}, "closed")


def test_another_sound_and_another_provider_are_asked(house: House, cloud: Cloud, audd_service: Audd) -> None:
    desk = house.desk()
    desk.ask(cloud.provider, sample(1), NOON, house.asker)
    assert not desk.ask(cloud.provider, sample(2), NOON, house.asker).is_cached
    assert not desk.ask(audd_service.provider, sample(1), NOON, house.asker).is_cached


def test_a_passing_fault_is_tried_again_with_growing_distance(house: House, cloud: Cloud) -> None:
    cloud.scripted.service.then(business(3000), business(3000), business(0, {"music": [music_item()]}))
    asked = house.desk().ask(cloud.provider, sample(), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts) == ("hit", 3)
    assert [call.outcome for call in calls(house)] == ["failed", "failed", "hit"]
    first, second = house.pauses_s
    assert 0.8 <= first <= 1.2
    assert 1.6 <= second <= 2.4


def test_three_attempts_are_enough_and_a_failure_is_not_kept(house: House, cloud: Cloud) -> None:
    cloud.scripted.service.then(*[business(2005)] * 3)
    asked = house.desk().ask(cloud.provider, sample(), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts, asked.answer.code) == ("failed", 3, 2005)
    assert house.desk().ask(cloud.provider, sample(), NOON, house.asker).answer.outcome == "none"


def test_what_is_permanent_is_not_tried_again(house: House, cloud: Cloud) -> None:
    cloud.scripted.service.then(business(3006))
    asked = house.desk().ask(cloud.provider, sample(), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts, house.pauses_s) == ("refused", 1, [])
    with house.database.read() as session:
        assert circuit_of(session, "acrcloud").state(house.clock.now()) == "closed"


def test_too_many_per_second_slows_everybody_down(house: House, cloud: Cloud) -> None:
    cloud.scripted.service.then(Scripted(429, headers={"Retry-After": "3"}), business(1001))
    asked = house.desk().ask(cloud.provider, sample(), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts, house.pauses_s) == ("none", 2, [3.0])
    assert [call.outcome for call in calls(house)] == ["throttled", "none"]


def test_a_wrong_key_opens_the_circuit_for_all_and_is_told(house: House, cloud: Cloud) -> None:
    stranger = replace(cloud.provider, access_key="wrong")
    assert house.desk().ask(stranger, sample(), NOON, house.asker).answer.code == 3001
    other_process = house.desk()
    asked = other_process.ask(cloud.provider, sample(), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts) == ("circuit", 0)
    assert asked.again_at == NOON + timedelta(seconds=900)
    assert len(cloud.scripted.service.asked) == 1
    with house.database.read() as session:
        (event,) = session.scalars(select(EventRow).where(EventRow.type == "outside.circuit_opened"))
        assert "3001" in event.payload["reason"]
    house.clock.step(901)
    assert other_process.ask(cloud.provider, sample(), NOON, house.asker).answer.outcome == "none"
    with house.database.read() as session:
        assert circuit_of(session, "acrcloud").state(house.clock.now()) == "closed"


def test_a_dead_service_opens_the_circuit_after_five_failures(house: House, cloud: Cloud) -> None:
    cloud.scripted.service.then(*[Scripted(502)] * 5)
    desk = house.desk()
    outcomes = [desk.ask(cloud.provider, sample(seed), NOON, house.asker).answer.outcome for seed in range(3)]
    assert outcomes == ["failed", "circuit", "circuit"]
    assert len(cloud.scripted.service.asked) == 5


def test_the_days_limit_is_not_no_match(house: House, cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item()]
    desk = house.desk(limits=Limits(per_day=2))
    outcomes = [desk.ask(cloud.provider, sample(seed), NOON, house.asker) for seed in range(4)]
    assert [one.answer.outcome for one in outcomes] == ["hit", "hit", "budget", "budget"]
    assert outcomes[-1].again_at == NOON + timedelta(hours=12)
    assert len(cloud.scripted.service.asked) == 2
    house.clock.step(12 * 3_600)
    assert desk.ask(cloud.provider, sample(3), NOON, house.asker).answer.outcome == "hit"


def test_a_greedy_station_leaves_the_others_their_share(house: House, cloud: Cloud) -> None:
    desk = house.desk(limits=Limits(per_day=10))
    house.clock.step(-12 * 3_600)  # midnight
    greedy = Asker(house.organisation_id, station_id=1, sharers=5)
    asked = [desk.ask(cloud.provider, sample(seed), NOON, greedy).answer.outcome for seed in range(4)]
    assert asked == ["none", "none", "budget", "budget"]
    other = Asker(house.organisation_id, station_id=2, sharers=5)
    assert desk.ask(cloud.provider, sample(9), NOON, other).answer.outcome == "none"


def test_questions_by_hand_leave_the_stations_their_share(house: House, cloud: Cloud) -> None:
    """The API asks without knowing how many stations there are: what the listener last told counts."""
    desk = house.desk(limits=Limits(per_day=10))
    house.clock.step(-12 * 3_600)  # midnight
    desk.ask(cloud.provider, sample(8), NOON, Asker(house.organisation_id, station_id=1, sharers=4))
    by_hand = Asker(house.organisation_id)
    asked = [desk.ask(cloud.provider, sample(seed), NOON, by_hand).answer.outcome for seed in range(4)]
    assert asked == ["none", "none", "budget", "budget"]


def test_the_minutes_limit_makes_us_wait(house: House, cloud: Cloud) -> None:
    desk = house.desk(limits=Limits(per_minute=2), timeout_s=100.0)
    for seed in range(3):
        assert desk.ask(cloud.provider, sample(seed), NOON, house.asker).answer.outcome == "none"
    assert 58 <= house.moved_s <= 62
    impatient = house.desk(limits=Limits(per_minute=1), timeout_s=5.0)
    asked = impatient.ask(cloud.provider, sample(9), NOON, house.asker)
    assert (asked.answer.outcome, asked.attempts) == ("throttled", 0)


def test_no_more_than_five_are_out_at_once_and_a_dead_process_gives_its_place_back(house: House) -> None:
    def take() -> object:
        with house.database.unit() as unit:
            return reserve(unit, "acrcloud", house.asker, "x" * 64, limits=Limits(), attempt=1, now=house.clock.now())

    taken = [take() for _ in range(6)]
    assert [isinstance(one, Refused) for one in taken] == [False] * 5 + [True]
    house.clock.step(91)
    assert not isinstance(take(), Refused)


def test_threads_of_several_processes_keep_to_the_limits(house: House, cloud: Cloud) -> None:
    """Real threads, each with a desk of its own, as processes have: the rows alone keep them within the limits."""
    desks = [house.desk(limits=Limits(per_day=12, concurrent=2)) for _ in range(4)]
    turn = threading.Lock()

    def pause(seconds: float) -> None:
        with turn:
            house.clock.step(0)
        threading.Event().wait(min(seconds, 0.01))

    outcomes: list[str] = []

    def work(number: int) -> None:
        desk = replace(desks[number], pause=pause)
        for step in range(5):
            asked = desk.ask(cloud.provider, sample(number * 10 + step), NOON, house.asker)
            outcomes.append(asked.answer.outcome)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(cloud.scripted.service.asked) == 12
    assert cloud.scripted.service.most_at_once <= 2
    assert sorted(outcomes) == ["budget"] * 8 + ["none"] * 12
    with house.database.read() as session:
        assert sum(read_usage(session, "acrcloud", house.clock.now()).by_sharer.values()) == 12


def test_settling_a_call_frees_its_place(house: House) -> None:
    with house.database.unit() as unit:
        call = reserve(unit, "acrcloud", house.asker, "x", limits=Limits(), attempt=1, now=NOON)
        assert not isinstance(call, Refused)
    with house.database.read() as session:
        assert read_usage(session, "acrcloud", NOON).out == 1
    with house.database.unit() as unit:
        settle(unit, call, OutsideAnswer("none", billed_halves=1), latency_ms=80, price_micros=5_001, now=NOON)
    with house.database.read() as session:
        usage = read_usage(session, "acrcloud", NOON)
        assert (usage.out, usage.by_sharer, usage.day_passed) == (0, {"stream:7": 1}, 0.5)
    (row,) = calls(house)
    assert (row.cost_micros, row.latency_ms) == (2_500, 80)


def test_a_silent_service_is_given_up_in_time(house: House, cloud: Cloud, hasty: HttpDoor) -> None:
    cloud.scripted.service.then(Scripted(is_silent=True))
    impatient = replace(cloud.provider, door=hasty)
    asked = house.desk(attempts=1).ask(impatient, sample(), NOON, house.asker)
    assert asked.answer.outcome == "failed"
