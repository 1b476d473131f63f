"""The table of recordings."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

MUSIC, JINGLE, ADVERT, BED = "music", "jingle", "advert", "bed"
CLASSES = (MUSIC, JINGLE, ADVERT, BED)


class Recording(Row):
    """What can be heard on air."""

    __tablename__ = "recordings"
    retention = Retention(reason="plays and money refer to it")
    __table_args__ = (Index("uq_recordings_content", "organisation_id", "content_sha256", unique=True),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    title: Mapped[str] = mapped_column(index=True)
    artist: Mapped[str]
    album: Mapped[str | None]
    label: Mapped[str | None]
    isrc: Mapped[str | None] = mapped_column(index=True)
    recording_class: Mapped[str] = mapped_column(default=MUSIC)
    duration_ms: Mapped[int]
    source_name: Mapped[str]  # the file's name as it was given
    content_sha256: Mapped[str]
    tags: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]  # no longer listened for; its plays keep its name
