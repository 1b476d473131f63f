"""Whether a stream comes and goes: the weighted share of changes among its last 21 checks, with hysteresis.

As Nagios does it ("Detection and Handling of State Flapping"): twenty changes are possible among 21 results, the
newest counts 1.2 and the oldest 0.8. Its thresholds are ours to choose: one outage is two changes, so a stream flaps
from about four outages among 21 checks on, and is calm again with one.
"""

CHECKS = 21
STARTS_AT = 0.35
ENDS_AT = 0.15
NOTHING = 1  # the highest set bit marks where the results begin
_CHANGES = CHECKS - 1
_RESULTS = (1 << CHECKS) - 1
_HALF = 10
_WEIGHTS = tuple((1.2 - 0.4 * place / (_CHANGES - 1)) / _CHANGES for place in range(_CHANGES))  # place 0 is the newest


def remembered(recent: int, *, is_healthy: bool) -> int:
    """Add a result to the last 21; `recent` is `NOTHING` before the first."""
    recent = recent << 1 | is_healthy
    return recent if recent <= _RESULTS << 1 | 1 else recent & _RESULTS | 1 << CHECKS


def change_share(recent: int) -> float:
    """Return the weighted share of changes, 0 to 1; of fewer than 21 results only those there are can change."""
    pairs = min(recent.bit_length() - 2, _CHANGES)
    if pairs < 1:
        return 0.0
    changes = (recent ^ recent >> 1) & (1 << pairs) - 1
    return _LOW[changes & (1 << _HALF) - 1] + _HIGH[changes >> _HALF]


def flaps(recent: int, *, was_flapping: bool) -> bool:
    """Tell whether a stream flaps now: it begins at 35 % and ends below 15 %."""
    share = change_share(recent)
    return share >= ENDS_AT if was_flapping else share >= STARTS_AT


def _sums(weights: tuple[float, ...]) -> tuple[float, ...]:
    """The sum of weights for every pattern of changes, looked up instead of added: this runs at every check."""
    return tuple(
        sum(weight for place, weight in enumerate(weights) if pattern >> place & 1) for pattern in range(1 << _HALF)
    )


_LOW, _HIGH = _sums(_WEIGHTS[:_HALF]), _sums(_WEIGHTS[_HALF:])
