"""Clients work on while hosts are harmed one after the other; then it is counted what was lost, doubled or wrong.

Clients post to both APIs, each post under a key of its own and repeated, there or here, until it is accepted. One
follows experiments by their events, over both APIs. Some upload data sets by one API and train on them by the other.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from core.experiments.cohorts.states import TERMINAL
from initlab import Client
from initlab.errors import ApiError, ClientError
from tests.core.experiments.viewer import Viewer
from tests.hosts.harm import Harm, done
from tests.hosts.lab import Lab
from tests.hosts.servers import PATIENCE, Api
from tests.service import chaos
from tests.service.judging import Outcome
from tests.service.running import spec, until

SPECS = [one | {"epochs": 3 * one["epochs"]} for one in chaos.SPECS]
"""Those of one host, for longer: harm should find something to harm."""
CLIENTS = 2
WAITING = 4
"""Experiments that may wait before the clients pause."""
UPLOAD_EVERY = 6
STALL_SECONDS = 60.0
"""Seconds without any update after which what has not ended hangs: ten leases."""
ANSWER_SECONDS = 20.0
"""Seconds after which a client takes an API for hanging."""


@dataclass
class HostsOutcome(Outcome):
    """What chaos among hosts came to."""

    harms: list[dict[str, Any]] = field(default_factory=list)
    """Each harm, and the seconds from its end until what was harmed answers, both APIs find all in order, and a worker
    that was harmed gives a sign of life, as it does every 5 s."""
    answers: Counter[str] = field(default_factory=Counter)
    """Answers to posts, by status or error."""
    hung: list[dict[str, Any]] = field(default_factory=list)
    """Posts without an answer in time, by an API that was itself in order; with what was harmed."""
    slowest_refusal: float = 0.0
    """Seconds of the 503 that took longest."""
    uploads: int = 0
    followed: int = 0
    """Experiments whose events a client has followed over both APIs, and has all points of."""


class HostsChaos:
    """A lab, and its clients."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.outcome = HostsOutcome()
        self.lab = lab
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._harmed: Harm | None = None
        self._accepted: dict[str, tuple[int, dict[str, Any]]] = {}
        """By key: the experiment and its spec."""
        self._viewers: dict[int, Viewer] = {}
        self._whole = {str(one): self._results(lab.post(one)) for one in SPECS}
        self._before = len(SPECS)

    def run(self, harms: list[Harm], say: Any = print) -> HostsOutcome:
        """Do one harm after the other, then wait for the end of everything and judge."""
        clients = [threading.Thread(target=self._post, args=(client,)) for client in range(CLIENTS)]
        clients.append(threading.Thread(target=self._follow))
        for client in clients:
            client.start()
        try:
            for harm in harms:
                self._do(harm, say)
        finally:
            self._over.set()
            for client in clients:
                client.join()
        say("the harm is over: waiting for the end of all that was accepted")
        self._judge()
        return self.outcome

    def _do(self, harm: Harm, say: Any) -> None:
        with done(harm):
            self._harmed = harm
            self._over.wait(harm.seconds)
        healed, since = time.monotonic(), time.time()
        harmed = [worker.host for worker in self.lab.workers if worker.host.name in harm.hosts]
        servers = [server for server in self.lab.servers if server.host.name in harm.hosts]
        until(lambda: all(server.answers() for server in servers), PATIENCE)  # an API may not have noticed its absence
        until(lambda: all(self.lab.ready(api) for api in self.lab.apis), PATIENCE)
        until(lambda: all(self.lab.seen(host, since) for host in harmed), PATIENCE)
        self._harmed = None
        about = {"kind": harm.kind, "to": harm.to, "hosts": list(harm.hosts), "seconds": round(harm.seconds, 1)}
        about["to_recover"] = round(time.monotonic() - healed, 2)
        self.outcome.harms.append(about)
        say(f"{harm.kind}: {', '.join(harm.hosts)} for {harm.seconds:.1f} s; in order {about['to_recover']} s later")
        self._over.wait(self._choose(1.0))

    def _choose(self, most: float) -> float:
        with self._lock:
            return self._chance.uniform(0, most)

    def _apis(self, first: int) -> Iterator[Api]:
        return itertools.islice(itertools.cycle(self.lab.apis), first, None)

    def _post(self, client: int) -> None:
        for number in itertools.count():
            if self._over.is_set():
                return
            key, which = f"client-{client}-{number}", int(self._choose(len(SPECS)))
            wanted = SPECS[which]
            if client == 0 and number % UPLOAD_EVERY == 1:
                name = f"table-{number}"
                self._persist(
                    f"{key}-upload",
                    number,
                    "/datasets",
                    files={"file": (f"{name}.csv", _rows(number))},
                    data={"target": "y"},
                )
                wanted = spec(epochs=10, checkpoint_every=0.2, dataset={"name": "uploaded", "id": name})
                self.outcome.uploads += 1
            made = self._persist(key, client + number, "/experiments", json=wanted)
            with self._lock:
                self._accepted[key] = (int(made["id"]), wanted)
            while self._waiting() > WAITING and not self._over.wait(0.5):
                pass

    def _persist(self, key: str, first: int, path: str, **body: Any) -> Any:
        """Post until it is accepted, by one API after the other; the end of the harm does not come before that."""
        for api in self._apis(first):
            harmed, begun = self._harmed, time.monotonic()
            with self.lab.client(api, ANSWER_SECONDS) as http:
                try:
                    answer = http.post(path, headers={"Idempotency-Key": key}, **body)
                    said = str(answer.status_code)
                except httpx.TransportError as error:
                    answer, said = None, type(error).__name__
            seconds = time.monotonic() - begun
            with self._lock:
                self.outcome.answers[said] += 1
                if answer is not None and answer.status_code == 503:
                    self.outcome.slowest_refusal = max(self.outcome.slowest_refusal, round(seconds, 1))
                if said == "ReadTimeout" and (harmed is None or api.host.name not in harmed.hosts):
                    harms = "nothing" if harmed is None else f"{harmed.kind}: {', '.join(harmed.hosts)}"
                    self.outcome.hung.append({"path": path, "api": api.host.name, "harmed": harms})
            if answer is not None and answer.status_code in (201, 202):
                return answer.json()
            if answer is not None and answer.status_code not in (502, 503, 507):
                self.outcome.wrong.append(f"{path} of {api.host.name} said {said}: {answer.text}")
            self._over.wait(0.2)
        raise AssertionError("there are no APIs")

    def _waiting(self) -> int:
        with self.lab.client(self.lab.apis[0], 5) as http, suppress(httpx.TransportError, KeyError):
            return len(http.get("/experiments", params={"status": "queued"}).json()["items"])
        return 0

    def _follow(self) -> None:
        """Follow the newest experiment by its events, over one API after the other, to its end."""
        while not self._over.wait(0.2):
            with self._lock:
                newest = max((experiment for experiment, _ in self._accepted.values()), default=None)
            if newest is None or newest in self._viewers:
                continue
            self._viewers[newest] = Viewer()
            self._watch(newest, self._viewers[newest])

    def _watch(self, experiment: int, viewer: Viewer) -> None:
        deadline = time.monotonic() + PATIENCE
        for api in self._apis(experiment):
            client = Client(api.url, self.lab.key, patience=2.0)
            try:
                for event in client.experiment(experiment).events(last_event_id=viewer.last_id):
                    viewer.apply(event.kind, event.data, event.id)
                return
            except ApiError as error:
                if error.status < 500:
                    self.outcome.wrong.append(f"events of {experiment} by {api.host.name}: {error}")
                    return
            except ClientError:
                pass
            if time.monotonic() > deadline:
                self.outcome.wrong.append(f"events of {experiment} have no end")
                return

    def _results(self, experiment: int) -> dict[str, Any]:
        found = self.lab.ended(experiment, PATIENCE)
        assert found["status"] == "succeeded", found
        return self.lab.results(experiment)

    def _judge(self) -> None:
        lab, outcome = self.lab, self.outcome
        until(lambda: all(lab.ready(api) for api in lab.apis), PATIENCE)
        ids = [experiment for experiment, _ in self._accepted.values()]
        outcome.judge_all(lab, ids, before=self._before)
        self._wait(set(ids))
        for experiment, wanted in self._accepted.values():
            if str(wanted) not in self._whole:  # on a data set that was uploaded meanwhile
                self._whole[str(wanted)] = self._results(lab.post(wanted))
            outcome.judge(lab, experiment, self._whole[str(wanted)], PATIENCE)
        for experiment, viewer in self._viewers.items():
            self._compare(experiment, viewer)
        outcome.counters = lab.counters()

    def _wait(self, left: set[int]) -> None:
        """Wait until all have ended, for as long as any of them goes on: how long the queue is says nothing."""
        before: dict[int, Any] = {}
        since = time.monotonic()
        while left:
            found = {experiment: self.lab.get(f"/experiments/{experiment}") for experiment in left}
            left -= {experiment for experiment, one in found.items() if one["status"] in TERMINAL}
            now = {experiment: (one["status"], one["progress"]["steps_done"]) for experiment, one in found.items()}
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                histories = {experiment: self.lab.history(experiment)[-8:] for experiment in left}
                raise AssertionError(f"nothing goes on since {STALL_SECONDS} s: {histories}")
            time.sleep(1)

    def _compare(self, experiment: int, viewer: Viewer) -> None:
        series = self.lab.get(f"/experiments/{experiment}/metrics")["series"]
        stored = {(one["run_id"], one["metric"]): dict(zip(one["steps"], one["values"], strict=True)) for one in series}
        if viewer.whole() == stored:
            self.outcome.followed += 1
        else:
            self.outcome.wrong.append(f"who followed experiment {experiment} by its events has other points")


def _rows(number: int) -> str:
    return "x,z,y\n" + "".join(f"{(i * (number + 7)) % 101},{i % 7},{i % 3}\n" for i in range(300))
