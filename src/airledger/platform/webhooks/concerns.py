"""Which events a webhook is told of."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from airledger.platform.events import Told

EVERY = "*"
PUBLIC_PREFIXES = ("stream.", "station.", "crawl.")  # what tells of the catalogue, which everybody may see


@dataclass(frozen=True)
class Wanted:
    """What one webhook shall hear.

    Attributes:
        organisation_id: Whose it is: it never hears of another's.
        types: Names of events; `play.*` takes all that begin so, `*` takes all.
        station_ids: Only what concerns one of these; empty does not narrow. The others likewise.
        owner_organisation_id: Only what this organisation owns; None lets the public catalogue in too.
        is_home: The organisation runs the installation, and hears of the installation itself.
    """

    organisation_id: UUID
    types: frozenset[str] = frozenset({EVERY})
    station_ids: frozenset[int] = frozenset()
    stream_ids: frozenset[int] = frozenset()
    recording_ids: frozenset[str] = frozenset()
    owner_organisation_id: UUID | None = None
    is_home: bool = False

    def hears(self, event: Told) -> bool:
        """Decide whether an event is for this webhook."""
        return self._may_hear(event) and self._names(event.type) and self._concerns(event.payload)

    def _may_hear(self, event: Told) -> bool:
        if self.owner_organisation_id is not None and event.organisation_id != self.owner_organisation_id:
            return False
        if event.organisation_id is not None:
            return event.organisation_id == self.organisation_id
        return self.is_home or event.type.startswith(PUBLIC_PREFIXES)

    def _names(self, event_type: str) -> bool:
        if EVERY in self.types or event_type in self.types:
            return True
        room = event_type.partition(".")[0]
        return f"{room}.*" in self.types

    def _concerns(self, payload: dict[str, Any]) -> bool:
        """An event that does not say what a filter asks for is not let through by it."""
        return (
            (not self.station_ids or payload.get("station_id") in self.station_ids)
            and (not self.stream_ids or payload.get("stream_id") in self.stream_ids)
            and (not self.recording_ids or payload.get("recording_id") in self.recording_ids)
        )
