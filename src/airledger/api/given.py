"""What callers may give: bounded so that no database ever meets a value that it cannot hold."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

LARGEST_ID = 2**53  # what JavaScript can hold exactly, well inside a database's integer
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_our_times(moment: datetime) -> datetime:
    if not _FIRST <= moment < _LAST:
        raise ValueError("must lie between 1970 and 2200")
    return moment


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000")
    # JSON can spell half of a surrogate pair, which is no character and has no UTF-8.
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("must not contain half of a surrogate pair")
    return text


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_our_times)]
Text = Annotated[str, AfterValidator(_storable)]
