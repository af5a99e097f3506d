"""Agents use a real service through the real client of the Model Context Protocol's SDK."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ImageContent, TextContent

from initlab import Client
from initlab.agents import command
from initlab.agents.clients import Clients
from initlab.agents.guide import EXAMPLE, IN_A_STUDY
from initlab.agents.server import is_loopback

pytestmark = [pytest.mark.service, pytest.mark.anyio]

SMALL: dict[str, Any] = EXAMPLE | {"model": {"name": "mlp", "hidden": [4]}, "epochs": 1, "seeds": 3}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def agent(url: str, *options: str) -> AsyncIterator[McpClient]:
    """An agent that has started `initlab mcp`, and talks to it by standard input and output."""
    words = ["-m", "initlab", "mcp", *options]
    async with McpClient(StdioServerParameters(command=sys.executable, args=words, env={"INITLAB_URL": url})) as client:
        yield client


async def call(client: McpClient, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert isinstance(answer.structured_content, dict)
    return answer.structured_content


async def refused(client: McpClient, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    (said,) = answer.content
    assert isinstance(said, TextContent)
    return said.text


async def test_an_agent_goes_from_the_guide_to_the_verdict(url: str) -> None:
    async with agent(url) as client:
        assert "never pick a metric" in (client.instructions or "")
        before = len(list(Client(url).experiments()))
        guide = await call(client, "get_spec_guide")
        assert (await call(client, "preview_experiment", spec=guide["example_in_a_study"]))["runs_total"] == 10
        wrong = await refused(client, "preview_experiment", spec=SMALL | {"optimizer": "adamm"})
        assert "optimizer" in wrong
        assert "adam" in wrong
        assert len(list(Client(url).experiments())) == before

        posted = await call(client, "submit_experiment", spec=SMALL)
        seen: list[float] = []

        async def told(progress: float, total: float | None, message: str | None) -> None:
            seen.append(progress)

        asked = {"experiment": posted["id"], "seconds": 60}
        waited = await client.call_tool("wait_for_experiment", asked, progress_callback=told)
        ended = waited.structured_content or {}
        assert (ended["ended"], ended["status"]) == (True, "succeeded")
        assert seen == sorted(seen)
        report = await call(client, "get_report", experiment=posted["id"], margin=0.5)
        whole = Client(url).experiment(posted["id"]).report(margin=0.5)
        assert report["verdict"] == whole.verdict
        assert [arm["mean"] for arm in report["arms"]] == [arm["mean"] for arm in whole["arms"]]
        assert [pair["decision"] for pair in report["pairs"]] == [pair["decision"] for pair in whole["comparisons"]]
        page = await call(client, "get_report", experiment=posted["id"], form="markdown")
        assert page["markdown"].startswith("# initial weights on digits")
        curves = await call(client, "get_metrics", experiment=posted["id"], metric="train_loss", points=4)
        assert [len(one["values"]) for one in curves["series"]] == [4] * 6
        picture = await client.call_tool("get_picture", {"experiment": posted["id"]})
        (image,) = picture.content
        assert isinstance(image, ImageContent)
        assert b64decode(image.data).startswith(b"\x89PNG")


async def test_an_agent_compares_arms_and_reads_what_a_study_decides(url: str) -> None:
    study = IN_A_STUDY | {"model": {"name": "mlp", "hidden": [4]}, "epochs": 1, "seeds": 3}
    async with agent(url) as client:
        first, second = [(await call(client, "submit_experiment", spec=study))["id"] for _ in range(2)]
        for one in (first, second):
            assert (await call(client, "wait_for_experiment", experiment=one))["study"] == study["study"]
        found = await call(client, "get_study", name=study["study"])
        assert [one["experiment_id"] for one in found["verdicts"]] == [first, second]
        assert {one["decision"] for one in found["verdicts"]} <= {"keep", "discard", "inconclusive"}
        assert [one["name"] for one in (await call(client, "list_studies"))["studies"]] == [study["study"]]
        compared = await call(client, "compare_arms", arms=[f"{first}/he", f"{second}/he"])
        assert compared["paired"] is True
        kinds = {event["kind"] for event in (await call(client, "get_history", experiment=first))["events"]}
        assert {"accepted", "claimed", "ended"} <= kinds
        assert "he_normal" in (await call(client, "list_catalog"))["initializers"]
        (zeros,) = [
            one
            for one in (await call(client, "list_catalog", kind="initializers"))["initializers"]
            if one["name"] == "zeros"
        ]
        assert zeros["parameters"] == {"bias": None, "output_bias": None}
        assert "formula" in await call(client, "list_catalog", kind="initializers", name="zeros")
        listed = (await call(client, "list_experiments", name="try he", limit=1))["experiments"]
        assert [one["id"] for one in listed] == [second]
        assert "no experiment 999" in await refused(client, "get_experiment", experiment=999)
        long = await call(client, "submit_experiment", spec=study | {"epochs": 2000, "name": "long"})
        waited = await call(client, "wait_for_experiment", experiment=long["id"], seconds=0.3)
        assert waited["ended"] is False
        await call(client, "cancel_experiment", experiment=long["id"])
        assert (await call(client, "wait_for_experiment", experiment=long["id"]))["status"] == "cancelled"


async def test_what_an_agent_trains_itself_is_judged(url: str) -> None:
    async with agent(url) as client:
        spec = (await call(client, "get_spec_guide"))["example_external"] | {"seeds": 2}
        posted = await call(client, "submit_experiment", spec=spec)
        runs = (await call(client, "list_runs", experiment=posted["id"]))["runs"]
        assert [(one["arm"], one["seed"]) for one in runs] == [("adam", 0), ("adam", 1), ("sgd", 0), ("sgd", 1)]
        for one in runs:
            best = {"adam": 0.9, "sgd": 0.7}[one["arm"]] + one["seed"] / 100
            points = {
                "valid_accuracy": {"first": 0, "values": [0.5, best]},
                "train_loss": {"first": 0, "values": [1.0]},
            }
            sent = {"run": one["id"], "points": points}
            assert await call(client, "log_points", **sent) == {"stored": 3, "known": 0, "stop": False}
            assert await call(client, "log_points", **sent) == {"stored": 0, "known": 3, "stop": False}
            gap = {"valid_accuracy": {"first": 3, "values": [0.9]}}
            assert "points from place 2 on are missing" in await refused(
                client, "log_points", run=one["id"], points=gap
            )
            last = {"train_loss": {"first": 1, "values": ["NaN"], "steps": [7]}}
            ended = await call(client, "finish_run", run=one["id"], outcome="completed", points=last)
            assert (ended["status"], ended["next"]["train_loss"]) == ("succeeded", 2)
        assert (await call(client, "list_runs", experiment=posted["id"], status="queued"))["runs"] == []
        report = await call(client, "get_report", experiment=posted["id"])
    assert (report["metric"], [arm["label"] for arm in report["arms"]]) == ("valid_accuracy", ["adam", "sgd"])
    assert [arm["mean"] for arm in report["arms"]] == [pytest.approx(0.905), pytest.approx(0.705)]


async def test_who_only_reads_is_offered_nothing_that_changes(url: str) -> None:
    async with agent(url) as client:
        every = {tool.name: tool for tool in (await client.list_tools()).tools}
    async with agent(url, "--read-only") as client:
        reading = {tool.name for tool in (await client.list_tools()).tools}
        assert "submit_experiment" in await refused(client, "submit_experiment", spec=SMALL)
        assert "log_points" in await refused(client, "log_points", run=1, points={})
    logging = {"log_points", "finish_run"}
    assert {*every} - reading == {"submit_experiment", "retry_experiment", "cancel_experiment", *logging}
    for name, tool in every.items():
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (name in reading)
        assert tool.annotations.destructive_hint is (None if name in reading else name == "cancel_experiment")
        assert tool.description
        assert len(tool.description) < 140, f"{name}: an agent reads all of them with every question"
        assert "self" not in tool.input_schema["properties"]


async def test_by_http_a_caller_is_who_its_key_says(server: Any) -> None:
    server.answer(200, {"items": [], "next": None})
    words = [sys.executable, "-m", "initlab", "mcp", "--http", "--port", "0", "--json"]
    env = {"INITLAB_URL": server.url, "INITLAB_API_KEY": "own"}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())["url"]
            with anyio.fail_after(60):
                async with (
                    httpx2.AsyncClient(headers={"Authorization": "Bearer theirs"}) as http,
                    McpClient(streamable_http_client(where, http_client=http)) as client,
                ):
                    assert (await call(client, "list_studies")) == {"studies": []}
                async with McpClient(where) as client:
                    await call(client, "list_studies")
                async with httpx2.AsyncClient() as http:
                    rebound = await http.post(where, headers={"Host": "evil.example"}, json={})
                assert rebound.status_code == 421
        finally:
            process.terminate()
    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer theirs", "Bearer own"]


async def test_beyond_loopback_nobody_is_lent_a_key() -> None:
    clients = Clients(own_key=False)
    for headers in (None, {}, {"authorization": "Basic a"}):
        with pytest.raises(ToolError, match="Authorization: Bearer"), clients.of(headers):
            raise AssertionError("a client was lent")
    assert (is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("lab")) == (
        True, True, False, False,
    )  # fmt: skip


async def test_without_the_sdk_it_says_what_to_install(
    run_cli: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "NEEDED", ("no_such_package",))
    code, out, err = run_cli("mcp")
    assert (code, out) == (2, "")
    assert "pip install 'initlab[mcp]'" in err
