"""The device and the precision in which the peers and the limits compute: the service's own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.spec import HALVES, Precision


@dataclass(frozen=True)
class Backend:
    """A device and the precision of its products."""

    device: str = "cpu"
    precision: Precision = "fp32"

    @property
    def dtype(self) -> torch.dtype:
        """The type in which its products are computed."""
        return HALVES.get(self.precision, torch.float32)

    def set_precision(self) -> None:
        """Set the precision of a GPU's products in this process, and let cuDNN try for the fastest convolutions."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.precision == "tf32"
        torch.backends.cudnn.benchmark = self.device == "cuda"

    def autocast(self) -> torch.autocast:
        """Return the context of a forward pass; without a cache, which a captured graph cannot have."""
        half = HALVES.get(self.precision)
        return torch.autocast(self.device, half, enabled=half is not None, cache_enabled=False)

    def synchronize(self) -> None:
        """Wait for a GPU."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def fastest(self, work: Callable[[], object], budget: float) -> float:
        """Return the seconds of the fastest of as many repeats as fit into the budget."""
        work(), work()
        best, end = float("inf"), time.perf_counter() + budget
        while time.perf_counter() < end:
            self.synchronize()
            begin = time.perf_counter()
            for _ in range(5):
                work()
            self.synchronize()
            best = min(best, (time.perf_counter() - begin) / 5)
        return best
