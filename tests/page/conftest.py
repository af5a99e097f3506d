"""A browser, and a service whose page it opens."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.backends import absent
from tests.service.running import Running, running


def chromium() -> str:
    """Return the path of a Chromium; skips the test on a machine without, and fails it in CI."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return path or absent("Chromium", "apt-get install chromium")


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a service on the embedded default."""
    folder = tmp_path_factory.mktemp("page")
    with running({"INITLAB_DATA_DIR": str(folder / "data")}, folder / "log") as service:
        yield service


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Yield a Chromium, without a window."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, service: Running) -> Iterator[Page]:
    """Yield a tab of its own, which fails its test where the browser says that something is wrong."""
    context = browser.new_context(base_url=str(service.http.base_url), viewport={"width": 1200, "height": 900})
    page = context.new_page()
    wrong: list[str] = []

    def apis() -> list[int]:
        return [process.pid for process in service.processes("api")]

    before = apis()

    def note(message: ConsoleMessage) -> None:
        refused = "status of 4" in message.text and "/page/" not in message.location["url"]  # by the API, as it may
        cut = "net::ERR_" in message.text and apis() != before  # with an API that a test has killed
        cut = cut or "net::ERR_INTERNET_DISCONNECTED" in message.text  # by a test
        if message.type == "error" and not refused and not cut:
            wrong.append(f"{message.text}: {message.location}")

    page.on("console", note)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def violations(page: Page) -> list[tuple[str, str]]:
    """Return what axe-core has against a page by WCAG 2.2 AA: the rule, and the first element that breaks it."""
    response = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [(one["id"], one["nodes"][0]["html"]) for one in response.response["violations"]]


def saved(page: Page, folder: Path, name: str) -> Path:
    """Press a link that downloads, and return the file."""
    with page.expect_download() as found:
        page.get_by_role("link", name=name).click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path
