"""The examples: each is a spec that fits its data, the small ones run to their end, and no study's arm is missing."""

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths, Options, Uploads
from core.spec import Spec, Treatment, check, parse
from core.training import initial_state, train

EXAMPLES = Path(__file__).parents[1] / "examples"
CHURN = {"target": ["Exited"], "drop": ["RowNumber", "CustomerId", "Surname"]}
"""How README.md there has it uploaded."""


def raw(example: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(example.read_text(encoding="utf-8"))
    return found


every_example = sorted(EXAMPLES.glob("*.json"))
small = [example for example in every_example if "small" in raw(example)["tags"]]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> DatasetPaths:
    """Stand-ins with the layout of the real files: as many images, or rows, as checking and a short run need."""
    made = DatasetPaths(tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("uploads"))
    fashion, cifar = made.files / "FashionMNIST" / "raw", made.files / "cifar-10-batches-py"
    fashion.mkdir(parents=True)
    labels = np.arange(500, dtype=np.uint8) % 10
    (fashion / "train-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 500) + labels.tobytes())
    (fashion / "train-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 500, 28, 28) + bytes(500 * 784))
    cifar.mkdir()
    for i in range(1, 6):
        with (cifar / f"data_batch_{i}").open("wb") as batch:
            batch.truncate(10_000 * 3073)
    Uploads(made.uploads).add(io.BytesIO(churn(300).encode()), "churn.csv", "churn", Options(**CHURN))
    return made


def churn(rows: int) -> str:
    """A table like that of the bank: its columns, and customers who leave when they are old and inactive."""
    random = np.random.default_rng(0)
    lines = [
        "RowNumber,CustomerId,Surname,CreditScore,Geography,Gender,Age,Tenure,Balance,NumOfProducts,HasCrCard,"
        "IsActiveMember,EstimatedSalary,Exited"
    ]
    for row in range(rows):
        country, gender = random.choice(["France", "Germany", "Spain"]), random.choice(["Female", "Male"])
        age, active = random.integers(18, 80), random.integers(2)
        known = f"{row + 1},{15_000_000 + row},Name{row},{random.integers(350, 850)},{country},{gender},{age}"
        money = f"{random.integers(11)},{random.uniform(0, 2e5):.2f},{random.integers(1, 5)},{random.integers(2)}"
        lines.append(f"{known},{money},{active},{random.uniform(0, 2e5):.2f},{int(age > 50 and not active)}")
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("example", every_example, ids=lambda path: path.stem)
def test_it_fits_its_data(example: Path, paths: DatasetPaths) -> None:
    spec = parse(raw(example))
    assert len(check(spec, paths)) == len(spec.expanded) > 1
    assert len({arm.treatment.model_dump_json() for arm in spec.expanded}) == len(spec.expanded), "arms are the same"
    assert spec.tags[0] in ("study A", "study B", "study C", "study D", "tool")


@pytest.mark.parametrize("example", small, ids=lambda path: path.stem)
def test_it_runs_to_its_end(example: Path, paths: DatasetPaths) -> None:
    asked = raw(example)
    left_out = 0.8 if "batch_size_scan" in asked else 0.9  # the largest batch must not be more than there is
    few: dict[str, Any] = {"dataset": asked["dataset"] | {"valid_fraction": left_out}, "seeds": 1}
    if asked.get("kind") not in ("lr_range_test", "coordinate_check"):  # which have a length of their own
        few["epochs"] = 1
    spec = parse(asked | few)
    runs = train(spec, paths).runs
    assert [run.arm for run in runs] == [arm.label for arm in spec.expanded]
    assert {run.outcome for run in runs} <= {"completed", "diverged"}
    assert sum(run.outcome == "completed" for run in runs) > len(runs) / 2


@pytest.mark.parametrize("arm", [2, 5])
def test_the_layers_of_study_a_start_as_its_cnn(arm: int, paths: DatasetPaths) -> None:
    states = []
    for example in ("a_cnn_on_cifar10.json", "a_cnn_by_its_layers_on_cifar10.json"):
        treatment: Treatment = parse(raw(EXAMPLES / example)).expanded[arm].treatment
        states.append(initial_state(treatment, treatment.dataset.build().info(paths), seed=1))
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_every_example_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [example.name for example in every_example if f"`{example.name}`" not in listed] == []


def used(study: str, field: str) -> set[str]:
    specs: list[Spec] = [parse(raw(example)) for example in every_example if study in raw(example)["tags"]]
    return {getattr(arm.treatment, field).name for spec in specs for arm in spec.expanded}


@pytest.mark.parametrize(
    ("study", "field", "names"),
    [
        (
            "study A",
            "initializer",
            "glorot_uniform glorot_normal_truncated he_uniform he_normal_truncated keras_random_uniform "
            "keras_random_normal",
        ),
        ("study B", "initializer", "zeros ones uniform uniform_rule normal_rule torch_default"),
        (
            "study C",
            "schedule",
            "constant piecewise exponential natural_exp inverse_time polynomial step multistep lambda cosine noam "
            "reduce_on_plateau linear_warmup",
        ),
        ("study C", "initializer", "zeros normal uniform_fixed glorot_uniform glorot_normal he_uniform he_normal"),
        (
            "study D",
            "initializer",
            "zeros uniform_rule glorot_uniform glorot_normal_truncated he_uniform he_normal_truncated",
        ),
    ],
)
def test_all_that_a_study_compares_is_there(study: str, field: str, names: str) -> None:
    assert set(names.split()) <= used(study, field)
