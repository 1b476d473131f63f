"""Quiet hours, by the clock of whoever is told. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from airledger.platform.errors import InputError

DAY = timedelta(days=1)


def checked_hours(zone: str, quiet_from: str | None, quiet_to: str | None) -> None:
    """Check what somebody asks for.

    Raises:
        InputError: There is no such zone, only one end is given, or both are the same.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise InputError(f"there is no time zone {zone[:60]!r}: use names like Africa/Accra") from None
    if (quiet_from is None) != (quiet_to is None):
        raise InputError("quiet hours need both ends: quiet_from and quiet_to")
    if quiet_from is not None and quiet_from == quiet_to:
        raise InputError("quiet hours that end when they begin would last for ever")


def is_quiet(now: datetime, zone: str, quiet_from: str | None, quiet_to: str | None) -> bool:
    """Tell whether it is quiet now."""
    if quiet_from is None or quiet_to is None:
        return False
    begins, ends, clock = _time(quiet_from), _time(quiet_to), now.astimezone(ZoneInfo(zone)).time()
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def quiet_ended(now: datetime, zone: str, quiet_from: str | None, quiet_to: str | None) -> datetime | None:
    """Return when the last quiet hours ended; None where there are none."""
    if quiet_from is None or quiet_to is None:
        return None
    local = now.astimezone(ZoneInfo(zone))
    ended = local.replace(hour=_time(quiet_to).hour, minute=_time(quiet_to).minute, second=0, microsecond=0)
    return (ended if ended <= local else ended - DAY).astimezone(now.tzinfo)


def _time(text: str) -> time:
    return time.fromisoformat(text)
