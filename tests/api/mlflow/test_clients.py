"""MLflow's own client, its autologging, and the import, with a service that really listens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import mlflow
import numpy as np
import pytest
import uvicorn

from api.app import create_app
from core.settings import Settings
from core.store import Database, upgrade
from initlab import Client
from initlab.imports import mlflow as reader
from initlab.imports.mapping import plan
from initlab.imports.rules import Measure, Rules
from initlab.imports.sending import Asked, send
from initlab.imports.sources import Place, read
from tests.initlab.imports.written import TENSORBOARD, unpacked

pytestmark = pytest.mark.filterwarnings("ignore")  # those of MLflow's


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an API without a worker."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), sweep_seconds=3600)
    made = Database(settings.database)
    upgrade(made.engine)
    made.dispose()
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(autouse=True)
def tracking(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    mlflow.set_tracking_uri(f"{url}/mlflow")
    yield
    mlflow.end_run()


@contextmanager
def autologging(library: ModuleType, **options: bool) -> Iterator[None]:
    """Within the block MLflow logs what `library`, a module of MLflow's, trains.

    `mlflow.autolog(disable=True)` would leave it on, as what was asked of one library prevails: in other tests each
    training would then try for minutes to reach a server that is gone.
    """
    library.autolog(silent=True, **options)
    try:
        yield
    finally:
        library.autolog(disable=True, silent=True)


def test_mlflows_client_reads_back_what_it_wrote(url: str) -> None:
    mlflow.set_experiment("by hand")
    with mlflow.start_run(run_name="one", tags={"arm": "a", "seed": "3"}) as run:
        mlflow.log_params({"lr": 0.1, "depth": 2})
        for step in range(3):
            mlflow.log_metric("val_acc", step / 4, step=step)
        mlflow.log_metrics({"val_acc": float("nan"), "loss": float("inf")}, step=3)
    client = mlflow.MlflowClient()
    found = client.get_run(run.info.run_id)
    assert (found.info.status, found.info.run_name, found.data.params) == (
        "FINISHED",
        "one",
        {"lr": "0.1", "depth": "2"},
    )
    history = client.get_metric_history(run.info.run_id, "val_acc")
    assert [point.step for point in history] == [0, 1, 2, 3]
    assert np.isnan(history[3].value)
    assert found.data.metrics["loss"] == float("inf")
    (same,) = client.search_runs(
        [found.info.experiment_id], "params.lr = '0.1'", order_by=["attributes.start_time DESC"]
    )
    assert same.info.run_id == run.info.run_id
    assert client.list_artifacts(run.info.run_id) == []
    client.log_text(run.info.run_id, "words" * 300_000, "words.txt")
    assert client.get_run(run.info.run_id).data.tags["initlab.artifacts"] == "not kept: words.txt"
    assert client.list_artifacts(run.info.run_id) == []
    assert client.get_experiment_by_name("nobody's") is None
    number = int(found.data.tags["initlab.run"])
    with Client(url) as ours:
        (series,) = next(ours.experiments(name="by hand")).metrics(["val_acc"])
    assert (series["run_id"], series["seed"], series["values"]) == (number, 3, [0.0, 0.25, 0.5, None])


def test_autologging_of_scikit_learn_is_judged(url: str) -> None:
    from sklearn.datasets import load_iris  # noqa: PLC0415 slow to import
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    mlflow.set_experiment("autologged")
    x, y = load_iris(return_X_y=True)
    with autologging(mlflow.sklearn, log_models=False):
        for seed in range(3):
            order = np.random.default_rng(seed).permutation(len(x))
            for name, c in (("weak", 1e-4), ("strong", 1.0)):
                with mlflow.start_run(tags={"arm": name, "seed": str(seed)}):
                    LogisticRegression(C=c).fit(x[order[:100]], y[order[:100]])
    with Client(url) as client:
        (one,) = client.experiments(name="autologged")
        assert {arm["label"] for arm in one.data["spec"]["arms"]} == {"weak", "strong"}
        assert one.data["spec"]["arms"][0]["config"]["C"] == 0.0001
        report = one.report(metric="training_accuracy_score")
    (pair,) = report["comparisons"]
    assert {pair["a"], pair["b"]} == {"weak", "strong"}
    assert [arm["n"] for arm in report["arms"]] == [3, 3]


def test_autologging_of_keras_is_judged(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    import keras  # noqa: PLC0415 slow to import

    mlflow.set_experiment("autologged by keras")
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = (x.sum(axis=1) > 0).astype(int)
    with autologging(mlflow.keras, log_models=False, log_datasets=False):
        for seed in range(2):
            for name, lr in (("slow", 1e-6), ("fast", 0.1)):
                keras.utils.set_random_seed(seed)
                model = keras.Sequential([keras.layers.Dense(2, "softmax")])
                model.compile(keras.optimizers.SGD(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
                with mlflow.start_run(tags={"arm": name, "seed": str(seed)}):
                    model.fit(x, y, validation_split=0.5, epochs=3, verbose=0)
    with Client(url) as client:
        (one,) = client.experiments(name="autologged by keras")
        report = one.report()
        assert report["metric"] == "val_accuracy"
        assert {arm["label"]: arm["n"] for arm in report["arms"]} == {"slow": 2, "fast": 2}
        curves = one.metrics("val_loss", "fast", 0)
        assert [series["steps"] for series in curves] == [[0, 1, 2]]
        config = {arm["label"]: arm["config"] for arm in one.data["spec"]["arms"]}
    assert config["fast"]["optimizer_learning_rate"] == pytest.approx(0.1)


def test_what_the_door_has_can_be_imported_again(url: str) -> None:
    mlflow.set_experiment("to import")
    for arm in ("a", "b"):
        for seed in range(3):
            with mlflow.start_run(tags={"arm": arm, "seed": str(seed)}):
                mlflow.log_metric("val_acc", seed / 8 + (arm == "a"), step=5)
    runs = reader.read(f"{url}/mlflow", "to import")
    found = {(one.arm, one.seed): one.run.series["val_acc"] for one in plan(runs, Rules()).runs}
    assert {key: (list(one.steps), list(one.values)) for key, one in found.items()} == {
        (arm, seed): ([5], [seed / 8 + (arm == "a")]) for arm in "ab" for seed in range(3)
    }


def test_an_import_is_an_experiment_and_again_the_same_one(url: str, tmp_path: Path) -> None:
    for arm in ("adam", "sgd"):
        for seed in range(3):
            folder = tmp_path / arm / f"seed_{seed}"
            folder.mkdir(parents=True)
            (folder / "events.out.tfevents.1").write_bytes(unpacked(TENSORBOARD))
    place, rules = Place(source="tensorboard", at=str(tmp_path)), Rules(measures=[Measure("acc", "max", "epoch")])
    made = plan(read(place, rules), rules)
    with Client(url) as client:
        first = send(client, made, Asked(name="boards"), "import:1", None)
        assert (first.made, first.stored, first.known, first.refused) == (True, 18, 0, [])
        assert first.experiment.status == "succeeded"
        series = first.experiment.metrics(["acc"], arm="sgd", seed=2)
        assert [(one["steps"], one["values"], one["unit"]) for one in series] == [
            ([0, 1, 2], [0.5, 0.75, 0.875], "epoch")
        ]
        again = send(client, made, Asked(name="boards"), "import:1", first.experiment)
        assert (again.made, again.experiment.id, again.stored, again.known) == (False, first.experiment.id, 0, 18)
        made.runs[0].run.series["acc"].values[2] = 1.0
        changed = send(client, made, Asked(name="boards"), "import:1", first.experiment)
        assert changed.stored == 0
        assert ["another point was stored at place 2" in said for said in changed.refused] == [True]
