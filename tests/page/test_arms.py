"""The editors of arms and of grids: what is typed stays, what is shown is posted, what is refused is marked."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.service


def written(page: Page) -> Any:
    """The spec that the form shows as JSON."""
    return json.loads(page.get_by_label("The spec as JSON").input_value())


@pytest.fixture
def grid(page: Page) -> Page:
    """The form with a grid of one field."""
    page.goto("/#/new")
    page.get_by_label("all combinations of fields").check()
    return page


def test_values_stay_when_their_field_gets_another_name(grid: Page) -> None:
    values = grid.get_by_label("Its values, with commas")
    values.fill("zeros, he_normal, lecun_normal")
    grid.get_by_label("Field 1").fill("schedule")
    grid.get_by_label("Field 1").press("Tab")
    expect(values).to_be_focused()
    expect(values).to_have_value("zeros, he_normal, lecun_normal")
    assert written(grid)["grid"] == {"schedule": ["zeros", "he_normal", "lecun_normal"]}


def test_a_field_does_not_take_the_name_of_another(grid: Page) -> None:
    grid.get_by_role("button", name="Add a field").click()
    grid.get_by_label("Its values, with commas").nth(1).fill("cosine")
    grid.get_by_label("Field 2").fill("initializer")
    grid.get_by_label("Field 2").press("Tab")
    expect(grid.locator("#told")).to_contain_text("initializer is a field of the grid already")
    expect(grid.get_by_label("Field 2")).to_have_value("schedule")
    assert written(grid)["grid"] == {"initializer": ["he_normal", "glorot_normal"], "schedule": ["cosine"]}


def test_what_is_posted_is_what_is_shown(grid: Page) -> None:
    grid.get_by_role("button", name="Add a field").click()
    expect(grid.get_by_label("Field 2")).to_have_value("schedule")
    with grid.expect_request(re.compile("/experiments$")) as posted:
        grid.get_by_role("button", name="Post it").click()
    sent: Any = posted.value.post_data_json
    assert sent["grid"] == {"initializer": ["he_normal", "glorot_normal"]}
    grid.wait_for_url("**/#/experiments/*")


def test_fields_that_are_added_after_all_that_are_offered_have_no_name_yet(grid: Page) -> None:
    for number in range(2, 13):
        grid.get_by_role("button", name="Add a field").click()
        expect(grid.get_by_label(f"Field {number}", exact=True)).to_be_visible()
    expect(grid.get_by_label("Field 12")).to_have_value("")
    grid.get_by_label("Field 12").fill("seed_of_mine")
    grid.get_by_label("Its values, with commas").nth(11).fill("1, 2")
    assert written(grid)["grid"]["seed_of_mine"] == [1, 2]


def test_lists_among_values_are_there_again(grid: Page) -> None:
    given = {"model.hidden": [[64, 64]], "dataset": ["a, b", "c"]}
    text = grid.get_by_label("The spec as JSON")
    text.fill(json.dumps({"grid": given}))
    values = grid.get_by_label("Its values, with commas")
    for number in range(2):
        values.nth(number).press_sequentially(" ")
    assert written(grid)["grid"] == given


def test_a_refused_setting_of_an_arm_and_refused_values_of_a_grid_are_marked(page: Page) -> None:
    page.goto("/#/new")
    page.get_by_label("initializer of arm 2").fill("he_norml")
    expect(page.get_by_label("initializer of arm 2")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("initializer of arm 1")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("all combinations of fields").check()
    page.get_by_label("Its values, with commas").fill("zeros, he_norml")
    expect(page.get_by_label("Its values, with commas")).to_have_attribute("aria-invalid", "true")


def test_the_focus_stays_near_an_arm_that_was_removed(page: Page) -> None:
    page.goto("/#/new")
    for number in (3, 1):
        page.get_by_role("button", name=f"Remove arm {number}").press("Enter")
        expect(page.get_by_role("button", name=f"Remove arm {number}")).to_have_count(number % 2 if number == 1 else 0)
        assert page.evaluate("document.activeElement.closest('fieldset') !== null")
    page.get_by_role("combobox", name="kind").select_option("external")
    page.get_by_role("button", name="Remove metric 1").press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Add a metric"
