"""A browser gets in with a key where the service has keys, and out again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.keys import create
from tests.page.conftest import violations
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service


KEYS = {"student": (), "another": ("scope=submit",), "reader": ("scope=read",)}
"""Those that the service has, and what limits them."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The file of the keys, and the keys."""
    file = tmp_path_factory.mktemp("keys") / "keys"
    return file, {name: create(file, name, words) for name, words in KEYS.items()}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, dict[str, str]]) -> Iterator[tuple[Running, str]]:
    """Yield a service that needs a key, and the student's."""
    folder = tmp_path_factory.mktemp("keyed")
    environment = {"INITLAB_DATA_DIR": str(folder / "data"), "INITLAB_API_KEYS_FILE": str(keys[0])}
    with running(environment, folder / "log") as service:
        yield service, keys[1]["student"]


def test_who_signs_in_with_a_key_works_until_signing_out(keyed: tuple[Running, str], browser: Browser) -> None:
    service, key = keyed
    with browser.new_context(base_url=str(service.http.base_url)) as context:
        page = context.new_page()
        page.goto("/")
        dialog = page.get_by_role("dialog")
        for wrong in ("initlab_student_wrong", "initlab_schüler_ключ", "two words"):
            dialog.get_by_label("API key").fill(wrong)
            dialog.get_by_role("button", name="Sign in").click()
            expect(dialog.get_by_text("This is not a key of the service")).to_be_visible()
            dialog.get_by_role("alert").evaluate("notice => (notice.hidden = true)")
        dialog.get_by_label("API key").fill(key)
        dialog.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("No experiment yet.")).to_be_visible()
        [cookie] = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert key not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        page.get_by_role("link", name="New experiment").click()
        page.get_by_role("button", name="Post it").click()
        expect(page.get_by_text("by student")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert context.request.get("/experiments").status == 401


def test_a_link_opens_an_experiment_to_who_has_no_key(keyed: tuple[Running, str], browser: Browser) -> None:
    service, key = keyed
    sent = {"Authorization": f"Bearer {key}"}
    posted = [service.http.post("/experiments", json=spec(epochs=1), headers=sent).json()["id"] for _ in range(2)]
    with browser.new_context(base_url=str(service.http.base_url)) as context:
        context.request.post("/session", headers=sent)
        page = context.new_page()
        page.goto(f"/#/experiments/{posted[0]}")
        page.get_by_role("button", name="Share").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Open for").select_option("an hour")
        dialog.get_by_role("button", name="Make a link").click()
        address = dialog.get_by_label("The link").input_value()
        assert violations(page) == []
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("h1")).to_contain_text("test", timeout=20_000)
        expect(page.get_by_text("Read-only link until")).to_be_visible()
        assert page.url.endswith(f"#/experiments/{posted[0]}/curves")
        expect(page.get_by_role("tab", name="Verdict")).to_be_visible()
        for name in ("Cancel", "Edit", "Clone", "Share", "Delete"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        page.get_by_role("tab", name="History").click()
        expect(page.get_by_role("table", name="What happened to it")).to_be_visible()
        until(lambda: service.http.get(f"/experiments/{posted[0]}", headers=sent).json()["status"] == "succeeded")
        page.get_by_role("tab", name="Download").click()
        links = [str(one.get_attribute("href")) for one in page.get_by_role("tabpanel").get_by_role("link").all()]
        assert {link: context.request.get(f"{service.http.base_url}{link}").status for link in links} == dict.fromkeys(
            links, 200
        )
        for elsewhere in (f"experiments/{posted[1]}", "workers", "experiments"):
            page.goto(f"{service.http.base_url}/#/{elsewhere}")
            expect(page.get_by_text(f"#{posted[0]} ·")).to_be_visible()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}x")
        expect(page.get_by_text("this link has ended: ask for another one")).to_be_visible()


def test_who_may_not_change_an_experiment_is_offered_no_change_of_it(
    keyed: tuple[Running, str], keys: tuple[Path, dict[str, str]], browser: Browser
) -> None:
    service, key = keyed
    made = service.http.post("/experiments", json=spec(epochs=1), headers={"Authorization": f"Bearer {key}"}).json()
    for name, clones in (("reader", 0), ("another", 1)):
        with browser.new_context(base_url=str(service.http.base_url)) as context:
            context.request.post("/session", headers={"Authorization": f"Bearer {keys[1][name]}"})
            page = context.new_page()
            page.goto(f"/#/experiments/{made['id']}")
            expect(page.get_by_text(f"#{made['id']} ·")).to_be_visible()
            expect(page.get_by_role("button", name="Clone")).to_have_count(clones)
            expect(page.get_by_role("link", name="New")).to_have_count(clones)
            for button in ("Cancel", "Pause", "Edit", "Share", "Delete"):
                expect(page.get_by_role("button", name=button)).to_have_count(0)
