"""A network's signal before any training: what theory expects, a picture, and what is too much."""

import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.previews import signals as limits
from api.previews.signals import SignalPreview
from core.datasets import DatasetPaths
from core.errors import InvalidSpec

WIDE = {"name": "mlp", "hidden": [256] * 4}


@pytest.fixture(scope="module")
def client(shared: TestClient) -> TestClient:
    return shared


def asked(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/previews/signal", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of(layers: list[dict[str, Any]], field: str) -> list[float]:
    return [layer[field]["mean"] for layer in layers]


def test_he_keeps_the_signal_and_glorot_halves_it_in_every_layer_of_rectifiers(client: TestClient) -> None:
    """He et al. 2015: the variance of outputs is 2 for inputs of mean square 1 with his law, in every layer; with
    Glorot's, of layers of one width, half of the one before. Backward the same, from noise of variance 1."""
    body = {"model": WIDE, "inputs": [256], "outputs": 256, "seeds": 5, "batch": 64}
    found = asked(client, **body, initializers=["he_normal", "glorot_normal"])
    he, glorot = (one["layers"] for one in found["initializers"])
    assert [layer["name"] for layer in he] == ["fc1", "fc2", "fc3", "fc4", "fc5"]
    assert [one["label"] for one in found["initializers"]] == ["he_normal", "glorot_normal"]
    assert [layer["forward"]["theory"] for layer in he] == pytest.approx([2.0] * 5, rel=0.02)
    assert [layer["forward"]["theory"] for layer in glorot] == pytest.approx([2.0**-i for i in range(5)], rel=0.02)
    assert [layer["backward"]["theory"] for layer in he] == pytest.approx([1.0] * 5)
    assert [layer["backward"]["theory"] for layer in glorot] == pytest.approx([2.0 ** (i - 4) for i in range(5)])
    for layers in (he, glorot):
        for field in ("forward", "backward"):
            assert of(layers, field) == pytest.approx([layer[field]["theory"] for layer in layers], rel=0.25)
            assert all(layer[field]["low"] <= layer[field]["mean"] <= layer[field]["high"] for layer in layers)


@pytest.mark.parametrize(("activation", "slope", "kept"), [("linear", None, 1.0), ("leaky_relu", 0.5, 0.625)])
def test_other_activations_pass_on_what_their_slopes_say(
    client: TestClient, activation: str, slope: float | None, kept: float
) -> None:
    """With unequal widths: forward a layer's inputs count, backward its outputs."""
    model = {"name": "mlp", "hidden": [300, 200], "activation": activation, "negative_slope": slope}
    uniform = {"name": "uniform", "low": -0.1, "high": 0.1, "bias": "torch_default"}
    found = asked(client, model=model, inputs=[100], outputs=400, seeds=8, batch=64, initializer=uniform)
    (layers,) = (one["layers"] for one in found["initializers"])
    square = 0.2**2 / 12
    first = 100 * square + 1 / 300
    second = 300 * square * kept * first + 1 / 900
    expected = [first, second, 200 * square * kept * second + 1 / 600]
    assert [layer["forward"]["theory"] for layer in layers] == pytest.approx(expected, rel=0.02)
    last = 400 * square * kept
    assert [layer["backward"]["theory"] for layer in layers] == pytest.approx([200 * square * kept * last, last, 1.0])
    assert of(layers, "forward") == pytest.approx(expected, rel=0.2)
    assert of(layers, "backward") == pytest.approx([200 * square * kept * last, last, 1.0], rel=0.2)


@pytest.mark.parametrize(
    "body",
    [
        {"model": {"name": "cnn", "channels": [4], "dense": [8]}},
        {"model": {"name": "mlp", "hidden": [8], "norm": "batch_norm"}},
        {"model": {"name": "mlp", "hidden": [8], "activation": "tanh"}},
        {"model": {"name": "mlp", "hidden": [8], "activation": "silu"}},
        {"model": {"name": "transformer", "d_model": 8, "heads": 2, "layers": 1}},
        {"initializer": "orthogonal"},
        {"initializer": "lsuv"},
        {"initializer": "ones"},
        {"initializer": {"name": "mup", "base_width": 8}},
        {
            "model": {"name": "transformer", "d_model": 16, "heads": 2, "layers": 1},
            "initializer": {"name": "mup", "base_width": 8},
        },
    ],
    ids=str,
)
def test_where_theory_is_not_simple_there_is_none(client: TestClient, body: dict[str, Any]) -> None:
    found = asked(client, **body, seeds=2, batch=16)
    (layers,) = (one["layers"] for one in found["initializers"])
    assert layers
    assert {layer[field]["theory"] for layer in layers for field in ("forward", "backward")} == {None}
    assert all(layer["backward"]["mean"] is not None for layer in layers)
    assert found["data"] == "digits"


def test_dropout_is_off(client: TestClient) -> None:
    plain, dropped = (
        asked(client, model={"name": "mlp", "hidden": [16, 8], "dropout": p}, batch=16, seeds=1)["initializers"]
        for p in (0.0, 0.5)
    )
    assert plain == dropped


def test_lsuv_passes_a_variance_of_one_on(client: TestClient) -> None:
    """What it is made for: Mishkin & Matas 2016, here on the data that it looked at."""
    found = asked(client, model={"name": "mlp", "hidden": [64, 32]}, initializer="lsuv", batch=1024)
    (layers,) = (one["layers"] for one in found["initializers"])
    assert of(layers, "forward") == pytest.approx([1.0] * 3, abs=0.2)


def test_zeros_pass_nothing_on_and_an_overflow_is_null(client: TestClient) -> None:
    zeros = {"name": "constant", "value": 0.0}
    huge = {"name": "constant", "value": 1e12}
    found = asked(client, model={"name": "mlp", "hidden": [8] * 14}, initializers=[zeros, huge], seeds=1, batch=4)
    nothing, burst = (one["layers"] for one in found["initializers"])
    assert of(nothing, "forward") == [0.0] * 15
    assert of(burst, "forward")[-1] is None
    assert [one["label"] for one in found["initializers"]] == ["constant(value=0.0)", "constant(value=1000000000000.0)"]
    picture = client.post(
        "/previews/signal",
        json={"initializers": [zeros, huge], "seeds": 1, "batch": 4},
        headers={"Accept": "image/png"},
    )
    assert picture.status_code == 200


def test_a_picture_where_one_is_asked_for(client: TestClient) -> None:
    body = {"initializers": ["he_normal", "zeros"], "batch": 16}
    answer = client.post("/previews/signal", json=body, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size[0] >= 600


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"model": "cnn", "inputs": [5], "outputs": 2}, "model", "does not fit"),
        ({"model": {"name": "sequential", "layers": ["relu", {"dense": 10}]}}, "model.layers[1]", "takes rows"),
        ({"inputs": [5]}, "outputs", "go together"),
        ({"outputs": 5}, "inputs", "go together"),
        ({"inputs": [5], "outputs": 5, "dataset": "digits"}, "inputs", "give dataset, or"),
        ({"initializer": "zeros", "initializers": ["ones"]}, "initializers", "not both"),
        ({"initializers": ["zeros", "dirac"]}, "initializers[1]", "cannot start layer 'fc1'"),
        ({"initializer": {"name": "per_layer", "layers": {"fc9": "zeros"}}}, "initializer.layers.fc9", "fc9"),
        ({"dataset": "mnist"}, "dataset", "initlab datasets fetch mnist"),
        ({"initializer": "he_norml"}, "initializer.name", "he_normal"),
        ({"batch": 4096, "seeds": 20, "model": {"name": "mlp", "hidden": [2048]}}, "seeds", "INITLAB_PREVIEW_SECONDS"),
        ({"batch": 2, "seeds": 1, "model": {"name": "mlp", "hidden": [8192, 8192]}}, "model", "weights to draw"),
        ({"batch": 2, "seeds": 20, "model": {"name": "resnet", "depth": 302}}, "seeds", "or a smaller model"),
        ({"batch": 1}, "batch", "2"),
        ({"seeds": 21}, "seeds", "20"),
        ({"inputs": [5, 5, 5, 5], "outputs": 1}, "inputs", "3"),
    ],
    ids=str,
)
def test_what_does_not_fit_or_is_too_much_is_refused_with_its_path(
    client: TestClient, body: dict[str, Any], path: str, words: str
) -> None:
    answer = client.post("/previews/signal", json=body)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["path"] == path
    assert words in error["message"]


def test_activations_that_memory_would_not_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_HELD", 128 * (64 + 64 + 8 + 8 + 10) - 1)
    body = SignalPreview.model_validate({"model": {"name": "mlp", "hidden": [8]}, "seeds": 1})
    with pytest.raises(InvalidSpec, match="activations") as refusal:
        limits.signal_of(body, DatasetPaths(), 5.0)
    assert [problem.path for problem in refusal.value.problems] == ["batch"]
    assert limits.signal_of(body.model_copy(update={"batch": 127}), DatasetPaths(), 5.0)["batch"] == 127


def test_the_passes_of_a_calibration_are_work_too(client: TestClient) -> None:
    """200 initial weights are few operations, unless a thousand corrections of each are to be tried."""
    lsuv = {"name": "lsuv", "max_iter": 1000, "examples": 65536}
    assert client.post("/previews/signal", json={"initializer": lsuv | {"examples": 64, "max_iter": 10}}).is_success
    (error,) = client.post("/previews/signal", json={"initializer": lsuv}).json()["errors"]
    assert (error["path"], "is the most of a preview here" in error["message"]) == ("seeds", True)


def test_a_data_set_that_takes_long_to_make_is_refused(client: TestClient) -> None:
    much = {"name": "teacher_student", "examples": 2**24, "inputs": 15, "outputs": 1}
    (error,) = client.post("/previews/signal", json={"dataset": much}).json()["errors"]
    assert (error["path"], "give inputs and outputs" in error["message"]) == ("dataset", True)
