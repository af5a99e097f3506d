"""Answers by the client's headers: the media type that it accepts, and 304 for what it has already."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
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


def unchanged(request: Request, tag: str) -> Response | None:
    """Return a 304 when the client has what `tag` names, else None."""
    known = request.headers.get("if-none-match", "")
    if tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
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
