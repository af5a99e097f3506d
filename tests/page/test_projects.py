"""What is posted from the page goes to the project of what was cloned, or to the one that is chosen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.keys import create
from tests.service.running import Running, running, spec

pytestmark = pytest.mark.service

KEYS = {"admin": ("scope=admin",), "member": ("scope=submit",), "viewer": ("scope=submit",), "reader": ("scope=read",)}
TABLE = "a,b,y\n" + "".join(f"{i},{i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(60))


class Lab:
    """A service with keys and the project nlp, which its members alone see."""

    def __init__(self, service: Running, keys: dict[str, str], browser: Browser) -> None:
        self.service, self.keys, self.browser = service, keys, browser
        members = {"member": "member", "viewer": "viewer"}
        self.ask("POST", "/projects", json={"name": "nlp", "members": members})

    def ask(self, method: str, path: str, who: str = "admin", **sent: Any) -> Any:
        """The JSON answer to one who has a key."""
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.service.http.request(method, path, headers=headers, **sent).raise_for_status().json()

    def signed_in(self, who: str) -> BrowserContext:
        """A browser of somebody's."""
        context = self.browser.new_context(base_url=str(self.service.http.base_url))
        context.request.post("/session", headers={"Authorization": f"Bearer {self.keys[who]}"})
        return context


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    keys = {name: create(folder / "keys", name, words) for name, words in KEYS.items()}
    environment = {"INITLAB_DATA_DIR": str(folder / "data"), "INITLAB_API_KEYS_FILE": str(folder / "keys")}
    with running(environment, folder / "log") as service:
        yield Lab(service, keys, browser)


@pytest.fixture(scope="module")
def hidden(lab: Lab) -> int:
    """An experiment of the project."""
    return int(lab.ask("POST", "/experiments?project=nlp", json=spec(epochs=1), who="member")["id"])


def posted(page: Page, lab: Lab) -> Any:
    """Post what stands in the form, and return it."""
    page.get_by_role("button", name="Post it").click()
    page.wait_for_url("**/#/experiments/*")
    return lab.ask("GET", f"/experiments/{page.url.split('/experiments/')[1].split('/')[0]}")


def test_a_clone_goes_to_the_project_of_what_was_cloned(lab: Lab, hidden: int) -> None:
    with lab.signed_in("member") as context:
        page = context.new_page()
        page.goto(f"/#/experiments/{hidden}")
        page.get_by_role("button", name="Clone").click()
        expect(page.get_by_role("combobox", name="project")).to_have_value("nlp")
        page.reload()
        expect(page.get_by_role("combobox", name="project")).to_have_value("nlp")
        assert posted(page, lab)["project"] == "nlp"


def test_what_is_new_goes_to_the_project_that_is_chosen(lab: Lab) -> None:
    with lab.signed_in("member") as context:
        page = context.new_page()
        page.goto("/#/new")
        project = page.get_by_role("combobox", name="project")
        expect(project).to_have_value("default")
        with page.expect_request(lambda request: "/preview?project=nlp" in request.url):
            project.select_option("nlp")
        assert posted(page, lab)["project"] == "nlp"


def test_who_may_not_post_to_the_project_of_what_was_cloned_has_to_choose_one(lab: Lab, hidden: int) -> None:
    with lab.signed_in("viewer") as context:
        page = context.new_page()
        page.goto(f"/#/experiments/{hidden}")
        page.get_by_role("button", name="Clone").click()
        page.get_by_role("button", name="Post it").click()
        expect(page.locator("#told")).to_contain_text("you may not post to nlp: choose one")
        page.get_by_role("combobox", name="project").select_option("default")
        assert posted(page, lab)["project"] == "default"


def test_commands_that_post_it_again_name_its_project(lab: Lab, hidden: int) -> None:
    with lab.signed_in("member") as context:
        page = context.new_page()
        page.goto(f"/#/experiments/{hidden}/spec")
        for way, said in (("curl", "/experiments?project=nlp "), ("Python", ', project="nlp").submit')):
            page.get_by_role("combobox", name="As").select_option(way)
            expect(page.locator("pre")).to_contain_text(said)


def test_a_key_that_may_only_read_sees_no_form(lab: Lab) -> None:
    with lab.signed_in("reader") as context:
        page = context.new_page()
        page.goto("/#/new")
        expect(page.get_by_text("Your key may read, and post nothing")).to_be_visible()
        expect(page.get_by_role("button", name="Post it")).to_have_count(0)


def test_a_data_set_is_sent_to_a_project_also_by_who_has_to_sign_in_again(lab: Lab) -> None:
    with lab.signed_in("member") as context:
        page = context.new_page()
        page.goto("/#/datasets")
        page.get_by_label("A table (CSV").set_input_files(
            {"name": "kept.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
        )
        page.get_by_text("Name, and how to read it").click()
        page.get_by_label("Target column").fill("y")
        page.get_by_role("combobox", name="project").select_option("nlp")
        context.clear_cookies()
        page.get_by_role("button", name="Send").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert "Bearer" not in page.locator("body").inner_text()
        dialog.get_by_label("API key").fill(lab.keys["member"])
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_label("Target column")).to_have_value("y")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Stored as kept")).to_be_visible(timeout=30_000)
        assert lab.ask("GET", "/datasets/kept")["project"] == "nlp"
        page.get_by_role("link", name="kept").first.click()
        page.get_by_role("button", name="Use in an experiment").click()
        expect(page.get_by_role("combobox", name="project")).to_have_value("nlp")
        expect(page.get_by_text(" runs, ")).to_be_visible(timeout=30_000)
