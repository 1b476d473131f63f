"""The tables of accounts."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row


class Organisation(Row):
    """Who owns rows of value; each sees its own."""

    __tablename__ = "organisations"
    retention = Retention(reason="as long as the customer stays")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


class User(Row):
    """A person with an account. The mission's `users`."""

    __tablename__ = "users"
    retention = Retention(
        reason="as long as the account exists",
        personal=True,
        export="airledger.platform.auth.accounts:export_person",
        delete="airledger.platform.auth.accounts:delete_person",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    role: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    sign_ins_valid_from: Mapped[datetime | None]  # older sign-ins are void: set when the password changes


class RevokedToken(Row):
    """A sign-in that was ended before its time."""

    __tablename__ = "revoked_tokens"
    retention = Retention(days=1, age_column="expires_at", reason="an expired token needs no revoking")

    token_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiKey(Row):
    """A key for programs: a prefix to find it, a hash to check it, scopes and an end."""

    __tablename__ = "api_keys"
    retention = Retention(
        reason="revoked keys stay for the audit",
        personal=True,
        export="airledger.platform.auth.accounts:export_person",
        delete="airledger.platform.auth.accounts:delete_person",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginLink(Row):
    """A link that signs in once."""

    __tablename__ = "login_links"
    retention = Retention(days=2, age_column="expires_at", reason="useless once used or expired")

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
