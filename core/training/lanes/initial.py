"""The values that the lanes of a cohort start from."""

from collections.abc import Callable, Sequence
from functools import partial

import torch

from core.datasets import DatasetInfo
from core.initializers import State
from core.training.initialize import calibration_examples, initial_state
from core.training.recorder import Lane


def initial_stacks(
    lanes: Sequence[Lane],
    info: DatasetInfo,
    inputs: Callable[[int], torch.Tensor],
    targets: Callable[[int], torch.Tensor],
    dtype: torch.dtype,
) -> dict[str, torch.Tensor]:
    """Return every lane's initial parameters and buffers, stacked; drawn once where lanes share initializer and seeds.

    `inputs` and `targets` are those of a seed's training split.
    """

    def drawn_for(lane: Lane) -> State:
        def examples(seed: int, count: int) -> torch.Tensor:
            return calibration_examples(inputs(lane.sources.split))(seed, count)

        return initial_state(
            lane.treatment, info, lane.sources.init, dtype, examples, partial(targets, lane.sources.split)
        )

    keys = [(lane.treatment.initializer, lane.sources.init, lane.sources.split) for lane in lanes]
    some_lane = dict(zip(keys, lanes, strict=True))
    drawn = {key: drawn_for(lane) for key, lane in some_lane.items()}
    with torch.device("meta"):
        trained = {name for name, _ in lanes[0].treatment.model.build()(info.inputs, info.outputs).named_parameters()}
    return {
        f"{'parameters' if name in trained else 'buffers'}/{name}": torch.stack([drawn[key][name] for key in keys])
        for name in drawn[keys[0]]
    }
