"""The form of a new experiment has what a spec may have, and writes what is chosen in it."""

import json
import re

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.service.running import Running, spec

pytestmark = pytest.mark.service


def test_the_form_has_every_field_of_a_spec_and_writes_what_is_chosen(page: Page, service: Running) -> None:
    page.goto("/#/new")
    for part in ("Verdict", "What is measured and kept", "Where and how fast it is trained", "Training"):
        page.get_by_text(part, exact=True).click()
    spec_of = service.get("/openapi.json")["components"]["schemas"]["Spec"]["properties"]
    elsewhere = {"arms", "grid", "plugins", "lr_range", "batch_size_scan", "coordinate_check"}
    entries = {name for name in spec_of if spec_of[name].get("$ref", "").endswith(("/Dataset", "/Model", "/Optimizer"))}
    entries |= {"schedule", "initializer", "tags", "seeds"}
    for name in spec_of.keys() - elsewhere - entries:
        roles = [page.get_by_role(role, name=name, exact=True) for role in ("textbox", "combobox", "group")]
        expect(roles[0].or_(roles[1]).or_(roles[2])).to_be_visible()

    page.get_by_role("combobox", name="which").select_option("adaptive")
    page.get_by_label("to", exact=True).fill("10")
    page.get_by_label("margin", exact=True).fill("0.01")
    vary = page.get_by_role("group", name="vary", exact=True)
    vary.get_by_label("order").check()
    vary.get_by_label("init").check()
    page.get_by_role("group", name="keep", exact=True).get_by_label("best").check()
    repeat = page.get_by_role("group", name="repeat", exact=True)
    repeat.get_by_label("give it").check()
    stopping = page.get_by_role("group", name="early_stopping", exact=True)
    stopping.get_by_label("give it").check()
    stopping.get_by_label("patience").fill("2")
    text = page.get_by_label("The spec as JSON")
    written = json.loads(text.input_value())
    chosen = {"seeds": {"from": 5, "to": 10}, "margin": 0.01, "vary": ["init", "order"], "keep": ["best"]}
    chosen |= {"repeat": {"rounding": True}, "early_stopping": {"patience": 2}}
    assert chosen.items() <= written.items()
    expect(page.get_by_text("The service would refuse it")).to_be_hidden()
    repeat.get_by_label("give it").uncheck()
    assert "repeat" not in json.loads(text.input_value())

    page.get_by_role("combobox", name="kind").select_option("lr_range_test")
    page.get_by_role("group", name="lr_range", exact=True).get_by_label("steps").fill("50")
    assert json.loads(text.input_value())["lr_range"] == {"steps": 50}
    page.get_by_role("combobox", name="kind").select_option("external")
    expect(page.get_by_text("trained elsewhere: they wait for points")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Start again").click()


def test_broken_json_is_not_posted_and_says_where_it_breaks(page: Page, service: Running) -> None:
    page.goto("/#/new")
    text = page.get_by_label("The spec as JSON")
    expect(text).to_have_value(re.compile('"epochs": 10'))
    before = service.get("/experiments")["total"]
    text.fill('{\n  "name": "half",\n  "epochs": 1,,\n}')
    expect(page.get_by_text(re.compile("The JSON is broken: .*line 3"))).to_be_visible()
    page.get_by_role("button", name="Post it").click()
    expect(page.locator("#told")).to_contain_text("Nothing is posted until it is mended")
    expect(text).to_be_focused()
    assert page.url.endswith("#/new")
    assert service.get("/experiments")["total"] == before
    text.fill("[1]")
    expect(page.get_by_text("a spec is an object")).to_be_visible()
    text.fill('{"name": "whole"}')
    expect(page.locator(".notice", has_text="The JSON is broken")).to_be_hidden()
    page.get_by_role("button", name="Start again").click()


def test_a_text_may_look_like_a_number_and_what_was_typed_comes_back(page: Page) -> None:
    page.goto("/#/new")
    text = page.get_by_label("The spec as JSON")
    page.get_by_text("Where and how fast it is trained", exact=True).click()
    page.get_by_label("queue", exact=True).fill("1")
    assert json.loads(text.input_value())["queue"] == "1"
    page.get_by_label("queue", exact=True).fill("")
    page.get_by_label("all combinations of fields").check()
    page.get_by_label("Its values, with commas").fill("zeros, lecun_normal")
    page.get_by_label("arms one by one").check()
    assert json.loads(text.input_value())["arms"][2] == {"initializer": "he_normal"}
    page.get_by_label("all combinations of fields").check()
    assert json.loads(text.input_value())["grid"] == {"initializer": ["zeros", "lecun_normal"]}
    page.get_by_role("button", name="Start again").click()


@pytest.mark.parametrize("kind", ["lr_range_test", "batch_size_scan", "coordinate_check"])
def test_what_a_kind_begins_with_is_accepted(page: Page, kind: str) -> None:
    page.goto("/#/new")
    page.get_by_role("combobox", name="kind").select_option(kind)
    expect(page.get_by_text(re.compile("runs, [0-9,]+ updates|The service would refuse it"))).to_contain_text("updates")
    page.get_by_role("combobox", name="kind").select_option("")
    assert "target" not in json.loads(page.get_by_label("The spec as JSON").input_value())
    page.get_by_role("button", name="Start again").click()


def test_an_entry_begins_with_what_it_must_be_given(page: Page) -> None:
    page.goto("/#/new")
    page.get_by_role("combobox", name="Schedule", exact=True).select_option("step")
    assert json.loads(page.get_by_label("The spec as JSON").input_value())["schedule"] == {
        "name": "step",
        "step_size": 3,
    }
    expect(page.get_by_text("The service would refuse it")).to_be_hidden()
    page.get_by_role("button", name="Start again").click()


@pytest.mark.parametrize(
    "address",
    [
        "schedules/noam",
        "initializers/delta_orthogonal",
        "models/lenet5",
        "optimizers/lion",
        "layers/group_norm",
        "datasets/two_spirals",
    ],
)
def test_the_catalogue_shows_a_picture_of_what_must_be_given_parameters(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    with page.expect_request(lambda request: "/previews/" in request.url) as asked:
        page.goto(f"/#/catalog/{address}")
    assert asked.value.url.endswith("?theme=dark")
    expect(page.locator("img.picture")).to_be_visible(timeout=20_000)


def test_a_layer_of_the_catalogue_is_written_as_a_list_has_it(page: Page, service: Running) -> None:
    page.goto("/#/catalog/layers/conv2d")
    expect(page.locator("img.picture")).to_be_visible(timeout=20_000)
    with page.expect_request(lambda request: "/previews/layer" in request.url) as drawn:
        page.get_by_label("kernel_size").fill("5")
    written = json.loads(page.locator("form pre").inner_text())
    assert written == {"conv2d": {"filters": 8, "kernel_size": 5}}
    assert json.loads(drawn.value.post_data or "")["layer"] == written
    model = {"name": "sequential", "layers": [written, "flatten", {"dense": "outputs"}]}
    assert service.http.post("/experiments/preview", json={"dataset": "digits", "model": model}).status_code == 200


def test_what_is_not_here_says_how_to_get_it(page: Page) -> None:
    page.goto("/#/catalog/datasets/kmnist")
    expect(page.locator(".notice")).to_contain_text("initlab datasets fetch kmnist")


def test_a_plot_of_the_catalogue_is_of_the_newest_experiment_that_has_it(page: Page, service: Running) -> None:
    page.goto("/#/catalog/plots/batch_size")
    expect(page.get_by_text("No experiment here has it yet.")).to_be_visible()
    made = service.post(spec(epochs=1))
    service.ended(made)
    page.goto("/#/catalog/plots/loss")
    expect(page.locator("img.picture")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name=f"experiment {made}")).to_be_visible()
    with page.expect_request(lambda request: f"/experiments/{made}/plots/loss.png?first=5" in request.url):
        page.get_by_label("first").fill("5")
    assert page.locator("form pre").inner_text() == "/experiments/{id}/plots/loss.png?first=5"


def test_numbers_of_yaml_are_numbers(page: Page) -> None:
    page.goto("/#/experiments")
    given = {"eps": 1e-8, "most": 1e30, "half": 1.5e-7, "lr": 0.1, "steps": 12}
    text = page.evaluate("async (spec) => (await import('/page/spec.js')).asYaml(spec)", given)
    assert yaml.safe_load(text) == given
