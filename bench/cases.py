"""What the trainers are compared on: the networks, the data and how much of it, the same for every trainer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

Start = Callable[[nn.Module], Any]
SHARE = 0.2
"""Of the examples are held out, as the service does where nothing else is asked for."""


@dataclass(frozen=True, eq=False)
class Case:
    """Runs = initializers x seeds; every trainer validates on both splits once an epoch."""

    name: str
    title: str
    model: dict[str, Any]
    """As a spec has it."""
    network: Callable[[], nn.Sequential]
    """The same, as a person writes it."""
    kind: Literal["images", "table"]
    shape: tuple[int, ...]
    """Of an example: (height, width[, channels]) or (features,)."""
    examples: int
    batch: int
    initializers: Sequence[str]
    seeds: int
    epochs: int
    peer_runs: dict[str, tuple[int, int]]
    """How many runs of how many epochs a peer trains, by its name in bench/ways.py: its time is linear in both."""
    targets: dict[str, float]
    """How many times faster than a peer the service should be."""
    repeats: int = 5
    below_seconds: Mapping[str, float] = field(default_factory=dict)
    """The seconds that the service should stay under, by precision."""

    @property
    def runs(self) -> int:
        return len(self.initializers) * self.seeds

    @property
    def valid(self) -> int:
        return round(self.examples * SHARE)

    @property
    def train(self) -> int:
        return self.examples - self.valid

    @property
    def steps(self) -> int:
        """Updates an epoch."""
        return -(-self.train // self.batch)

    def spec(self, dataset: str, device: str, precision: str = "fp32") -> dict[str, Any]:
        """The experiment on the uploaded data set of that name."""
        return {
            "name": self.title,
            "dataset": {"name": "uploaded", "id": dataset, "valid_fraction": SHARE},
            "model": self.model,
            "optimizer": {"name": "adam", "lr": 0.001},
            "batch_size": self.batch,
            "epochs": self.epochs,
            "seeds": self.seeds,
            "arms": [{"label": name, "initializer": name} for name in self.initializers],
            "device": device,
            "precision": precision,
        }

    def described(self) -> str:
        return (
            f"{self.title}, Adam, batch {self.batch}: {self.runs} runs, {self.epochs} epochs of {self.steps} updates, "
            f"{self.train:,} + {self.valid:,} examples"
        )


@lru_cache(maxsize=1)
def arrays(case: Case) -> dict[str, NDArray[Any]]:
    """Made-up data of the case's size: bytes of images or numbers of a table, and what is to be learned of them."""
    random = np.random.default_rng(0)
    size = (case.examples, *case.shape)
    if case.kind == "images":
        return {"x": random.integers(0, 256, size, dtype=np.uint8), "y": np.arange(case.examples) % 10}
    x = random.standard_normal(size, dtype=np.float32)
    return {"x": x, "y": (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(np.int64)}


def parts(case: Case) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """The training and the validation split of the peers."""
    x, y = arrays(case).values()
    return [(x[: case.train], y[: case.train]), (x[case.train :], y[case.train :])]


def mlp(hidden: Sequence[int] = (256, 128), inputs: int = 784) -> nn.Sequential:
    """Ten classes, dropout after every hidden layer."""
    layers: list[nn.Module] = [nn.Flatten()]
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(0.2)]
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


def _tabular() -> nn.Sequential:
    return nn.Sequential(nn.Linear(11, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 1))


def _cnn() -> nn.Sequential:
    layers: list[nn.Module] = []
    width = 3
    for units in (32, 32, 64):
        layers += [nn.Conv2d(width, units, 3, padding=1), nn.BatchNorm2d(units), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
        width = units
    layers += [nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]
    return nn.Sequential(*layers)


def _set(fill: Callable[[Any], Any]) -> Start:
    def start(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv2d):
            fill(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    return start


STARTS: dict[str, Start] = {
    "zeros": _set(nn.init.zeros_),
    "ones": _set(nn.init.ones_),
    "uniform": _set(nn.init.uniform_),
    "glorot_uniform": _set(nn.init.xavier_uniform_),
    "glorot_normal": _set(nn.init.xavier_normal_),
    "he_uniform": _set(lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu")),
    "he_normal": _set(lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu")),
}
"""The initializers' counterparts in torch.nn.init."""
SEVEN = list(STARTS)

MLP = Case(
    name="mlp",
    title="MLP 784-256-128-10, dropout 0.2",
    model={"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
    network=mlp,
    kind="images",
    shape=(28, 28),
    examples=12_500,
    batch=100,
    initializers=SEVEN,
    seeds=5,
    epochs=2,
    peer_runs={"a": (2, 1), "b": (7, 2)},
    targets={"a": 7, "b": 2},
)
_TABULAR = Case(
    name="tabular",
    title="table 11-6-6-1, binary",
    model={"name": "mlp", "hidden": [6, 6]},
    network=_tabular,
    kind="table",
    shape=(11,),
    examples=8_000,
    batch=20,
    initializers=SEVEN[2:],
    seeds=20,
    epochs=6,
    peer_runs={"a": (1, 3), "b": (5, 3)},
    targets={"b": 25},
)
_CNN = Case(
    name="cnn",
    title="CNN 32-32-64, batch norm, 3 x 32 x 32",
    model={"name": "cnn", "channels": [32, 32, 64]},
    network=_cnn,
    kind="images",
    shape=(32, 32, 3),
    examples=1_600,
    batch=128,
    initializers=SEVEN[1:],
    seeds=2,
    epochs=2,
    peer_runs={"a": (2, 1), "b": (3, 1)},
    targets={"b": 1.4},
    repeats=3,
)
STUDY = replace(
    _CNN,
    name="cifar10",
    title="CIFAR-10 study: CNN 32-32-64, made-up images",
    examples=62_500,
    batch=512,
    seeds=5,
    epochs=30,
    peer_runs={"graph": (1, 2)},
    targets={},
    repeats=1,
    below_seconds={"fp32": 100, "tf32": 60, "bf16": 30},
)
"""6 initializers x 5 seeds x 30 epochs on 50,000 images and 12,500 to validate, as one experiment."""
CASES: dict[str, list[Case]] = {
    "cpu": [MLP, _TABULAR, _CNN],
    "cuda": [
        replace(
            MLP,
            epochs=20,
            peer_runs={"a": (1, 1), "b": (3, 3), "graph": (7, 10), "graphs": (7, 10), "compiled": (3, 10)},
            targets={"graph": 4},
            repeats=3,
        ),
        replace(
            _CNN,
            examples=12_500,
            seeds=5,
            epochs=5,
            peer_runs={"a": (1, 1), "b": (3, 3), "graph": (3, 10), "graphs": (3, 10), "compiled": (3, 10)},
            targets={"graph": 1.5},
        ),
        STUDY,
        replace(
            _TABULAR,
            epochs=40,
            peer_runs={"a": (1, 1), "b": (1, 3), "graph": (5, 5), "graphs": (5, 5)},
            targets={},
            repeats=3,
        ),
    ],
}
"""In the order in which they are measured: what a limited time should be spent on comes first."""


def find(name: str, device: str) -> Case:
    """A case by its name, as processes pass it."""
    return next(case for case in CASES[device] if case.name == name)
