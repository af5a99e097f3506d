"""Answers that another process writes into a file, which is sent from there part by part."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from anyio.to_thread import run_sync
from fastapi import Response
from fastapi.responses import StreamingResponse

PART = 2**18
"""Bytes that are sent at a time."""


async def from_file(write: Callable[[Path], Awaitable[object]], media: str, headers: Mapping[str, str]) -> Response:
    """Have a file written, and return the answer that sends it; the file is gone when it was sent."""
    aside = NamedTemporaryFile()  # noqa: SIM115 it is sent after this function's end, and closed then
    try:
        await write(Path(aside.name))
        size = Path(aside.name).stat().st_size
        if size <= PART:
            with aside:
                return Response(aside.read(), media_type=media, headers=dict(headers))
    except BaseException:
        aside.close()
        raise
    return StreamingResponse(_sent(aside), headers={**headers, "Content-Length": str(size)}, media_type=media)


async def _sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while part := await run_sync(file.read, PART):
            yield part
    finally:
        file.close()
