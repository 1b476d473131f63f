"""`/api/docs`: the OpenAPI document for people, rendered here: the usual pages load their scripts from elsewhere."""

from functools import lru_cache
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.responses import HTMLResponse

from airledger.api.allow import DECLARED, public
from airledger.platform.auth.principal import Principal

router = APIRouter(include_in_schema=False)

_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Airledger API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code{font:0.95em ui-monospace,monospace}summary{cursor:pointer;padding:.25rem 0}li{margin:.1rem 0}
small{opacity:.8}</style></head><body><h1>Airledger API</h1>
<p>Every operation, who may call it, and what it takes. The same for machines:
<a href="/api/openapi.json">/api/openapi.json</a>. Lists are plain arrays; the next page is in the <code>Link</code>
header; errors are <code>application/problem+json</code>.</p>
"""


@router.get("/api/docs")
async def reference(request: Request, caller: Annotated[Principal | None, public()]) -> HTMLResponse:
    """Show the API's operations."""
    del caller
    return HTMLResponse(_page(request.app))


@lru_cache(maxsize=2)
def _page(api: FastAPI) -> str:
    allowed = dict(_allowed(api))
    parts = [_HEAD]
    tag = ""
    for path, methods in api.openapi()["paths"].items():
        for method, operation in methods.items():
            group = (operation.get("tags") or ["other"])[0]
            if group != tag:
                tag = group
                parts.append(f"<h2>{escape(tag.title())}</h2>")
            parts.append(_operation(path, method.upper(), operation, allowed.get((path, method.upper()), "")))
    return "".join(parts) + "</body></html>"


def _allowed(api: FastAPI) -> list[tuple[tuple[str, str], str]]:
    found: list[tuple[tuple[str, str], str]] = []
    for route in api.state.routes:
        if isinstance(route, APIRoute | APIWebSocketRoute):
            names = [getattr(one.call, DECLARED, None) for one in route.dependant.dependencies]
            who = next((name for name in names if name), "")
            methods = route.methods if isinstance(route, APIRoute) else ()
            found += [((route.path, method), who) for method in methods or ()]
    return found


def _operation(path: str, method: str, operation: dict[str, Any], who: str) -> str:
    about = escape(operation.get("description", ""))
    takes = "".join(_parameter(one) for one in operation.get("parameters", ()) if one["in"] in {"query", "path"})
    body = operation.get("requestBody", {}).get("content", {})
    shapes = [str(one.get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1] for one in body.values()]
    takes += "".join(f"<li>body: <code>{escape(shape)}</code></li>" for shape in shapes if shape)
    label = f"<code>{method} {escape(path)}</code> <small>{escape(who)}</small>"
    return f"<details><summary>{label}</summary><p>{about}</p><ul>{takes}</ul></details>"


def _parameter(one: dict[str, Any]) -> str:
    needed = ", needed" if one.get("required") else ""
    about = escape(one.get("description", ""))
    return f"<li><code>{escape(one['name'])}</code> <small>{one['in']}{needed}</small> {about}</li>"
