"""The service's peers, as people write them: the tutorials' way, and a good loop on data in memory.

Both train one run after the other, and judge both splits after every epoch as the service does. On a GPU all peers
compute in the service's precision; two more are in bench/graphed.py.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from backend import Backend
from cases import STARTS, Case, parts
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.utils.data import DataLoader, Dataset

from core.torchvision import load as torchvision

Split = tuple[torch.Tensor, torch.Tensor]
"""Inputs and targets."""
EVALUATION_BATCH = 2_000
"""Examples that a good loop judges at once;"""
CONVOLVED = 128
"""and on a CPU pictures for convolutions, whose values it keeps in cache: twice as fast."""


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Images as torchvision's data sets give them: decoded and transformed one by one."""

    def __init__(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        self.x, self.y, self.transform = x, y, torchvision().transforms.ToTensor()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.x[i])), int(self.y[i])


class Rows(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """A table's rows."""

    def __init__(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        self.x, self.y = x, y.astype(np.float32)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self.x[i]), torch.tensor([self.y[i]])


def tutorial(case: Case, initializer: str, seed: int, epochs: int, backend: Backend) -> list[list[float]]:
    """One run the tutorials' way. Returns the training loss, and each split's loss and accuracy, of every epoch."""
    torch.manual_seed(seed)
    kind = Images if case.kind == "images" else Rows
    train, valid = (kind(*part) for part in parts(case))
    shuffled = DataLoader(train, batch_size=case.batch, shuffle=True)
    judged = [DataLoader(part, batch_size=case.batch) for part in (train, valid)]
    device = backend.device
    model = case.network().apply(STARTS[initializer]).to(device)
    criterion = nn.CrossEntropyLoss() if case.kind == "images" else nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    history = []
    for _ in range(epochs):
        model.train()
        running = 0.0
        for x, y in shuffled:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            with backend.autocast():
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        history.append(
            [running / len(shuffled), *(number for part in judged for number in _tested(case, model, part, backend))]
        )
    return history


def _tested(case: Case, model: nn.Module, part: DataLoader[Any], backend: Backend) -> tuple[float, float]:
    model.eval()
    loss, right = 0.0, 0.0
    with torch.no_grad(), backend.autocast():
        for x, y in part:
            x, y = x.to(backend.device), y.to(backend.device)
            outputs = model(x)
            loss += loss_of(case, outputs, y).item() * len(x)
            right += _right(case, outputs, y).sum().item()
    return loss / len(part.dataset), right / len(part.dataset)  # type: ignore[arg-type]


def loop(case: Case, initializer: str, seed: int, epochs: int, backend: Backend) -> list[float]:
    """One run of a good loop: nothing is waited for before its end. Returns every update's loss, then the epochs'."""
    torch.manual_seed(seed)
    device = backend.device
    (x, y), valid = in_memory(case, device)
    started = case.network().apply(STARTS[initializer]).to(device)
    model = started.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # known to nn.Module.to alone
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    convolved = device == "cpu" and any(isinstance(layer, nn.Conv2d) for layer in model)
    at_once = CONVOLVED if convolved else EVALUATION_BATCH
    losses = torch.empty(epochs * case.steps, device=device)
    found = []
    step = 0
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(x), device=device).split(case.batch):
            with backend.autocast():
                outputs = model(taken(case, x.index_select(0, batch)))
            loss = loss_of(case, outputs.float(), y.index_select(0, batch))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses[step] = loss.detach()
            step += 1
        model.eval()
        with torch.no_grad():
            found += [number for part in ((x, y), valid) for number in judged(case, model, part, backend, at_once)]
    return torch.cat((losses, torch.stack(found).float())).tolist()


def judged(
    case: Case, model: Callable[[torch.Tensor], torch.Tensor], split: Split, backend: Backend, at_once: int
) -> Iterator[torch.Tensor]:
    """A split's mean loss and accuracy, left on the device; so many examples are computed at once."""
    x, y = split
    with backend.autocast():
        outputs = torch.cat([model(taken(case, part)) for part in x.split(at_once)]).float()
    yield loss_of(case, outputs, y)
    yield _right(case, outputs, y).float().mean()


@cache
def in_memory(case: Case, device: str) -> list[Split]:
    """Both splits on the device as the network takes them; images (n, height, width, channels)."""
    found = []
    for x, y in parts(case):
        if case.kind == "images":
            images = torch.from_numpy(x).to(device).float().div_(255)
            found.append((images.view(*images.shape[:3], -1), torch.from_numpy(y).to(device)))
        else:
            found.append((torch.from_numpy(x).to(device), torch.from_numpy(y).to(device).float().unsqueeze(1)))
    return found


def taken(case: Case, x: torch.Tensor) -> torch.Tensor:
    """Images in torch's order of dimensions; in memory they stay channels-last."""
    return x.permute(0, 3, 1, 2) if case.kind == "images" else x


def loss_of(case: Case, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return cross_entropy(outputs, y) if case.kind == "images" else binary_cross_entropy_with_logits(outputs, y)


def _right(case: Case, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return outputs.argmax(1) == y if case.kind == "images" else (outputs > 0) == (y > 0.5)
