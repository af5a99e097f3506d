"""Hugging Face's own Trainer logs into a run, and stops when it is to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from tests.initlab.integrations.conftest import Logged, load

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.filterwarnings("ignore::FutureWarning")]

load("transformers.trainer")
transformers = load("transformers")
integration: Any = load("initlab.integrations.transformers")

METRICS: Metrics = {"eval_loss": "min", "train_loss": {"direction": "min", "per": "step"}}
NAMES = {"loss": "train_loss"}


class Line(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        out = self.layer(x).squeeze(1)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}


def train(run: Run, names: dict[str, str] | None, folder: Path, epochs: int = 2) -> Any:
    torch.manual_seed(0)
    x = torch.randn(24, 3)
    data = [{"x": row, "labels": row.sum()} for row in x]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, per_device_train_batch_size=8, per_device_eval_batch_size=24,
        eval_strategy="epoch", save_strategy="no", logging_steps=2, use_cpu=True, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    callback = integration.RunCallback(run, names)
    trainer = transformers.Trainer(Line(), arguments, train_dataset=data, eval_dataset=data, callbacks=[callback])
    trainer.train()
    return trainer.state


def test_what_the_trainer_logs_is_logged(
    run_of: Callable[[Metrics], Run], logged: Callable[[], Logged], tmp_path: Path
) -> None:
    with run_of(METRICS) as run:
        state = train(run, NAMES, tmp_path)
    history = state.log_history
    evaluated = [row["eval_loss"] for row in history if "eval_loss" in row]
    assert len(evaluated) == 2
    assert logged() == {
        "train_loss": [(row["step"], row["loss"]) for row in history if "loss" in row]
        + [(6, history[-1]["train_loss"])][:0],
        "eval_loss": list(enumerate(evaluated)),
    }


@pytest.mark.usefixtures("stopping")
def test_it_stops(run_of: Callable[[Metrics], Run], tmp_path: Path) -> None:
    with run_of(METRICS) as run:
        assert train(run, NAMES, tmp_path, epochs=9).global_step < 6


def test_names_that_fit_nothing_are_told(run_of: Callable[[Metrics], Run], tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"what is measured \(.*eval_loss.*\)"), run_of({"a": "max"}) as run:
        train(run, None, tmp_path, epochs=1)
