"""The work of checking one spec: counted while its arms are looked at, and refused above a bound."""

from core.datasets import DatasetInfo
from core.errors import InvalidSpec, Problem
from core.registry import Entry
from core.schedules import MOST_RATES, work_of
from core.spec._size import Size

MOST_LAYERS = 8_000
"""Layers of all models that differ: each is built without memory, and called with an example, about 1 ms each."""
MOST_SETTLED = 200_000
"""Layers of all arms: each has its initial law looked up."""
LOOKS = 3_500
"""Rates that the checks and warnings look at, at most."""


class Budget:
    """The work of a spec's arms so far. What arms share is looked at once, and counted once."""

    def __init__(self) -> None:
        self._schedules: set[tuple[Entry, float, int, int]] = set()
        self._models: set[tuple[Entry, tuple[int, ...], int]] = set()
        self._rates = self._layers = self._settled = 0

    def spend_on_model(self, model: Entry, data: DatasetInfo, found: Size, path: str) -> None:
        """Count an arm's model; raises `InvalidSpec` where all of them are too many layers."""
        key = (model, data.inputs, data.outputs)
        if key not in self._models:
            self._models.add(key)
            self._layers += found.calls
        self._settled += len(found.layers)
        if self._layers > MOST_LAYERS or self._settled > MOST_SETTLED:
            layers, most = (self._layers, MOST_LAYERS) if self._layers > MOST_LAYERS else (self._settled, MOST_SETTLED)
            message = f"makes {layers:,} layers with those of the arms before; {most:,} is the most of an experiment"
            raise InvalidSpec([Problem(path, f"{message}: compare fewer arms, or less deep ones")])

    def spend_on_schedule(self, schedule: Entry, lr: float, steps: int, steps_per_epoch: int, path: str) -> None:
        """Count an arm's schedule; raises `InvalidSpec` where all of them have too many parts to look at."""
        key = (schedule, lr, steps, steps_per_epoch)
        if key not in self._schedules:
            self._schedules.add(key)
            self._rates += work_of(schedule, steps, LOOKS)
        if self._rates > MOST_RATES:
            message = (
                f"makes {self._rates:,} rates to look at, with those of the arms before; {MOST_RATES:,} is the most"
            )
            raise InvalidSpec([Problem(path, f"{message}: give it fewer parts, or compare fewer arms")])
