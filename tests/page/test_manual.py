"""The manual as a browser reads it: under the service's policy, with its search, formulas and both colours."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from api.manual import SITE
from tests.backends import absent

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


@pytest.mark.parametrize(
    "address", ["/manual/", "/manual/catalogue/initializers/he_normal.html", "/manual/api/experiments.html"]
)
def test_nothing_keeps_people_from_reading_it(page: Page, address: str) -> None:
    page.goto(address)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_a_power_of_what_is_in_brackets_is_one_of_all_of_it(page: Page) -> None:
    page.goto("/manual/catalogue/schedules/noam.html")
    of = page.locator("msup > mrow:first-child")
    assert "".join((of.last.text_content() or "").split()) == "(t,1)"
