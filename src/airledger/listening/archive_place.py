"""Where a file belongs on the station's time line: it continues the one before, or there is a gap. Pure."""

from dataclasses import dataclass
from datetime import datetime

from airledger.listening.archive_names import Dated

JOIN_S = 1.0
PADDING_S = 0.1


@dataclass(frozen=True)
class Placed:
    """A file on the time line.

    Attributes:
        begin_s: Air time of its first sample, seconds since 1970.
        skip_s: How much of its beginning was heard in the file before it.
        is_joined: Its sound continues that of the file before, sample by sample.
    """

    begin_s: float
    skip_s: float
    is_joined: bool


def place(heard_until_s: float | None, dated: Dated) -> Placed:
    """Place a file behind what was heard.

    A name says the second in which a file began; where the samples before agree to a second, their sound goes on.
    Encoders pad each file by some hundredths of a second, which would add up over a day, so the clock gives way to the
    name by at most a tenth of a second a file.

    Args:
        heard_until_s: Air time of the first sample not heard yet; None at the beginning.
        dated: When the file says it began. Of an ambiguous hour's two readings the one nearer to `heard_until_s` is
            taken, the earlier one where nothing was heard before.
    """
    if heard_until_s is None:
        return Placed(dated.began.timestamp(), 0.0, is_joined=False)
    began_s = reading(heard_until_s, dated).timestamp()
    ahead_s = heard_until_s - began_s
    if -JOIN_S <= ahead_s <= dated.resolution_s + JOIN_S:
        begin_s = heard_until_s - min(max(ahead_s, -PADDING_S), PADDING_S)
        begin_s = min(max(begin_s, began_s), began_s + dated.resolution_s)
        return Placed(begin_s, 0.0, is_joined=True)
    return Placed(began_s, max(0.0, ahead_s), is_joined=False)


def reading(heard_until_s: float | None, dated: Dated) -> datetime:
    """Choose between the readings of an ambiguous local time."""
    if heard_until_s is None or dated.otherwise is None:
        return dated.began
    return min((dated.began, dated.otherwise), key=lambda moment: abs(moment.timestamp() - heard_until_s))
