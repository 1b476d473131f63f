"""The page: static files built from web/, index.html for every path that is not the API's."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from airledger.api.allow import public
from airledger.api.problem import problem
from airledger.api.state import State
from airledger.platform.auth.principal import Principal

BUNDLE = Path(__file__).parent / "page"
FOREVER = "public, max-age=31536000, immutable"
PATH_LIMIT = 1_024
MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Airledger</title>
<h1>The page is not built</h1><p>Run <code>make setup</code> in the repository: it builds the page from web/.</p>
<p>The API answers meanwhile: <a href="/api/v1/streams">/api/v1/streams</a>, <a href="/readyz">/readyz</a>.</p></html>
"""

router = APIRouter(include_in_schema=False)


@router.get("/{path:path}")
async def page(path: str, state: State, caller: Annotated[Principal | None, public()]) -> Response:
    """Serve a file of the bundle, or the page itself, which reads the rest of the address."""
    del caller
    if path == "api" or path.startswith("api/"):
        return problem(404, "not_found", f"there is nothing at /{path[:200]}")
    found = await state.threads.disk(lambda: _find(path))
    if found is None:
        if path.startswith("assets/"):  # a file of an older bundle: the page would not do for a script
            return problem(404, "not_found", f"there is no file /{path[:200]}")
        return HTMLResponse(MISSING, status_code=503)
    is_hashed = path.startswith("assets/") and found.name != "index.html"
    return FileResponse(found, headers={"Cache-Control": FOREVER if is_hashed else "no-cache"})


def _find(path: str) -> Path | None:
    """Return the file that a path means, never one outside the bundle."""
    index = BUNDLE / "index.html"
    if path and len(path) <= PATH_LIMIT and "\x00" not in path:
        wanted = (BUNDLE / path).resolve()
        if wanted.is_relative_to(BUNDLE.resolve()) and wanted.is_file():
            return wanted
        if path.startswith("assets/"):
            return None
    return index if index.is_file() else None
