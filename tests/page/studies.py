"""Trains studies of docs/studies through the page alone, and lists what was done: `python -m tests.page.studies`.

Each posts the very spec that its folder has, which is checked, and waits for the verdict that the page shows.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

from core.spec import parse
from tests.page.conftest import chromium
from tests.service.running import Running, running

STUDIES = Path(__file__).parents[2] / "docs" / "studies"
HEAD = """# Studies through the page alone

Made by `python -m tests.page.studies`: a person's clicks and keys in a real Chromium, and nothing else. What is posted
is checked to be the very spec of the study's folder. Digits come with the service; the other studies go the same way,
after their data were sent at *Data sets*, and are not tried here: their data are not in this repository."""
SECONDS = 900_000
"""Milliseconds that one may train."""


class Hands:
    """The hands of a person at the page: what they do is done, and written down."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.done: list[str] = []

    def press(self, name: str) -> None:
        """Press a button, a link or a tab."""
        roles = [self.page.get_by_role(role, name=name, exact=True) for role in ("button", "link", "tab")]
        roles[0].or_(roles[1]).or_(roles[2]).first.click()
        self.done.append(f"press *{name}*")

    def fill(self, label: str, value: str, inside: str = "") -> None:
        """Type into a field, of a part of the form where that is named; nothing empties it."""
        self._field(label, inside).fill(value)
        where = f" of *{inside}*" if inside else ""
        self.done.append(f"type `{value}` into *{label}*{where}" if value else f"empty *{label}*{where}")

    def choose(self, label: str, value: str, inside: str = "") -> None:
        """Choose one of a list."""
        self._field(label, inside).select_option(value)
        self.done.append(f"choose `{value}` as *{label}*")

    def tick(self, label: str, inside: str) -> None:
        """Tick a box of a part of the form."""
        self._field(label, inside).check()
        self.done.append(f"tick *{label}* of *{inside}*")

    def open(self, name: str) -> None:
        """Unfold a part."""
        self.page.get_by_text(name, exact=True).click()
        self.done.append(f"unfold *{name}*")

    def _field(self, label: str, inside: str) -> Locator:
        within: Any = self.page.get_by_role("group", name=inside, exact=True) if inside else self.page
        found: Locator = within.get_by_label(label, exact=True).first
        return found


def begin(hands: Hands, spec: dict[str, Any]) -> None:
    """Fill in what all studies of digits have, but for their arms."""
    hands.press("New")
    hands.press("Start again")
    hands.fill("name", spec["name"], "Experiment")
    hands.fill("tags, with commas", ", ".join(spec["tags"]))
    hands.fill("epochs", str(spec["epochs"]), "Experiment")
    hands.fill("hidden", json.dumps(spec["model"]["hidden"]), "Model")
    hands.choose("Optimizer", spec["optimizer"]["name"], "Optimizer")
    hands.fill("lr", str(spec["optimizer"]["lr"]), "Optimizer")


def initializers(hands: Hands, spec: dict[str, Any]) -> None:
    """Fill in arms that differ in their initializer, and the diagnostics that explain them."""
    begin(hands, spec)
    arms(hands, spec, "initializer")
    hands.open("What is measured and kept")
    hands.tick("give it", "diagnostics")
    hands.fill("every", str(spec["diagnostics"]["every"]), "diagnostics")


def batches(hands: Hands, spec: dict[str, Any]) -> None:
    """Fill in arms that differ in their batch size."""
    begin(hands, spec)
    hands.choose("Initializer", spec["initializer"], "Initializer")
    hands.fill("A field that arms differ in", "batch_size")
    hands.press("Add this field")
    arms(hands, spec, "batch_size")
    for number in range(1, 4):
        hands.fill(f"initializer of arm {number}", "")


def arms(hands: Hands, spec: dict[str, Any], field: str) -> None:
    """Fill in the table of arms, of which there are three to begin with."""
    for _ in spec["arms"][3:]:
        hands.press("Add an arm")
    for number, arm in enumerate(spec["arms"], 1):
        value = arm[field]
        hands.fill(f"label of arm {number}", arm["label"])
        hands.fill(f"{field} of arm {number}", value if isinstance(value, str) else json.dumps(value))


FORMS: dict[str, Callable[[Hands, dict[str, Any]], None]] = {
    "c/c6_zeros": initializers,
    "c/c9_he_for_relu": initializers,
    "c/c_batch_sizes": batches,
}


def study(hands: Hands, service: Running, folder: str) -> str:
    """Post one study from the form, wait for its end, and return the verdict that the page shows."""
    spec = json.loads((STUDIES / folder / "spec.json").read_text(encoding="utf-8"))
    FORMS[folder](hands, spec)
    hands.press("Post it")
    hands.page.wait_for_url("**/#/experiments/*", timeout=60_000)
    number = hands.page.url.partition("#/experiments/")[2].partition("/")[0]
    posted = service.get(f"/experiments/{number}")["spec"]
    assert parse(posted) == parse(spec), folder
    expect(hands.page.locator(".state").first).to_have_text("succeeded", timeout=SECONDS)
    hands.press("Verdict")
    expect(hands.page.locator(".panel .verdict")).to_be_visible(timeout=120_000)
    return hands.page.locator(".panel .verdict").inner_text()


def served(folder: str) -> AbstractContextManager[Running]:
    """Return a service of the script's own."""
    return running({"INITLAB_DATA_DIR": f"{folder}/data"}, Path(folder, "log"))


def main() -> None:
    """Write the list of what was clicked, and what came of it."""
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, served(folder) as service:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(base_url=str(service.http.base_url), viewport={"width": 1200, "height": 900})
        page.goto("/")
        for name in FORMS:
            hands = Hands(page)
            verdict = study(hands, service, name)
            steps = [f"{number}. {one}" for number, one in enumerate(hands.done, 1)]
            parts += ["", f"## [{name}]({name}/report.md)", "", *steps, "", f"> {verdict}"]
        browser.close()
    (STUDIES / "through_the_page.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
