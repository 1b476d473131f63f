"""Pages by cursor: the next one's address stands in the Link header (RFC 8288)."""

from starlette.requests import Request


def next_link(request: Request, cursor: str | None) -> tuple[tuple[str, str], ...]:
    """Return the header that leads to the next page; nothing on the last one.

    The address is relative, so that it is right behind any proxy.
    """
    if cursor is None:
        return ()
    target = request.url.remove_query_params("cursor").include_query_params(cursor=cursor)
    return (("Link", f'<{target.path}?{target.query}>; rel="next"'),)
