from collections.abc import Callable
from html.parser import HTMLParser
from unicodedata import bidirectional

import pytest

from core.analysis import build_report, html, markdown
from core.analysis.report.html import MARKDOWN
from core.results import Results

MakeResults = Callable[..., Results]
GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]
HOSTILE = '<script>alert("x")</script> | [a](javascript:b) <img src=x onerror=y>'

NAMES = ("layers", "loss", "comparison")


class Page(HTMLParser):
    """Tags, links and the text of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.cells: list[str] = []
        self.isolated: list[str] = []
        self.bare: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "source"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        if tag == "bdi":
            self.isolated.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & {*self.open}:
            self.cells[-1] += data
        if "bdi" in self.open:
            self.isolated[-1] += data
        elif not {"title", "style"} & {*self.open}:
            self.bare.append(data)


def test_the_page_has_the_report_and_its_pictures(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "worse": WORSE}, name="weights & digits")
    found = build_report(results)

    page = Page(text := html(found, results, {"loss": "Training loss", "layers": "By depth"}))

    assert page.open == []
    assert "<title>weights &amp; digits</title>" in text
    assert "97.06 ± 0.73 %" in page.cells
    sources = [value for name, value in page.attributes if name == "src"]
    assert sources == ["plots/loss.png", "plots/layers.png"]
    dark = [value for name, value in page.attributes if name == "srcset"]
    assert dark == ["plots/loss.png?theme=dark", "plots/layers.png?theme=dark"]
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "http" not in text.replace("https://json", "")  # nothing from elsewhere


def test_a_page_begins_with_what_is_decided_and_folds_what_few_readers_need(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "worse": WORSE})

    text = html(build_report(results), results, dict.fromkeys(NAMES, ""), dict.fromkeys(NAMES, b"x"))

    order = [
        text.index(place) for place in (">Decided: ", "<table>", "In words", "compared</h2>", "Pictures", "<details>")
    ]
    assert order == sorted(order)
    assert text.count("data:image/png;base64,eA==") == len(NAMES)
    assert text.index("eA==") < text.index("In words") < text.rindex("eA==")
    assert "<summary>Differences from good</summary>" in text
    assert "</details>" in text[text.index("How this was computed") :]


def test_pictures_stand_once_each_the_foremost_first(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "worse": WORSE})

    page = Page(html(build_report(results), results, dict.fromkeys(NAMES, "")))

    assert [value for name, value in page.attributes if name == "src"] == [
        f"plots/{name}.png" for name in ("comparison", "loss", "layers")
    ]


def test_a_label_can_do_nothing_on_the_page(experiment: MakeResults) -> None:
    results = experiment({HOSTILE: GOOD, "worse": WORSE}, name=HOSTILE)

    page = Page(html(build_report(results), results, {"loss": HOSTILE}))

    assert HOSTILE in page.cells
    assert page.open == []
    assert set(page.tags) & {"script", "iframe", "object", "link"} == set()
    assert page.tags.count("img") == 1
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on")]
    assert "href" not in names


def test_names_that_read_from_right_to_left_turn_nothing_around_them(experiment: MakeResults) -> None:
    mixed = "גלורו <2> ab (ג) 3"
    arms = {"خفيف": GOOD, "خفيف جدا 2": WORSE, mixed: ["diverged"] * 5, "best": WORSE}
    results = experiment(arms, name="ניסוי 7", margin=0.2)

    report = build_report(results)
    page = Page(html(report, results, {}))

    assert {*page.isolated} == {"ניסוי 7", "خفيف", "خفيف جدا 2", mixed}
    assert page.isolated[0] == "ניסוי 7"
    assert min(page.isolated.count(label) for label in arms if label != "best") > 3  # in sentences and tables
    assert not {"R", "AL", "RLO"} & {bidirectional(letter) for text in page.bare for letter in text}
    assert {"خفيف", mixed, "best"} <= {*page.cells}
    assert "bdi" not in markdown(report, results)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("of class שלום 3 עולם, 4 of 5", "of class <bdi>שלום 3 עולם</bdi>, 4 of 5"),
        ("«قطة»: 5 & 6", "«<bdi>قطة</bdi>»: 5 &amp; 6"),
        ("`קוד` 1", "<code><bdi>קוד</bdi></code> 1"),
        ("é, 我 and α", "é, 我 and α"),
    ],
)
def test_parts_that_no_name_explains_are_isolated_too(text: str, shown: str) -> None:
    assert MARKDOWN.renderInline(text) == shown


@pytest.mark.parametrize("finals", [{"a": [0.5], "b": ["diverged"]}, {"a": ["queued"] * 2, "b": ["failed"] * 2}])
def test_thin_evidence_has_a_page_too(experiment: MakeResults, finals: dict[str, list[object]]) -> None:
    results = experiment(finals)
    text = html(build_report(results), results, {})

    assert "nan" not in text.lower().replace("finance", "")
    assert "None" not in text
    assert "Pictures" not in text
