"""A report on paper, as a browser prints it."""

import io

from PIL import Image
from playwright.sync_api import Browser

from core.analysis import build_report, html
from core.datasets import DatasetPaths
from core.spec import parse
from core.training import train

PAPER = {"width": 680, "height": 960}
"""A page of A4 without its margins, in CSS pixels."""
TALLEST = 22 / 2.54 * 96
WORDS = "a label of several words, as a grid makes them"


def test_nothing_of_a_printed_report_is_cut_or_hidden(browser: Browser) -> None:
    arms = [{"label": f"{WORDS} {i}", "initializer": "he_normal"} for i in range(8)]
    spec = {"model": {"name": "mlp", "hidden": [4]}, "epochs": 1, "seeds": 3, "arms": arms, "name": "printed"}
    results = train(parse(spec), DatasetPaths())
    tall = io.BytesIO()
    Image.new("RGB", (600, 3_000)).save(tall, "png")
    text = html(build_report(results), results, {"weights": "a tall one"}, {"weights": tall.getvalue()})

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
            kept: [...document.querySelectorAll("figure, tr")].filter(
                one => getComputedStyle(one).breakInside !== "avoid").length,
        })"""
    )
    printed = page.pdf()
    context.close()
    assert found["wide"] <= PAPER["width"]
    assert found["hidden"] == []
    assert 0 < found["tall"] <= TALLEST + 1
    assert found["paper"] == "rgb(255, 255, 255)", "ink is not for a dark ground"
    assert found["kept"] == 0, "no row and no picture goes over two pages"
    assert printed.startswith(b"%PDF")
