"""The studies of docs/studies: every spec trained by a service of its own, its report and pictures kept beside it.

`--data` is a folder with `churn.csv`, `cifar10-images.zip` (`train/<class>/<picture>`) and `FashionMNIST/raw`.
"""

import argparse
import io
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image
from record import described

from initlab import Client
from initlab.demo import service
from initlab.experiment import Experiment

ROOT = Path(__file__).parent.parent
CIFAR10_IMAGES = 300
"""Of each class."""


class Study(NamedTuple):
    """A spec of `examples/`, what is changed of it to end in minutes, and the pictures that are kept."""

    letter: str
    name: str
    pictures: tuple[str, ...]
    changes: Mapping[str, Any] = MappingProxyType({})
    suffix: str = ""

    @property
    def folder(self) -> str:
        return f"{self.letter}/{self.name}{self.suffix}"

    @property
    def spec(self) -> dict[str, Any]:
        example = json.loads((ROOT / "examples" / f"{self.name}.json").read_text())
        return {**example, **self.changes}


SMALL_CIFAR10: dict[str, Any] = {
    "name": "Six Keras initializers of a CNN, on 3,000 pictures of CIFAR-10",
    "dataset": {"name": "uploaded", "id": "cifar10-small", "valid_fraction": 0.2},
    "model": {
        "name": "cnn",
        "channels": [16, 32],
        "convolutions": 1,
        "batch_norm": True,
        "dropout": 0.25,
        "dense": [64],
        "dense_dropout": 0.5,
    },
    "batch_size": 64,
    "epochs": 12,
}
LONGER = {"name": "Seven ways to set initial weights, trained for 42 epochs", "epochs": 42, "seeds": 5}
STUDIES = (
    Study("a", "a_cnn_on_cifar10", ("accuracy", "stability", "generalization", "forest"), SMALL_CIFAR10),
    Study("b", "weights_on_fashion_mnist", ("loss", "comparison", "weights"), {"seeds": 20}),
    Study("b", "weights_on_fashion_mnist", ("loss", "comparison"), LONGER, "_longer"),
    Study("c", "c_learning_rates", ("loss", "comparison")),
    Study("c", "c_decays", ("schedule", "comparison")),
    Study("c", "c_batch_sizes", ("loss", "convergence", "comparison")),
    Study("c", "c6_zeros", ("comparison",), {"diagnostics": {"every": 50}}),
    Study("c", "c7_fixed_variance", ("comparison", "layers"), {"diagnostics": {"every": 50}}),
    Study("c", "c7_fixed_variance_and_layer_norm", ("comparison", "layers"), {"diagnostics": {"every": 50}}),
    Study("c", "c8_xavier_for_linear", ("comparison", "layers"), {"diagnostics": {"every": 50}}),
    Study("c", "c9_he_for_relu", ("comparison", "layers"), {"diagnostics": {"every": 50}}),
    Study("d", "d_activations_on_churn", ("loss", "forest")),
    Study("d", "d1_size_of_weights", ("loss", "comparison")),
    Study("d", "d4_zeros_or_one_neuron", ("comparison",), {"diagnostics": {"every": 50}}),
    Study("d", "d5_depth_of_sigmoids", ("comparison", "layers"), {"diagnostics": {"every": 50}}),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="the folder of the data")
    arguments.add_argument("--into", type=Path, default=ROOT / "docs" / "studies")
    arguments.add_argument("--only", default="", help="a part of the folders to make, such as c/c7")
    arguments.add_argument("--json", type=Path, help="where the whole report and the curves are to go, as JSON")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch, "service")
        own.mkdir()
        (own / "datasets").symlink_to(given.data.absolute())
        with service(Path(scratch)) as url, Client(url, api_key="") as client:
            drop = ("RowNumber", "CustomerId", "Surname")
            client.upload_dataset(given.data / "churn.csv", "churn", target="Exited", drop=drop)
            pictures = few_pictures(given.data / "cifar10-images.zip", Path(scratch, "few.zip"))
            client.upload_dataset(pictures, "cifar10-small")
            for study in STUDIES:
                if given.only in study.folder:
                    experiment = trained(client, study)
                    keep(experiment, study, given.into / study.folder)
                    if given.json:
                        dump(experiment, given.json / study.folder)


def trained(client: Client, study: Study) -> Experiment:
    """The study's spec, trained to its end."""
    experiment = client.submit(study.spec).wait()
    if experiment.status != "succeeded":
        raise SystemExit(f"{study.folder} {experiment.status}: {experiment.errors}")
    return experiment


def keep(experiment: Experiment, study: Study, into: Path) -> None:
    """Write the spec, the report and the pictures."""
    into.mkdir(parents=True, exist_ok=True)
    (into / "spec.json").write_text(compact(study.spec) + "\n")
    for name in study.pictures:
        picture = Image.open(io.BytesIO(experiment.plot(name))).convert("RGB")
        picture.quantize(128).save(into / f"{name}.png", optimize=True)  # a third of the bytes, and looks the same
    shown = "\n\n".join(f"![{name}]({name}.png)" for name in study.pictures)
    (into / "report.md").write_text(f"{experiment.report_markdown().rstrip()}\n\n{shown}\n\n{made(experiment)}\n")
    print(f"{study.folder}: {made(experiment)}", flush=True)


def dump(experiment: Experiment, into: Path) -> None:
    """Write all numbers, for whoever looks for one that the Markdown leaves out."""
    into.mkdir(parents=True, exist_ok=True)
    (into / "report.json").write_text(json.dumps(experiment.report()))
    for name in ("accuracy", "loss"):
        (into / f"{name}.json").write_bytes(experiment.plot(name, "json"))


def made(experiment: Experiment) -> str:
    """When and where it was trained, and how long that took."""
    done = experiment.progress
    begin, end = (datetime.fromisoformat(experiment.data[key]) for key in ("started_at", "finished_at"))
    took = (end - begin).total_seconds()
    return f"{done['runs_total']} runs, {done['steps_done']:,} updates in {took:.0f} s on {described()}."


def few_pictures(archive: Path, into: Path) -> Path:
    """An archive of the first pictures of each class of the training split."""
    taken: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(into, "w") as few:
        for name in sorted(whole.namelist()):
            found = re.fullmatch(r"(?:.*/)?train/([^/]+)/([^/]+\.jpg)", name)
            if found and taken[found[1]] < CIFAR10_IMAGES:
                taken[found[1]] += 1
                few.writestr(f"{found[1]}/{found[2]}", whole.read(name))
    return into


def compact(spec: dict[str, Any]) -> str:
    """JSON with one line for each field of the spec, and for each of its arms."""
    lines = []
    for key, value in spec.items():
        text = json.dumps(value)
        if key == "arms":
            text = "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    main()
