"""The command line against the real service: one command starts it, one asks it, and it is gone afterwards."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import httpx2 as httpx
import nbclient
import nbformat
import psutil
import pytest

from initlab import ApiError, Client
from initlab.demo import keep, service
from initlab.errors import ClientError

pytestmark = pytest.mark.service

PARTS = {"confusion", "precision_recall", "reliability", "roc"}
"""The pictures that the report's `classification` is made of."""
ROOT = Path(__file__).parents[2]

SPEC: dict[str, Any] = {
    "name": "tiny <b>",
    "model": {"name": "mlp", "hidden": [8]},
    "epochs": 2,
    "seeds": 2,
    "arms": [{"label": "all zeros", "initializer": "zeros"}, {"label": "he [red]", "initializer": "he_normal"}],
}


def initlab(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "initlab", *words]
    return subprocess.run(command, env={"INITLAB_URL": url}, capture_output=True, text=True, check=False, timeout=120)


def test_submit_and_wait_ends_in_the_verdict(url: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    ended = initlab(url, "submit", str(tmp_path / "spec.json"), "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "he [red]" in ended.stdout
    assert "N = 2" in ended.stdout
    assert "4/4 runs" in ended.stderr


def test_a_preview_shows_the_plan_and_posts_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(SPEC | {"name": "only looked at"}))
    shown = initlab(url, "submit", str(tmp_path / "spec.json"), "--preview")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("only looked at: 4 runs, 120 steps")
    assert "he [red]" in shown.stdout
    assert list(Client(url).experiments(name="only looked at")) == []


def test_the_tour_runs_from_its_first_cell_to_its_last(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITLAB_URL", url)
    tour = nbformat.read(ROOT / "examples" / "tour.ipynb", as_version=4)
    assert [cell for cell in tour.cells if cell.get("outputs")] == []  # what is shown is of whoever runs it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Jupyter's own parts
        nbclient.NotebookClient(tour, timeout=120, kernel_name="python3").execute()
    shown = {cell.id: [one.get("data", {}) for one in cell.outputs] for cell in tour.cells if cell.cell_type == "code"}
    kinds = {kind for outputs in shown.values() for data in outputs for kind in data}
    assert kinds == {"text/plain", "text/html", "image/png", "image/svg+xml"}
    pages = [data["text/html"] for outputs in shown.values() for data in outputs if "text/html" in data]
    progress, experiment, report, series = pages
    assert "15 of 15 runs" in progress
    assert "has the best mean validation accuracy" in experiment
    assert "data:image/png;base64," in experiment
    assert "<td><bdi>He</bdi></td><td>5</td>" in report
    assert "and 10 more series" in series
    assert list(Client(url).experiments(name="a tour")) == []


def test_an_invalid_spec_names_the_field_and_the_nearest_name(url: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("arms:\n- initializer: he_norml\n- epoch: 3\n")
    refused = initlab(url, "submit", str(tmp_path / "spec.yaml"))
    assert refused.returncode == 2
    assert "arms[0].initializer" in refused.stderr
    assert "he_normal" in refused.stderr
    assert "arms[1].epoch" in refused.stderr
    assert "'epochs'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_client_reads_what_was_measured(url: str, tmp_path: Path) -> None:
    client = Client(url)
    experiment = client.submit(SPEC).wait()
    assert (experiment.status, experiment.errors) == ("succeeded", [])
    losses = experiment.metrics(metric="train_loss", arm="he [red]", seed=1)
    assert [one["steps"] for one in losses] == [list(range(30))]
    assert len(experiment.metrics("train_loss", max_points=8)[0]["steps"]) <= 8
    assert [(run["arm"], run["seed"]) for run in experiment.runs()] == [
        (arm, seed) for arm in ("all zeros", "he [red]") for seed in (0, 1)
    ]
    pictures = keep(experiment, tmp_path)
    assert {picture.stem for picture in pictures} >= {"loss", "accuracy", "schedule", "weights", "comparison"}
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert "![loss](loss.png)" in (tmp_path / "report.md").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    reported = {picture.stem for picture in pictures} - PARTS
    assert page.count('<img src="data:image/png;base64,') == len(reported)
    assert "plots/" not in page
    assert experiment.id in [one.id for one in client.experiments(name="tiny")]


def test_previews_and_the_catalogue(url: str) -> None:
    client = Client(url)
    assert client.preview_schedule("constant", lr=0.1, steps=3) == [0.1, 0.1, 0.1]
    drawn = client.preview_initializer({"name": "uniform", "low": -1.0, "high": 1.0}, [100, 50])
    assert sum(drawn["histogram"]["counts"]) == 5000
    for words in ([], ["initializers"], ["initializers", "he_normal"], ["schedules", "linear_warmup"]):
        shown = initlab(url, "catalog", *words)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout


RANGE = {"kind": "lr_range_test", "lr_range": {"low": 1e-5, "high": 10, "steps": 60}}
SCAN = {
    "kind": "batch_size_scan",
    "batch_size_scan": {"sizes": [100, 400], "rule": "none"},
    "target": {"metric": "valid_loss", "value": 10.0},
    "epochs": 2,
}


CHECK = {"kind": "coordinate_check", "coordinate_check": {"widths": [8, 16], "updates": 2}}


@pytest.mark.parametrize(
    ("kind", "preview", "verdict", "picture"),
    [
        (RANGE, "120 steps", '"he [red]": the loss falls fastest at a rate of', "lr_range"),
        (SCAN, "76 steps", "The network reached a validation loss of 10 after", "batch_size"),
        (CHECK, "12 steps", '"he [red]", after 2 updates: ', "coordinate_check"),
    ],
    ids=["range test", "scan", "coordinate check"],
)
def test_a_tool_is_asked_for_as_any_experiment(
    url: str, tmp_path: Path, kind: dict[str, Any], preview: str, verdict: str, picture: str
) -> None:
    kept = {key: value for key, value in SPEC.items() if key != "epochs"}
    (tmp_path / "spec.json").write_text(json.dumps(kept | {"arms": SPEC["arms"][1:]} | kind))
    shown = initlab(url, "submit", str(tmp_path / "spec.json"), "--preview")
    assert preview in shown.stdout, shown.stderr
    ended = initlab(url, "submit", str(tmp_path / "spec.json"), "--wait")
    assert ended.returncode == 0, ended.stderr
    assert verdict in ended.stdout
    newest = next(iter(Client(url).experiments()))
    drawn = initlab(url, "plot", str(newest.id), picture, "-o", str(tmp_path / "a.png"))
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (
        verdict.replace("[", "\\[").replace("]", "\\]")
        in initlab(url, "report", str(newest.id), "--format", "md").stdout
    )


def test_cancel_and_delete(url: str) -> None:
    experiment = Client(url).submit(SPEC | {"epochs": 100_000})
    with pytest.raises(ApiError) as refused:
        experiment.delete()
    assert refused.value.status == 409
    assert initlab(url, "cancel", str(experiment.id)).stdout == f"experiment {experiment.id} is cancelled\n"
    assert initlab(url, "delete", str(experiment.id)).returncode == 0
    gone: Any = initlab(url, "show", str(experiment.id))
    assert (gone.returncode, "404" in gone.stderr) == (2, True)


def test_a_users_own_table_is_sent_trained_on_and_deleted(url: str, tmp_path: Path) -> None:
    """Its columns have nothing in common but their numbers: a network that learns has read them right."""
    rows = [f"{i},{'north' if i % 3 else 'south'},{'yes' if i % 3 else 'no'}" for i in range(90)]
    (tmp_path / "towns.csv").write_text("\n".join(["number,place,label", *rows]))
    sent = initlab(url, "datasets", "upload", str(tmp_path / "towns.csv"), "--target", "label")
    assert sent.returncode == 0, sent.stderr
    assert "binary: no, yes" in sent.stdout
    client = Client(url)
    own = {"name": "uploaded", "id": "towns"}
    adam = {"name": "adam", "lr": 0.05}
    experiment = client.submit(SPEC | {"dataset": own, "optimizer": adam, "batch_size": 10, "epochs": 10}).wait()
    assert (experiment.status, experiment.errors) == ("succeeded", [])
    assert experiment.data["spec"]["dataset"]["id"] == f"towns@{client.dataset('towns')['sha256']}"
    learned = [run for run in experiment.runs() if run["arm"] == "he [red]"]
    assert [run["final"]["valid_accuracy"] for run in learned] == [1.0, 1.0]
    assert initlab(url, "datasets", "delete", "towns").returncode == 0
    assert initlab(url, "datasets", "list").stdout == "no data sets\n"


def test_a_second_service_on_the_same_data_is_refused(url: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "service").symlink_to(home / "service")
    with pytest.raises(ClientError, match="another initlab service"), service(tmp_path):
        pass
    assert httpx.get(f"{url}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("arms", "code"), [([{"initializer": "zeros"}, {"initializer": "he_normal"}], 0), ([{}] * 300, 1)]
)
def test_the_demo_leaves_its_report_or_a_reason(tmp_path: Path, arms: list[Any], code: int) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(SPEC | {"arms": arms}))
    command = [sys.executable, "-m", "initlab.demo", str(tmp_path / "spec.json"), "--into", str(tmp_path / "demo")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == code, ended.stderr
    assert ("422" in ended.stderr) == (code == 1)
    assert (tmp_path / "demo" / "report.md").exists() == (code == 0)
    assert "Traceback" not in ended.stderr
    left = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
    assert left == []


def test_a_service_ends_with_the_demo_that_is_killed(tmp_path: Path) -> None:
    starts = (
        "import sys; from pathlib import Path; from initlab.demo import service\n"
        "with service(Path(sys.argv[1])): print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", starts, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        assert demo.stdout.readline() == "up\n"
        began = psutil.Process(demo.pid).children(recursive=True)
        assert len(began) >= 3
        demo.kill()
    _, left = psutil.wait_procs(began, timeout=60)
    assert left == []


@pytest.mark.thorough
def test_a_bundle_is_trained_again_to_the_same_bits(url: str, tmp_path: Path) -> None:
    spec = SPEC | {"name": "again", "seeds": {"from": 3, "to": 4, "looks": [3, 4]}, "diagnostics": {"every": 5}}
    first = Client(url).submit(spec).wait(progress=False)
    bundle = tmp_path / "first.zip"
    assert initlab(url, "export", str(first.id), "--to", "bundle", "-o", str(bundle)).stdout == f"{bundle}\n"
    again = initlab(url, "reproduce", str(bundle), "--exact", "--json")
    assert again.returncode == 0, again.stderr + again.stdout
    found = json.loads(again.stdout)
    assert found["result"] == "identical"
    assert found["points"] == found["identical"] > 1000
    assert (found["runs"], found["decisions"], found["data"], found["environment"]) == ([], [], [], [])
    repeated = Client(url).experiment(found["experiment"])
    assert repeated.id != first.id
    assert repeated.tags == ["reproduction"]
    other = Client(url).submit(spec | {"optimizer": {"name": "adam", "lr": 0.002}}).wait(progress=False)
    different = initlab(url, "reproduce", str(bundle), "--against", str(other.id))
    assert different.returncode == 5
    assert "first beyond tolerance: lr of" in different.stdout
