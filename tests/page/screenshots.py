"""Makes the pictures of the page in docs/page, from a service and a browser of its own: `make screenshots`."""

import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from sklearn.datasets import load_digits

from tests.page.conftest import chromium
from tests.service.running import running

ROOT = Path(__file__).parents[2]
INTO = ROOT / "docs" / "page"
SPEC = ROOT / "examples" / "weights_on_digits.json"
VIEWS = {
    "experiments": ("#/experiments", ".sparkline"),
    "curves": ("#/experiments/1/curves", ".plot canvas"),
    "verdict": ("#/experiments/1/verdict", "table"),
    "new": ("#/new", "figure:first-of-type img"),
    "catalog": ("#/catalog/schedules/cosine_restarts", "img.picture"),
    "datasets": ("#/datasets", "form"),
    "dataset": ("#/datasets/pictures", ".sheet img"),
    "workers": ("#/workers", "table"),
}
"""Name -> the address, and what has to be there before the picture is taken."""
SHOWN = """() => [...document.images].every((one) =>
  one.getBoundingClientRect().top > innerHeight || (one.complete && one.naturalWidth))"""


def main() -> None:
    """Train the demo's experiment, and take a picture of every view in light, and of the curves in dark."""
    INTO.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = {"INITLAB_DATA_DIR": f"{folder}/data"}
        with running(environment, Path(folder, "log")) as service:
            files = {"file": ("pictures.zip", digits())}
            service.http.post("/datasets", files=files, timeout=120).raise_for_status()
            service.ended(service.post(json.loads(SPEC.read_text(encoding="utf-8"))), 300)
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    base_url=str(service.http.base_url),
                    color_scheme="dark" if scheme == "dark" else "light",
                    viewport={"width": 1100, "height": 820},
                )
                page = context.new_page()
                for name in VIEWS if scheme == "light" else ("curves",):
                    _take(page, name, INTO / f"{name}{'' if scheme == 'light' else '-dark'}.png")
                context.close()
            browser.close()


def digits() -> bytes:
    """Return some of scikit-learn's digits as a user sends pictures: a ZIP with a folder for each class."""
    data, packed = load_digits(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (pixels, label) in enumerate(zip(data.images[:300], data.target[:300], strict=True)):
            file = io.BytesIO()
            Image.fromarray((pixels / 16 * 255).astype(np.uint8)).save(file, "png")
            archive.writestr(f"digit {label}/{number}.png", file.getvalue())
    return packed.getvalue()


def _take(page: Page, name: str, path: Path) -> None:
    address, needed = VIEWS[name]
    page.goto(f"/{address}")
    expect(page.locator(needed).first).to_be_visible(timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_function(SHOWN)
    page.wait_for_timeout(500)  # the chart is drawn in a frame of its own
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
