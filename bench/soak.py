"""What the service survives, and how soon it goes on: some twenty minutes, kept in bench/records/soak.json.

1. A training process is killed 50 times at a random moment, on each backend: the time from the kill to the claim that
   goes on, and whether any number differs from those of a run that nobody harmed.
   On the embedded service also: the time from a cancel to its end, and from SIGTERM to the end of all processes.
2. Chaos for ten minutes in all (`tests/service/chaos.py`).
3. A thousand cohorts through one worker: the memory of its training process.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import record

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.service.running import Running, running, spec, until
from tests.service.test_chaos import BACKENDS, chaos
from tests.thorough import POSTGRES

KILLS = 50
CHAOS_SECONDS = 200
COHORTS = 1000
CANCELS = 30
DRAINS = 10
LONG = spec(epochs=60, checkpoint_every=0.2)
ENDLESS = spec(epochs=100_000)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=KILLS)
    arguments.add_argument("--seconds", type=float, default=CHAOS_SECONDS, help="of chaos on each backend")
    arguments.add_argument("--cohorts", type=int, default=COHORTS)
    given = arguments.parse_args()
    begin = time.monotonic()
    found: dict[str, Any] = {"kills": {}, "chaos": {}}
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder, chaos(backend, Path(folder), POSTGRES, seed=1) as harmed:
            found["kills"][backend] = killed(harmed.service, given.kills)
            print(backend, found["kills"][backend])
            if backend == BACKENDS[0]:
                found["cancel"] = summary([cancelled(harmed.service) for _ in range(CANCELS)])
                found["drain"] = summary([drained(harmed.service) for _ in range(DRAINS)])
                print("cancel", found["cancel"], "drain", found["drain"])
    for seed, backend in enumerate(BACKENDS):
        with tempfile.TemporaryDirectory() as folder, chaos(backend, Path(folder), POSTGRES, seed=seed) as harmed:
            outcome = harmed.run(given.seconds).as_json()
            outcome["recoveries"] = summary(outcome["recoveries"])
            found["chaos"][backend] = outcome
            print(backend, outcome)
    found["memory"] = memory(given.cohorts)
    print(found["memory"])
    totals = {
        "kills": sum(one["kills"] for one in found["kills"].values())
        + sum(sum(one["harm"].values()) for one in found["chaos"].values()),
        "points_compared": sum(one["points"] for part in ("kills", "chaos") for one in found[part].values()),
        "wrong": [text for part in ("kills", "chaos") for one in found[part].values() for text in one["wrong"]],
    }
    record.write("soak", totals=totals, minutes=round((time.monotonic() - begin) / 60, 1), **found)
    if totals["wrong"]:
        raise SystemExit(1)


def killed(service: Running, times: int) -> dict[str, Any]:
    """Kill whoever trains, `times` times, and compare every experiment with one that nobody harmed."""
    chance = random.Random(times)
    whole = service.results(service.ended(service.post(LONG))["id"])
    seconds: list[float] = []
    wrong: list[str] = []
    points = 0
    while len(seconds) < times:
        experiment = service.post(LONG)
        until(partial(lambda one: len(claims(service, one)) == 2, experiment))  # it is trained in two parts
        service.training(experiment)
        for _ in range(min(4, times - len(seconds))):
            wait = time.monotonic() + chance.uniform(0.1, 0.6)
            until(partial(lambda wait: time.monotonic() > wait, wait))
            # not again before its first progress: what dies three times without any is taken for the cause
            until(partial(lambda one: service.trainers(one, most_lost=0) or over(service, one), experiment))
            trainers = service.trainers(experiment, most_lost=0)
            if not trainers:
                break
            before, at = len(claims(service, experiment)), time.time()
            psutil.Process(trainers[0]).kill()
            until(partial(lambda one, n: len(claims(service, one)) > n or over(service, one), experiment, before))
            after = claims(service, experiment)[before:]
            if not after:  # it ended just before the signal came
                break
            seconds.append(max(0.0, _timestamp(after[0]["at"]) - at))
        if service.ended(experiment)["status"] != "succeeded" or service.results(experiment) != whole:
            wrong.append(f"experiment {experiment}: {service.history(experiment)}")
        points += sum(len(one["values"]) for one in whole["series"])
    return {"kills": len(seconds), "points": points, "wrong": wrong, "seconds_to_go_on": summary(seconds)}


def claims(service: Running, experiment: int) -> list[Any]:
    """The claims of an experiment's cohorts, the oldest first."""
    return [event for event in service.history(experiment) if event["kind"] == "claimed"]


def over(service: Running, experiment: int) -> bool:
    return bool(service.get(f"/experiments/{experiment}")["status"] == "succeeded")


def cancelled(service: Running) -> float:
    """Seconds from a cancel's answer until a training experiment has ended."""
    experiment = service.post(ENDLESS)
    service.training(experiment)
    service.http.post(f"/experiments/{experiment}/cancel")
    begin = time.monotonic()
    until(lambda: service.get(f"/experiments/{experiment}")["status"] == "cancelled")
    return time.monotonic() - begin


def drained(service: Running) -> float:
    """Seconds from SIGTERM until every process of a training service is gone; then it is started again."""
    experiment = service.post(ENDLESS)
    service.training(experiment)
    begin = time.monotonic()
    service.stop()
    seconds = time.monotonic() - begin
    service.start()
    service.http.post(f"/experiments/{experiment}/cancel")
    service.ended(experiment)
    return seconds


def memory(cohorts: int) -> dict[str, Any]:
    """The resident memory of one training process, in MiB, after every hundred cohorts."""
    one = spec(arms=1, seeds=1, epochs=1)
    with (
        tempfile.TemporaryDirectory() as folder,
        running({"INITLAB_DATA_DIR": f"{folder}/data"}, Path(folder, "log")) as s,
    ):
        for _ in range(20):
            s.ended(s.post(one))
        sizes = []
        for done in range(0, cohorts + 1, 100):
            if done:
                ids = [s.post(one) for _ in range(100)]
                for experiment in ids:
                    s.ended(experiment)
            children = [process.memory_info().rss for process in s.processes("worker")[1:]]
            sizes.append(round(max(children) / 2**20, 1))
    return {"cohorts": cohorts, "mib_every_100_cohorts": sizes}


def summary(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"n": 0}
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered), 2),
        "p95": round(p95, 2),
        "max": round(ordered[-1], 2),
    }


def _timestamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
