"""Answers by the client's headers: the media type that it accepts, and 304 for what it has already."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

Media = TypeVar("Media", bound=str)

REVALIDATED: dict[int | str, dict[str, Any]] = {
    304: {"description": "`If-None-Match` named the `ETag` that this answer would have"}
}
"""For the `responses` of a route that answers with an ETag."""


def preferred(request: Request, offered: Sequence[Media]) -> Media:
    """Return the media type of `offered` that the Accept header prefers; the first where it has no preference."""
    best, weight = offered[0], 0.0
    for part in request.headers.get("accept", "").split(","):
        words = [word.strip() for word in part.split(";")]
        q = next((_weight(word[2:]) for word in words[1:] if word.startswith("q=")), 1.0)
        for one in offered:
            if one == words[0] and q > weight:
                best, weight = one, q
    return best


def etag(*parts: object) -> str:
    """Return a strong validator made of all that the answer depends on."""
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def revalidated(request: Request, answer: BaseModel | bytes) -> Response:
    """Return an answer, or JSON made already, with an ETag of all that it shows; 304 where the client has it."""
    body = answer if isinstance(answer, bytes) else answer.model_dump_json(by_alias=True).encode()
    tag = etag(body)
    return unchanged(request, tag) or Response(body, media_type="application/json", headers={"ETag": tag})


def unchanged(request: Request, tag: str) -> Response | None:
    """Return a 304 when the client has what `tag` names, else None."""
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers={"ETag": tag})
    return None


def compact(content: Any) -> bytes:
    """Return plain values as JSON."""
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
