"""A stand-in for the API's part of external experiments, which can be away, lose answers and refuse.

It keeps what it is sent as the contract says, place by place; that the real service does so too is tested with that.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class StoredRun:
    """One run: its series as (step, value) by metric, and its end."""

    experiment: int
    arm: str
    seed: int
    series: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    end: dict[str, Any] | None = None


class Refused(Exception):
    """An answer of a status beyond 399."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass
class StandIn:
    """The server's state, and how it behaves."""

    url: str = ""
    experiments: dict[int, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    runs: list[StoredRun] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    away: bool = False
    lost_answers: int = 0
    """So many of the next posts to runs are done, and their answers cut."""
    stop: bool = False
    unneeded: tuple[str, int] | None = None
    """Arm and seed of a run that a look leaves out between its listing and what is asked of it next."""

    def answer(self, method: str, path: str, key: str, body: Any) -> Any:
        address = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.calls.append(f"{method} {address.path}")
        match address.path.strip("/").split("/"):
            case ["experiments"]:
                return self._made(body, key)
            case ["experiments", id]:
                return self._experiment(int(id))
            case ["experiments", id, "runs"]:
                return {"items": [self._run(i) for i in self._chosen(int(id), query)], "next": None}
            case ["experiments", id, "metrics"]:
                return {"series": [one for i in self._chosen(int(id), query) for one in self._series(i)]}
            case ["runs", id, what] if int(id) <= len(self.runs):
                return getattr(self, f"_{what}")(self.runs[int(id) - 1], body)
        raise Refused(404, f"there is no {path}")

    def _made(self, spec: dict[str, Any], key: str) -> dict[str, Any]:
        if key not in self.keys:
            number = self.keys[key] = len(self.experiments) + 1
            self.experiments[number] = spec
            seeds = spec["seeds"]
            if not isinstance(seeds, list):
                seeds = range(seeds["to"] if isinstance(seeds, dict) else seeds)
            self.runs += [StoredRun(number, arm["label"], seed) for seed in seeds for arm in spec["arms"]]
        return self._experiment(self.keys[key])

    def _experiment(self, number: int) -> dict[str, Any]:
        runs = [run for run in self.runs if run.experiment == number]
        done = all(run.end for run in runs)
        spec = self.experiments[number]
        described = {"id": number, "name": spec.get("name", ""), "status": "succeeded" if done else "running"}
        return described | {"spec": spec, "created_at": f"2026-11-30T00:00:0{number}Z"}

    def _chosen(self, number: int, query: dict[str, str]) -> list[int]:
        return [
            i
            for i, run in enumerate(self.runs)
            if run.experiment == number
            and query.get("arm", run.arm) == run.arm
            and query.get("seed", str(run.seed)) == str(run.seed)
        ]

    def _run(self, i: int) -> dict[str, Any]:
        run = self.runs[i]
        status = "succeeded" if run.end else "running" if run.series else "queued"
        end = run.end or {"outcome": None}
        return {"id": i + 1, "arm": run.arm, "seed": run.seed, "status": status, "repeat": False, **end}

    def _series(self, i: int) -> list[dict[str, Any]]:
        columns = [(name, *zip(*points, strict=True)) for name, points in self.runs[i].series.items()]
        return [{"metric": name, "steps": steps, "total": len(steps)} for name, steps, _ in columns]

    def _points(self, run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
        metrics = {one["name"] for one in self.experiments[run.experiment]["metrics"]}
        stored = known = 0
        for name, column in body["points"].items():
            if name not in metrics:
                raise Refused(422, f"no metric {name}")
            series, first = run.series.setdefault(name, []), column["first"]
            if first > len(series):
                raise Refused(409, f"{name}: place {len(series)} comes next, not {first}")
            places = range(first, first + len(column["values"]))
            new = list(zip(column.get("steps", places), column["values"], strict=True))
            overlap = min(len(series) - first, len(new))
            if series[first : first + overlap] != new[:overlap]:
                raise Refused(409, f"{name} has other values from place {first} on")
            series += new[overlap:]
            stored, known = stored + len(new) - overlap, known + overlap
        return {"stored": stored, "known": known, "stop": self.stop}

    def _heartbeat(self, run: StoredRun, _body: Any) -> dict[str, Any]:
        if (run.arm, run.seed) == self.unneeded:
            self.runs.remove(run)
            raise Refused(404, "there is no such run")
        return {"status": "running", "stop": self.stop}

    def _finish(self, run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
        if run.end is not None and run.end["outcome"] != body["outcome"]:
            raise Refused(409, f"it is {run.end['outcome']}")
        run.end = body
        return {}


@contextmanager
def serving() -> Iterator[StandIn]:
    """Yield a server on a free port."""
    state, turn = StandIn(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if state.away:
                self.close_connection = True
                return
            try:
                with turn:
                    key = self.headers.get("Idempotency-Key", "")
                    status, said = 200, state.answer(self.command, self.path, key, json.loads(raw) if raw else None)
                    if self.path.startswith("/runs/") and state.lost_answers:
                        state.lost_answers -= 1
                        self.close_connection = True
                        return
            except Refused as error:
                status, said = error.status, {"title": "Refused", "detail": str(error)}
            answer = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _reply  # noqa: N815 the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
