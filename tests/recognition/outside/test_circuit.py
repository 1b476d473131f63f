"""A failing provider is given a rest, tried again by one process, and trusted when it answers."""

from datetime import timedelta

from airledger.recognition.outside.circuit import (
    FAILURES,
    FIRST_REST_S,
    LONGEST_REST_S,
    Circuit,
    enter,
    failed,
    succeeded,
)
from outside_house import NOON


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def opened() -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES):
        assert circuit.state(NOON) == "closed"
        circuit = failed(circuit, NOON, "3000")
    return circuit


def test_five_failures_in_a_row_open_it() -> None:
    circuit = opened()
    assert circuit.state(NOON) == "open"
    assert enter(circuit, NOON) is None
    assert circuit.reason == "3000"


def test_a_success_between_starts_the_count_anew() -> None:
    circuit = Circuit()
    for _ in range(20):
        circuit = succeeded(failed(circuit, NOON, "3000"))
    assert circuit.state(NOON) == "closed"


def test_one_process_tries_and_the_others_wait() -> None:
    later = NOON + seconds(FIRST_REST_S)
    circuit = opened()
    assert circuit.state(later) == "half-open"
    trial = enter(circuit, later)
    assert trial is not None
    assert enter(trial, later) is None
    assert enter(trial, later + seconds(61)) is not None  # whoever tried has died
    assert succeeded(trial) == Circuit()


def test_a_failed_trial_rests_twice_as_long_up_to_an_hour() -> None:
    circuit, now, rests = opened(), NOON, []
    for _ in range(12):
        assert circuit.open_until is not None
        rests.append((circuit.open_until - now).total_seconds())
        now = circuit.open_until
        trial = enter(circuit, now)
        assert trial is not None
        circuit = failed(trial, now, "3000")
    assert rests[:4] == [30, 60, 120, 240]
    assert rests[-1] == LONGEST_REST_S


def test_a_refused_account_opens_it_at_once() -> None:
    circuit = failed(Circuit(), NOON, "3003", at_once=True)
    assert circuit.state(NOON + seconds(800)) == "open"


def test_stragglers_do_not_prolong_the_rest() -> None:
    circuit = opened()
    again = failed(circuit, NOON + seconds(1), "late")
    assert (again.open_until, again.openings) == (circuit.open_until, circuit.openings)
