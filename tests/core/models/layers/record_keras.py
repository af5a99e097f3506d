"""Records what models of Keras' layers compute, and the layers' defaults: `keras.json`, which a test reads.

Not run by the tests: JAX takes half a minute to compile them. With Keras 3.15.1 and JAX 0.10.2:

    KERAS_BACKEND=jax python tests/core/models/layers/record_keras.py
"""

import json
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from keras.src.backend.common import dtypes

Layers = list[dict[str, dict[str, Any]]]
NETWORKS: dict[str, tuple[tuple[int, ...], Layers]] = {
    "odd borders": (
        (2, 13, 10),
        [
            {"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}},
            {"Activation": {"activation": "tanh"}},
            {"MaxPooling2D": {"pool_size": 2, "padding": "same"}},
            {"DepthwiseConv2D": {"kernel_size": 2, "depth_multiplier": 2, "padding": "same", "activation": "elu"}},
            {"SeparableConv2D": {"filters": 3, "kernel_size": [3, 2], "use_bias": False}},
            {"Flatten": {}},
            {"Dense": {"units": 5, "activation": "gelu"}},
            {"Dense": {"units": 4}},
        ],
    ),
    "odd borders of even sides": (
        (2, 8, 12),
        [
            {"Conv2D": {"filters": 4, "kernel_size": [3, 4], "strides": 2, "padding": "same", "activation": "selu"}},
            {"MaxPooling2D": {"pool_size": 3, "strides": 2, "padding": "same"}},
            {"Conv2D": {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "padding": "same", "groups": 2}},
            {"LeakyReLU": {"negative_slope": 0.3}},
            {"AveragePooling2D": {"pool_size": 3, "strides": 1, "padding": "same"}},
            {"GlobalAveragePooling2D": {}},
            {"Dense": {"units": 4, "use_bias": False}},
        ],
    ),
    "norms": (
        (2, 6, 5),
        [
            {"Conv2D": {"filters": 4, "kernel_size": 3}},
            {"BatchNormalization": {"momentum": 0.8}},
            {"ReLU": {}},
            {"GroupNormalization": {"groups": 2, "epsilon": 0.01}},
            {"Flatten": {}},
            {"Dense": {"units": 6, "activation": "sigmoid"}},
            {"LayerNormalization": {}},
            {"Dense": {"units": 4}},
        ],
    ),
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": 1, "kernel_size": 2},
    "DepthwiseConv2D": {"kernel_size": 2},
    "SeparableConv2D": {"filters": 1, "kernel_size": 2},
    "Dense": {"units": 3},
    "MaxPooling2D": {},
    "AveragePooling2D": {"pool_size": 2},
    "BatchNormalization": {},
    "LayerNormalization": {},
    "GroupNormalization": {},
}
"""The arguments that a layer needs."""
COMPARED = {
    *("strides", "dilation_rate", "groups", "use_bias", "padding", "depth_multiplier"),
    *("pool_size", "momentum", "epsilon", "units", "filters", "kernel_size"),
}


def turned(kernel: Any, layer: Any, before: Any) -> list[Any]:
    """A weight of Keras, or its gradient, as torch has it; `before` is the layer before this one."""
    kernel = np.asarray(kernel)
    if kernel.ndim == 4:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D)
        if depthwise and kernel.shape[:2] != (1, 1):
            kernel = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
        else:
            kernel = kernel.transpose(3, 2, 0, 1)
    elif kernel.ndim == 2 and isinstance(before, keras.layers.Flatten):
        height, width, channels = before.input.shape[1:]
        kernel = kernel.reshape(height, width, channels, -1).transpose(3, 2, 0, 1).reshape(kernel.shape[1], -1)
    else:
        kernel = kernel.T
    found: list[Any] = kernel.round(13).tolist()
    return found


def computed(inputs: tuple[int, ...], layers: Layers) -> dict[str, Any]:
    """Outputs in training, the gradients of their product with `pull`, and a batch norm's new mean."""
    random = np.random.default_rng(0)
    made = [getattr(keras.layers, name)(**given) for layer in layers for name, given in layer.items()]
    model = keras.Sequential([keras.Input((*inputs[1:], inputs[0])), *made])
    for variable in model.trainable_variables:
        variable.assign((random.normal(size=variable.shape) * 0.3 + 0.1).round(3))
    owners = [pair for pair in zip(made, [None, *made], strict=False) for _ in pair[0].trainable_variables]
    x, pull = random.normal(size=(6, *inputs)).round(3), random.normal(size=(6, 4)).round(3)

    def product(trained: Any) -> Any:
        outputs, others = model.stateless_call(
            trained, model.non_trainable_variables, x.transpose(0, 2, 3, 1), training=True
        )
        return (outputs * pull).sum(), (outputs, others)

    values = [variable.value for variable in model.trainable_variables]
    gradients, (outputs, others) = jax.grad(product, has_aux=True)(values)
    return {
        "inputs": inputs,
        "layers": layers,
        "x": x.tolist(),
        "pull": pull.tolist(),
        "weights": [turned(value, *owner) for value, owner in zip(values, owners, strict=True)],
        "outputs": np.asarray(outputs).tolist(),
        "gradients": [turned(value, *owner) for value, owner in zip(gradients, owners, strict=True)],
        "running_mean": [np.asarray(value).tolist() for value in others if value.ndim == 1][:1],
    }


def defaults() -> dict[str, Any]:
    found = {}
    for name, given in DEFAULTS.items():
        config = getattr(keras.layers, name)(**given).get_config()
        found[name] = {"given": given, "config": {key: config[key] for key in sorted(COMPARED & config.keys())}}
    return found


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE.clear()  # by which Keras computes what is in float64 in float32
    with jax.enable_x64(True):
        networks = {name: computed(*network) for name, network in NETWORKS.items()}
    whole = json.dumps({"networks": networks, "defaults": defaults()}, separators=(",", ":"))
    Path(__file__).with_name("keras.json").write_text(whole + "\n")
