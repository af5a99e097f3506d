"""Answers compressed by zstd or gzip: what is worth it, part by part, under ETags of their own."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from backports import zstd
from fastapi.testclient import TestClient
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message

from api.compression import IN_A_THREAD, LEAST, CompressionMiddleware, preferred_encoding

TEXT = b'{"label": "he_normal", "values": [0.125, 0.25]}\n' * 200
LONG = TEXT * (2 * IN_A_THREAD // len(TEXT))
OPEN: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress}


def asked(app: ASGIApp, accept: str, **headers: str) -> list[Message]:
    """Return the messages of an answer, as they are sent."""
    sent: list[Message] = []
    given = {"accept-encoding": accept} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(CompressionMiddleware(app)(scope, _silent, send))
    return sent


def headers_of(message: Message) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in message["headers"]}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("GZIP;Q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=much", None),
    ],
)
def test_the_client_has_the_encoding_that_it_likes_best(accepted: str, encoding: str | None) -> None:
    assert preferred_encoding(accepted) == encoding


@pytest.mark.parametrize("body", [TEXT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("encoding", OPEN)
def test_what_comes_is_the_answer_compressed(encoding: str, body: bytes) -> None:
    start, sent = asked(Response(body, media_type="application/json", headers={"ETag": '"abc"'}), encoding)
    headers = headers_of(start)
    assert (headers["content-encoding"], headers["vary"]) == (encoding, "Accept-Encoding")
    assert headers["etag"] == f'"abc-{encoding}"'
    assert int(headers["content-length"]) == len(sent["body"]) < len(body) / 10
    assert OPEN[encoding](sent["body"]) == body


@pytest.mark.parametrize(
    "answer",
    [
        Response(TEXT[: LEAST - 1], media_type="application/json", headers={"ETag": '"abc"'}),
        Response(TEXT, media_type="image/png", headers={"ETag": '"abc"'}),
        Response(TEXT, media_type="application/vnd.apache.parquet", headers={"ETag": '"abc"'}),
        Response(status_code=304, headers={"ETag": '"abc"'}),
    ],
    ids=["small", "a picture", "parquet", "nothing"],
)
def test_what_is_not_worth_it_stays_as_it_is(answer: Response) -> None:
    start, sent = asked(answer, "zstd")
    headers = headers_of(start)
    assert "content-encoding" not in headers
    assert (headers["etag"], headers["vary"], sent["body"]) == ('"abc"', "Accept-Encoding", answer.body)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
@pytest.mark.parametrize("media", ["application/json", "text/event-stream"])
def test_a_part_can_be_read_before_the_next_is_made(encoding: str, media: str) -> None:
    parts = [TEXT, LONG, b'{"last": true}']
    opened = {"gzip": zlib.decompressobj(31).decompress, "zstd": zstd.ZstdDecompressor().decompress}
    read = opened.get(encoding, bytes) if media == "application/json" else bytes
    seen: list[bytes] = []

    async def made() -> AsyncIterator[bytes]:
        for i, part in enumerate(parts):
            assert b"".join(seen) == b"".join(parts[:i]), "the part before has not been sent whole"
            yield part

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(made(), media_type=media)(scope, receive, send)

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        async def look(message: Message) -> None:
            seen.append(read(message["body"]) if message.get("body") else b"")
            await send(message)

        await CompressionMiddleware(watched)(scope, receive, look)

    asyncio.run(reading({"type": "http", "headers": [(b"accept-encoding", encoding.encode())]}, _silent, _ignore))
    assert b"".join(seen) == b"".join(parts)


async def _silent() -> Message:
    """A client that neither sends nor leaves."""
    await asyncio.Event().wait()
    return {}


async def _ignore(_: Message) -> None:
    pass


@pytest.mark.parametrize("known", ['"abc"', '"abc-zstd"', 'W/"abc-gzip"', '"other", "abc-zstd"'])
def test_conditions_are_of_the_answer_however_it_was_encoded(known: str) -> None:
    seen: dict[str, str] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update({name.decode(): value.decode() for name, value in scope["headers"]})
        await Response(status_code=304, headers={"ETag": '"abc"'})(scope, receive, send)

    (start, _) = asked(app, "zstd", if_none_match=known, if_match=known)
    plain = known.replace("-zstd", "").replace("-gzip", "")
    assert (seen["if-none-match"], seen["if-match"]) == (plain, plain)
    assert headers_of(start)["etag"] == known.rpartition(" ")[2].removeprefix("W/"), "the client's own"


def test_the_service_compresses_and_revalidates(client: TestClient) -> None:
    there = {
        encoding: client.get("/catalog", headers={"Accept-Encoding": encoding}) for encoding in (*OPEN, "identity")
    }
    assert len({one.content for one in there.values()}) == 1
    assert len({one.headers["etag"] for one in there.values()}) == 3
    for encoding, one in there.items():
        assert one.headers.get("content-encoding", "identity") == encoding
        known = {"Accept-Encoding": encoding, "If-None-Match": one.headers["etag"]}
        again = client.get("/catalog", headers=known)
        assert (again.status_code, again.headers["etag"]) == (304, one.headers["etag"])
        head = client.head("/catalog", headers={"Accept-Encoding": encoding})
        assert head.headers["etag"] == one.headers["etag"]
        assert head.headers["content-length"] == one.headers["content-length"]
