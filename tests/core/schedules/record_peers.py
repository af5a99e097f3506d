"""Records what the schedules of peers that the project does not install give: `peers.json`, which the tests read.

Not run by the tests. Each peer in an environment of its own that has the versions written into `peers.json`:

    pip install paddlepaddle==3.3.1 && python tests/core/schedules/record_peers.py paddle
    pip install timm==1.0.31 && python tests/core/schedules/record_peers.py timm
    pip install transformers==5.23.0 torch && python tests/core/schedules/record_peers.py transformers
"""

import importlib
import json
import math
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

STEPS = 200
B = 0.1
FILE = Path(__file__).with_name("peers.json")
Case = tuple[dict[str, Any], Callable[[Any], Any]]
"""Our spec, and what the peer's module makes of the same."""

PADDLE: list[Case] = [
    ({"name": "piecewise", "boundaries": [30, 101], "values": [0.1, 0.05, 0.01]},
     lambda lr: lr.PiecewiseDecay([30, 101], [0.1, 0.05, 0.01])),
    ({"name": "piecewise", "boundaries": [0, 7], "values": [0.1, 0.05, 0.2]},
     lambda lr: lr.PiecewiseDecay([0, 7], [0.1, 0.05, 0.2])),
    ({"name": "exponential", "gamma": 0.98}, lambda lr: lr.ExponentialDecay(B, 0.98)),
    ({"name": "natural_exp", "gamma": 0.05}, lambda lr: lr.NaturalExpDecay(B, 0.05)),
    ({"name": "inverse_time", "gamma": 1.5}, lambda lr: lr.InverseTimeDecay(B, 1.5)),
    ({"name": "polynomial", "decay_steps": 120}, lambda lr: lr.PolynomialDecay(B, 120)),
    ({"name": "polynomial", "decay_steps": 70, "end_lr": 0.01, "power": 2.5},
     lambda lr: lr.PolynomialDecay(B, 70, 0.01, 2.5)),
    ({"name": "polynomial", "decay_steps": 60, "end_lr": 0.01, "power": 0.5, "cycle": True},
     lambda lr: lr.PolynomialDecay(B, 60, 0.01, 0.5, True)),
    ({"name": "step", "unit": "step", "step_size": 30, "gamma": 0.5}, lambda lr: lr.StepDecay(B, 30, 0.5)),
    ({"name": "multistep", "unit": "step", "milestones": [30, 80], "gamma": 0.3},
     lambda lr: lr.MultiStepDecay(B, [30, 80], 0.3)),
    ({"name": "lambda", "fn": "0.95 ** t"}, lambda lr: lr.LambdaDecay(B, lambda t: 0.95**t)),
    ({"name": "multiplicative", "fn": "0.99 if t % 3 else 0.9"},
     lambda lr: lr.MultiplicativeDecay(B, lambda t: 0.99 if t % 3 else 0.9)),
    ({"name": "cosine", "T_max": 60, "eta_min": 0.003, "beyond": "periodic"},
     lambda lr: lr.CosineAnnealingDecay(B, 60, 0.003)),
    ({"name": "noam", "d_model": 64, "warmup_steps": 40}, lambda lr: lr.NoamDecay(64, 40, B)),
    ({"name": "linear_warmup", "warmup_steps": 20, "start_lr": 0.01}, lambda lr: lr.LinearWarmup(B, 20, 0.01, B)),
    ({"name": "linear_warmup", "warmup_steps": 33, "end_lr": 0.3,
      "after": {"name": "step", "unit": "step", "step_size": 40}},
     lambda lr: lr.LinearWarmup(lr.StepDecay(B, 40), 33, 0.0, 0.3)),
    ({"name": "onecycle", "total_steps": 201, "final_div_factor": 40.0},
     lambda lr: lr.OneCycleLR(B, 201, 25.0, 0.0001, 0.3)),
    ({"name": "onecycle", "max_lr": 0.5, "total_steps": 200, "pct_start": 0.37, "anneal_strategy": "linear",
      "div_factor": 10.0, "final_div_factor": 5.0, "three_phase": True},
     lambda lr: lr.OneCycleLR(0.5, 200, 10.0, 0.01, 0.37, "linear", True)),
    ({"name": "cyclic", "max_lr": 0.5, "step_size_up": 11, "step_size_down": 30},
     lambda lr: lr.CyclicLR(B, 0.5, 11, 30)),
    ({"name": "cyclic", "max_lr": 0.5, "step_size_up": 20, "mode": "triangular2"},
     lambda lr: lr.CyclicLR(B, 0.5, 20, mode="triangular2")),
    ({"name": "cyclic", "max_lr": 0.5, "step_size_up": 20, "mode": "exp_range", "gamma": 0.99},
     lambda lr: lr.CyclicLR(B, 0.5, 20, mode="exp_range", exp_gamma=0.99)),
    ({"name": "cosine_restarts", "T_0": 20, "T_mult": 2, "eta_min": 0.01},
     lambda lr: lr.CosineAnnealingWarmRestarts(B, 20, 2, 0.01)),
    ({"name": "linear_factor", "start_factor": 0.2, "end_factor": 0.8, "total_steps": 50},
     lambda lr: lr.LinearLR(B, 50, 0.2, 0.8)),
]  # fmt: skip
TIMM: list[Case] = [
    ({"name": "tanh", "T_max": 120}, lambda ts: ts.TanhLRScheduler(_optimizer(), 120)),
    ({"name": "tanh", "T_max": 150, "lb": -4.0, "ub": 2.0, "eta_min": 0.003},
     lambda ts: ts.TanhLRScheduler(_optimizer(), 150, lb=-4.0, ub=2.0, lr_min=0.003)),
    ({"name": "linear_warmup", "warmup_steps": 30, "start_lr": 0.01,
      "after": {"name": "tanh", "T_max": 120, "eta_min": 0.003}},
     lambda ts: ts.TanhLRScheduler(
         _optimizer(), 120, lr_min=0.003, warmup_t=30, warmup_lr_init=0.01, warmup_prefix=True)),
    ({"name": "cosine", "T_max": 120, "eta_min": 0.003}, lambda ts: ts.CosineLRScheduler(_optimizer(), 120, 0.003)),
    ({"name": "cosine_warmup", "warmup_steps": 30, "total_steps": 150, "eta_min": 0.003, "start_lr": 0.01},
     lambda ts: ts.CosineLRScheduler(
         _optimizer(), 120, 0.003, warmup_t=30, warmup_lr_init=0.01, warmup_prefix=True)),
    ({"name": "cosine_restarts", "T_0": 13, "T_mult": 2, "eta_min": 0.003, "m_mul": 0.5},
     lambda ts: ts.CosineLRScheduler(_optimizer(), 13, 0.003, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=99)),
    ({"name": "cosine_restarts", "T_0": 30, "eta_min": 0.003, "m_mul": 0.7},
     lambda ts: ts.CosineLRScheduler(_optimizer(), 30, 0.003, cycle_decay=0.7, cycle_limit=99)),
    ({"name": "polynomial", "decay_steps": 120, "end_lr": 0.003, "power": 0.5},
     lambda ts: ts.PolyLRScheduler(_optimizer(), 120, lr_min=0.003)),
    *(({"name": "wsd", "warmup_steps": 20, "stable_steps": 100, "decay_steps": 60, "min_ratio": 0.05,
        "decay_type": shape},
       lambda ts, shape=shape: ts.wsd_lr.WSDLRScheduler(
           _optimizer(), 160, 60, lr_min=0.05 * B, decay_fn=shape, warmup_t=20))
      for shape in ("linear", "cosine", "1-sqrt")),
]  # fmt: skip
TRANSFORMERS: list[Case] = [
    *(({"name": "wsd", "warmup_steps": 20, "stable_steps": 100, "decay_steps": 60, "decay_type": shape},
       lambda to, shape=shape: to.get_wsd_schedule(_optimizer(), 20, 60, None, 100, decay_type=shape))
      for shape in ("linear", "cosine", "1-sqrt")),
    ({"name": "wsd", "warmup_steps": 0, "stable_steps": 0, "decay_steps": 150, "min_ratio": 0.2},
     lambda to: to.get_wsd_schedule(_optimizer(), 0, 150, None, 0, decay_type="1-sqrt", min_lr_ratio=0.2)),
    ({"name": "inverse_sqrt", "warmup_steps": 30}, lambda to: to.get_inverse_sqrt_schedule(_optimizer(), 30)),
    ({"name": "inverse_sqrt", "warmup_steps": 0}, lambda to: to.get_inverse_sqrt_schedule(_optimizer(), 0)),
    ({"name": "inverse_sqrt", "warmup_steps": 10, "timescale": 50.0},
     lambda to: to.get_inverse_sqrt_schedule(_optimizer(), 10, 50)),
    ({"name": "linear_decay", "warmup_steps": 30, "total_steps": 150},
     lambda to: to.get_linear_schedule_with_warmup(_optimizer(), 30, 150)),
    ({"name": "constant_warmup", "warmup_steps": 30},
     lambda to: to.get_constant_schedule_with_warmup(_optimizer(), 30)),
    ({"name": "cosine_warmup", "warmup_steps": 30, "total_steps": 100, "beyond": "periodic"},
     lambda to: to.get_cosine_schedule_with_warmup(_optimizer(), 30, 100)),
]  # fmt: skip


def _optimizer() -> Any:
    torch = importlib.import_module("torch")
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=B)


def paddle() -> Iterator[tuple[dict[str, Any], list[float]]]:
    lr = importlib.import_module("paddle").optimizer.lr
    for raw, make in PADDLE:
        scheduler, found = make(lr), []
        for _ in range(STEPS):
            found.append(scheduler())
            scheduler.step()
        yield {"schedule": raw}, found
    for raw, metrics in _plateaus():
        own = {key: value for key, value in raw.items() if key not in ("name", "flavour", "eps")}
        scheduler = lr.ReduceOnPlateau(B, epsilon=raw["eps"], **own)
        found = [scheduler.last_lr]
        for metric in metrics:
            scheduler.step(metric)
            found.append(scheduler.last_lr)
        given = [None if math.isnan(metric) else metric for metric in metrics]
        yield {"schedule": raw, "metrics": given}, found


def timm() -> Iterator[tuple[dict[str, Any], list[float]]]:
    module = importlib.import_module("timm.scheduler")
    importlib.import_module("timm.scheduler.wsd_lr")
    for raw, make in TIMM:
        scheduler, found = make(module), []
        for t in range(STEPS):
            scheduler.step(t)
            found.append(scheduler.optimizer.param_groups[0]["lr"])
        yield {"schedule": raw}, found


def transformers() -> Iterator[tuple[dict[str, Any], list[float]]]:
    module = importlib.import_module("transformers.optimization")
    for raw, make in TRANSFORMERS:
        scheduler, found = make(module), []
        for _ in range(STEPS):
            found.append(scheduler.get_last_lr()[0])
            scheduler.optimizer.step()
            scheduler.step()
        yield {"schedule": raw}, found


def _plateaus() -> Iterator[tuple[dict[str, Any], list[float]]]:
    """Metrics that improve, stall, jump and are lost; first ones are numbers, relative thresholds see positive ones."""
    chance = random.Random(0)
    for mode in ("min", "max"):
        for threshold_mode in ("rel", "abs"):
            for patience, cooldown, min_lr, eps in ((0, 0, 0.0, 1e-8), (2, 3, 0.004, 1e-8), (1, 1, 0.0, 0.01)):
                raw = {
                    "name": "reduce_on_plateau", "flavour": "paddle", "mode": mode, "threshold_mode": threshold_mode,
                    "patience": patience, "cooldown": cooldown, "min_lr": min_lr, "eps": eps,
                    "factor": 0.5, "threshold": 0.05,
                }  # fmt: skip
                lowest = 0.1 if threshold_mode == "rel" else -1.0
                metrics = [round(chance.uniform(lowest, 1.0), 3) for _ in range(60)]
                metrics[20:30] = [metrics[20]] * 10
                metrics[40] = metrics[45] = math.nan
                yield raw, metrics


def main() -> None:
    """Replace the peer's part of the file."""
    peer = sys.argv[1]
    recorded = json.loads(FILE.read_text()) if FILE.exists() else {}
    recorded[peer] = {
        "version": importlib.import_module(peer).__version__,
        "cases": [
            given | {"lr": [float(f"{rate:.12g}") for rate in found]}
            for given, found in {"paddle": paddle, "timm": timm, "transformers": transformers}[peer]()
        ],
    }
    lines = [
        f'"{name}": {{"version": "{part["version"]}", "cases": [\n'
        + ",\n".join(json.dumps(case, separators=(",", ":")) for case in part["cases"])
        + "\n]}"
        for name, part in sorted(recorded.items())
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
