"""Sending a list of streams piece by piece, in memory that does not grow with it."""

from array import array
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from airledger.api.state import ApiState
from airledger.stations.directory.entries import chunks, read_entries
from airledger.stations.directory.playlists import Writing


def send_list(
    state: ApiState, ids: "array[int]", writing: Writing, *, filename: str | None = None
) -> StreamingResponse:
    """Answer with the streams of some ids, in their order.

    Each piece is read for itself: a client that reads slowly holds no connection and no state of the database. Streams
    that go away meanwhile are left out.
    """
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'} if filename else {}
    return StreamingResponse(_pieces(state, ids, writing), media_type=writing.media_type, headers=headers)


async def _pieces(state: ApiState, ids: "array[int]", writing: Writing) -> AsyncIterator[bytes]:
    yield writing.head().encode()
    for some in chunks(ids):
        entries = await state.threads.read(lambda session, some=some: read_entries(session, some))  # type: ignore[misc]
        yield writing.entries(entries).encode("utf-8", "replace")
    if tail := writing.tail():
        yield tail.encode()
