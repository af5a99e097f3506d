"""Links of pages as the manual has them."""

import pytest

from docs.manual.links import relinked

PAGES = {"docs/gpu.md": "gpu.md", "docs/decisions/README.md": "decisions/index.md", "README.md": "guide.md"}


@pytest.mark.parametrize(
    ("file", "text", "becomes"),
    [
        ("README.md", "[GPUs](docs/gpu.md#precision)", "[GPUs](gpu.md#precision)"),
        ("README.md", "[why](docs/decisions)", "[why](decisions/index.md)"),
        ("docs/decisions/README.md", "[the `guide`](../../README.md)", "[the `guide`](../guide.md)"),
        ("docs/gpu.md", "![a card](page/card.png)", "![a card](pictures/docs/page/card.png)"),
        ("docs/decisions/README.md", "![a](../card.svg)", "![a](../pictures/docs/card.svg)"),
        ("docs/gpu.md", "[record](../bench/records/soak.json)", "record"),
        ("docs/gpu.md", "[here](#state), [there](https://a.example/x)", "[here](#state), [there](https://a.example/x)"),
        ("docs/gpu.md", "`[a](b.md)` and\n```text\n[a](b.md)\n```\n", "`[a](b.md)` and\n```text\n[a](b.md)\n```\n"),
    ],
)
def test_a_link_leads_to_the_page_that_it_led_to(file: str, text: str, becomes: str) -> None:
    assert relinked(text, file, PAGES, lambda _: None) == becomes


def test_pictures_are_taken_along() -> None:
    taken: list[str] = []
    relinked("![a](page/a.png) [b](../bench/b.png) [c](c.json)", "docs/gpu.md", PAGES, taken.append)
    assert taken == ["docs/page/a.png", "bench/b.png"]
