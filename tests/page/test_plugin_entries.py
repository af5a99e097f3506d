"""Entries of plug-ins in the page's catalogue: with parameters that fit, a picture; without, what has to be given."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.api.test_derived_examples import HEAD, entry
from tests.service.running import Running, running

pytestmark = [pytest.mark.service, pytest.mark.slow]

NEVER = "raise ValueError('never')"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a service with schedules of a plug-in whose author gave no examples."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "plugins").mkdir()
    text = HEAD + entry("derived", "knee: Positive") + entry("unknown", "knee: Positive, height: Positive", NEVER)
    (folder / "plugins" / "own.py").write_text(text, encoding="utf-8")
    environment = {"INITLAB_DATA_DIR": str(folder / "data"), "INITLAB_PLUGINS": str(folder / "plugins")}
    with running(environment, folder / "log") as service:
        yield service


def test_an_entry_shows_a_picture_at_once(page: Page) -> None:
    page.goto("/#/catalog/schedules/derived")
    expect(page.get_by_alt_text("derived with these parameters")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("knee", exact=True)).to_have_value("1")

    page.get_by_label("knee", exact=True).fill("")
    expect(page.locator(".notice")).to_have_text("Give knee: without a value there is no schedule and no picture.")
    page.get_by_label("knee", exact=True).fill("-1")
    expect(page.locator(".notice")).to_contain_text("greater than 0")


def test_where_nothing_fits_the_page_says_what_to_give(page: Page) -> None:
    page.goto("/#/catalog/schedules/unknown")
    notice = page.locator(".notice")
    expect(notice).to_have_text("Give knee, height: without a value there is no schedule and no picture.")
    page.get_by_label("knee", exact=True).fill("2")
    expect(notice).to_have_text("Give height: without a value there is no schedule and no picture.")
    page.get_by_label("height", exact=True).fill("2")
    expect(notice).to_contain_text("never")
