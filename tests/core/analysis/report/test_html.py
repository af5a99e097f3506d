from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from core.analysis import build_report, html
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
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "source"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


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


@pytest.mark.parametrize("finals", [{"a": [0.5], "b": ["diverged"]}, {"a": ["queued"] * 2, "b": ["failed"] * 2}])
def test_thin_evidence_has_a_page_too(experiment: MakeResults, finals: dict[str, list[object]]) -> None:
    results = experiment(finals)
    text = html(build_report(results), results, {})

    assert "nan" not in text.lower().replace("finance", "")
    assert "None" not in text
    assert "Pictures" not in text
