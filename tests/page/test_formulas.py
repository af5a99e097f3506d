"""Formulas of the catalogue as a browser draws them: what is raised and lowered, and where a phone breaks them."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.running import Running

pytestmark = [pytest.mark.service, pytest.mark.slow]

KINDS = ("initializers", "schedules", "optimizers", "models", "layers")
"""Kinds whose formulas are no sentences."""
WRITTEN = """async (text) => {
  const { formula } = await import("/page/formula.js");
  const scripts = { msub: ["_"], msup: ["^"], msubsup: ["_", "^"] };
  const of = (node) => {
    const inside = [...node.childNodes].map(of), signs = scripts[node.localName];
    return signs ? inside[0] + signs.map((one, index) => `${one}{${inside[index + 1]}}`).join("")
      : node.localName === "mspace" ? " " : node.nodeType === Node.TEXT_NODE ? node.data : inside.join("");
  };
  return of(formula(text)).replace(/\\s+/g, " ").trim();
}"""
"""The formula of a text, its powers and indices in braces."""
DRAWN = """async (texts) => {
  const { formula } = await import("/page/formula.js");
  return texts.map((text) => {
    const place = document.createElement("div"), lines = [];
    place.className = "formula";
    place.append(formula(text));
    document.querySelector("main").replaceChildren(place);
    let right = Infinity;
    for (const one of place.querySelectorAll("math")) {
      const { left } = one.getBoundingClientRect();
      if (left < right) lines.push([]);
      lines.at(-1).push(one.textContent);
      right = left;
    }
    return { wide: place.scrollWidth > place.clientWidth, lines: lines.map((line) => line.join(" ")),
             signs: [...place.querySelectorAll("mo")].map((one) => one.textContent) };
  });
}"""
"""Of each text whether it scrolls sideways, its lines as they are broken, and its signs."""


def opened(page: Page, width: int = 1200) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/#/catalog")
    expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()


def formulas(service: Running) -> dict[str, str]:
    found = {kind: service.get(f"/catalog/{kind}")["items"] for kind in KINDS}
    return {f"{kind}/{one['name']}": one["formula"] for kind, items in found.items() for one in items}


def test_powers_and_indices_are_of_all_that_is_in_their_brackets(page: Page) -> None:
    opened(page)
    written = {
        "T_(i-1)": "T_{i−1}",
        "mu_(t+1)·m": "μ_{t+1}·m",
        "v_(t-1)^2": "v_{t−1}^{2}",
        "x^2_(i+1)": "x_{i+1}^{2}",
        "b1^(t+1)": "β_{1}^{t+1}",
        "B · (1 + t / knee) ^ -power": "B · (1 + t / knee)^{−power}",
        "m_mul^i": "m_{mul}^{i}",
        "x^(n_(i+1) - 1)": "x^{n_{i+1} − 1}",
        "(1 - u)^(k-1)": "(1 − u)^{k−1}",
        "B·gamma^(number of milestones that are <= t)": "B·γ^{number of milestones that are ≤ t}",
        "y_(c·m + i) = b_(c·m + i)": "y_{c·m + i} = b_{c·m + i}",
        "(scale·first + second·third / other + more)^power": "(scale·first + second·third / other + more)^{power}",
        "prod_k(B_k), log2 n": "∏_{k}(B_{k}), log_{2} n",
        "the model's constructor, then toString": "the model's constructor, then toString",
        "5x5 at t // 2 of a row, `patience` of a and b": "5×5 at t // 2 of a row, patience of a and b",
    }
    assert {text: page.evaluate(WRITTEN, text) for text in written} == written


def test_words_are_no_signs_and_articles_no_letters(page: Page) -> None:
    opened(page)
    page.evaluate(DRAWN, ["(fan_in + fan_out) in a row, of a and b"])
    assert page.locator("mi").all_text_contents() == ["fan_in", "fan_out", "in", "a row", "of", "a", "and", "b"]
    bracket = page.locator("mo").first  # a sum of words in brackets stands no further from them than one of letters
    gap = "(one) => one.nextSibling.getBoundingClientRect().left - one.getBoundingClientRect().right"
    assert bracket.evaluate(gap) < 1


@pytest.mark.parametrize("width", [1200, 360])
def test_no_formula_of_the_catalogue_scrolls_sideways(page: Page, service: Running, width: int) -> None:
    texts = formulas(service)
    opened(page, width)
    drawn = dict(zip(texts, page.evaluate(DRAWN, [*texts.values()]), strict=True))
    assert [name for name, one in drawn.items() if one["wide"]] == []
    assert [name for name, one in drawn.items() if {"_", "^"} & {*one["signs"]}] == []


def test_a_long_formula_is_broken_where_it_disturbs_least(page: Page, service: Running) -> None:
    opened(page, 360)

    def lines(name: str) -> list[str]:
        (drawn,) = page.evaluate(DRAWN, [service.get(f"/catalog/optimizers/{name}")["formula"]])
        found: list[str] = drawn["lines"]
        return ["".join(line.split()) for line in found]

    adam = lines("adam")
    assert adam[:3] == ["g+=weight_decay·w", "m=β1·m+(1−β1)·g,", "v=β2·v+(1−β2)·g²"]
    assert adam[3].startswith("w−=lr·(m")
    assert adam[-1] == "withamsgradthelargestvsofar"
    for line in [*adam, *lines("nadam"), *lines("schedule_free_adamw")]:
        assert not line.endswith(("=", "+", "/", "·")) or line == "w−=", line  # a sign stands with what follows it


def test_a_term_that_is_longer_than_the_screen_scrolls_in_its_box(page: Page) -> None:
    opened(page, 360)
    texts = ["w = " + "_".join(["very"] * 20), "w = " + " + ".join(["very_long"] * 20)]
    drawn: list[Any] = page.evaluate(DRAWN, texts)
    assert [one["wide"] for one in drawn] == [True, False]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
