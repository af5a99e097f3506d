"""The commands about plug-ins."""

import json
from collections.abc import Callable
from typing import Any

RunCli = Callable[..., tuple[int, str, str]]
PLUGINS: dict[str, Any] = {
    "items": [
        {"name": "mine", "version": "1.0", "sha256": "ab" * 32, "source": "mine.py in the folder of plug-ins",
         "entries": {"schedule": ["slow"], "metric": ["test_luck", "valid_luck"]}, "error": None, "workers": 1},
        {"name": "[red]bad", "version": "", "sha256": "", "source": "the installed package bad",
         "entries": {}, "error": "ImportError: no [red]x", "workers": 0},
    ],
    "workers": 2,
}  # fmt: skip


def test_plug_ins_are_shown_with_what_they_have_and_what_is_wrong(server: Any, run_cli: RunCli) -> None:
    server.answer(200, PLUGINS)
    code, out, err = run_cli("plugins")
    assert (code, err) == (0, "")
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]
    assert rows[1:] == [
        "mine 1.0 abababababab 1 of 2 metric test_luck, valid_luck; schedule slow",
        "[red]bad 0 of 2 left out",
        "[red]bad (the installed package bad): ImportError: no [red]x",
    ]
    assert json.loads(run_cli("plugins", "--json")[1]) == PLUGINS
    assert {one.path for one in server.asked} == {"/plugins"}


def test_where_there_is_none_it_says_so(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [], "workers": 0})
    assert run_cli("plugins")[1] == "no plug-ins\n"
