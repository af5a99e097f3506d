"""The form for data sets has what the service can be told of a file, and sends it once."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.running import Running

pytestmark = pytest.mark.service

GAPS = "a,b,y\n" + "".join(f"{'' if i == 7 else i},{i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(60))


def choose(page: Page, name: str, text: str = GAPS) -> None:
    """Choose a file, and unfold how it is read."""
    page.goto("/#/datasets")
    page.locator("input[type=file]").set_input_files(
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_text("Name, and how to read it").click()


def test_every_option_of_the_service_is_in_the_form(page: Page, service: Running) -> None:
    choose(page, "options")
    options: dict[str, Any] = service.get("/openapi.json")["components"]["schemas"]["DatasetForm"]["properties"]
    for name in options.keys() - {"file", "text"}:
        expect(page.locator(f"form.card [name={name}]")).to_be_visible()
        expect(
            page.locator("form.card small").filter(has=page.locator("code", has_text=re.compile(f"^{name}$")))
        ).to_be_visible()


def test_a_table_with_gaps_is_sent_as_its_refusal_says(page: Page) -> None:
    choose(page, "gaps")
    page.get_by_label("Target column").fill("y")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("missing=impute")).to_be_visible(timeout=20_000)
    page.get_by_role("combobox", name="Where values are missing").select_option("impute")
    page.get_by_label("At most so many examples").fill("50")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Stored as gaps")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("row").filter(has_text="gaps")).to_contain_text("50")


def test_a_file_is_sent_once_and_it_is_said_that_it_is_read(page: Page, service: Running) -> None:
    choose(page, "once", GAPS.replace("\n,", "\n7,"))
    page.get_by_label("Target column").fill("y")
    sent: list[str] = []
    page.on("request", lambda request: sent.extend([request.url] * (request.method == "POST")))
    send = page.get_by_role("button", name="Send")
    apis = service.processes("api")
    for api in apis:
        api.suspend()
    try:
        send.click()
        expect(page.get_by_text("is being read")).to_be_visible()
        expect(send).to_be_disabled()
        page.get_by_label("Target column").press("Enter")
        send.click(force=True)
        expect(page.get_by_text("is being read")).to_be_visible()
    finally:
        for api in apis:
            api.resume()
    expect(page.get_by_text("Stored as once")).to_be_visible(timeout=20_000)
    expect(send).to_be_enabled()
    assert len(sent) == 1
