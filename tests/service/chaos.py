"""Everything goes wrong at once, for a while; then it is counted what was lost, what was done twice, what is wrong.

Clients post without a pause, each post under a key of its own and repeated until it is accepted. Meanwhile processes
are killed or frozen, the broker forgets or dies, connections to the database break. At the end every accepted
experiment has to have ended once, with the numbers of one that nobody harmed.
"""

import itertools
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx2 as httpx
import psutil

from tests.backends import RedisServer
from tests.service.judging import Outcome
from tests.service.proxies import Proxy
from tests.service.running import Running, spec, until

SPECS = [
    spec(epochs=30, checkpoint_every=0.1),
    spec(
        epochs=20,
        checkpoint_every=0.1,
        optimizer={"name": "sgd", "lr": 0.1, "momentum": 0.9},
        schedule={"name": "reduce_on_plateau", "patience": 2},
    ),
    spec(  # one of its arms diverges
        epochs=20,
        checkpoint_every=0.1,
        arms=1,
        model={"name": "mlp", "hidden": [8], "activation": "linear"},
        optimizer={"name": "sgd", "lr": 0.1},
    )
    | {"arms": [{"initializer": "he_normal"}, {"initializer": "he_normal", "optimizer.lr": 1e12}]},
]
CLIENTS = 2
WAITING = 6
"""Experiments that may wait before the clients pause: what matters is the harm, not the queue."""

HARMS = 6
"""That many at least: to restart a whole service alone takes a slow machine a third of a minute."""


@dataclass
class ChaosOutcome(Outcome):
    """What chaos came to."""

    refused: int = 0
    harm: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"harm": dict(self.harm)}


class Chaos:
    """One service on one backend, and all that may be done to it. `lease` is the service's, in seconds."""

    def __init__(
        self, service: Running, lease: float, seed: int, broker: RedisServer | None = None, proxy: Proxy | None = None
    ) -> None:
        self.outcome = ChaosOutcome()
        self.service = self._service = service
        self._random = random.Random(seed)
        self._broker, self._proxy = broker, proxy
        self._lease = lease
        self._asleep: dict[psutil.Process, float] = {}
        self._over = threading.Event()
        self._accepted: dict[str, tuple[int, int]] = {}
        """By key: the experiment and which spec it is."""
        self._lock = threading.Lock()
        self._whole = [service.results(service.ended(service.post(one))["id"]) for one in SPECS]

    def run(self, seconds: float) -> ChaosOutcome:
        """Do harm for some seconds, longer until `HARMS` were done; then wait for the end of everything and judge."""
        clients = [threading.Thread(target=self._post, args=(client,)) for client in range(CLIENTS)]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end or self.outcome.harm.total() < HARMS:
            self._harm()
            self._over.wait(self._random.uniform(0.3, 1.5))
            self._wake(time.monotonic())
        self._over.set()
        self._repair()
        for client in clients:
            client.join()
        self._judge()
        return self.outcome

    def _post(self, client: int) -> None:
        for number in itertools.count():
            if self._over.is_set():
                return
            key, which = f"chaos-{client}-{number}", self._choose(len(SPECS))
            experiment = self._persist(key, which)
            with self._lock:
                self._accepted[key] = (experiment, which)
            while self._waiting() > WAITING and not self._over.wait(0.2):
                pass

    def _choose(self, n: int) -> int:
        with self._lock:
            return self._random.randrange(n)

    def _persist(self, key: str, which: int) -> int:
        """Post until it is accepted; the end of the harm does not come before its acceptance."""
        while True:
            with suppress(httpx.TransportError, RuntimeError):  # a client that its service's restart closes
                answer = self._service.http.post("/experiments", json=SPECS[which], headers={"Idempotency-Key": key})
                if answer.status_code == 202:
                    return int(answer.json()["id"])
                assert answer.status_code in (502, 503, 507), answer.text
            with self._lock:
                self.outcome.refused += 1
            self._over.wait(0.1)

    def _waiting(self) -> int:
        with suppress(httpx.TransportError, RuntimeError, KeyError):
            return len(self._service.http.get("/experiments", params={"status": "queued"}).json()["items"])
        return 0

    def _harm(self) -> None:
        what: list[Callable[[], None]] = [
            *([self._kill_child] * 4),
            *([self._freeze_child] * 2),
            self._kill_worker,
            self._kill_api,
            self._kill_service,
            self._restart_rolling,
        ]
        what += [self._kill_broker, self._flush_broker] if self._broker else []
        what += [self._cut_database, self._cut_database] if self._proxy else []
        self._random.choice(what)()

    def _child(self) -> psutil.Process | None:
        children = [process for process in self._service.processes("worker")[1:] if process not in self._asleep]
        return self._random.choice(children) if children else None

    def _kill_child(self) -> None:
        if child := self._child():
            self._kill(child, "training process killed")

    def _freeze_child(self) -> None:
        child = self._child()
        if child is not None and len(self._asleep) < 1:
            with suppress(psutil.NoSuchProcess):
                child.suspend()
                self._asleep[child] = time.monotonic() + self._lease + 1
                self.outcome.harm["training process frozen beyond its lease"] += 1

    def _kill_worker(self) -> None:
        for main in self._service.processes("worker")[:1]:
            self._kill(main, "worker killed")

    def _kill_api(self) -> None:
        for api in self._service.processes("api")[:1]:
            self._kill(api, "API killed")

    def _kill_service(self) -> None:
        self._wake(float("inf"))
        children = psutil.Process(self._service.process.pid).children(recursive=True)
        self._service.stop(signal.SIGKILL)
        psutil.wait_procs(children, timeout=10)
        self.outcome.harm["whole service killed"] += 1
        self._service.start()

    def _restart_rolling(self) -> None:
        self._service.process.send_signal(signal.SIGHUP)
        self.outcome.harm["rolling restart"] += 1

    def _kill_broker(self) -> None:
        assert self._broker is not None
        self._broker.kill()
        self._broker.start()
        self.outcome.harm["broker killed"] += 1

    def _flush_broker(self) -> None:
        assert self._broker is not None
        self._broker.flush()
        self.outcome.harm["broker flushed"] += 1

    def _cut_database(self) -> None:
        assert self._proxy is not None
        if self._choose(2):
            self._proxy.cuts_after_commit += 1
            self.outcome.harm["commit not answered"] += 1
        else:
            self._proxy.cut()
            self.outcome.harm["database connections broken"] += 1

    def _kill(self, process: psutil.Process, what: str) -> None:
        with suppress(psutil.NoSuchProcess):
            process.kill()
            self.outcome.harm[what] += 1

    def _wake(self, now: float) -> None:
        for process in [process for process, until_when in self._asleep.items() if until_when < now]:
            del self._asleep[process]
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _repair(self) -> None:
        self._wake(float("inf"))
        if self._proxy:
            self._proxy.cuts_after_commit = 0

    def _judge(self) -> None:
        service, outcome = self._service, self.outcome
        until(lambda: self._ready(), 60)
        outcome.judge_all(service, [experiment for experiment, _ in self._accepted.values()], before=len(SPECS))
        for experiment, which in self._accepted.values():
            outcome.judge(service, experiment, self._whole[which], seconds=180)
        outcome.counters = service.counters()

    def _ready(self) -> bool:
        with suppress(httpx.TransportError, RuntimeError):
            return bool(self._service.http.get("/readyz").json()["status"] == "ready")
        return False
