"""Runs sent to a real MLflow server, on SQLite, and read back by MLflow's own client."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from mlflow import MlflowClient

from initlab import Experiment
from initlab.errors import ClientError, Unreachable
from initlab.exports.mlflow import send_to_mlflow
from tests.initlab.exports.conftest import LABEL, value

SERVE = """
from mlflow.server import app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server."""
    folder = tmp_path_factory.mktemp("mlflow")
    env = os.environ | {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.sqlite",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(folder / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "false",
    }
    log = (folder / "log").open("w")
    with log, subprocess.Popen([sys.executable, "-c", SERVE], env=env, stdout=subprocess.PIPE, stderr=log) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield f"http://127.0.0.1:{int(line)}"
        process.terminate()


@pytest.mark.service
def test_mlflow_has_every_point_and_setting_of_every_run(
    mlflow: str, trained: Callable[[], Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = send_to_mlflow(trained(), mlflow)
    client = MlflowClient(mlflow)
    place = client.get_experiment_by_name("x (initlab 7)")
    assert shown == f"{mlflow}/#/experiments/{place.experiment_id}"
    runs = {(run.data.tags["arm"], run.info.run_name): run for run in client.search_runs([place.experiment_id])}
    assert len(runs) == 5
    run = runs["zeros", "zeros, seed 1"]
    assert (run.info.status, run.data.tags["outcome"], run.data.params["optimizer.lr"]) == (
        "FINISHED",
        "diverged",
        "0.1",
    )
    assert (run.data.params["arm"], run.data.params["seed"]) == ("zeros", "1")
    assert run.info.end_time - run.info.start_time == 60_000
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert [(one.step, one.value) for one in history[:5]] == [(step, value(4, "train_loss", step)) for step in range(5)]
    assert (history[5].step, math.isnan(history[5].value)) == (5, True)
    assert [one.step for one in client.get_metric_history(run.info.run_id, "valid_loss")] == [2, 5]
    assert len(client.get_metric_history(runs[LABEL, f"{LABEL}, seed 0"].info.run_id, "activation_std/fc1")) == 2

    client.set_terminated(run.info.run_id, "RUNNING")  # as an export that was broken off leaves it
    send_to_mlflow(trained(), mlflow)
    again = client.search_runs([place.experiment_id])
    assert len(again) == 5, "nothing is doubled"
    kept = {one.info.run_id for one in again} & {one.info.run_id for one in runs.values()}
    assert len(kept) == 4
    assert {one.info.status for one in again} == {"FINISHED"}


def test_it_says_what_is_wrong_with_an_address(trained: Callable[[], Experiment], server: object) -> None:
    with pytest.raises(ClientError, match="-o http"):
        send_to_mlflow(trained(), None)
    with pytest.raises(Unreachable, match="MLflow server"):
        send_to_mlflow(trained(), "http://127.0.0.1:1")
