"""An experiment that is watched: what was opened, focused or chosen stays so, and what is shown says what it is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.page.test_numbers import elsewhere
from tests.service.running import Running, spec

pytestmark = pytest.mark.service


@pytest.fixture
def long(service: Running) -> Iterator[int]:
    """An experiment that trains, with as many warnings as are folded away at first."""
    arms = [{"label": f"slow {i}", "optimizer.lr": i * 1e-9} for i in range(1, 4)]
    made = service.post(spec(epochs=40_000) | {"arms": arms, "name": "watched for long"})
    service.training(made)
    yield made
    service.http.post(f"/experiments/{made}/cancel")
    service.ended(made)


def test_warnings_stay_open_while_it_trains(page: Page, long: int) -> None:
    page.goto(f"/#/experiments/{long}")
    warnings = page.locator("details.notice")
    expect(warnings).not_to_have_attribute("open", "")
    page.get_by_text("3 warnings").click()
    facts = page.locator(".head p.muted").first
    for _ in range(2):
        before = facts.inner_text()
        expect(facts).not_to_have_text(before, timeout=20_000)
    expect(warnings).to_have_attribute("open", "")


def test_the_focus_stays_on_the_buttons_that_are_pressed(page: Page, long: int) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/#/experiments/{long}")
    for pressed, then in (("Pause", "Resume"), ("Resume", "Pause")):
        page.get_by_role("button", name=pressed).press("Enter")
        expect(page.get_by_role("button", name=then)).to_be_focused(timeout=20_000)
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=20_000)
    assert page.evaluate("document.activeElement.closest('.buttons') !== null")


def test_second_trainings_are_told_apart(page: Page, service: Running) -> None:
    made = service.post(spec(epochs=1, seeds=1) | {"repeat": {"rounding": True}})
    service.ended(made)
    page.goto(f"/#/experiments/{made}/runs")
    for said in ("first", "again, with other rounding"):
        expect(page.get_by_role("cell", name=said, exact=True)).to_have_count(2)


def test_of_many_runs_more_are_shown(page: Page, service: Running) -> None:
    asked = {"kind": "external", "arms": [{"label": "a"}, {"label": "b"}], "seeds": 300}
    made = service.post(asked | {"metrics": [{"name": "score", "direction": "max"}]})
    page.goto(f"/#/experiments/{made}/runs")
    expect(page.get_by_text("The first 500 of 600 runs.")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("600 runs.", exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="Runs").get_by_role("row")).to_have_count(601)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_without_any_arm_pictures_say_why_there_are_none(page: Page, service: Running) -> None:
    made = elsewhere(service, A=[0.5, 0.6], B=[0.7, 0.8])
    for tab in ("pictures", "verdict"):
        page.goto(f"/#/experiments/{made}/{tab}")
        page.reload()
        expect(page.locator("img.picture").first).to_be_visible()
        for arm in ("A", "B"):
            page.get_by_role("group", name="Arms").get_by_label(arm, exact=True).uncheck()
        expect(page.get_by_text("The picture comparison shows no arm: choose one.")).to_be_visible()
        expect(page.locator("img.picture:visible")).to_have_count(0)
        expect(page.get_by_role("link", name="PNG")).to_have_count(0)
        page.get_by_role("group", name="Arms").get_by_label("A", exact=True).check()
        expect(page.locator("img.picture").first).to_be_visible()
        expect(page.get_by_text("shows no arm").filter(visible=True)).to_have_count(0)


def test_one_arm_has_no_picture_of_differences(page: Page, service: Running) -> None:
    for arms, pictures in ({"A": [0.5, 0.6]}, 0), ({"A": [0.5, 0.6], "B": [0.7, 0.8]}, 1):
        made = elsewhere(service, **arms)
        page.goto(f"/#/experiments/{made}/verdict")
        expect(page.get_by_role("img", name="The picture comparison").first).to_be_visible(timeout=20_000)
        expect(page.get_by_role("img", name="The picture forest")).to_have_count(pictures)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([-0.5, 0.5], ["Faint lines are seeds", "6 values are not positive"]),
        ([-0.5, -1.5], ["There is nothing to draw on a logarithmic scale", "8 values are not positive"]),
    ],
)
def test_a_logarithmic_scale_says_what_it_leaves_out(
    page: Page, service: Running, values: list[float], said: list[str]
) -> None:
    made = elsewhere(service, A=values, B=[-1.0, -2.0])
    page.goto(f"/#/experiments/{made}/curves")
    page.get_by_label("Scale ↑").select_option("log")
    for one in said:
        expect(page.get_by_text(one)).to_be_visible()
    page.get_by_label("Scale ↑").select_option("linear")
    expect(page.get_by_text("not positive")).to_have_count(0)


def test_what_is_open_follows_the_colours_of_the_system(page: Page, service: Running) -> None:
    made = elsewhere(service, A=[0.5, 0.6], B=[0.7, 0.8])
    page.emulate_media(color_scheme="light")
    page.goto(f"/#/experiments/{made}/curves")
    expect(page.locator(".plot canvas").first).to_be_visible()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "Bokeh.documents.some((one) => one.roots().some((root) => root.background_fill_color === '#12171e'))"
    )
    page.goto("/#/experiments")
    line = page.locator("svg.sparkline polyline").first
    expect(line).to_have_css("stroke", "rgb(86, 180, 233)")
    for colour in ("rgb(0, 114, 178)", "rgb(86, 180, 233)"):  # light, dark
        page.get_by_title("Colours: as the system, light or dark").click()
        expect(line).to_have_css("stroke", colour)


def test_the_title_says_what_is_shown(page: Page, service: Running) -> None:
    made: Any = service.post(spec(epochs=1) | {"name": "called so"})
    page.goto("/#/workers")
    expect(page).to_have_title("initlab: workers")
    page.goto("/#/nowhere")
    expect(page).to_have_title("initlab: nothing here")
    page.goto(f"/#/experiments/{made}")
    expect(page).to_have_title("initlab: called so")
    service.http.patch(f"/experiments/{made}", json={"name": "called otherwise"}).raise_for_status()
    expect(page).to_have_title("initlab: called otherwise", timeout=20_000)
    page.goto("/#/experiments/99999")
    expect(page).to_have_title(re.compile("cannot be shown"))
