"""Requests that each stalled the service once, by name, and the statuses that answer them."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import httpx2 as httpx
import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

REFUSED = frozenset({422})
DEEP = {"name": "resnet", "depth": 1202}


class Request(NamedTuple):
    """An HTTP request, and the statuses that are right for it."""

    method: str
    path: str
    """With `{experiment}` for the number of one that is there."""
    right: frozenset[int] = REFUSED
    json: Any = None
    headers: Mapping[str, str] | None = None
    file: tuple[str, bytes] | None = None
    fields: Mapping[str, Any] | None = None
    """Of the file's form."""
    of: str = ""
    """The experiment of `seeded` that it is of; empty: a small one that was trained."""
    times: int = 10
    """How often it is thrown at once."""


def _schedule_of_schedules() -> dict[str, Any]:
    return {"name": "chained", "parts": [{"name": "chained", "parts": ["cosine"] * 32}] * 32}


def _spec(arms: list[Any], **more: Any) -> dict[str, Any]:
    return {"dataset": {"name": "teacher_student", "task": "binary"}, "seeds": 1, "epochs": 1, "arms": arms} | more


def _images_model(arms: list[Any]) -> dict[str, Any]:
    return _spec(arms, dataset="digits")


def _pictures() -> bytes:
    picture, archive = io.BytesIO(), io.BytesIO()
    Image.new("1", (7000, 7000)).save(picture, "PNG")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for i in range(100):
            zipped.writestr(f"{'cat' if i % 2 else 'dog'}/{i}.png", picture.getvalue())
    return archive.getvalue()


def _cells() -> bytes:
    zeros = pa.array(np.zeros(1_000_000))
    table = pa.table({f"c{i}": zeros for i in range(17)} | {"target": pa.array(np.arange(1_000_000) % 2)})
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def _previews() -> dict[str, Request]:
    lsuv = {"name": "lsuv", "max_iter": 1000, "tol": 1e-9, "examples": 65_536}
    teacher = {"name": "teacher_student", "inputs": 64, "examples": 2**24}
    either = frozenset({200, 422})
    return {
        "multiplicative of 5 M steps": Request(
            "POST",
            "/experiments/preview",
            either,
            _spec([{"schedule": {"name": "multiplicative", "fn": f"0.9999{i}"}} for i in range(8)], epochs=60_000),
        ),
        "preview of a nested schedule": Request(
            "POST", "/previews/schedule", either, {"schedule": _schedule_of_schedules(), "steps": 100_000}
        ),
        "256 deep networks": Request(
            "POST",
            "/experiments/preview",
            json=_images_model([{"label": f"{i}", "model": DEEP | {"width": 1 + i % 64}} for i in range(256)]),
        ),
        "signal of 2^24 examples": Request(
            "POST", "/previews/signal", either, {"dataset": teacher, "initializer": "he_normal"}
        ),
        "signal of deep networks": Request(
            "POST", "/previews/signal", json={"model": DEEP, "initializers": ["lsuv"] * 16, "seeds": 20, "batch": 2}
        ),
        "names of layers": Request(
            "POST",
            "/experiments/preview",
            json=_images_model([{"model": DEEP, "lr_per_layer": {f"*{i}": 1.0 for i in range(20_000)}}]),
        ),
        "LSUV": Request("POST", "/previews/initializer", json={"initializer": lsuv, "shape": [1000, 1000]}),
    }


REQUESTS: dict[str, Callable[[], Request]] = {
    "grid of 3,000 axes": lambda: Request(
        "POST", "/experiments", json={"grid": {f"optimizer.x{i}": [1] for i in range(3000)}}
    ),
    "60,000 unknown fields": lambda: Request("POST", "/experiments", json={f"f{i}": 0 for i in range(60_000)}),
    "chained 32 x 32 in 128 arms": lambda: Request(
        "POST",
        "/experiments/preview",
        frozenset({200, 422}),
        _spec([{"label": f"{i}"} for i in range(128)], schedule=_schedule_of_schedules()),
    ),
    **{name: partial(_previews().__getitem__, name) for name in _previews()},
    "report": lambda: Request("GET", "/experiments/{experiment}/report", frozenset({200})),
    "40 reports of 9,984 runs": lambda: Request(
        "GET", "/experiments/{experiment}/report", frozenset({200}), of="MANY_RUNS", times=40
    ),
    "report of 48.6 M updates": lambda: Request(
        "GET", "/experiments/{experiment}/report?format=html", frozenset({200}), of="MANY_STEPS"
    ),
    "index of the pictures of 256 arms": lambda: Request(
        "GET", "/experiments/{experiment}/plots", frozenset({200}), of="MANY_RUNS"
    ),
    "list of data sets": lambda: Request("GET", "/datasets", frozenset({200})),
    "10,000 fields of a form": lambda: Request(
        "POST", "/datasets", file=("t.csv", b"x,y\n1,0\n2,1\n"), fields={"drop": [f"c{i}" for i in range(9_990)]}
    ),
    "every point": lambda: Request("GET", "/experiments/{experiment}/metrics?diagnostics=true", frozenset({200, 422})),
    "post of deep networks with a key": lambda: Request(
        "POST",
        "/experiments",
        REFUSED,
        _images_model([{"label": f"{i}", "model": DEEP | {"width": 1 + i}} for i in range(8)]),
        {"Idempotency-Key": "deep"},
    ),
    "forged Last-Event-ID": lambda: Request(
        "GET",
        "/experiments/{experiment}/events",
        headers={"Last-Event-ID": "2-0123456789abcdef-0-99999.999.0:1-9984"},
    ),
    "NUL in a name": lambda: Request("GET", "/experiments?name=%00"),
    "NUL in a stream's arm": lambda: Request("GET", "/experiments/{experiment}/events?arm=a%00"),
    "100 white pictures": lambda: Request("POST", "/datasets", file=("white.zip", _pictures())),
    "Parquet of 18 M cells": lambda: Request("POST", "/datasets", file=("zeros.parquet", _cells())),
}
"""By what they are; made when they are wanted, as some are large."""


def sent(request: Request, experiment: int) -> dict[str, Any]:
    """Return the request as arguments of an httpx client's `request`, encoded: many clients send it at once."""
    found: dict[str, Any] = {"method": request.method, "url": request.path.replace("{experiment}", str(experiment))}
    headers = dict(request.headers or {})
    if request.json is not None:
        found["content"] = json.dumps(request.json)
        headers["Content-Type"] = "application/json"
    if request.file is not None:
        form = httpx.Request("POST", "http://service", files={"file": request.file}, data=dict(request.fields or {}))
        found["content"] = form.read()
        headers["Content-Type"] = form.headers["Content-Type"]
    return found | {"headers": headers}
