"""When did a logger's file begin? Its name or its tags say it, in the station's local time or in UTC. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from airledger.platform.errors import InputError

NAME_RESOLUTION_S = 1.0
AMBIGUOUS = "ambiguous_hour"
NONEXISTENT = "nonexistent_hour"
_EPOCH_S = (1_000_000_000, 4_102_444_800)  # 2001 to 2100
_ZONE = r"(?P<z>Z|[+-]\d{2}:?\d{2})?"
_DAY = r"(?P<Y>(?:19|20)\d{2})(?P<s1>[-_. /]?)(?P<m>[01]\d)(?P=s1)(?P<d>[0-3]\d)"
# One kind of mark within a time: in `1400_10` the last number counts something else.
_TIME = (
    r"(?P<H>[0-2]\d)(?:(?P<s2>[-_.:h ]?)(?P<M>[0-5]\d)(?:(?:(?P=s2)|m)(?P<S>[0-5]\d)(?:[.,](?P<f>\d{1,6}))?s?)?)?"
    r"(?:h|Uhr)?" + _ZONE
)
_COMMON = re.compile(rf"(?<!\d){_DAY}(?:T|[-_. /]+|(?<=\d))(?:at[-_ ])?{_TIME}(?![\d])")
_EPOCH = re.compile(r"(?<!\d)(?P<s>\d{10})(?P<ms>\d{3})?(?!\d)")
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "j": r"(?P<j>\d{1,3})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "f": r"(?P<f>\d{1,6})",
    "s": r"(?P<s>\d{9,11})",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
    "%": "%",
}


@dataclass(frozen=True)
class Dated:
    """When a file's first sample was aired.

    Attributes:
        began: The moment, UTC.
        resolution_s: It was aired within this long after `began`; a name that counts seconds says no more.
        by: `name`, `tags` or `pattern`.
        doubt: `ambiguous_hour` where the local time occurs twice (clocks are set back), `nonexistent_hour` where it
            does not occur (they are set forward), None otherwise.
        otherwise: The other reading of an ambiguous time.
    """

    began: datetime
    resolution_s: float
    by: str
    doubt: str | None = None
    otherwise: datetime | None = None


def date_by_name(name: str, zone: tzinfo, pattern: re.Pattern[str] | None = None) -> Dated | None:
    """Read a moment from a file's name.

    Args:
        name: Path of the file below the archive's folder, with `/`; folders may carry the day.
        zone: The zone of local times. A `Z` or offset in the name, and seconds since 1970, need none.
        pattern: From `read_pattern`; None tries the usual ways of writing a moment.

    Returns:
        The moment; None where the name tells none. Without a pattern the last moment in the path is taken.
    """
    stem = name.rpartition(".")[0] if "." in name.rpartition("/")[2] else name
    if pattern is not None:
        found = pattern.search(stem)
        return _moment(found.groupdict(), zone, "pattern") if found else None
    for found in reversed(list(_COMMON.finditer(stem))):
        dated = _moment(found.groupdict(), zone, "name")
        if dated is not None:
            return dated
    for found in reversed(list(_EPOCH.finditer(stem))):
        if _EPOCH_S[0] <= int(found["s"]) < _EPOCH_S[1]:
            return _from_epoch(found["s"], found["ms"] or "", "name")
    return None


def date_by_tags(tags: Mapping[str, str], sample_rate_hz: int, zone: tzinfo) -> Dated | None:
    """Read a moment from a file's tags: BWF's `bext` (date, time, samples since midnight), or `creation_time`.

    Args:
        tags: Names in lower case.
        sample_rate_hz: Of the file's own sound, for `time_reference`.
        zone: BWF writes local time without a zone.
    """
    day, clock = tags.get("date") or tags.get("origination_date", ""), tags.get("creation_time", "")
    if "T" in clock or " " in clock.strip():  # MP4, Matroska: a whole moment
        whole = _COMMON.search(clock)
        return _moment(whole.groupdict(), zone, "tags") if whole else None
    found = re.fullmatch(rf"{_DAY}", day.replace(":", "-").strip())
    if found is None:
        return None
    reference = tags.get("time_reference", "")
    if reference.isdigit() and int(reference) and sample_rate_hz:
        midnight = datetime(int(found["Y"]), int(found["m"]), int(found["d"]))  # noqa: DTZ001  local, zoned below
        return _local(midnight + timedelta(seconds=int(reference) / sample_rate_hz), zone, "tags", 0.0)
    at = re.fullmatch(r"(?P<H>\d{2})[:.-](?P<M>\d{2})[:.-](?P<S>\d{2})(?:\.(?P<f>\d{1,6}))?", clock.strip())
    return _moment({**found.groupdict(), **at.groupdict()}, zone, "tags") if at else None


def read_pattern(text: str) -> re.Pattern[str]:
    """Turn a pattern like `%Y/%m/%d/%H%M` into an expression; what is no directive stands for itself.

    Raises:
        InputError: A directive is unknown or occurs twice, or the day cannot be told from it.
    """
    parts, used = [], []
    position = 0
    for directive in re.finditer(r"%(.?)", text):
        parts.append(re.escape(text[position : directive.start()]))
        position = directive.end()
        letter = directive[1]
        if letter not in _DIRECTIVES:
            known = ", ".join(f"%{name}" for name in _DIRECTIVES)
            raise InputError(f"the pattern's %{letter} is not understood: use {known}")
        if letter in used:
            raise InputError(f"the pattern names %{letter} twice")
        used.append(letter)
        parts.append(_DIRECTIVES[letter])
    parts.append(re.escape(text[position:]))
    is_whole = "s" in used or (("Y" in used or "y" in used) and ("j" in used or {"m", "d"} <= set(used)))
    if not is_whole:
        raise InputError("the pattern must tell the day: %Y%m%d, %Y%j or %s, like '%Y%m%d-%H%M%S'")
    return re.compile(r"(?<!\d)" + "".join(parts) + r"(?!\d)")


def _moment(parts: Mapping[str, str | None], zone: tzinfo, by: str) -> Dated | None:
    """Put the parts of a moment together; None where there is no such day or hour."""
    if parts.get("s"):
        return _from_epoch(str(parts["s"]), "", by)
    year = int(parts.get("Y") or 2_000 + int(parts.get("y") or 0))
    try:
        if parts.get("j"):
            day = date(year, 1, 1) + timedelta(days=int(parts["j"] or 1) - 1)
        else:
            day = date(year, int(parts["m"] or 0), int(parts["d"] or 0))
        clock = time(int(parts.get("H") or 0), int(parts.get("M") or 0), int(parts.get("S") or 0))
    except ValueError:
        return None
    fraction = parts.get("f") or ""
    resolution_s = NAME_RESOLUTION_S if not fraction else 10.0 ** -len(fraction)
    local = datetime.combine(day, clock) + timedelta(microseconds=int(fraction.ljust(6, "0") or 0))
    offset = parts.get("z")
    if offset:
        return Dated(local.replace(tzinfo=UTC) - _offset(offset), resolution_s, by)
    return _local(local, zone, by, resolution_s)


def _local(local: datetime, zone: tzinfo, by: str, resolution_s: float) -> Dated:
    earlier, later = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier == later:
        return Dated(earlier, resolution_s, by)
    # `fold` means the second of two equal readings, and in the hour that is left out the offset after the change.
    if earlier.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return Dated(earlier, resolution_s, by, AMBIGUOUS, later)
    return Dated(earlier, resolution_s, by, NONEXISTENT)


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if text[0] == "-" else size


def _from_epoch(seconds: str, milliseconds: str, by: str) -> Dated:
    moment = datetime.fromtimestamp(int(seconds), UTC) + timedelta(milliseconds=int(milliseconds or 0))
    return Dated(moment, 0.001 if milliseconds else NAME_RESOLUTION_S, by)
