"""Lost answers, busy servers, refusals."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from initlab import ApiError, Client, ClientError, SpecError, Unreachable
from initlab.transport import FIRST_CONTACT, retry_after


def test_a_lost_answer_is_asked_for_again_under_the_same_key(server: Any, experiment: dict[str, Any]) -> None:
    server.cut()
    server.answer(202, experiment)
    assert Client().submit({"arms": []}).id == 7
    keys = [asked.headers["Idempotency-Key"] for asked in server.asked]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert [asked.body for asked in server.asked] == [{"arms": []}] * 2


def test_two_submissions_are_two_experiments(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(202, experiment)
    client = Client()
    client.submit({})
    client.submit({})
    assert server.asked[0].headers["Idempotency-Key"] != server.asked[1].headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(server: Any, experiment: dict[str, Any], status: int) -> None:
    server.answer(status, {"title": "Busy"})
    server.answer(200, experiment)
    assert Client().experiment(7).name == "weights"


def test_retry_after_is_honoured(server: Any, experiment: dict[str, Any], clock: Any) -> None:
    server.answer(503, {"title": "Busy"}, Retry_After="1")
    server.answer(200, experiment)
    Client().experiment(7)
    assert clock.slept == [1.0]


def test_patience_ends_at_once_when_the_server_asks_for_more_of_it(server: Any, clock: Any) -> None:
    server.answer(503, {"title": "Service unavailable", "detail": "no database"}, Retry_After="60")
    with pytest.raises(ApiError, match=r"Service unavailable \(503\): no database") as refused:
        Client().experiment(7)
    assert clock.slept == []
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    ("value", "seconds"), [("", 0), ("soon", 0), ("3", 3), ("0.5", 0.5), ("-4", 0), ("inf", 0), ("nan", 0)]
)
def test_retry_after_in_seconds(value: str, seconds: float) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    assert 28 < retry_after(format_datetime(later, usegmt=True)) <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_a_refusal_carries_every_problem_and_is_not_repeated(server: Any) -> None:
    errors = [
        {"path": "arms[1].initializer", "message": "unknown initializer 'he_norml'", "known": ["he_normal"]},
        {"path": "epochs", "message": "should be 1 or more", "known": []},
    ]
    server.answer(422, {"title": "Invalid request", "status": 422, "detail": "two problems", "errors": errors})
    with pytest.raises(ApiError) as refused:
        Client().submit({})
    assert len(server.asked) == 1
    assert refused.value.status == 422
    assert refused.value.problems[0].known == ("he_normal",)
    assert str(refused.value).splitlines() == [
        "Invalid request (422):",
        "  arms[1].initializer: unknown initializer 'he_norml' (near: he_normal)",
        "  epochs: should be 1 or more",
    ]


def test_a_refusal_that_is_no_problem_document(server: Any) -> None:
    server.answer(413, b"<html>nginx</html>")
    with pytest.raises(ApiError, match=r"^Request Entity Too Large \(413\)$"):
        Client().experiment(7)


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("body", [b"<html>nginx</html>", {"detail": "Not Found"}], ids=["a page", "another API"])
def test_another_web_server_s_refusal_says_where_to_look(server: Any, status: int, body: Any) -> None:
    server.answer(status, body)
    with pytest.raises(Unreachable) as refused:
        Client().experiment(7)
    told = str(refused.value)
    assert told.startswith(f"What answers at {server.url} is not an initlab server")
    assert f"({status}) at /experiments/7" in told
    assert told.endswith("See INITLAB_URL.")


def test_a_wrong_path_of_a_right_server_says_where_to_look(server: Any) -> None:
    server.answer(404, {"title": "Not found", "detail": "Not Found"})
    with pytest.raises(ApiError) as refused:
        Client(f"{server.url}/api").experiment(7)
    assert f"there is no /api/experiments/7 at {server.url}/api: see INITLAB_URL" in str(refused.value)


def test_a_server_that_sends_elsewhere_says_where(server: Any) -> None:
    server.answer(301, Location="https://other.test/experiments/7")
    with pytest.raises(Unreachable, match=r"sends to https://other\.test/experiments/7\. See INITLAB_URL"):
        Client().experiment(7)


def test_a_key_that_is_wanted_says_where_it_is_set(server: Any) -> None:
    server.answer(401, {"title": "Unauthorized", "detail": "this API key has expired"})
    with pytest.raises(ApiError) as refused:
        Client().experiment(7)
    told = str(refused.value)
    assert told.startswith("Unauthorized (401): this API key has expired. ")
    for way_out in ("INITLAB_API_KEY", "Client(api_key=...)", "initlab keys"):
        assert way_out in told
    assert refused.value.detail == "this API key has expired"


def test_another_web_server_is_recognised(server: Any) -> None:
    server.answer(200, b"<html>It works!</html>")
    with pytest.raises(Unreachable, match="not an initlab server"):
        Client().experiment(7)


def test_a_deletion_whose_answer_was_lost_has_happened(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.cut()
    server.answer(404, {"title": "Not found"})
    found = Client().experiment(7)
    found.delete()
    assert [asked.method for asked in server.asked] == ["GET", "DELETE", "DELETE"]


def test_a_deletion_of_nothing_is_an_error(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(404, {"title": "Not found"})
    found = Client().experiment(7)
    with pytest.raises(ApiError, match="Not found"):
        found.delete()


def test_nobody_there_is_said_soon(clock: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, and nobody else can
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match="initlab serve"):
            Client(url).experiment(7)
        assert 0 < clock.monotonic() <= FIRST_CONTACT


def test_the_key_is_sent_and_never_shown(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    client = Client(api_key=" secret-key\n")
    client.experiment(7)
    assert server.asked[0].headers["Authorization"] == "Bearer secret-key"
    assert "secret" not in repr(client)


@pytest.mark.parametrize(
    ("url", "key"), [("localhost:8000", ""), ("", ""), ("http://x", "schlüssel"), ("http://x", "a\nb")]
)
def test_impossible_settings_are_refused(url: str, key: str) -> None:
    with pytest.raises(ClientError, match=r"INITLAB_(URL|API_KEY)"):
        Client(url, key)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}])
def test_what_json_cannot_say_is_refused_before_it_is_sent(server: Any, value: object) -> None:
    with pytest.raises(SpecError, match="JSON has not"):
        Client().submit({"lr": value})
    assert server.asked == []


def test_a_proxy_is_not_asked_for_loopback(
    server: Any, experiment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.answer(200, experiment)
    assert Client(patience=0).experiment(7).id == 7
