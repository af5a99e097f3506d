"""Trains the studies of docs/studies through the page alone, and lists what was done.

`python -m tests.page.studies --data FOLDER`, with `churn.csv`, `cifar10-images.zip` and `FashionMNIST/raw` in the
folder; without it, those whose data come with the service. Each posts the very spec that its folder has, which is
checked, and waits for the verdict that the page shows.
"""

import argparse
import json
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

from core.spec import parse
from tests.page.conftest import chromium
from tests.service.running import Running, running

STUDIES = Path(__file__).parents[2] / "docs" / "studies"
HEAD = """# The four studies through the page alone

Made by `python -m tests.page.studies --data FOLDER`: a person's clicks and keys in a real Chromium, and nothing else,
but that torchvision's Fashion-MNIST was put where the service looks for data sets. What is posted is checked to be the
very spec of the study's folder. Of CIFAR-10's pictures the page takes 3,000 by lot, where the folder's report has the
first 300 of each class."""
SECONDS = 900_000
"""Milliseconds that one may train."""
WITH_THE_SERVICE = "digits"
ENTRIES = {
    "dataset": "Data set",
    "model": "Model",
    "optimizer": "Optimizer",
    "schedule": "Schedule",
    "initializer": "Initializer",
}
"""Fields that are entries of a catalogue, and what the form calls them."""
SETS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("churn", "churn.csv", {"Target column": "Exited", "Columns to leave out": "RowNumber, CustomerId, Surname"}),
    ("cifar10-small", "cifar10-images.zip", {"At most so many examples": "3000"}),
)
"""Data sets that are sent: name, file, and how it is read, by the labels of the form."""


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

    def fill(self, label: str, value: Any, inside: str = "") -> None:
        """Type into a field, of a part of the form where that is named; nothing empties it."""
        typed = _typed(value)
        self._field(label, inside).fill(typed)
        where = f" of *{inside}*" if inside else ""
        self.done.append(f"type `{typed}` into *{label}*{where}" if typed else f"empty *{label}*{where}")

    def choose(self, label: str, value: Any, inside: str = "") -> None:
        """Choose one of a list."""
        wanted = _typed(value)
        self._field(label, inside).select_option(wanted)
        self.done.append(f"choose `{wanted}` as *{label}*")

    def give(self, label: str, value: Any, inside: str) -> None:
        """Type or choose a value, as the field has it; one of a list that is the default stays."""
        field = self._field(label, inside)
        if field.evaluate("field => field.tagName") != "SELECT":
            self.fill(label, value, inside)
        elif not field.get_by_text(f"{_typed(value)} (default)", exact=True).count():
            self.choose(label, value, inside)

    def tick(self, label: str, inside: str = "") -> None:
        """Tick a box, or choose one of several ways."""
        self._field(label, inside).check()
        self.done.append(f"tick *{label}*" + (f" of *{inside}*" if inside else ""))

    def open(self, name: str) -> None:
        """Unfold a part, where it is not."""
        part = self.page.locator("details", has=self.page.get_by_text(name, exact=True))
        if part.get_attribute("open") is None:
            self.page.get_by_text(name, exact=True).click()
            self.done.append(f"unfold *{name}*")

    def attach(self, path: Path) -> None:
        """Choose a file to send."""
        self.page.locator("input[type=file]").set_input_files(path)
        self.done.append(f"choose the file `{path.name}`")

    def _field(self, label: str, inside: str) -> Locator:
        within: Any = self.page.get_by_role("group", name=inside, exact=True) if inside else self.page
        listed = within.get_by_role("combobox", name=label, exact=True)  # whose label holds the text of its choices too
        found: Locator = listed.or_(within.get_by_label(label, exact=True)).first
        return found


def _typed(value: Any) -> str:
    """Return what is typed for a value."""
    return value if isinstance(value, str) else json.dumps(value)


def send(hands: Hands, path: Path, name: str, options: dict[str, str]) -> str:
    """Send a data set from the page; returns what the page says of it."""
    hands.press("Data sets")
    hands.attach(path)
    hands.open("Name, and how to read it")
    hands.fill("Name", name)
    for label, value in options.items():
        hands.fill(label, value)
    hands.press("Send")
    said = hands.page.locator("form.card [aria-live]")
    expect(said).to_contain_text(f"Stored as {name}", timeout=SECONDS)
    return said.inner_text()


def compose(hands: Hands, spec: dict[str, Any], preset: dict[str, Any]) -> None:
    """Fill in the form: what the spec has and an untouched form would not post."""
    hands.press("New")
    hands.press("Start again")
    hands.fill("name", spec["name"], "Experiment")
    hands.fill("tags, with commas", ", ".join(spec["tags"]), "Experiment")
    for name in ("batch_size", "epochs", "seeds"):
        if spec[name] != preset[name]:
            hands.fill(name, spec[name], "Experiment" if name != "seeds" else "Seeds")
    for name, title in ENTRIES.items():
        compose_entry(hands, title, spec.get(name), preset.get(name))
    compose_grid(hands, spec["grid"]) if "grid" in spec else compose_arms(hands, spec["arms"])
    if "diagnostics" in spec:
        hands.open("What is measured and kept")
        hands.tick("give it", "diagnostics")
        for name, value in spec["diagnostics"].items():
            hands.fill(name, value, "diagnostics")
    if "baseline" in spec:
        hands.open("Verdict")
        hands.fill("baseline", spec["baseline"])


def compose_entry(hands: Hands, title: str, wanted: Any, preset: Any) -> None:
    """Choose an entry of a catalogue and give its parameters, where they are not what the form begins with."""
    wanted, preset = ({"name": one} if isinstance(one, str) else dict(one or {}) for one in (wanted, preset))
    if wanted and wanted["name"] != preset.get("name"):
        hands.choose(title, wanted["name"], title)
        preset = {"name": wanted["name"]}
    for name, value in wanted.items():
        if value != preset.get(name):
            hands.give(name, value, title)


def compose_arms(hands: Hands, arms: list[dict[str, Any]]) -> None:
    """Fill in the table of arms, which begins with three that differ in their initializer."""
    fields = list(dict.fromkeys(field for arm in arms for field in arm if field != "label"))
    for field in fields:
        if field != "initializer":
            hands.fill("A field that arms differ in", field)
            hands.press("Add this field")
    for _ in arms[3:]:
        hands.press("Add an arm")
    for number, arm in enumerate(arms, 1):
        for field in ("label", *fields):
            if field in arm:
                hands.fill(f"{field} of arm {number}", arm[field])
        if number <= 3 and "initializer" not in arm:
            hands.fill(f"initializer of arm {number}", "")


def compose_grid(hands: Hands, grid: dict[str, list[Any]]) -> None:
    """Fill in the fields of a grid, which begins with one."""
    hands.tick("all combinations of fields")
    for number, (field, values) in enumerate(grid.items(), 1):
        if number > 1:
            hands.press("Add a field")
        hands.fill(f"Field {number}", field)
        hands.page.keyboard.press("Tab")
        hands.page.get_by_label("Its values, with commas").nth(number - 1).fill(text := ", ".join(map(str, values)))
        hands.done.append(f"type `{text}` as its values")


def study(hands: Hands, service: Running, folder: str) -> str:
    """Post one study from the form, wait for its end, and return the verdict that the page shows."""
    spec = spec_of(folder)
    hands.press("New")
    hands.press("Start again")
    preset = json.loads(hands.page.get_by_label("The spec as JSON").input_value())
    hands.done.clear()
    compose(hands, spec, preset)
    posted = json.loads(hands.page.get_by_label("The spec as JSON").input_value())
    assert parse(posted).model_dump() == parse(spec).model_dump(), f"{folder}: {posted}"
    hands.press("Post it")
    hands.page.wait_for_url("**/#/experiments/*", timeout=60_000)
    expect(hands.page.locator(".state").first).to_have_text("succeeded", timeout=SECONDS)
    number = hands.page.url.partition("#/experiments/")[2].partition("/")[0]
    decided = service.get(f"/experiments/{number}/report")["verdict"]["headline"]
    line = hands.page.get_by_role("status").and_(hands.page.locator(".verdict"))
    expect(line).to_contain_text(decided, timeout=120_000)
    return line.inner_text()


def folders(given: Path | None) -> list[str]:
    """Return the folders whose data are there, in the order of the letters."""
    names = sorted(path.parent.relative_to(STUDIES).as_posix() for path in STUDIES.glob("*/*/spec.json"))
    return [name for name in names if given or spec_of(name)["dataset"]["name"] == WITH_THE_SERVICE]


def spec_of(folder: str) -> dict[str, Any]:
    """Return the spec that a folder has."""
    spec: dict[str, Any] = json.loads((STUDIES / folder / "spec.json").read_text(encoding="utf-8"))
    return spec


def served(scratch: str, data: Path | None) -> AbstractContextManager[Running]:
    """Return a service of the script's own."""
    roots = {"INITLAB_DATA_ROOT": str(data.absolute())} if data else {}
    return running({"INITLAB_DATA_DIR": f"{scratch}/data"} | roots, Path(scratch, "log"))


def part(title: str, hands: Hands, came: str) -> list[str]:
    """Return what was done and what came of it, as Markdown."""
    steps = [f"{number}. {one}" for number, one in enumerate(hands.done, 1)]
    return ["", f"## {title}", "", *steps, "", *(f"> {line}" for line in came.splitlines())]


def main() -> None:
    """Write the list of what was clicked, and what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, help="the folder of the data")
    arguments.add_argument("--into", type=Path, default=STUDIES / "through_the_page.md", help="the file to write")
    given = arguments.parse_args()
    parts = [HEAD]
    with (
        tempfile.TemporaryDirectory() as scratch,
        sync_playwright() as playwright,
        served(scratch, given.data) as service,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(base_url=str(service.http.base_url), viewport={"width": 1200, "height": 900})
        page.goto("/")
        if given.data:
            for name, file, options in SETS:
                hands = Hands(page)
                came = send(hands, given.data / file, name, options)
                parts += part(f"The data set {name}", hands, came)
        for name in folders(given.data):
            hands = Hands(page)
            parts += part(f"[{name}]({name}/report.md)", hands, study(hands, service, name))
        browser.close()
    given.into.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
