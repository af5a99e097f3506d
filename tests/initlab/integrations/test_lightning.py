"""Lightning's own Trainer logs into a run, and stops when it is to."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from tests.initlab.integrations.conftest import Logged, load

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.filterwarnings("ignore::FutureWarning")]

pl: Any = load("pytorch_lightning")
integration: Any = load("initlab.integrations.lightning")

METRICS: Metrics = {"valid_loss": "min", "train_loss": {"direction": "min", "per": "step"}}


class Line(pl.LightningModule):  # type: ignore[misc]  # found at run time
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
        self.seen: list[float] = []

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        loss = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[torch.Tensor]) -> None:
        loss = self._loss(batch)
        self.log("val_loss", loss)
        if not self.trainer.sanity_checking:
            self.seen.append(loss.item())

    def _loss(self, batch: list[torch.Tensor]) -> torch.Tensor:
        errors: torch.Tensor = self.layer(batch[0]).squeeze(1) - batch[0].sum(1)
        return (errors**2).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(run: Run, names: dict[str, str] | None = None, **options: Any) -> Any:
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(24, 3))
    module = Line()
    trainer = pl.Trainer(
        logger=integration.RunLogger(run, names), callbacks=[integration.StopCallback(run)], accelerator="cpu",
        log_every_n_steps=2, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        **options,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(data, 8), torch.utils.data.DataLoader(data, 24))
    return module, trainer


def test_what_a_module_logs_is_logged(run_of: Callable[[Metrics], Run], logged: Callable[[], Logged]) -> None:
    with run_of(METRICS) as run:
        module, _ = fit(run, {"val_loss": "valid_loss"}, max_epochs=4, check_val_every_n_epoch=2)
    found = logged()
    assert [step for step, _ in found["valid_loss"]] == [1, 3]
    assert [value for _, value in found["valid_loss"]] == pytest.approx(module.seen)
    assert [step for step, _ in found["train_loss"]] == [1, 3, 5, 7, 9, 11]  # three updates an epoch, each second one


@pytest.mark.usefixtures("stopping")
def test_it_stops(run_of: Callable[[Metrics], Run]) -> None:
    with run_of(METRICS) as run:
        _, trainer = fit(run, max_epochs=9)
        assert trainer.current_epoch < 4


def test_names_that_fit_nothing_are_told(run_of: Callable[[Metrics], Run]) -> None:
    with pytest.raises(ClientError, match=r"measured \(.*train_loss, val_loss\)"), run_of({"a": "max"}) as run:
        fit(run, max_epochs=1)
