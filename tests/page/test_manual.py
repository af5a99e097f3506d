"""The manual as a browser reads it: under the service's policy, with its search, formulas and both colours."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.manual import SITE
from tests.backends import absent
from tests.page.conftest import violations

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (SITE / "index.html").is_file():
        absent("the manual", "make docs")


def test_the_page_leads_to_it_and_a_word_is_found(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Manual").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("initlab")
    page.get_by_role("textbox", name="Search").fill("linear_warmup")
    page.get_by_role("textbox", name="Search").press("Enter")
    page.locator("#search-results").get_by_role("link", name="linear_warmup").first.click()
    expect(page.locator("math").first).to_be_visible()
    picture = page.locator("article img").first
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 300


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_nothing_keeps_people_from_reading_it(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        for address in ("", "catalogue/initializers/he_normal.html", "api/experiments.html"):
            page.goto(f"/manual/{address}")
            assert violations(page) == [], (address, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_formula_is_read_as_it_is_written_and_broken_where_it_is_too_long(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto("/manual/catalogue/optimizers/adamw.html")
    lines = [" ".join(text.split()) for text in page.locator("div.formula > div > div").all_text_contents()]
    assert lines[0] == "w *= 1 − lr·weight_decay"
    assert lines[1] == "m = β1·m + (1−β1)·g, v = β2·v + (1−β2)·g²"
    assert lines[2].startswith("w −= lr·(m/(1−β1t)) / (√(v/(1−β2t))+ε), with amsgrad")  # t is a power
    wide, shown = page.locator("div.formula").first.evaluate("place => [place.scrollWidth, place.clientWidth]")
    assert wide <= shown


def test_a_power_of_what_is_in_brackets_is_one_of_all_of_it(page: Page) -> None:
    page.goto("/manual/catalogue/schedules/noam.html")
    of = page.locator("msup > mpadded:first-child")
    assert "".join((of.last.text_content() or "").split()) == "(t,1)"
