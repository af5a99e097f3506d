"""A model by its layers: how they are written, what they are called, what is refused, and where."""

import json
from typing import Any

import jsonschema
import pytest
import torch
from torch import nn

from core.errors import Misfit
from core.models import models
from core.models._activations import ACTIVATIONS
from core.models.layers import layers
from core.models.layers._spelling import parse_layer
from core.models.sequential import MOST
from tests.core.entries import entries, raw, refusal

PICTURE = (3, 8, 8)
SEQUENTIAL = models["sequential"]


def spec(*written: Any) -> dict[str, Any]:
    return {"name": "sequential", "layers": list(written)}


def refused(*written: Any) -> list[tuple[str, str]]:
    return [(p.path, p.message) for p in refusal("model", spec(*written))]


def misfit(*written: Any, inputs: tuple[int, ...] = PICTURE, outputs: int = 10) -> tuple[str, str]:
    build = models.parse(spec(*written)).build()
    with pytest.raises(Misfit) as caught, torch.device("meta"):
        build(inputs, outputs)
    return caught.value.path, str(caught.value)


def test_the_issues_example(build_model: Any) -> None:
    written = [{"conv2d": {"filters": 32, "kernel": 3}}, "relu", {"maxpool": 2}, "flatten", {"dense": 10}]
    model = build_model("sequential", PICTURE, 10, layers=written)
    assert [type(layer) for layer in model] == [nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear]
    assert {name: tuple(p.shape) for name, p in model.named_parameters()} == {
        "0.weight": (32, 3, 3, 3),
        "0.bias": (32,),
        "4.weight": (10, 32 * 3 * 3),
        "4.bias": (10,),
    }


def test_layers_have_their_names_and_their_parts_names_beside_them(build_model: Any) -> None:
    model = build_model(
        "sequential",
        (3, 7, 7),
        2,
        layers=[
            {"conv2d": {"filters": 4, "kernel_size": 2, "padding": "same", "activation": "relu", "name": "stem"}},
            {"SeparableConv2D": {"filters": 4, "kernel_size": 3}},
            "flatten",
            {"dense": {"units": "outputs", "name": "head"}},
        ],
    )
    assert [name for name, _ in model.named_children()] == [
        *("stem-pad", "stem", "stem-relu"),
        *("1-depthwise", "1", "2", "head"),
    ]


@pytest.mark.parametrize(
    "written",
    [
        ["Dense", {"units": 5}],
        ["dense", 5],
        ["linear", {"out_features": 5}],
        ["Linear", 5],
    ],
    ids=str,
)
def test_a_layer_is_written_by_either_peers_names(written: list[Any]) -> None:
    assert parse_layer({written[0]: written[1]}) == parse_layer({"dense": {"units": 5}})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MaxPooling2D", "max_pool"),
        ("max_pooling2d", {"MaxPool2d": 2}),
        ({"maxpool": None}, {"maxpool": {}}),
        ({"Activation": "relu"}, "ReLU"),
        ({"activation": {"activation": "leaky_relu"}}, "LeakyReLU"),
        ({"activation": "linear"}, "identity"),
        (
            {"conv2d": {"filters": 3, "kernel": [3, 3], "padding": "valid", "strides": 1}},
            {"Conv2D": {"filters": 3, "kernel_size": 3}},
        ),
        ({"Dropout": {"p": 0.2}}, {"dropout": 0.2}),
        ({"SpatialDropout2D": {"rate": 0.2}}, {"dropout2d": 0.2}),
        ({"LeakyReLU": {"alpha": 0.3}}, {"leaky_relu": 0.3}),
        ({"dense": {"units": 3, "activation": None}}, {"dense": 3}),
    ],
    ids=str,
)
def test_names_that_mean_the_same(one: Any, other: Any) -> None:
    assert parse_layer(one) == parse_layer(other)


@pytest.mark.parametrize("name", [name for kind, name in entries("layer")])
def test_the_canonical_spelling_and_every_shorter_one_fit_the_schema(name: str) -> None:
    given = {key: value for key, value in raw("layer", name).items() if key != "name"}
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(SEQUENTIAL.model_json_schema())))
    layer = parse_layer({name: given})
    named = parse_layer({name: {**given, "name": "a"}})
    spellings = [layer.spelled(), named.spelled(), {name: given}, *([name, {name: None}] if not given else [])]
    spellings += [{name: value} for value in list(given.values())[:1] if len(given) == 1]
    for spelled in spellings:
        validator.validate(spec(spelled))
        assert parse_layer(spelled) == (named if spelled == named.spelled() else layer)
    assert not validator.is_valid(spec({name: {**given, "of no layer": 1}}))
    assert not validator.is_valid(spec({name: {**given, "name": "a b"}}))


CANNOT_BE: list[tuple[list[Any], str, str]] = [
    (["conv"], "layers[0]", "unknown layer 'conv'; did you mean 'conv2d'?"),
    (["relu", {"dens": 3}], "layers[1]", "did you mean 'dense'"),
    ([{"dense": {"units": 3, "bia": True}}], "layers[0].dense.bia", "did you mean 'bias'"),
    ([{"dense": {"units": 0}}], "layers[0].dense.units", "from 1 to 65,536"),
    ([{"dense": 0}], "layers[0].dense", "from 1 to 65,536"),
    ([{"Linear": {"in_features": 4, "out_features": 3}}], "layers[0].Linear.in_features", "leave it out"),
    ([{"dense": {"units": 3, "out_features": 3}}], "layers[0].dense.out_features", "the same as units"),
    ([{"Dense": {"units": 3, "kernel_initializer": "zeros"}}], "layers[0].Dense.kernel_initializer", "per_layer"),
    ([{"conv2d": {"filters": 3, "kernel": 0}}], "layers[0].conv2d.kernel", "from 1 to 1,024"),
    ([{"conv2d": {"filters": 3, "kernel": [3]}}], "layers[0].conv2d.kernel", "two: of the height and of the width"),
    ([{"conv2d": {"filters": 3, "kernel": True}}], "layers[0].conv2d.kernel", "from 1 to 1,024"),
    ([{"conv2d": {"filters": 3, "kernel": 3, "padding": "full"}}], "layers[0].conv2d.padding", '"same", "valid"'),
    ([{"conv2d": {"filters": 3, "kernel": 3, "padding": -1}}], "layers[0].conv2d.padding", "from 0 to 1,024"),
    ([{"conv2d": 3}], "layers[0].conv2d.kernel_size", "Field required"),
    ([{"maxpool": {"kernel_size": 2, "padding": 2}}], "layers[0].maxpool", "half the kernel of 2 x 2 is the most"),
    ([{"flatten": 1}], "layers[0].flatten", "has no parameters"),
    ([{"dropout": 1.0}], "layers[0].dropout", "less than 1"),
    (["softmax"], "layers[0]", "the loss computes the softmax"),
    ([{"Activation": "softmax"}], "layers[0].Activation", "the loss computes the softmax"),
    ([{"Activation": "rely"}], "layers[0].Activation", "did you mean 'relu'"),
    ([{"dense": {"units": 3, "activation": "softmax"}}], "layers[0].dense.activation", "the loss computes the softmax"),
    ([{"dense": {"units": 3, "name": "a.b"}}], "layers[0].dense.name", "letters, digits or underscores"),
    ([{"dense": {"units": 3, "name": "3"}}], "layers[0].dense.name", "letters, digits or underscores"),
    ([{"dense": {"units": 3, "name": "forward"}}], "layers[0].dense.name", "torch's own"),
    ([{"dense": {"units": 3, "name": "a"}}, "relu", {"dense": {"units": 3, "name": "a"}}], "layers[2]", "of layer 0"),
    ([{"conv2d": {}, "relu": {}}], "layers[0]", "should be a layer"),
    ([[]], "layers[0]", "should be a layer"),
    ([], "layers", "should have 1 or more, and has 0"),
]


@pytest.mark.parametrize(("written", "path", "message"), CANNOT_BE, ids=[str(written) for written, *_ in CANNOT_BE])
def test_what_is_no_layer_is_refused_at_its_place(written: list[Any], path: str, message: str) -> None:
    ((found, told),) = refused(*written)
    assert found == path
    assert message in told


DO_NOT_FIT: list[tuple[list[Any], str, str]] = [
    (
        ["flatten", {"conv2d": {"filters": 3, "kernel": 3}}],
        "layers[1]",
        "layer 1 (conv2d) takes pictures, and gets 192 numbers",
    ),
    (["flatten", "maxpool"], "layers[1]", "takes pictures, and gets 192 numbers"),
    (["relu", {"dense": 10}], "layers[1]", 'pictures of 8 x 8 with 3 channels: put "flatten" before it'),
    (
        [{"conv2d": {"filters": 3, "kernel": [3, 9]}}],
        "layers[0]",
        "has a kernel of 3 x 9, larger than its pictures of 8 x 8",
    ),
    ([{"conv2d": {"filters": 3, "kernel": 3, "dilation": 4}}], "layers[0]", "has a kernel of 9 x 9, larger"),
    (
        [{"conv2d": {"filters": 3, "kernel": 11, "padding": 1}}],
        "layers[0]",
        "larger than its pictures of 8 x 8, with the border",
    ),
    (
        [{"conv2d": {"filters": 4, "kernel": 3, "groups": 2}}],
        "layers[0]",
        "3 channels in and 4 out evenly among 2 groups",
    ),
    ([{"group_norm": 2}], "layers[0]", "cannot share 3 channels evenly among 2 groups"),
    (
        ["maxpool", "maxpool", "maxpool", "maxpool"],
        "layers[3]",
        "has a kernel of 2 x 2, larger than its pictures of 1 x 1",
    ),
    ([{"avgpool": {"kernel_size": 3, "stride": 2, "padding": "same"}}], "layers[0]", "cannot put an odd border"),
    ([{"adaptive_avg_pool": 3}], "layers[0]", "cannot cut pictures of 8 x 8 evenly into 3 x 3 parts"),
    (["layer_norm"], "layers[0]", '{"group_norm": 1}'),
    (["flatten", {"dropout2d": 0.5}], "layers[1]", "takes pictures"),
    (["flatten", {"dense": 12}], "layers[1]", "gives 12 numbers, and the data set asks for 10"),
    (
        ["relu", {"conv2d": {"filters": "outputs", "kernel": 1}}],
        "layers[1]",
        "gives pictures of 8 x 8 with 10 channels, and",
    ),
    (["flatten", {"dense": 10}, "sigmoid"], "layers[2]", "is an activation"),
    (["flatten", {"dense": {"units": 10, "activation": "relu"}}], "layers[1]", "leave relu out"),
    (["flatten", {"dense": 10}, {"dropout": 0.1}], "layers[2]", "would drop outputs"),
]


@pytest.mark.parametrize(("written", "path", "message"), DO_NOT_FIT, ids=[str(written) for written, *_ in DO_NOT_FIT])
def test_layers_that_do_not_fit_are_refused_at_their_index(written: list[Any], path: str, message: str) -> None:
    found, told = misfit(*written)
    assert found == path
    assert message in told
    assert told.startswith(f"layer {path[7:-1]} (")


def test_a_model_without_weights_is_refused() -> None:
    assert misfit("flatten", inputs=(10,))[0] == "layers"


@pytest.mark.parametrize("inputs", [(5, 4), (2, 3, 4, 5)])
def test_arrays_that_are_neither_rows_nor_pictures_can_be_flattened(build_model: Any, inputs: tuple[int, ...]) -> None:
    assert build_model("sequential", inputs, 3, layers=["relu", "flatten", {"dense": 3}])(
        torch.zeros(2, *inputs)
    ).shape == (2, 3)
    for layer in ("batch_norm", "maxpool", {"dense": 3}):
        assert f"arrays of {inputs}" in misfit(layer, inputs=inputs)[1]


def test_outputs_are_as_many_as_the_data_set_asks_for(build_model: Any) -> None:
    written = [{"conv2d": {"filters": "outputs", "kernel": 3}}, "global_average_pooling", {"dense": "outputs"}]
    for outputs in (1, 7):
        assert build_model("sequential", PICTURE, outputs, layers=written)(torch.zeros(2, *PICTURE)).shape == (
            2,
            outputs,
        )


def test_long_lists_are_refused_unread() -> None:
    """10,000 wrong ones are one problem."""
    assert refused(*["no layer"] * 10_000) == [("layers", f"has 10,000 layers; {MOST} is the most")]
    assert refused(*["relu"] * (MOST + 1))[0][0] == "layers"
    models.parse(spec(*["relu"] * (MOST - 1), {"dense": 3}))


def test_a_layer_in_words() -> None:
    assert [
        str(parse_layer(written))
        for written in (
            "relu",
            {"maxpool": 2},
            {"maxpool": [3, 2]},
            {"conv2d": {"filters": 32, "kernel": 3, "padding": "same", "name": "stem"}},
            {"dense": "outputs"},
            {"dropout": 0.25},
            "BatchNormalization",
        )
    ] == [
        "relu",
        "maxpool",
        "maxpool(3x2)",
        "stem: conv2d(32, kernel_size=3, padding=same)",
        "dense(outputs)",
        "dropout(0.25)",
        "batch_norm(momentum=0.01, eps=0.001)",
    ]


def test_every_activation_of_the_other_models_is_a_layer() -> None:
    for name, kind in ACTIVATIONS.items():
        (module,) = parse_layer({"activation": name}).layer.build()((3,), 1).modules.values()
        assert type(module) is kind
    assert {"relu", "prelu"} <= set(layers)
