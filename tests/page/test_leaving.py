"""The page when the service goes away, when an address is no address, and between its views."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.service.running import Running, spec, until

pytestmark = pytest.mark.service

WATCHED = """() => {
    const list = document.querySelector(".experiments");
    window.shown = "";
    new MutationObserver(() => (window.shown += list.textContent)).observe(list, { childList: true, subtree: true });
}"""
"""Keeps what the list shows from now on, however shortly."""


@pytest.fixture(scope="module", autouse=True)
def two(service: Running) -> tuple[int, int]:
    """Two experiments that have ended."""
    first, second = (service.post(spec(epochs=1, seeds=2) | {"name": name}) for name in ("kept here", "other one"))
    service.ended(first)
    service.ended(second)
    return first, second


@pytest.mark.parametrize("address", ["experiments", "workers", "new"])
def test_it_says_when_the_service_is_away_and_when_it_is_back(page: Page, address: str) -> None:
    page.goto(f"/#/{address}")
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    expect(page.locator("#told")).to_contain_text("The service does not answer", timeout=20_000)
    expect(page.get_by_text("This cannot be shown")).to_be_hidden()
    page.context.set_offline(False)
    expect(page.locator("#told")).to_contain_text("The service answers again", timeout=20_000)


@pytest.mark.parametrize("address", ["%", "%zz", "100%/x"])
def test_an_address_with_a_percent_sign_is_none(page: Page, address: str) -> None:
    page.goto(f"/#/{address}")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_the_focus_is_in_the_view_that_was_gone_to(page: Page) -> None:
    page.goto("/#/workers")
    expect(page.locator("h1")).to_be_visible()
    page.get_by_role("link", name="Experiments").click()
    expect(page.get_by_role("link", name="kept here").first).to_be_visible()
    expect(page.locator("main")).to_be_focused()


def test_filters_are_there_again_after_going_back(page: Page) -> None:
    page.goto("/#/experiments")
    page.get_by_role("searchbox", name="Name").fill("kept")
    page.get_by_label("Order").select_option("oldest")
    expect(page.locator("li.experiment")).to_have_count(1)  # others of the service have gone from the list
    page.get_by_role("searchbox", name="Name").fill("kept ")  # and before it is asked for again, one goes on
    page.get_by_role("link", name="kept here").click()
    expect(page.get_by_role("heading", name="kept here")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("searchbox", name="Name")).to_have_value("kept")
    expect(page.get_by_label("Order")).to_have_value("oldest")
    expect(page.get_by_role("link", name="kept here").first).to_be_visible()
    expect(page.get_by_role("link", name="other one")).to_be_hidden()


def test_ticks_are_there_again_after_going_back(page: Page) -> None:
    page.goto("/#/experiments?sort=oldest")
    for name in ("kept here", "other one"):
        page.get_by_role("checkbox", name=f"Compare {name}").first.check()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.get_by_role("heading", name="2 experiments side by side")).to_be_visible(timeout=20_000)
    page.go_back()
    expect(page.get_by_role("link", name="Compare 2")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Compare kept here").first).to_be_checked()
    page.get_by_role("checkbox", name="Compare kept here").first.uncheck()
    expect(page.get_by_role("link", name="Compare 1")).to_be_hidden()


def test_a_late_answer_to_an_earlier_filter_is_dropped(page: Page) -> None:
    held: list[Route] = []
    page.route(re.compile("[?&]name=kept"), lambda route: held.append(route))
    page.goto("/#/experiments")
    name = page.get_by_role("searchbox", name="Name")
    with page.expect_request(re.compile("[?&]name=kept")):
        name.fill("kept")
    name.fill("other one")
    expect(page.get_by_role("link", name="kept here")).to_have_count(0)
    expect(page.get_by_role("link", name="other one").first).to_be_visible()
    page.evaluate(WATCHED)
    with page.expect_response(re.compile("[?&]name=kept")):
        held[0].continue_()
    for _ in range(2):  # what is shown has been asked for anew since
        with page.expect_response(re.compile("[?&]name=other")):
            pass
    assert page.evaluate("window.shown").count("kept here") == 0


def test_several_side_by_side_say_which_are_left_out_or_gone(
    page: Page, service: Running, two: tuple[int, int]
) -> None:
    gone = service.post(spec(epochs=1, seeds=1))
    service.ended(gone)
    service.http.delete(f"/experiments/{gone}").raise_for_status()
    page.goto(f"/#/compare/{two[0]},{gone},{two[1]},{','.join(str(900 + i) for i in range(11))}")
    expect(page.get_by_role("heading", name="2 experiments side by side")).to_be_visible()
    expect(page.get_by_text("Of 14 that were chosen the first 12 are shown.")).to_be_visible()
    expect(page.get_by_text(f"There is no experiment #{gone}, #900")).to_be_visible()
    expect(page.locator(".plot canvas").first).to_be_visible()


def test_several_side_by_side_are_followed_to_their_end(page: Page, service: Running, two: tuple[int, int]) -> None:
    live = service.post(spec(epochs=600) | {"name": "followed"})
    until(lambda: service.get(f"/experiments/{live}")["progress"]["steps_done"])
    page.goto(f"/#/compare/{two[0]},{live}")
    row = page.get_by_role("row").filter(has_text="followed")
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("succeeded", timeout=60_000)


def test_what_was_cancelled_offers_no_second_try(page: Page, service: Running) -> None:
    made = service.post(spec(epochs=40_000))
    service.http.post(f"/experiments/{made}/cancel").raise_for_status()
    service.ended(made)
    assert service.http.post(f"/experiments/{made}/retry").status_code == 409
    page.goto(f"/#/experiments/{made}")
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_be_hidden()


def test_a_refusal_is_said_in_the_dialog_that_asked(page: Page, two: tuple[int, int], service: Running) -> None:
    page.goto(f"/#/experiments/{two[0]}")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(" ")
    service.http.patch(f"/experiments/{two[0]}", json={"notes": "somebody else"}).raise_for_status()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def test_names_are_set_apart_and_no_sentence_ends_inside_of_one(page: Page, service: Running) -> None:
    labels = ["v1. Adam", "שלום. A", "c"]
    arms = [
        {"label": label, "initializer": name}
        for label, name in zip(labels, ("he_normal", "zeros", "glorot_normal"), strict=True)
    ]
    made = service.post(spec(epochs=2) | {"arms": arms})
    service.ended(made)
    page.goto(f"/#/experiments/{made}/verdict")
    line = page.locator("#main > .verdict")
    expect(line).to_contain_text(re.compile(r"best mean validation accuracy .*\)\.$"))
    assert set(labels) >= set(line.locator("bdi").all_inner_texts()) > set()
    expect(page.get_by_role("region", name="Arms by").locator("bdi", has_text="שלום").first).to_be_visible()
