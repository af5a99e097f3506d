"""Clients that others generate from the OpenAPI document: they compile, lose nothing, and do the whole main job."""

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from core.settings import Settings

ENTRIES: list[dict[str, Any]] = [
    {"initializer": {"name": "uniform", "low": -0.5}},
    {"initializer": {"name": "kaiming_normal", "mode": "fan_out"}},
    {"schedule": {"name": "CosineAnnealingLR", "T_max": 7}},
    {"schedule": {"name": "chained", "parts": ["constant", {"name": "linear_warmup", "warmup_steps": 3}]}},
    {"optimizer": {"name": "sgd", "lr": 0.5, "momentum": 0.9}},
    {"model": {"name": "sequential", "layers": ["relu", {"dense": {"units": 3}}]}},
    {"dataset": {"name": "digits", "valid_fraction": 0.3}},
]
"""Parts of a spec with parameters: plain, of an alias, of another library's name, and with entries inside."""
NUMBERED = re.compile(r"^class \w*[a-z]\d+\(", re.MULTILINE)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(create_app(Settings()).openapi()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def models(document: Path) -> ModuleType:
    """The models that datamodel-code-generator makes."""
    out = document.with_name("generated_models.py")
    source = ["--input", document, "--input-file-type", "openapi", "--output", out]
    kind = [
        "--output-model-type",
        "pydantic_v2.BaseModel",
        "--formatters",
        "builtin",
        "--target-python-version",
        "3.11",
    ]
    command = [sys.executable, "-m", "datamodel_code_generator", *map(str, source), *kind]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    spec = importlib.util.spec_from_file_location("generated_models", out)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModuleType]:
    """The package that openapi-python-client makes: imports a module of it by its name."""
    folder = tmp_path_factory.mktemp("client")
    here = ["--path", str(document), "--output-path", str(folder / "generated_client"), "--meta", "none"]
    (folder / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", *here, "--fail-on-warning"]
    made = subprocess.run(
        [*command, "--config", str(folder / "config.yml")], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        importlib.import_module("generated_client")
    finally:
        sys.path.remove(str(folder))
    return lambda name: importlib.import_module(f"generated_client.{name}")


@pytest.mark.parametrize("part", ENTRIES, ids=lambda part: "".join(part))
def test_datamodel_code_generator_keeps_an_entrys_parameters(models: ModuleType, part: dict[str, Any]) -> None:
    spec = models.Spec.model_validate(part)
    assert spec.model_dump(mode="json", exclude_unset=True) == part
    with pytest.raises(ValueError, match="lowest"):
        models.Spec.model_validate({"initializer": {"name": "uniform", "lowest": 0}})


def test_no_type_is_named_by_a_number(models: ModuleType) -> None:
    source = Path(str(models.__file__)).read_text(encoding="utf-8")
    known = {"Lenet5Model", "Cifar10Dataset", "Cifar100Dataset", "Relu6LayerRelu6"}
    assert [name for name in NUMBERED.findall(source) if name[6:-1] not in known] == []


@pytest.mark.parametrize("part", ENTRIES, ids=lambda part: "".join(part))
def test_openapi_python_client_keeps_an_entrys_parameters(
    generated: Callable[[str], ModuleType], part: dict[str, Any]
) -> None:
    (field,) = part
    sent = generated("models").Spec.from_dict(part).to_dict()[field]
    assert {key: sent[key] for key in part[field]} == part[field]


def test_openapi_python_client_does_the_main_job(
    client: TestClient, work: Callable[[], int], generated: Callable[[str], ModuleType]
) -> None:
    """Post, poll, metrics, report: by its own types, and a refusal as the problem that it is."""
    models, here = generated("models"), generated("client").Client(base_url="http://127.0.0.1")
    here.set_httpx_client(_through(client))

    def call(name: str, **arguments: Any) -> Any:
        return generated(f"api.{name}").sync(client=here, **arguments)

    spec = models.Spec.from_dict(
        {
            "model": {"name": "mlp", "hidden": [4]},
            "epochs": 1,
            "seeds": 2,
            "arms": [{"label": "a", "initializer": {"name": "uniform", "low": 0.0}}, {"label": "b"}],
        }
    )
    made = call("experiments.create_experiment", body=spec)
    assert made.spec.additional_properties["arms"][0]["initializer"]["low"] == 0.0
    assert call("experiments.get_experiment", experiment_id=made.id).status == "queued"
    work()
    assert call("experiments.get_experiment", experiment_id=made.id).status == "succeeded"
    found = call("runs.get_experiment_metrics", experiment_id=made.id, metric=["train_loss"])
    assert [(one.arm, one.seed, len(one.values)) for one in found.series] == [
        (arm, seed, 15) for arm in "ab" for seed in (0, 1)
    ]
    report = call("results.get_report", experiment_id=made.id)
    assert {arm.label: arm.n for arm in report.arms} == {"a": 2, "b": 2}
    assert report.verdict.text
    refused = call("experiments.get_experiment", experiment_id=987654321)
    assert (type(refused), refused.status) == (models.ProblemOut, 404)


def _through(client: TestClient) -> httpx.Client:
    """Return a client of the generated code's library that asks the application of the test's client."""

    def answer(request: httpx.Request) -> httpx.Response:
        got = client.request(
            request.method,
            str(request.url),
            content=request.content,
            headers={**request.headers, "accept-encoding": "identity"},  # one of the two clients opens it
        )
        return httpx.Response(got.status_code, headers=dict(got.headers), content=got.content)

    return httpx.Client(base_url="http://127.0.0.1", transport=httpx.MockTransport(answer))
