"""What the shell completes, and how a wrong word is answered."""

import copy
import operator
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.datasets._downloads import DOWNLOADS
from initlab import build, completing

RunCli = Callable[..., tuple[int, str, str]]


def _completed(words: str, url: str = "http://127.0.0.1:9") -> list[str]:
    """Return what bash is offered for the last of the words."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1), "_INITLAB_COMPLETE": "complete_bash"}
    command = [sys.executable, "-m", "initlab"]
    environment = os.environ | asked | {"INITLAB_URL": url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("initlab catalog sch", ["schedules"]),
        ("initlab catalog schedules exp", ["exponential"]),
        ("initlab preview schedule ex", ["exponential"]),
        ("initlab list --status q", ["queued"]),
        ("initlab datasets fetch cif", ["cifar10", "cifar100"]),
        ("initlab plot 1 --arm ", []),
        ("initlab plot 1 lo", []),  # no server answers
    ],
)
def test_the_shell_completes_what_needs_no_server(words: str, offered: list[str]) -> None:
    assert _completed(words) == offered


def test_the_shell_completes_the_pictures_of_an_experiment(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(200, {"items": [{"name": "loss", "summary": ""}, {"name": "forest", "summary": ""}]})
    assert _completed("initlab plot 7 lo", server.url) == ["loss"]


@pytest.mark.parametrize(
    ("words", "answers", "offered"),
    [
        ("initlab plot 7 loss --arm ze", [None], ["zeros"]),
        ("initlab metrics 7 --arm ze", [None], ["zeros"]),
        ("initlab metrics 7 --metric tr", [{"items": [{"name": "train_loss"}, {"name": "lr"}]}], ["train_loss"]),
        ("initlab report 7 --metric lo", [{"items": []}, {"items": [{"name": "loss_area"}]}], ["loss_area"]),
        ("initlab compare --metric lo", [{"items": []}, {"items": [{"name": "loss_area"}]}], ["loss_area"]),
        ("initlab studies de", [{"items": [{"name": "depth"}, {"name": "rates"}]}], ["depth"]),
    ],
)
def test_the_shell_completes_what_the_server_knows(
    server: Any, experiment: dict[str, Any], words: str, answers: list[Any], offered: list[str]
) -> None:
    for answer in answers:
        server.answer(200, answer or experiment)
    assert _completed(words, server.url) == offered


def test_downloads_are_those_of_the_service() -> None:
    assert {*completing.DOWNLOADS} == {*DOWNLOADS}


def test_completion_is_that_of_the_shell_that_is_named() -> None:
    command = [sys.executable, "-m", "initlab", "--show-completion", "zsh"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("#compdef initlab")


def test_what_is_no_id_is_told_what_one_is(run_cli: RunCli) -> None:
    for word in ("abc", "0", "1.5"):
        code, _, said = run_cli("plot", word)
        assert code == 2
        assert f"should be an id, a whole number from 1 on, such as 7; is '{word}'" in " ".join(said.split())


def test_a_folder_that_is_not_there_is_told(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    server.answer(200, experiment)
    server.answer(200, b"PNG")
    path = tmp_path / "none" / "x.png"
    assert run_cli("plot", "7", "loss", "-o", str(path)) == (2, "", f"{path}: there is no folder {path.parent}\n")


def test_a_built_in_data_set_is_found_in_the_catalogue(server: Any, run_cli: RunCli) -> None:
    server.answer(404, {"title": "Not found"})
    server.answer(200, {"items": [{"name": "digits"}]})
    code, _, said = run_cli("datasets", "show", "digits")
    assert (code, said) == (2, "digits is no uploaded data set. It is built in: initlab catalog datasets digits\n")


def test_builders_are_listed_alone_and_a_name_that_is_none_is_answered_with_those_near() -> None:
    assert dir(build) == ["arm", "datasets", "initializers", "layers", "models", "optimizers", "schedules", "spec"]
    with pytest.raises(AttributeError, match="no schedules entry is 'expo'; did you mean 'exponential'"):
        operator.attrgetter("schedules.expo")(build)
    assert vars(copy.deepcopy(build.schedules)).keys() == vars(build.schedules).keys()
