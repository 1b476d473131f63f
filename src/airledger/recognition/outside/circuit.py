"""A provider that fails is given a rest. Pure: what a failure or a success makes of a circuit.

Closed: everybody asks. Open: nobody does, until `open_until`. Then one process tries (half-open); its success closes
the circuit, its failure opens it again for twice as long.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES = 5
FIRST_REST_S = 30.0
LONGEST_REST_S = 3_600.0
REFUSED_REST_S = 900.0  # a bad key or a used-up quota is not mended within seconds
TRIAL_S = 60.0


@dataclass(frozen=True)
class Circuit:
    """How a provider has done of late."""

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    trial_until: datetime | None = None
    reason: str = ""

    def state(self, now: datetime) -> str:
        """Return `closed`, `open` or `half-open`."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half-open"


def enter(circuit: Circuit, now: datetime) -> Circuit | None:
    """Let a request through, or not (None). In a half-open circuit the first one is the trial."""
    state = circuit.state(now)
    if state == "closed":
        return circuit
    if state == "open" or (circuit.trial_until is not None and now < circuit.trial_until):
        return None
    return replace(circuit, trial_until=now + timedelta(seconds=TRIAL_S))


def succeeded(circuit: Circuit) -> Circuit:
    """The provider answered, if only that it does not know the sound: all is well."""
    del circuit
    return Circuit()


def failed(circuit: Circuit, now: datetime, reason: str, *, at_once: bool = False) -> Circuit:
    """Count a failure; the fifth in a row opens the circuit, a refusal of the account or a failed trial at once."""
    failures = circuit.failures + 1
    was_trial = circuit.open_until is not None and now >= circuit.open_until
    if not (at_once or was_trial or failures >= FAILURES):
        return replace(circuit, failures=failures, reason=reason)
    if circuit.state(now) == "open":  # a straggler that set out before it opened
        return replace(circuit, failures=failures)
    rest_s = min((REFUSED_REST_S if at_once else FIRST_REST_S) * 2.0 ** min(circuit.openings, 16), LONGEST_REST_S)
    return Circuit(failures, circuit.openings + 1, now + timedelta(seconds=rest_s), None, reason)
