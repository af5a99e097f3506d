"""Forms that bring files: laid aside as they come, and parsed by another process than the API's."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO, Any, get_args, get_origin

from anyio.to_thread import run_sync
from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from api.schemas import DatasetForm
from core.errors import InitlabError
from core.registry import invalid

AT_ONCE = 2**20
"""Bytes that are written, and parsed, at a time."""
MOST_FIELDS = 10_000
FORM = "multipart/form-data"


class BadForm(InitlabError):
    """The body is not the form that its header says."""

    status = 400
    title = "Bad request"


async def lay_aside(request: Request, file: IO[bytes]) -> None:
    """Write the body of a request into a file as it comes; a thread writes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size >= AT_ONCE:
            await run_sync(file.writelines, parts)
            parts, size = [], 0
    await run_sync(file.writelines, parts)
    await run_sync(file.flush)


def read_form(path: Path, content_type: str) -> DatasetForm:
    """Return the form whose body a file is; a body of another media type is a form without fields.

    The form's own file is on disk where it is large. Raises `BadForm`, and `InvalidSpec` with every problem found.
    """
    is_form = content_type.partition(";")[0].strip().lower() == FORM
    try:
        form = asyncio.run(_parsed(path, content_type)) if is_form else FormData()
    except MultiPartException as error:
        raise BadForm(error.message) from None
    try:
        return DatasetForm.model_validate(_fields(form))
    except ValidationError as error:
        raise invalid(error, DatasetForm) from None


async def _parsed(path: Path, content_type: str) -> FormData:
    headers = Headers({"Content-Type": content_type})
    return await MultiPartParser(headers, _parts(path), max_files=1, max_fields=MOST_FIELDS).parse()


async def _parts(path: Path) -> AsyncGenerator[bytes]:
    with path.open("rb") as file:
        while part := file.read(AT_ONCE):
            yield part


def _fields(form: FormData) -> dict[str, Any]:
    """Return the values of the form's fields: of one that may be repeated all, of another the last, if not empty."""
    fields = DatasetForm.model_fields
    lists = {name for name, field in fields.items() if _is_list(field.annotation)}
    found = {name: form.getlist(name) if name in lists else form.getlist(name)[-1] for name in form}
    return {name: value for name, value in found.items() if value != ""}


def _is_list(annotation: Any) -> bool:
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))
