"""The report says what its runs were trained in."""

from dataclasses import replace
from typing import Any

from core.analysis import build_report, markdown
from tests.core.analysis.conftest import MakeResults

ON_A_CPU: dict[str, Any] = {
    "packages": {"initlab": "0.2.0", "torch": "2.13.0", "numpy": "2.3.1", "pillow": "12"},
    "commit": "0123456789abcdef+",
    "python": "3.12.1",
    "platform": "Linux-6-x86_64",
    "processor": "A <b>CPU</b>",
    "device": "cpu",
    "gpu": None,
    "threads": 1,
}


def test_each_environment_is_a_sentence(experiment: MakeResults) -> None:
    on_a_gpu = {**ON_A_CPU, "device": "cuda", "gpu": "A100", "commit": None}
    results = replace(experiment({"a": [0.8, 0.9]}), environments=[ON_A_CPU, on_a_gpu])
    report = build_report(results)
    assert report["environments"] == [ON_A_CPU, on_a_gpu]
    page = markdown(report, results)
    assert "## Where it was trained" in page
    made = "PyTorch 2.13.0, NumPy 2.3.1 on Python 3.12.1"
    cpu = "A &lt;b&gt;CPU&lt;/b&gt;, 1 thread, Linux-6-x86_64"
    assert f"Trained by initlab 0.2.0 (commit 0123456789ab+), {made}: {cpu}." in page
    assert f"Trained by initlab 0.2.0, {made}: A100, Linux-6-x86_64." in page
    assert "may differ in their last bits" in page


def test_nothing_is_said_where_nobody_recorded_it(experiment: MakeResults) -> None:
    results = experiment({"a": [0.8, 0.9]})
    assert "Where it was trained" not in markdown(build_report(results), results)
