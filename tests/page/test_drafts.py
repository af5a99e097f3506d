"""What is written in the form of a new experiment is kept, posted once, and never replaced unasked."""

import json
import re

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.service.running import Running, spec

pytestmark = pytest.mark.service


def test_a_post_whose_answer_was_lost_makes_one_experiment(page: Page, service: Running) -> None:
    before = service.get("/experiments")["total"]
    page.goto("/#/new")
    page.get_by_label("name", exact=True).first.fill("posted once")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort("internetdisconnected")

    page.route(re.compile("/experiments$"), lose, times=1)
    page.get_by_role("button", name="Post it").click()
    expect(page.locator("#told")).to_contain_text("The service does not answer", timeout=20_000)
    page.reload()  # which is what somebody may try
    page.get_by_role("button", name="Post it").click()
    page.wait_for_url("**/#/experiments/*")
    assert service.get("/experiments")["total"] == before + 1
    expect(
        page.get_by_role("tab", name="Curves")
    ).to_be_visible()  # and no form of before, which would be the same post
    page.goto("/#/new")
    with page.expect_request(re.compile("/experiments$")) as asked:
        page.get_by_role("button", name="Post it").click()
    assert asked.value.headers["idempotency-key"] not in keys, "another post is another experiment"


def test_what_is_half_written_is_replaced_only_when_it_may_be(page: Page, service: Running) -> None:
    made = service.post(spec(epochs=1) | {"name": "an original"})
    page.goto("/#/new")
    name = page.get_by_label("name", exact=True).first
    name.fill("half written")
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    page.goto(f"/#/experiments/{made}")
    page.get_by_role("button", name="Clone").click()
    assert "not posted" in asked[0]
    page.goto("/#/new")
    expect(name).to_have_value("half written")
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(f"/#/experiments/{made}")
    page.get_by_role("button", name="Clone").click()
    expect(name).to_have_value("an original")
    page.goto(f"/#/experiments/{made}")
    page.get_by_role("button", name="Clone").click()  # over what nobody has touched, without a question
    expect(name).to_have_value("an original")


def test_json_that_is_broken_is_there_again(page: Page) -> None:
    page.goto("/#/new")
    text = page.get_by_label("The spec as JSON")
    expect(text).to_have_value(re.compile("epochs"))
    text.fill('{"name": "half')
    page.goto("/#/catalog")
    expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()
    page.goto("/#/new")
    expect(text).to_have_value('{"name": "half')
    expect(page.locator(".notice", has_text="The JSON is broken")).to_be_visible()
    text.fill('{"name": "whole"}')
    expect(page.get_by_label("name", exact=True).first).to_have_value("whole")


@pytest.mark.parametrize(
    "given",
    [
        {"tags": "abc"},
        {"arms": 5},
        {"arms": [None]},
        {"grid": {"a": 1}},
        {"grid": 5},
        {"model": 5},
        {"model": {"name": 5}},
        {"repeat": 5},
        {"kind": "external", "arms": 5, "metrics": 7},
        {"seeds": {"from": "a"}},
    ],
    ids=json.dumps,
)
def test_of_json_of_a_wrong_shape_the_service_says_what_is_wrong(page: Page, given: dict[str, object]) -> None:
    page.goto("/#/new")
    text = page.get_by_label("The spec as JSON")
    expect(text).to_have_value(re.compile("epochs"))
    with page.expect_response(lambda answer: answer.url.endswith("/preview") and answer.status == 422) as refused:
        text.fill(json.dumps(given))
    first = refused.value.json()["errors"][0]["message"]
    expect(page.get_by_role("alert").filter(has_text="The service would refuse it")).to_contain_text(first)
    expect(page.locator(".notice", has_text="The JSON is broken")).to_be_hidden()


def test_tags_with_commas_stay_whole(page: Page, service: Running) -> None:
    tags = ['"q"', "a, b", "c"]
    made = service.post(spec(epochs=1) | {"tags": tags})
    page.goto(f"/#/experiments/{made}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("dialog").get_by_label("Notes").fill("changed")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".notes")).to_have_text("changed")
    assert service.get(f"/experiments/{made}")["tags"] == tags
    page.get_by_role("button", name="Clone").click()
    field = page.get_by_label("tags, with commas")
    expect(field).to_have_value('"\\"q\\"", "a, b", c')
    field.fill('"a, b", c , d')
    assert json.loads(page.get_by_label("The spec as JSON").input_value())["tags"] == ["a, b", "c", "d"]
