"""The first start: an organisation, its administrator, and a link to come in by."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.audit import SYSTEM, record_change
from airledger.platform.auth.links import FIRST_LIFE, LIFE, make_link
from airledger.platform.auth.rows import Organisation, User
from airledger.platform.auth.scopes import HOME_SLUG
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import NotFoundError

FIRST_EMAIL = "admin@localhost"


@dataclass(frozen=True)
class Bootstrap:
    """Who runs this installation, and the token of a link that signs in as them once."""

    organisation_id: UUID
    user_id: UUID
    link: str
    is_first: bool


def bootstrap(database: Database, clock: Clock) -> Bootstrap:
    """Make organisation `default` and account admin@localhost unless they are there; return a sign-in link.

    The account has no password until one is set. Several processes may call this at once.

    Returns:
        With a link that lasts 24 h on the first start, 15 min on later ones.
    """
    now = clock.now()
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
        user = unit.session.scalar(
            select(User)
            .where(User.organisation_id == organisation_id, User.role == "admin", User.is_active)
            .order_by(User.created_at)
            .limit(1)
        )
        is_first = user is None
        user_id = user.id if user else _first_account(unit, organisation_id, clock)
        link = make_link(unit, SYSTEM, user_id, now=now, life=FIRST_LIFE if is_first else LIFE)
    return Bootstrap(organisation_id, user_id, link, is_first)


def ensure_home(unit: Unit, clock: Clock) -> UUID:
    """Return the id of organisation `default`, making it when there is none."""
    insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    made: UUID | None = unit.session.scalar(
        insert(Organisation)
        .values(id=uuid4(), slug=HOME_SLUG, name="Default", created_at=clock.now())
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Organisation.id)
    )
    if made is not None:
        record_change(unit, SYSTEM, "created", "organisation", made, {"slug": HOME_SLUG}, at=clock.now())
        return made
    return home_organisation(unit.session)


def home_organisation(session: Session) -> UUID:
    """Return the id of the organisation that runs this installation.

    Raises:
        NotFoundError: Nothing was started here yet.
    """
    found = session.scalar(select(Organisation.id).where(Organisation.slug == HOME_SLUG))
    if found is None:
        raise NotFoundError("this data folder was never started: run `airledger up` first")
    return found


def _first_account(unit: Unit, organisation_id: UUID, clock: Clock) -> UUID:
    insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    made: UUID | None = unit.session.scalar(
        insert(User)
        .values(
            id=uuid4(),
            organisation_id=organisation_id,
            email=FIRST_EMAIL,
            name="Administrator",
            role="admin",
            is_active=True,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User.id)
    )
    if made is None:  # another process was first, or the account was closed: then whoever starts us may reopen it
        user = unit.session.scalars(select(User).where(User.email == FIRST_EMAIL)).one()
        user.role, user.is_active = "admin", True
        return user.id
    record_change(unit, SYSTEM, "created", "user", made, {"role": "admin"}, at=clock.now())
    return made
