"""The checks that authors of plug-ins run: every built-in entry passes them, and each finds what it is there for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.conformance import checks_of, tried
from core.conformance.__main__ import main
from core.initializers import initializers
from core.metrics import metrics
from core.models import models
from core.optimizers import optimizers
from core.schedules import schedules
from tests.core.entries import raw
from tests.core.plugins.planting import initializer, planted

EXAMPLE = Path(__file__).parents[3] / "examples" / "plugin"
SOME = [
    *(("initializer", name) for name in ("he_normal", "orthogonal", "zeros", "delta_orthogonal")),
    *(("schedule", name) for name in ("cosine", "onecycle", "plateau")),
    *(("optimizer", name) for name in ("adam", "sgd", "muon", "schedule_free_adamw")),
    *(("model", name) for name in ("mlp", "cnn", "resnet")),
    *(("dataset", name) for name in ("digits", "diabetes", "two_spirals")),
    *(("metric", name) for name in ("valid_accuracy", "valid_auc", "valid_loss", "valid_r2", "lr")),
    ("outcome", "generalization_gap"),
    ("finding", "dead_relu"),
]


@pytest.mark.parametrize(("kind", "name"), SOME)
def test_what_is_built_in_passes(kind: str, name: str) -> None:
    found = list(tried(kind, name))
    assert len(found) == len(checks_of(kind)) > 0
    assert [one for one in found if one.problem is not None] == []


def test_the_names_are_those_of_entries() -> None:
    of = {
        "initializer": initializers,
        "schedule": schedules,
        "optimizer": optimizers,
        "model": models,
        "metric": metrics,
    }
    assert all(name in of[kind] for kind, name in SOME if kind in of)
    assert raw("initializer", "he_normal") == {"name": "he_normal"}


HEAD = "from core.initializers import Constant, Initializer, Uniform, initializers\n"
WIDE = (
    HEAD
    + """
@initializers.register(formula="U(-2, 2)", source="a test of 2026")
def wide(*, value: float = 0.5) -> Initializer:
    \"\"\"Says another deviation than it has.\"\"\"
    law = Uniform(-2.0, 2.0)
    class Liar:
        distribution, mean, std, bound = "liar", 0.0, 0.5, 2.0
        draw = staticmethod(law.draw)
    return Initializer(lambda layer: Liar())
"""
)
RATE = """
from core.schedules import schedules
@schedules.register(formula="B - t", source="a test of 2026", example={{"by": 1.0}})
def falling(*, by: float) -> object:
    \"\"\"Falls below zero.\"\"\"
    return lambda base, span: lambda t: base - by * t
"""
UNDOCUMENTED = (
    HEAD
    + """
@initializers.register(formula=" ", source="me")
def silent() -> Initializer:
    return Initializer(lambda layer: Constant(1.0))
"""
)
METRIC = """
from core.metrics import MeanOfExamples, Metric, metrics
metrics.add(Metric(name="valid_error", label="validation error", direction="max", per="epoch", split="valid",
    quantity="error", tasks=("multiclass",), compared=True, bounds=(0.0, 0.5),
    accumulator=lambda asked: MeanOfExamples(asked, lambda outputs, y: outputs.argmax(-1) != y)))
"""


@pytest.mark.parametrize(
    ("text", "kind", "name", "problems"),
    [
        (WIDE, "initializer", "wide", ["has the deviation 1.155, and says 0.5"]),
        (RATE.replace("{{", "{").replace("}}", "}"), "schedule", "falling", ["has the rate -0.9 at update 1"]),
        (UNDOCUMENTED, "initializer", "silent", ["needs a docstring"]),
        (METRIC, "metric", "valid_error", ["is 'max' its direction?", "beyond its bounds (0.0, 0.5)"]),
        (initializer("made").replace(', example={"value": 1.0}', "").replace("= 0.5", ""), "initializer", "made",
         ['has parameters without a default: give register(example={"value": ...})']),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(tmp_path: Path, text: str, kind: str, name: str, problems: list[str]) -> None:
    with planted(tmp_path, {"mine.py": text}):
        found = [one.problem for one in tried(kind, name) if one.problem is not None]
    for problem in problems:
        assert any(problem in one for one in found), found


def test_the_command_tells_what_is_wrong_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with planted(tmp_path, {"bad.py": WIDE, "broken.py": "1 / 0"}):
        assert main(["bad"]) == 1
        shown = capsys.readouterr().out
        assert "bad (bad.py in the folder of plug-ins)\n  initializer wide: " in shown
        assert "draws what its law says" in shown
        assert main(["broken", "--json"]) == 1
        (told,) = json.loads(capsys.readouterr().out)
        assert (told["name"], told["checks"]) == ("broken", [])
        assert told["error"].startswith("ZeroDivisionError")
        assert main(["no_such"]) == 2
        assert "no such plug-in: no_such (there is bad, broken)" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_example_passes_its_own_tests_and_the_checks() -> None:
    repository = str(EXAMPLE.parents[1])
    environment = {"PYTHONPATH": repository, "INITLAB_PLUGINS": str(EXAMPLE), "OMP_NUM_THREADS": "1"}
    for words in (["-m", "core.conformance"], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]):
        done = subprocess.run(
            [sys.executable, *words], cwd=EXAMPLE, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
