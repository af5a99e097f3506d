"""The page in a real Chromium: frames while 35 runs stream and are zoomed, a list of 500 experiments, the first view.

`python bench/page.py` starts an API of its own over 500 stored experiments, one of them in training: points come twice
a second, as a worker stores them. Frames are what `requestAnimationFrame` tells, without a window and without a GPU, so
the browser's own drawing counts too. No peer: what other pages do is in `docs/decisions/0032-page.md`.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import record
from playwright.sync_api import Page, expect, sync_playwright
from stored import fill

from core.datasets import DatasetPaths
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Flush, flush, renew
from core.spec import parse
from core.store import Database, metric_blocks, upgrade
from tests.backends import free_port
from tests.core.experiments.claims import take
from tests.core.experiments.submitting import submit
from tests.page.conftest import chromium

EXPERIMENTS, ARMS, SEEDS, POINTS = 500, 7, 5, 2_500
PAGE = 50
"""Experiments that the list shows more of at each press."""
BACKLOG, EACH, BETWEEN = 2_000, 20, 0.5
"""Points of each run that are there at first; those that come together, and the seconds between."""
SMOOTH = 50.0
"""Milliseconds: a frame that takes longer is seen as a jerk."""
START = """() => {
  window.frames_ = [];
  let last = performance.now();
  const next = (now) => {
    window.frames_.push(now - last);
    last = now;
    window.frame_ = requestAnimationFrame(next);
  };
  window.frame_ = requestAnimationFrame(next);
}"""
STOP = "() => (cancelAnimationFrame(window.frame_), window.frames_.slice(1))"
SIZES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((one) => [new URL(one.name).pathname, one.encodedBodySize])"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        database = Database(f"sqlite:///{Path(folder) / 'initlab.sqlite'}")
        upgrade(database.engine)
        fill(database, EXPERIMENTS - 1, 0)
        experiment, held = training(database)
        store(database, held, 0, BACKLOG)
        port = free_port()
        environment = os.environ | {"INITLAB_DATA_DIR": folder}
        command = [sys.executable, "-m", "api", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as api:
            try:
                ready(api, port)
                browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
                page = browser.new_page(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1200, "height": 900})
                measured = first_view(page) | whole_list(page) | curves(page, database, held, experiment)
                version = browser.version
                browser.close()
            finally:
                api.terminate()
        database.dispose()
    for name, value in measured.items():
        print(f"{name:28s} {value}")
    sizes = {"experiments": EXPERIMENTS, "runs": ARMS * SEEDS, "points": POINTS, "chromium": version}
    record.write("page", "cpu", **sizes, smooth_ms=SMOOTH, **measured)


def training(database: Database) -> tuple[int, list[Claim]]:
    """Post an experiment, take all of its cohorts as a worker would, and return both."""
    names = ["zeros", "ones", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal"]
    arms = [{"initializer": name} for name in names[:ARMS]]
    spec = {"name": "many", "arms": arms, "seeds": SEEDS, "epochs": POINTS // 15 + 1}
    with database.transaction() as session:
        experiment = submit(session, parse(spec), DatasetPaths())[0].id
    held: list[Claim] = []
    while (one := take(database, lease=3600)) is not None:
        held.append(one)
    return experiment, held


def store(database: Database, held: list[Claim], first: int, points: int) -> None:
    """Store points of all runs, as workers do: a loss that falls, with its noise."""
    steps = np.arange(first, first + points)
    for claim in held:
        what = Flush(step=first + points)
        for lane in claim.lanes:
            noise = np.random.default_rng(lane.run * 10_000 + first).normal(scale=0.05, size=points)
            values = 2.3 / (1 + steps / (100 + 20 * (lane.run % ARMS))) + noise
            what.blocks.append(metric_blocks.encode(lane.run, "train_loss", first, values, 1))
        with database.transaction() as session:
            renew(session, claim, 3600)
            flush(session, claim, what)


def first_view(page: Page) -> dict[str, Any]:
    """Open the list of experiments with nothing in the browser's cache."""
    page.goto("/")
    expect(page.locator(".experiment").first).to_be_visible(timeout=60_000)
    seconds = page.evaluate("performance.now()") / 1e3
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(SIZES)
    files = [size for path, size in sizes if path == "/" or (path.startswith("/page/") and "/lib/" not in path)]
    rest = [size for path, size in sizes if not (path == "/" or path.startswith("/page/"))]
    return {
        "first_view_s": round(seconds, 2),
        "first_view_files": len(files),
        "first_view_kb": round(sum(files) / 1e3, 1),
        "first_view_answers_kb": round(sum(rest) / 1e3, 1),
    }


def whole_list(page: Page) -> dict[str, Any]:
    """Show all experiments, and scroll through them."""
    begin = time.perf_counter()
    more = page.get_by_role("button", name="Show more")
    for shown in range(2 * PAGE, EXPERIMENTS + 1, PAGE):
        more.click()
        expect(page.locator(".experiment")).to_have_count(shown, timeout=60_000)
    seconds = time.perf_counter() - begin

    def scroll() -> None:
        for _ in range(60):
            page.mouse.wheel(0, 600)
            page.wait_for_timeout(50)

    page.mouse.move(600, 500)
    return {"list_all_s": round(seconds, 2)} | frames(page, "list_scroll", scroll)


def curves(page: Page, database: Database, held: list[Claim], experiment: int) -> dict[str, Any]:
    """Follow the training live, and zoom into what came."""
    begin = time.perf_counter()
    page.goto(f"/#/experiments/{experiment}/curves")
    expect(page.locator(".plot canvas").first).to_be_visible(timeout=60_000)
    page.wait_for_load_state("load")
    opened = time.perf_counter() - begin

    def stream() -> None:
        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            page.wait_for_timeout(200)

    def write() -> None:
        for first in range(BACKLOG, POINTS, EACH):
            store(database, held, first, EACH)
            time.sleep(BETWEEN)

    streamed = frames(page, "stream", stream)
    box = page.locator(".plot").bounding_box()
    assert box is not None
    page.get_by_title("Wheel Zoom").first.click()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def zoom() -> None:
        for turn in range(60):
            page.mouse.wheel(0, -120 if turn % 30 < 20 else 240)
            page.wait_for_timeout(50)

    return {"curves_open_s": round(opened, 2)} | streamed | frames(page, "zoom", zoom)


def frames(page: Page, name: str, work: Callable[[], None]) -> dict[str, Any]:
    """Return the milliseconds between frames while something is done, and the share of those that are seen as jerks."""
    page.evaluate(START)
    work()
    taken = np.array(page.evaluate(STOP))
    percentiles = {f"p{p}": round(float(np.percentile(taken, p)), 1) for p in (50, 95, 100)}
    return {f"{name}_frame_ms": percentiles, f"{name}_jerks": round(float(np.mean(taken > SMOOTH)), 4)}


def ready(api: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the API answers."""
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except (URLError, OSError):
            if api.poll() is not None:
                raise SystemExit("the API did not start") from None
            time.sleep(0.1)
    raise SystemExit("the API was not ready within two minutes")


if __name__ == "__main__":
    main()
