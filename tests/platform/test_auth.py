"""Accounts, passwords, sign-ins, keys and links."""

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from airledger.platform.audit import SYSTEM, find_entries
from airledger.platform.auth.accounts import (
    NewUser,
    change_user,
    create_organisation,
    create_user,
    delete_person,
    export_person,
    find_by_email,
    set_password,
)
from airledger.platform.auth.authenticate import CACHE_LIMIT, CACHE_S, Authenticator
from airledger.platform.auth.bootstrap import FIRST_EMAIL, bootstrap
from airledger.platform.auth.keys import find_key, make_key, revoke_key
from airledger.platform.auth.links import make_link, use_link
from airledger.platform.auth.passwords import hash_password, is_right
from airledger.platform.auth.rows import ApiKey, LoginLink, Organisation, User
from airledger.platform.auth.scopes import ROLES, Scope, parse_role, parse_scopes, scopes_of
from airledger.platform.auth.tokens import Tokens, load_secret
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import (
    ConfigurationError,
    ConflictError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
)

PASSWORD = "a long enough password"
SECRET = b"s" * 32


def settle(database: Database, clock: SteppedClock, *, password: str | None = None) -> User:
    """Make an organisation with one administrator."""
    with database.unit() as unit:
        organisation = create_organisation(unit, SYSTEM, "acme", "Acme", now=clock.now())
        new = NewUser("Ada@Acme.test", "Ada Lovelace", "admin", hash_password(password) if password else None)
        return create_user(unit, SYSTEM, organisation.id, new, now=clock.now())


def test_a_password_opens_its_account_only(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock, password=PASSWORD)
    with database.read() as session:
        found = find_by_email(session, " ADA@acme.test")
        assert found is not None
        assert found.id == user.id
        assert find_by_email(session, "eve@acme.test") is None
    assert PASSWORD not in str(found.password_hash)
    assert is_right(found.password_hash, PASSWORD)
    assert not is_right(found.password_hash, "wrong")


@pytest.mark.parametrize(
    ("password_hash", "password"), [(None, ""), (None, PASSWORD), ("no hash", ""), (None, "x" * 5_000)]
)
def test_what_is_no_password_opens_nothing(password_hash: str | None, password: str) -> None:
    assert not is_right(password_hash, password)


@pytest.mark.parametrize("password", ["", "short", "x" * 1_025])
def test_a_password_has_a_sensible_length(password: str) -> None:
    with pytest.raises(InputError):
        hash_password(password)


def test_addresses_names_and_slugs_are_checked_and_unique(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock)
    with database.unit() as unit:
        for email in ("", "no at", "a@", "a b@c.test", "a@b\n.test"):
            with pytest.raises(InputError):
                create_user(unit, SYSTEM, user.organisation_id, NewUser(email, "N", "viewer"), now=clock.now())
        with pytest.raises(ConflictError):
            create_user(unit, SYSTEM, user.organisation_id, NewUser("ADA@acme.test", "N", "viewer"), now=clock.now())
        for slug in ("", "Acme", "-a", "a" * 70, "a/b"):
            with pytest.raises(InputError):
                create_organisation(unit, SYSTEM, slug, "N", now=clock.now())
        with pytest.raises(ConflictError):
            create_organisation(unit, SYSTEM, "acme", "N", now=clock.now())


def test_the_last_administrator_stays(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock)
    with database.unit() as unit:
        ada = unit.session.get_one(User, user.id)
        for role, is_active in (("viewer", None), (None, False)):
            with pytest.raises(ConflictError):
                change_user(
                    unit, SYSTEM, ada, role=parse_role(role) if role else None, name=None, is_active=is_active,
                    now=clock.now(),
                )  # fmt: skip
        with pytest.raises(ConflictError):
            delete_person(unit, SYSTEM, user.id, now=clock.now())
        create_user(unit, SYSTEM, user.organisation_id, NewUser("b@acme.test", "B", "admin"), now=clock.now())
        change_user(unit, SYSTEM, ada, role="viewer", name=None, is_active=None, now=clock.now())


def test_a_person_can_be_exported_and_forgotten(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock)
    with database.unit() as unit:
        create_user(unit, SYSTEM, user.organisation_id, NewUser("b@acme.test", "B", "admin"), now=clock.now())
        ada = unit.session.get_one(User, user.id)
        make_key(unit, SYSTEM, ada, "Ada's phone", frozenset({Scope.PLAYS_READ}), now=clock.now())
        make_link(unit, SYSTEM, user.id, now=clock.now())
    with database.read() as session:
        exported = export_person(session, user.id)
    assert exported["account"]["email"] == "ada@acme.test"
    assert exported["api_keys"][0]["name"] == "Ada's phone"
    json.dumps(exported)
    with database.unit() as unit:
        delete_person(unit, SYSTEM, user.id, now=clock.now())
    with database.read() as session:
        told = json.dumps(export_person(session, user.id))
        entries = find_entries(session, user.organisation_id, limit=1_000)[0]
        changes = json.dumps([entry.change for entry in entries])
        assert "Ada" not in told + changes
        assert "acme.test" not in told + changes
        assert session.scalar(select(func.count()).select_from(LoginLink)) == 0
        assert session.scalars(select(ApiKey.revoked_at)).one() is not None
        with pytest.raises(NotFoundError):
            export_person(session, uuid4())


def test_the_first_start_makes_one_organisation_and_one_administrator_however_many_start(database: Database) -> None:
    clock = SteppedClock()
    start = threading.Barrier(4)

    def begin(_: int) -> tuple[str, bool]:
        start.wait()
        found = bootstrap(database, clock)
        return found.link, found.is_first

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(begin, range(4)))
    with database.unit() as unit:
        assert [row.slug for row in unit.session.scalars(select(Organisation))] == ["default"]
        assert [row.email for row in unit.session.scalars(select(User))] == [FIRST_EMAIL]
        for link, _ in found:
            assert use_link(unit, link, now=clock.now()).email == FIRST_EMAIL
    clock.step(3_600)
    assert not bootstrap(database, clock).is_first


def test_a_link_lets_one_of_many_in_and_only_in_time(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock)
    with database.unit() as unit:
        link, late = (make_link(unit, SYSTEM, user.id, now=clock.now()) for _ in range(2))
    start = threading.Barrier(5)

    def enter(_: int) -> bool:
        start.wait()
        try:
            with database.unit() as unit:
                use_link(unit, link, now=clock.now())
        except UnauthenticatedError:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(enter, range(5))) == 1
    clock.step(15 * 60)
    with database.unit() as unit:
        for wrong in (late, "", "x" * 10_000, "guess"):
            with pytest.raises(UnauthenticatedError):
                use_link(unit, wrong, now=clock.now())
    with database.read() as session:
        assert link not in session.scalars(select(LoginLink.token_hash)).all()


def test_a_key_works_until_it_ends_or_is_revoked(database: Database) -> None:
    clock = SteppedClock()
    user = settle(database, clock)
    scopes = frozenset({Scope.PLAYS_READ})
    with database.unit() as unit:
        ada = unit.session.get_one(User, user.id)
        end = clock.now() + timedelta(hours=1)
        _, ending = make_key(unit, SYSTEM, ada, "ending", scopes, now=clock.now(), expires_at=end)
        row, endless = make_key(unit, SYSTEM, ada, "endless", scopes, now=clock.now())

    def works(key: str) -> bool:
        with database.read() as session:
            return find_key(session, key, clock.now()) is not None

    assert works(ending)
    assert works(endless)
    prefix, secret = endless.rsplit("_", 1)[0], ending.split("_", 2)[2]
    assert not works(f"{prefix}_{secret}")
    assert not works(endless[:-1])
    assert not works("alk_")
    clock.step(3_600)
    assert not works(ending)
    with database.unit() as unit:
        with pytest.raises(NotFoundError):
            revoke_key(unit, SYSTEM, uuid4(), row.id, now=clock.now())
        revoke_key(unit, SYSTEM, user.organisation_id, row.id, now=clock.now())
    assert not works(endless)
    with database.read() as session:
        assert not any(secret in hashed for hashed in session.scalars(select(ApiKey.key_hash)))


def authenticator(database: Database, clock: SteppedClock) -> Authenticator:
    return Authenticator(database, Tokens(SECRET, clock, minutes=60), clock, tick=lambda: clock.now().timestamp())


def test_a_sign_in_is_remembered_for_seconds_and_void_once_it_should_be(database: Database) -> None:
    clock = SteppedClock()
    user, who = settle(database, clock), authenticator(database, clock)
    token = who.tokens.issue(user.id)
    assert who.remembered(token) is None
    principal = who.identify(token)
    assert (principal.user_id, principal.role, principal.organisation) == (user.id, "admin", "Acme")
    assert who.remembered(token) == principal
    clock.step(CACHE_S + 1)
    assert who.remembered(token) is None
    with database.unit() as unit:
        who.sign_out(unit, principal)
        who.sign_out(unit, principal)
    with pytest.raises(UnauthenticatedError):
        who.identify(token)


def test_a_new_password_or_a_closed_account_voids_every_sign_in(sqlite_database: Database) -> None:
    database, clock = sqlite_database, SteppedClock()
    user, who = settle(database, clock), authenticator(sqlite_database, clock)
    before = who.tokens.issue(user.id)
    clock.step(1)
    with database.unit() as unit:
        set_password(unit, SYSTEM, unit.session.get_one(User, user.id), hash_password(PASSWORD), now=clock.now())
    after = who.tokens.issue(user.id)
    with pytest.raises(UnauthenticatedError):
        who.identify(before)
    assert who.identify(after).user_id == user.id
    with database.unit() as unit:
        unit.session.get_one(User, user.id).is_active = False
    who.forget_all()
    with pytest.raises(UnauthenticatedError):
        who.identify(after)


def test_a_remembered_sign_in_ends_in_time(sqlite_database: Database) -> None:
    clock = SteppedClock()
    user, who = settle(sqlite_database, clock), authenticator(sqlite_database, clock)
    token = who.tokens.issue(user.id)
    clock.step(3_599)
    assert who.identify(token)
    clock.step(1)
    assert who.remembered(token) is None
    with pytest.raises(UnauthenticatedError, match="ended"):
        who.identify(token)


def test_a_key_has_no_more_scopes_than_its_maker_keeps(sqlite_database: Database) -> None:
    database, clock = sqlite_database, SteppedClock()
    user, who = settle(database, clock), authenticator(sqlite_database, clock)
    scopes = frozenset({Scope.LIBRARY_WRITE, Scope.PLAYS_READ, Scope.SYSTEM_READ})
    with database.unit() as unit:
        _, key = make_key(unit, SYSTEM, unit.session.get_one(User, user.id), "k", scopes, now=clock.now())
    # Only the organisation that runs the installation reaches the system.
    assert who.identify(key).scopes == {Scope.LIBRARY_WRITE, Scope.PLAYS_READ}
    assert who.identify(key).actor.name.startswith("key:")
    with database.unit() as unit:
        unit.session.get_one(User, user.id).role = "viewer"
    who.forget_all()
    assert who.identify(key).scopes == {Scope.PLAYS_READ}
    with database.read() as session:
        assert session.scalars(select(ApiKey.last_used_at)).one() == clock.now()


def test_what_is_remembered_is_bounded(sqlite_database: Database) -> None:
    clock = SteppedClock()
    user, who = settle(sqlite_database, clock), authenticator(sqlite_database, clock)
    principal = who.identify(who.tokens.issue(user.id))
    for number in range(CACHE_LIMIT + 10):
        who._remember(str(number), principal)
    assert len(who._known) == CACHE_LIMIT


@given(st.text(max_size=300))
def test_no_text_passes_for_a_token(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        Tokens(SECRET, SteppedClock(), minutes=1).read(text)


def test_tokens_of_others_are_not_taken() -> None:
    clock = SteppedClock()
    tokens = Tokens(SECRET, clock, minutes=1)
    good = tokens.issue(uuid4())
    assert tokens.read(good)
    claims = jwt.decode(good, options={"verify_signature": False})
    head, body, signature = good.split(".")
    forged = [
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, b"other" * 10, algorithm="HS256"),
        jwt.encode({**claims, "iss": "another"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "sub": "nobody"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": "soon"}, SECRET, algorithm="HS256"),
        jwt.encode({key: claims[key] for key in ("iss", "sub", "iat", "exp")}, SECRET, algorithm="HS256"),
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}.",
    ]
    for token in forged:
        with pytest.raises(UnauthenticatedError):
            tokens.read(token)


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: load_secret(tmp_path / "data"), range(8)))) == 1
    file = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["secret.key"]
    file.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="secret"):
        load_secret(tmp_path / "data")


def test_roles_rise_and_only_home_reaches_the_system() -> None:
    viewer, operator, moderator, admin = (ROLES[role] for role in ROLES)
    assert viewer < operator < moderator < admin == frozenset(Scope)
    assert not {Scope.SYSTEM_READ, Scope.SYSTEM_WRITE} & scopes_of("admin", is_home=False)
    with pytest.raises(InputError):
        parse_role("root")
    with pytest.raises(InputError):
        parse_scopes(["plays:read", "all"])
