"""The query for one page of the catalogue: in the order asked for, and quick whether few streams match or most do.

A page can be found in two ways: walk the streams in their order until enough of them match, or take all that match and
sort them. Walking is quick where much matches, sorting where little does; among 100,000 streams both cost the same
where about 3,000 match. PostgreSQL knows from its statistics which to choose. SQLite guesses, so for it the matches of
each condition that has an index are counted first, up to that number, all in one query.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, desc, func, literal, not_, select, tuple_, union_all
from sqlalchemy import Row as ResultRow
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from airledger.stations.filters import StreamFilter, described, placed, search_of
from airledger.stations.models import Geolocation, Stream
from airledger.stations.search import Question, Search

FEW = 3_000
EXACT_NAME, IN_NAME, ANYWHERE = 2, 1, 0
ORDER_NAMES = ("place_rank", "place_reliability", "place_quality", "place_id")
WORDS, PLACE, COUNTRY = "words", "place", "country"


class _Unindexed(FunctionElement[Any]):
    """A column that SQLite may not choose an index for; elsewhere the column."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(_Unindexed)
def _as_it_is(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **options)


@compiles(_Unindexed, "sqlite")
def _kept_from_indexes(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{_as_it_is(element, compiler, **options)}"


def find_page(
    session: Session, base: Select[Any], wanted: StreamFilter, *, limit: int, after: Sequence[float | int] | None
) -> list[ResultRow[Any]]:
    """Return rows of `base` (a query of streams that has joined `Geolocation`), in the catalogue's order.

    Args:
        session: Of a read.
        base: What to select, without conditions.
        wanted: Which ones.
        limit: How many.
        after: The order's values of the last row of the page before.

    Returns:
        Rows with the values of the order behind the columns of `base`: where words are searched for, the rank; then
        reliability, quality and id.

    Raises:
        InputError: The filter cannot be used.
    """
    search = search_of(wanted)
    if search is None:
        if (wanted.q or "").strip():
            return []  # signs, but no word
        counts = _count(session, wanted, None)
        return list(session.execute(_Branch(wanted, None, None, None, counts).query(base, limit, after)).all())
    counts = _count(session, wanted, search)
    branches = [
        _Branch(wanted, EXACT_NAME, search.exact_name, None, {WORDS: 0}),
        _Branch(wanted, IN_NAME, search.in_name, search.exact_name, counts | {WORDS: counts.get("in_name", FEW)}),
        _Branch(wanted, ANYWHERE, search.anywhere, search.in_name, counts),
    ]
    rank = None if after is None else int(after[0])
    parts = [
        branch.query(base, limit, after[1:] if after is not None and branch.rank == rank else None)
        for branch in branches
        if rank is None or (branch.rank is not None and branch.rank <= rank)
    ]
    whole: CompoundSelect[Any] = union_all(*(select(part.subquery()) for part in parts))
    if session.get_bind().dialect.name != "sqlite":
        whole = whole.order_by(*(desc(name) for name in ORDER_NAMES))
    # SQLite makes the parts one after the other and none once there are enough rows; sorting would make it make all.
    return list(session.execute(whole.limit(limit)).all())


class _Branch:
    """The streams of one rank: how they are found, and the query for the first of them.

    Args:
        wanted: Which streams.
        rank: What they are ranked; None where no words are searched for.
        question: The words that they have.
        but: Words that those of a higher rank have.
        counts: How many streams each indexed condition leaves, where that is few.
    """

    def __init__(
        self,
        wanted: StreamFilter,
        rank: int | None,
        question: Question | None,
        but: Question | None,
        counts: Mapping[str, int],
    ) -> None:
        self.rank = rank
        self._wanted = wanted
        self._question = question
        self._but = but
        usable = {name: count for name, count in counts.items() if name in {WORDS, PLACE, COUNTRY} and count < FEW}
        self._found_by = min(usable, key=lambda name: usable[name], default=None)

    def query(self, base: Select[Any], limit: int, after: Sequence[float | int] | None) -> Select[Any]:
        """Return the query for its first rows, or those after a place in the order."""
        written: Callable[[Any], Any] = (lambda same: same) if self._found_by is None else _Unindexed
        order = [written(one) for one in (Stream.reliability_score, Stream.quality_score, Stream.id)]
        if self.rank is not None:
            base = base.add_columns(literal(self.rank).label("place_rank"))
        query = base.add_columns(*(one.label(name) for one, name in zip(order, ORDER_NAMES[1:], strict=True)))
        query = query.where(*described(self._wanted, written), *placed(self._wanted), *self._words(), *self._found())
        if after is not None:
            # Compared as a row, so that an index in this order is walked from there on.
            query = query.where(tuple_(*order) < tuple_(*(literal(value) for value in after)))
        return query.order_by(*(one.desc() for one in order)).limit(limit)

    def _words(self) -> list[ColumnElement[bool]]:
        found = []
        if self._question is not None:
            found.append(self._question.has() if self._found_by == WORDS else self._question.says())
        if self._but is not None:
            found.append(not_(self._but.says()))
        return found

    def _found(self) -> list[ColumnElement[bool]]:
        """Return the condition that the rows are found by, on top of those that they must meet anyway."""
        if self._found_by == PLACE:
            return [Stream.id.in_(select(Geolocation.stream_id).where(*placed(self._wanted)))]
        if self._found_by == COUNTRY and self._wanted.country:
            return [Stream.country_code == self._wanted.country.upper()]
        return []


def _count(session: Session, wanted: StreamFilter, search: Search | None) -> dict[str, int]:
    """Count what each indexed condition leaves, up to `FEW`; nothing where the database knows better."""
    if session.get_bind().dialect.name != "sqlite":
        return {}
    asked: dict[str, ColumnElement[int]] = {}
    if search is not None:
        asked[WORDS] = search.anywhere.how_many(FEW)
        asked["in_name"] = search.in_name.how_many(FEW)
    if places := placed(wanted):
        asked[PLACE] = _up_to_few(select(Geolocation.stream_id).where(*places))
    if wanted.country:
        asked[COUNTRY] = _up_to_few(select(Stream.id).where(Stream.country_code == wanted.country.upper()))
    if not asked:
        return {}
    row = session.execute(select(*(count.label(name) for name, count in asked.items()))).one()
    return dict(zip(asked, row, strict=True))


def _up_to_few(query: Select[Any]) -> Any:
    return select(func.count()).select_from(query.limit(FEW).subquery()).scalar_subquery()
