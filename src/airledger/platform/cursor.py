"""Places in lists that are ordered by time and id, as opaque text for callers."""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from airledger.platform.errors import InputError

LONGEST = 200


def encode_place(at: datetime, identity: UUID) -> str:
    """Return the text of a place."""
    place = json.dumps([at.isoformat(), identity.hex])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_place(cursor: str) -> tuple[datetime, UUID]:
    """Read a place's text.

    Raises:
        InputError: It is not one that we gave out.
    """
    wrong = InputError("the cursor is not one that this list gave out: begin without it")
    if len(cursor) > LONGEST:
        raise wrong
    try:
        at, identity = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = datetime.fromisoformat(at), UUID(identity)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise wrong from error
    if place[0].tzinfo is None:
        raise wrong
    return place
