"""Taking uploads: a body is read only once its sender is known, and goes to disk, not into memory.

FastAPI reads a form before it asks who sends it; so these routes take the plain request and read it here.
"""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from airledger.api.state import ApiState
from airledger.platform.errors import InputError

FIELDS = 20
FIELD_BYTES = 64 << 10
NAME_LIMIT = 200
UPLOADS = "uploads/"
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]+")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Uploaded:
    """A file that lies in storage and waits for its task."""

    key: str
    name: str
    bytes: int


@dataclass(frozen=True)
class Given:
    """What came with a request: values, and files where it was a form."""

    values: dict[str, Any]
    files: tuple[UploadFile, ...]


@contextlib.asynccontextmanager
async def given(request: Request, *, files: int, file_field: str = "file") -> AsyncIterator[Given]:
    """Read a request's JSON object, or its form with files; files are closed at the end.

    Args:
        request: Of somebody who was let in.
        files: How many it may bring.
        file_field: What they are called in the form.

    Raises:
        InputError: It is neither, or has other files.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        yield Given(_object(await request.body(), kind), ())
        return
    form: FormData
    async with request.form(max_files=files, max_fields=FIELDS, max_part_size=FIELD_BYTES) as form:
        named = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
        if any(name != file_field for name, _ in named):
            raise InputError(f"a file must be sent as the field {file_field!r}")
        values = {name: value for name, value in form.multi_items() if isinstance(value, str) and value}
        yield Given(values, tuple(value for _, value in named))


def parsed(model: type[Model], values: dict[str, Any]) -> Model:
    """Read values as a model; what does not fit is answered like any other body that does not."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error


async def keep_upload(state: ApiState, file: UploadFile, now: datetime) -> Uploaded:
    """Put an uploaded file into storage, for the task that reads it.

    Raises:
        InputError: It is empty.
    """
    if not file.size:
        raise InputError("the file is empty")
    key = f"{UPLOADS}{now:%Y%m%d}/{uuid4().hex}"
    size = await state.threads.disk(lambda: state.app.storage.put(key, file.file))
    return Uploaded(key, plain_name(file.filename), size)


def plain_name(given_name: str | None) -> str:
    """Return a file's name without what could lead elsewhere."""
    name = _UNFIT.sub(" ", (given_name or "").replace("\\", "/").rpartition("/")[2]).strip(" .")
    return name[-NAME_LIMIT:] or "upload"


def body_of(model: type[BaseModel], *, file_field: str = "file", many: bool = False) -> dict[str, Any]:
    """Describe such a body for the OpenAPI document: JSON of a model, or a form with its fields and files."""
    schema = model.model_json_schema()
    one: dict[str, Any] = {"type": "string", "format": "binary"}
    file_schema = {"type": "array", "items": one} if many else one
    form = {"type": "object", "properties": {**schema.get("properties", {}), file_field: file_schema}}
    return {
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": schema}},
        }
    }


def _object(body: bytes, kind: str) -> dict[str, Any]:
    if kind not in {"application/json", ""} or not body:
        raise InputError("send a form with a file (multipart/form-data), or a JSON object")
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the body is not JSON") from error
    if not isinstance(values, dict):
        raise InputError("the body must be a JSON object")
    return values
