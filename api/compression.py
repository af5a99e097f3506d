"""Compression of answers by `Accept-Encoding`: zstd or gzip, part by part as they come, with ETags that stay right."""

from anyio.to_thread import run_sync
from backports import zstd
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENCODINGS = ("zstd", "gzip")
"""The better one first, which is taken where a client has no preference."""
LEAST = 1000
"""Bytes below which an answer goes out in a packet or two either way."""
GZIP_LEVEL, ZSTD_LEVEL = 4, 1
"""45 and 250 MB/s of points as JSON, of which 43 % remain. Higher levels take twice the time for 2 to 12 % less."""
IN_A_THREAD = 64 * 1024
"""Bytes from which the event loop does not compress by itself, for a millisecond and more."""
NOT_COMPRESSED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,  # text/event-stream is one: events are small, and wait for no company
    "application/vnd.apache.parquet",
    "application/octet-stream",
    "application/zstd",
)
CONDITIONS = (b"if-none-match", b"if-match")


class ZstdResponder(IdentityResponder):
    """Starlette's way of answering, compressed by zstd: each part can be read when it comes."""

    content_encoding = "zstd"

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, LEAST, exclude_content_types=NOT_COMPRESSED)
        self._compressor = zstd.ZstdCompressor(ZSTD_LEVEL)

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        if len(body) >= IN_A_THREAD:
            return await run_sync(self._compress, body, more_body)
        return self._compress(body, more_body)

    def _compress(self, body: bytes, more_body: bool) -> bytes:
        if more_body:
            return self._compressor.compress(body, zstd.ZstdCompressor.FLUSH_BLOCK)
        return self._compressor.compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


class CompressionMiddleware:
    """ASGI middleware that compresses what is worth it.

    Another encoding is another representation, whose strong ETag has to be another one: that of an answer gets the
    encoding as its end, `"abc-zstd"`, and `If-None-Match` and `If-Match` are understood with such an end and without.

    An answer that mixes a secret with what an attacker chose could be guessed by its compressed length (BREACH). None
    here does: no answer holds a key, and a new webhook's secret is made anew by every request that shows one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = _remove_endings(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                _add_vary(headers)
                tag = headers.get("etag", "")
                encoding = headers.get("content-encoding")
                if encoding in ENCODINGS and tag.endswith('"'):
                    headers["etag"] = _with_ending(tag, encoding)
                elif message["status"] == 304 and tag in known:  # as the client has it
                    headers["etag"] = known[tag]
            await send(message)

        await _responder(self._app, scope)(scope, receive, answer)


def _responder(app: ASGIApp, scope: Scope) -> ASGIApp:
    encoding = preferred_encoding(", ".join(Headers(scope=scope).getlist("accept-encoding")))
    if encoding == "zstd":
        return ZstdResponder(app)
    if encoding == "gzip":
        return GZipResponder(
            app, LEAST, GZIP_LEVEL, thread_minimum_size=IN_A_THREAD, exclude_content_types=NOT_COMPRESSED
        )
    return IdentityResponder(app, LEAST, exclude_content_types=NOT_COMPRESSED)


def preferred_encoding(accepted: str) -> str | None:
    """Return the encoding that an `Accept-Encoding` header likes best; None: the answer is to stay as it is."""
    weights = {}
    for part in accepted.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        weights[name] = next((_weight(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
    offered = {name: weights.get(name, weights.get("*", 0.0)) for name in ENCODINGS}
    best = max(ENCODINGS, key=lambda name: offered[name])  # the first of those that are liked equally well
    return best if offered[best] > 0 and offered[best] >= weights.get("identity", 0.0) else None


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _remove_endings(scope: Scope) -> dict[str, str]:
    """Make the request's ETags those of plain answers; returns them as the client has them, by those.

    In place: who is outside of this sees in the scope which route has answered.
    """
    known: dict[str, str] = {}
    headers = []
    for name, value in scope["headers"]:
        if name in CONDITIONS:
            tags = [tag.strip() for tag in value.decode("latin-1").split(",")]
            plain = [_without_ending(tag) for tag in tags]
            known |= {
                one.removeprefix("W/"): tag.removeprefix("W/")
                for one, tag in zip(plain, tags, strict=True)
                if one != tag
            }
            value = ", ".join(plain).encode("latin-1")
        headers.append((name, value))
    scope["headers"] = headers
    return known


def _with_ending(tag: str, encoding: str) -> str:
    return f'{tag[:-1]}-{encoding}"'


def _without_ending(tag: str) -> str:
    return next((tag.removesuffix(f'-{one}"') + '"' for one in ENCODINGS if tag.endswith(f'-{one}"')), tag)


def _add_vary(headers: MutableHeaders) -> None:
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
