"""Bad input is refused with the path of its field and nothing is stored; it is never a 500."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

DEEP = 100_000
MANY = json.dumps(list(range(1, 18)))
NESTED = '{"schedule": {"name": "linear_warmup", "warmup_steps": 1, "after": "cosin"}}'
LAYER = '{"model": {"name": "sequential", "layers": [{"dense": %s}]}}'
CASES: list[tuple[str, str, str | None]] = [
    # what, body, the path of the first problem (None: the body as a whole)
    ("not JSON", "{", ""),
    ("an array", "[]", ""),
    ("nothing", "", ""),
    ("NaN", '{"optimizer": {"name": "adam", "lr": NaN}}', "optimizer.lr"),
    ("Infinity", '{"optimizer": {"name": "adam", "lr": Infinity}}', "optimizer.lr"),
    ("overflow", '{"optimizer": {"name": "adam", "lr": 1e999}}', "optimizer.lr"),
    ("a lone surrogate", '{"name": "\\ud800"}', "name"),
    ("a surrogate in a label", '{"arms": [{"label": "\\udfff"}]}', "arms[0].label"),
    ("a surrogate as a key", '{"\\ud800": 1}', None),
    ("a surrogate as an arm's key", '{"arms": [{"\\ud800": 1}]}', None),
    ("a surrogate as an initializer", '{"initializer": "\\ud800"}', "initializer.name"),
    ("NUL", '{"name": "a\\u0000b"}', "name"),
    ("NUL in a tag", '{"tags": ["\\u0000"]}', "tags[0]"),
    ("a number of 71 bits", '{"seeds": [1180591620717411303424]}', None),
    ("a number of 5,000 digits", '{"epochs": ' + "9" * 5000 + "}", ""),
    ("true as a number", '{"epochs": true}', "epochs"),
    ("text as a number", '{"batch_size": "100"}', "batch_size"),
    ("a fraction as a count", '{"epochs": 1.5}', "epochs"),
    ("a typo", '{"epoch": 3}', "epoch"),
    ("a typo in an arm", '{"arms": [{"label": "a"}, {"optimzer": "sgd"}]}', "arms[1].optimzer"),
    ("a typo in a parameter", '{"optimizer": {"name": "adam", "larning_rate": 1}}', "optimizer.larning_rate"),
    ("a typo in a dotted path", '{"arms": [{"optimizer.lrr": 1}]}', "arms[0].optimizer.lrr"),
    ("a dotted path into a number", '{"arms": [{"epochs.x": 1}]}', "arms[0].epochs.x"),
    ("an unknown initializer", '{"initializer": "he_norml"}', "initializer.name"),
    ("10,000 layers", '{"model": {"name": "sequential", "layers": [' + '"rely",' * 9_999 + '"relu"]}}', "model.layers"),
    ("a surrogate as a layer", '{"model": {"name": "sequential", "layers": ["\\ud800"]}}', "model.layers[0]"),
    ("a surrogate as a layer's name", LAYER % '{"units": 3, "name": "\\ud800"}', "model.layers[0].dense.name"),
    ("an object as a layer's size", LAYER % '{"units": {}}', "model.layers[0].dense.units"),
    ("a layer's kernel of 71 bits", LAYER % "1180591620717411303424", "model.layers[0].dense"),
    ("an unknown nested schedule", NESTED, "schedule.after.name"),
    ("a missing parameter", '{"schedule": "linear_warmup"}', "schedule.warmup_steps"),
    ("an entry that is a number", '{"model": 3}', "model"),
    ("an entry without a name", '{"model": {}}', "model.name"),
    ("a name that is a list", '{"model": {"name": []}}', "model.name"),
    ("zero epochs", '{"epochs": 0}', "epochs"),
    ("a negative rate", '{"arms": [{"optimizer.lr": -1}]}', "arms[0].optimizer.lr"),
    ("an empty interval", '{"initializer": {"name": "uniform", "low": 1, "high": 0}}', None),
    ("a layer of a billion", '{"model": {"name": "mlp", "hidden": [1000000000]}}', "model.hidden[0]"),
    ("a model too large", '{"model": {"name": "mlp", "hidden": [65536, 65536]}}', "model"),
    ("a thousand layers", '{"model": {"name": "mlp", "hidden": [' + "1," * 999 + "1]}}", "model.hidden"),
    ("too many seeds", '{"seeds": 1000000}', None),
    ("the same seed twice", '{"seeds": [1, 1]}', "seeds"),
    ("no arm", '{"arms": []}', "arms"),
    ("too many arms", '{"grid": {"batch_size": ' + MANY + ', "epochs": ' + MANY + "}}", "grid"),
    ("arms and a grid", '{"arms": [{}], "grid": {"epochs": [1]}}', "grid"),
    ("a bad cell of a grid", '{"grid": {"initializer": ["zeros", "onse"]}}', "grid.initializer[1].name"),
    ("the same label twice", '{"arms": [{"label": "a"}, {"label": "a", "epochs": 3}]}', "arms[1].label"),
    ("a baseline that is no arm", '{"baseline": "b", "arms": [{"label": "a"}]}', "baseline"),
    ("more updates than the limit", '{"epochs": 1000000, "batch_size": 1, "seeds": 100}', "epochs"),
    ("data that is not here", '{"dataset": "fashion_mnist"}', "dataset"),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(shared: TestClient) -> TestClient:
    return shared


@pytest.mark.parametrize(("body", "path"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_bad_spec_is_refused_with_its_path(client: TestClient, body: str, path: str | None) -> None:
    answer = client.post("/experiments", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    if answer.status_code == 422 and path is not None:
        assert problem["errors"][0]["path"] == path
    assert client.get("/experiments").json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"schedule":' + '{"name": "linear_warmup", "warmup_steps": 1, "after":' * 3000 + '"constant"' + "}" * 3001,
        '{"arms": [{"schedule":'
        + '{"name": "linear_warmup", "warmup_steps": 1, "after":' * 900
        + "0"
        + "}" * 902
        + "]}",
        b'{"name": "\xff\xfe"}',
    ],
    ids=["brackets", "objects", "nested schedules", "nested schedules in an arm", "not UTF-8"],
)
def test_a_body_that_cannot_be_read_is_refused(client: TestClient, body: str | bytes) -> None:
    answer = client.post("/experiments", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_of_20_megabytes_is_refused(client: TestClient) -> None:
    answer = client.post("/experiments", json={"name": "x" * 20_000_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "1,000,000 bytes" in answer.json()["detail"]


def test_a_body_that_hides_its_length_is_cut_off(client: TestClient) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 100_000

    assert client.post("/experiments", content=body()).status_code == 413


def test_the_nearest_known_names_come_with_the_problem(client: TestClient) -> None:
    answer = client.post("/experiments", json={"initializer": "he_norml", "epoch": 3})
    problems = {problem["path"]: problem for problem in answer.json()["errors"]}
    assert problems["initializer.name"]["known"][0] == "he_normal"
    assert problems["epoch"]["known"] == ["epochs"]
    assert "did you mean 'epochs'?" in problems["epoch"]["message"]


def test_every_problem_of_a_spec_is_told_at_once(client: TestClient) -> None:
    spec: dict[str, Any] = {
        "epochs": -1,
        "optimizer": {"name": "adam", "lr": "fast", "beta3": 1},
        "arms": [{"initializer": "zeros"}, {"initializer": "he"}],
    }
    paths = [problem["path"] for problem in client.post("/experiments", json=spec).json()["errors"]]
    assert {"epochs", "optimizer.lr", "optimizer.beta3"} <= set(paths)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/experiments/0", 422),
        ("GET", "/experiments/abc", 422),
        ("GET", f"/experiments/{2**80}", 422),
        ("GET", "/experiments/1", 404),
        ("GET", "/experiments/1/metrics", 404),
        ("GET", "/experiments/1/plots/loss.png", 404),
        ("GET", "/experiments/1/report", 404),
        ("GET", "/runs/1", 404),
        ("DELETE", "/experiments/1", 404),
        ("POST", "/experiments/1/cancel", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/experiments", 405),
        ("GET", "/experiments?limit=0", 422),
        ("GET", "/experiments?status=odd", 422),
        ("GET", "/experiments?name=%00", 422),
        ("GET", "/catalog/initialisers", 404),
        ("GET", "/catalog/initializers/he", 404),
    ],
)
def test_a_bad_address_is_a_problem_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("schedule", {"schedule": "cosin"}, "schedule.name"),
        ("schedule", {"schedule": "cosine", "steps": 10**9}, "steps"),
        ("schedule", {"schedule": "cosine", "lr": 0}, "lr"),
        ("schedule", {"schedule": "cosine", "step": 1}, "step"),
        ("initializer", {"initializer": "he_normal", "shape": [10]}, "shape"),
        ("initializer", {"initializer": "he_normal", "shape": [100_000, 100_000]}, "shape"),
        ("initializer", {"initializer": "he_normal", "bins": 0}, "bins"),
        ("initializer", {"initializer": {"name": "normal", "std": -1}}, "initializer.std"),
    ],
)
def test_a_bad_preview_is_refused_with_its_path(
    client: TestClient, path: str, body: dict[str, Any], where: str
) -> None:
    answer = client.post(f"/previews/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == where


def test_a_typo_is_met_with_the_fields_of_its_own_request(client: TestClient) -> None:
    spec = client.post("/experiments", json={"epoch": 1}).json()["errors"][0]
    preview = client.post("/previews/schedule", json={"schedule": "cosine", "step": 1}).json()["errors"][0]
    assert (spec["known"], preview["known"][0]) == (["epochs"], "steps")
