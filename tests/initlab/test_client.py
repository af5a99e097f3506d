"""The client and its experiments against canned answers of the contract."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from initlab import Client, Experiment, SpecError


def test_a_list_is_read_page_by_page(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, {"items": [experiment], "next": "abc=="})
    server.answer(200, {"items": [experiment | {"id": 8}], "next": None})
    found = Client().experiments(tag="a & b")
    assert server.asked == []
    assert [one.id for one in found] == [7, 8]
    assert [parse_qsl(urlsplit(asked.path).query) for asked in server.asked] == [
        [("tag", "a & b")],
        [("tag", "a & b"), ("cursor", "abc==")],
    ]


def test_a_preview_posts_nothing_but_a_question(server: Any, preview: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"seeds": 3}')
    server.answer(200, preview)
    assert Client().preview(tmp_path / "spec.json") == Client().preview({"seeds": 3}) == preview
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [
        ("POST", "/experiments/preview", {"seeds": 3})
    ] * 2
    assert "Idempotency-Key" not in server.asked[0].headers


def test_waiting_polls_until_the_end_and_tells_of_each_look(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "queued"})
    for status in ("queued", "running", "succeeded"):
        server.answer(200, experiment | {"status": status})
    seen: list[str] = []
    found = Client().experiment(7).wait(lambda one: seen.append(one.status))
    assert found.finished
    assert seen == ["queued", "running", "succeeded"]


def test_what_has_not_changed_is_not_sent_again(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "running"})
    server.answer(200, experiment | {"status": "running"}, ETag='"1"')
    server.answer(304)
    server.answer(200, experiment, ETag='"2"')
    assert Client().experiment(7).wait().status == "succeeded"
    assert [asked.headers.get("If-None-Match") for asked in server.asked] == [None, None, '"1"', '"1"']


def test_waiting_ends_at_its_timeout(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "running"})
    with pytest.raises(TimeoutError, match=r"running after 0\.2 s"):
        Client().experiment(7).wait(timeout=0.2)


def test_metrics_are_asked_for_by_name(server: Any, experiment: dict[str, Any]) -> None:
    series = [{"run_id": 1, "arm": "a/b", "seed": 0, "metric": "lr", "unit": "step", "steps": [0], "values": [None]}]
    server.answer(200, experiment)
    server.answer(200, {"series": series})
    assert Client().experiment(7).metrics(["lr", "train_loss"], arm="a/b", seed=0, max_points=10) == series
    asked = urlsplit(server.asked[1].path)
    assert asked.path == "/experiments/7/metrics"
    assert parse_qsl(asked.query) == [
        ("metric", "lr"), ("metric", "train_loss"), ("arm", "a/b"), ("seed", "0"), ("max_points", "10")
    ]  # fmt: skip


def test_a_report_is_for_programs_or_for_people(
    server: Any, experiment: dict[str, Any], report: dict[str, Any]
) -> None:
    server.answer(200, experiment)
    server.answer(200, report)
    server.answer(200, "# naïve".encode(), Content_Type="text/markdown; charset=utf-8")
    found = Client().experiment(7)
    assert found.report("valid_loss", margin=0.1, alpha=0.01).headline == "Decided: [red]<b>; open: nothing."
    assert found.report_markdown() == "# naïve"
    server.answers.clear()
    server.answer(200, b"<!doctype html>", Content_Type="text/html; charset=utf-8")
    assert found.report_html("loss_area") == "<!doctype html>"
    accepted = [asked.headers["Accept"] for asked in server.asked[1:]]
    assert accepted == ["application/json", "text/markdown", "text/html"]
    assert server.asked[3].path == "/experiments/7/report?metric=loss_area"
    assert server.asked[1].path == "/experiments/7/report?metric=valid_loss&margin=0.1&alpha=0.01"


def test_cancelling_shows_the_new_state(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "running"})
    server.answer(202, experiment | {"status": "running", "cancelling": True})
    server.answer(200, experiment | {"status": "cancelled"})
    found = Client().experiment(7).cancel()
    assert (found.status, found.data["cancelling"]) == ("running", True)
    assert found.wait().status == "cancelled"
    assert (server.asked[1].method, server.asked[1].path) == ("POST", "/experiments/7/cancel")


def test_pausing_resuming_and_trying_again_show_the_new_state(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "running"})
    server.answer(202, experiment | {"status": "running", "paused": True})
    server.answer(202, experiment | {"status": "queued"})
    server.answer(202, experiment | {"status": "running"})
    found = Client().experiment(7)
    assert not found.paused
    assert found.pause().paused
    assert (found.resume().status, found.paused) == ("queued", False)
    assert found.retry().status == "running"
    assert [asked.path for asked in server.asked[1:]] == [
        f"/experiments/7/{what}" for what in ("pause", "resume", "retry")
    ]


def test_a_history_is_read_page_by_page(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(200, {"items": [{"id": 1}], "next": 1})
    server.answer(200, {"items": [{"id": 2}], "next": None})
    assert [event["id"] for event in Client().experiment(7).history()] == [1, 2]
    assert server.asked[-1].path == "/experiments/7/history?cursor=1"


def test_the_name_of_a_picture_is_quoted(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(200, b"\x89PNG")
    assert Client().experiment(7).plot("a/../b") == b"\x89PNG"
    assert server.asked[1].path == "/experiments/7/plots/a%2F..%2Fb.png"


@pytest.mark.parametrize(
    ("known", "drawn"),
    [(["accuracy", "comparison", "loss"], "comparison"), (["loss", "lr_range"], "lr_range")],
    ids=["a comparison", "a range test"],
)
def test_the_picture_without_a_name_is_that_of_the_outcome(
    server: Any, experiment: dict[str, Any], known: list[str], drawn: str
) -> None:
    server.answer(200, experiment)
    server.answer(200, {"items": [{"name": name} for name in known]})
    server.answer(200, b"\x89PNG")
    assert Client().experiment(7).plot() == b"\x89PNG"
    assert server.asked[2].path == f"/experiments/7/plots/{drawn}.png"


def test_the_catalogue_is_asked_for_whole_or_by_entry(server: Any) -> None:
    server.answer(200, {})
    Client().catalog()
    Client().catalog("initializers", "he normal")
    assert [asked.path for asked in server.asked] == ["/catalog", "/catalog/initializers/he%20normal"]
    with pytest.raises(ValueError, match="kind"):
        Client().catalog(name="he_normal")


def test_previews(server: Any) -> None:
    server.answer(200, {"lr": [0.1, 0.05]})
    assert Client().preview_schedule("cosine", lr=0.1, steps=2) == [0.1, 0.05]
    assert server.asked[0].body == {"schedule": "cosine", "lr": 0.1, "steps": 2, "steps_per_epoch": 1}
    Client().preview_initializer({"name": "constant", "value": 1.0}, (3, 2))
    assert server.asked[1].body["shape"] == [3, 2]
    Client().preview_signal(("he_normal", {"name": "constant", "value": 1.0}), model="lenet5", seeds=2)
    asked = {"initializers": ["he_normal", {"name": "constant", "value": 1.0}], "model": "lenet5", "seeds": 2}
    assert (server.asked[2].path, server.asked[2].body) == ("/previews/signal", asked)


def test_diagnostics_are_asked_for_by_name_or_all(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(200, {"series": []})
    found = Client().experiment(7)
    found.metrics()
    found.metrics("activation_std/fc1")
    found.metrics(diagnostics=True)
    queries = [asked.path.partition("?")[2] for asked in server.asked[1:]]
    assert queries == ["", "metric=activation_std%2Ffc1", "diagnostics=true"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spec.json", '{"optimizer": {"name": "adam", "lr": 1e-3}}'),
        ("spec.json", '{\n\t"optimizer": {"name": "adam", "lr": 0.001}}'),
        ("spec.yaml", "optimizer: {name: adam, lr: 1e-3}"),
        ("spec.yml", "optimizer:\n  name: adam\n  lr: 0.001\n"),
    ],
)
def test_specs_as_json_and_yaml(server: Any, experiment: dict[str, Any], tmp_path: Path, name: str, text: str) -> None:
    server.answer(202, experiment)
    (tmp_path / name).write_text(text)
    assert isinstance(Client().submit(tmp_path / name), Experiment)
    assert server.asked[0].body == {"optimizer": {"name": "adam", "lr": 0.001}}


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", "", "a: [", "!!python/object/apply:os.getcwd []", "[" * 100_000, "\x00"]
)
def test_files_that_hold_no_spec(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(SpecError, match=r"spec\.yaml"):
        Client().submit(tmp_path / "spec.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        Client().submit(str(tmp_path / "none.json"))
