"""What listeners do, counted without knowing who they are."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row


class StreamClick(Row):
    """How often a stream was started in one hour.

    Attributes:
        day: Midnight (UTC) of the day.
        hour: 0 to 23.
        count: Every click, repeated ones too: many more of them than of addresses is somebody's script.
        addresses: Clicks that counted, one per address and day.
    """

    __tablename__ = "stream_clicks"
    retention = Retention(days=90, age_column="day", reason="popularity over a quarter; tells of nobody")

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    addresses: Mapped[int] = mapped_column(default=0)


class VisitMark(Row):
    """That somebody did something to a stream today already.

    The mark is made of the deed, the stream and the address with a key of that day (`clicks.mark_of`): two marks of one
    address cannot be told from those of two, and yesterday's cannot be made again without the installation's secret.
    """

    __tablename__ = "visit_marks"
    retention = Retention(days=2, age_column="at", reason="only keeps one address from counting twice in a day")

    mark: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Logo(Row):
    """What became of the logo at one address; streams that name the same address share it.

    Attributes:
        digest: Of the pictures in storage (`logos/DIGEST/SIZE.webp`); None while there were none.
        error: Why the latest look brought none.
        look_again_at: When it is fetched anew.
    """

    __tablename__ = "logos"
    retention = Retention(reason="a few kilobytes, shared by all streams that name the address")

    url: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str | None]
    error: Mapped[str | None]
    etag: Mapped[str | None]
    looked_at: Mapped[datetime]
    look_again_at: Mapped[datetime]
