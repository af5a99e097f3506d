"""A saved report as a browser shows it, on a narrow screen and on paper."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser

from core.analysis import build_report, html
from core.datasets import DatasetPaths
from core.spec import parse
from core.training import train
from tests.page.conftest import violations

PAPER = {"width": 680, "height": 960}
"""A page of A4 without its margins, in CSS pixels."""
TALLEST = 22 / 2.54 * 96
WORDS = "a label of several words, as a grid makes them"
ONE_WORD = "optimizer.lr=0.001,initializer=variance_scaling_distribution_truncated_normal,x"


def report(label: str) -> str:
    """Return a report with its pictures inside, of eight arms whose labels begin so."""
    arms = [{"label": f"{label}{i}", "initializer": "he_normal"} for i in range(8)]
    spec = {"model": {"name": "mlp", "hidden": [4]}, "epochs": 1, "seeds": 3, "arms": arms, "name": "printed"}
    results = train(parse(spec | {"margin": 0.01}), DatasetPaths())
    tall = io.BytesIO()
    Image.new("RGB", (600, 3_000)).save(tall, "png")
    return html(build_report(results), results, {"weights": "a tall one"}, {"weights": tall.getvalue()})


@pytest.mark.parametrize("label", [f"{WORDS} ", ONE_WORD], ids=["words", "one word"])
def test_nothing_of_a_printed_report_is_cut_or_hidden(browser: Browser, label: str) -> None:
    text = report(label)
    context = browser.new_context(viewport={"width": PAPER["width"], "height": PAPER["height"]}, color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print")
    page.set_content(text)
    found = page.evaluate(
        """() => ({
            wide: document.documentElement.scrollWidth,
            hidden: [...document.querySelectorAll("td, details p")].filter(one => !one.checkVisibility())
                .map(one => one.outerHTML),
            tall: Math.max(...[...document.images].map(one => one.getBoundingClientRect().height)),
            paper: getComputedStyle(document.body).backgroundColor,
            broken: [...document.querySelectorAll("td[style], th[style]:not(.long)")].flatMap(cell => {
                const text = cell.firstChild
                return [...(text?.data ?? "").matchAll(/\\S+/g)].filter(word => {
                    const range = document.createRange()
                    range.setStart(text, word.index)
                    range.setEnd(text, word.index + word[0].length)
                    return range.getClientRects().length > 1
                }).map(word => word[0])
            }),
            kept: [...document.querySelectorAll("figure, tr")].filter(
                one => getComputedStyle(one).breakInside !== "avoid").length,
        })"""
    )
    printed = page.pdf()
    context.close()
    assert found["wide"] <= PAPER["width"]
    assert found["hidden"] == []
    assert found["broken"] == [], "a number is never broken within its digits"
    assert 0 < found["tall"] <= TALLEST + 1
    assert found["paper"] == "rgb(255, 255, 255)", "ink is not for a dark ground"
    assert found["kept"] == 0, "no row and no picture goes over two pages"
    assert printed.startswith(b"%PDF")


def test_a_saved_report_is_read_on_a_narrow_screen_and_by_the_keyboard(browser: Browser) -> None:
    with browser.new_context(viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        page.set_content(report(ONE_WORD))
        page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("figure img").first.evaluate("one => one.getBoundingClientRect().width") >= 600
        names = page.locator("[role=region]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
        assert len(names) == len(set(names)) > 3
