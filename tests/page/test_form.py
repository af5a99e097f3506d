"""The form of a new experiment has what a spec may have, and writes what is chosen in it."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.service.running import Running

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
