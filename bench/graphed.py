"""The service's strongest peers on a GPU: a whole update as one CUDA graph, and what torch.compile makes of it.

Both train one run after the other on data in memory, and judge both splits after every epoch, like the good loop
(bench/peers.py), whose numbers they give. What is captured or compiled is used again for every run of a process.
"""

import math
from collections.abc import Callable
from functools import cache

import torch
from backend import Backend
from cases import STARTS, Case
from peers import EVALUATION_BATCH, in_memory, judged, loss_of, taken

WARM_UP = 3
"""Updates launched one by one before they are captured."""


class Peer:
    """One network and its optimizer, in places that stay; a run begins with new numbers in them."""

    def __init__(self, case: Case, backend: Backend) -> None:
        self.case, self.backend = case, backend
        (self.x, self.y), self.valid = in_memory(case, backend.device)
        started = case.network().to(backend.device)
        # known to nn.Module.to alone
        self.model = started.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001, fused=True, capturable=True)

    def begin(self, initializer: str, seed: int) -> None:
        """Begin a run."""
        torch.manual_seed(seed)
        fresh = self.case.network().apply(STARTS[initializer]).state_dict()
        with torch.no_grad():
            for name, place in self.model.state_dict().items():
                place.copy_(fresh[name])
            for state in self.optimizer.state.values():
                for value in state.values():
                    value.zero_()

    def update(self, loss: torch.Tensor) -> torch.Tensor:
        """Do one update and return the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return a batch's loss."""
        with self.backend.autocast():
            outputs = self.model(taken(self.case, x))
        return loss_of(self.case, outputs.float(), y)

    def evaluate(self, model: Callable[[torch.Tensor], torch.Tensor], at_once: int) -> torch.Tensor:
        """Return each split's loss and accuracy."""
        with torch.no_grad():
            splits = ((self.x, self.y), self.valid)
            numbers = [one for split in splits for one in judged(self.case, model, split, self.backend, at_once)]
            return torch.stack(numbers).float()


class Graphed(Peer):
    """Three CUDA graphs: an update, the update of an epoch's last few examples, and the evaluation of both splits."""

    def __init__(self, case: Case, backend: Backend) -> None:
        super().__init__(case, backend)
        self.whole, self.rest = divmod(len(self.x), case.batch)
        self.order = torch.arange(len(self.x), device=backend.device)
        """The epoch's examples, in the order in which they are trained on."""
        self.place = torch.zeros(1, dtype=torch.int64, device=backend.device)
        """The update within the epoch."""
        self.losses = torch.zeros(case.steps, device=backend.device)
        self.judged = torch.zeros(4, device=backend.device)
        self._stream = torch.cuda.Stream()
        self._stream.wait_stream(torch.cuda.current_stream())
        self.model.train()
        self._update = self._captured(lambda: self._step(self._batch()))
        self._last = self._captured(lambda: self._step(self.order[-self.rest :])) if self.rest else None
        self.model.eval()
        self._evaluation = self._captured(lambda: self.judged.copy_(self.evaluate(self.model, EVALUATION_BATCH)))
        torch.cuda.current_stream().wait_stream(self._stream)

    def train(self, initializer: str, seed: int, epochs: int) -> list[float]:
        """Train one run. Returns every update's loss, then the epochs'."""
        self.begin(initializer, seed)
        losses, numbers = [], []
        for _ in range(epochs):
            self.order.copy_(torch.randperm(len(self.x), device=self.backend.device))
            self.place.zero_()
            for _ in range(self.whole):
                self._update.replay()
            if self._last:
                self._last.replay()
            self._evaluation.replay()
            losses.append(self.losses.clone())
            numbers.append(self.judged.clone())
        return torch.cat(losses + numbers).tolist()

    def _batch(self) -> torch.Tensor:
        rows = self.order[: self.whole * self.case.batch].view(self.whole, self.case.batch)
        return rows.index_select(0, self.place).flatten()

    def _step(self, batch: torch.Tensor) -> None:
        loss = self.update(self.loss(self.x.index_select(0, batch), self.y.index_select(0, batch)))
        self.losses.index_copy_(0, self.place, loss.unsqueeze(0))
        self.place.add_(1)

    def _captured(self, work: Callable[[], object]) -> torch.cuda.CUDAGraph:
        """Warm up and capture on one stream."""
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UP):
                self.place.zero_()
                work()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            work()
        return graph


class Compiled(Peer):
    """The loss compiled for a batch, the outputs for an evaluation; an epoch's last few examples run as they are."""

    def __init__(self, case: Case, backend: Backend) -> None:
        super().__init__(case, backend)
        self._loss = torch.compile(self.loss, mode="reduce-overhead", dynamic=False)
        self._outputs = torch.compile(self.model, mode="reduce-overhead", dynamic=False)

    def train(self, initializer: str, seed: int, epochs: int) -> list[float]:
        """Train one run. Returns every update's loss, then the epochs'."""
        self.begin(initializer, seed)
        losses, numbers = [], []
        for _ in range(epochs):
            self.model.train()
            for batch in torch.randperm(len(self.x), device=self.backend.device).split(self.case.batch):
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
                loss_of_batch = self._loss if len(batch) == self.case.batch else self.loss
                loss = loss_of_batch(self.x.index_select(0, batch), self.y.index_select(0, batch))
                losses.append(self.update(loss).clone().reshape(1))
            self.model.eval()
            numbers.append(self.evaluate(self._judge, math.gcd(len(self.x), self.case.valid)))
        return torch.cat(losses + numbers).tolist()

    def _judge(self, x: torch.Tensor) -> torch.Tensor:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        outputs: torch.Tensor = self._outputs(x)  # type: ignore[no-untyped-call]
        return outputs.clone()


@cache
def _kept(kind: type[Graphed] | type[Compiled], case: Case, backend: Backend) -> Graphed | Compiled:
    return kind(case, backend)


def graphed(case: Case, initializer: str, seed: int, epochs: int, backend: Backend) -> list[float]:
    """One run by graphs, which this process captures once."""
    return _kept(Graphed, case, backend).train(initializer, seed, epochs)


def compiled(case: Case, initializer: str, seed: int, epochs: int, backend: Backend) -> list[float]:
    """One run by what this process compiles once."""
    return _kept(Compiled, case, backend).train(initializer, seed, epochs)
