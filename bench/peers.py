"""The service's peers, as people write them: the tutorials' way, and a good loop on data in memory.

Both train one run after the other, and judge both splits after every epoch as the service does.
"""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from cases import STARTS, Case, find, parts
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.utils.data import DataLoader, Dataset

from core.torchvision import load as torchvision

EVALUATION_BATCH = 2_000
"""Examples that a good loop judges at once;"""
CONVOLVED = 128
"""and on a CPU pictures for convolutions, whose values it keeps in cache: twice as fast."""


def seconds(way: str, name: str, runs: int, epochs: int, device: str) -> float:
    """Seconds in which a peer ("a" or "b") trains that many runs, the first seed of every initializer first."""
    case = find(name, device)
    trainer = {"a": tutorial, "b": loop}[way]
    in_memory(case, device)
    if device == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    for run in range(runs):
        seed, arm = divmod(run, len(case.initializers))
        trainer(case, case.initializers[arm], seed, epochs, device)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


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


def tutorial(case: Case, initializer: str, seed: int, epochs: int, device: str) -> list[list[float]]:
    """One run the tutorials' way. Returns the training loss, and each split's loss and accuracy, of every epoch."""
    torch.manual_seed(seed)
    kind = Images if case.kind == "images" else Rows
    train, valid = (kind(*part) for part in parts(case))
    shuffled = DataLoader(train, batch_size=case.batch, shuffle=True)
    judged = [DataLoader(part, batch_size=case.batch) for part in (train, valid)]
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
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        history.append([running / len(shuffled), *(number for part in judged for number in _tested(case, model, part))])
    return history


def _tested(case: Case, model: nn.Module, part: DataLoader[Any]) -> tuple[float, float]:
    device = next(model.parameters()).device
    model.eval()
    loss, right = 0.0, 0.0
    with torch.no_grad():
        for x, y in part:
            x, y = x.to(device), y.to(device)
            outputs = model(x)
            loss += _loss(case, outputs, y).item() * len(x)
            right += _right(case, outputs, y).sum().item()
    return loss / len(part.dataset), right / len(part.dataset)  # type: ignore[arg-type]


def loop(case: Case, initializer: str, seed: int, epochs: int, device: str) -> list[float]:
    """One run of a good loop: nothing is waited for before its end. Returns every update's loss, then the epochs'."""
    torch.manual_seed(seed)
    (x, y), valid = in_memory(case, device)
    started = case.network().apply(STARTS[initializer]).to(device)
    model = started.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # known to nn.Module.to alone
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    losses = torch.empty(epochs * case.steps, device=device)
    judged = []
    step = 0
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(x), device=device).split(case.batch):
            loss = _loss(case, model(_taken(case, x.index_select(0, batch))), y.index_select(0, batch))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses[step] = loss.detach()
            step += 1
        model.eval()
        with torch.inference_mode():
            judged += [number for part in ((x, y), valid) for number in _judged(case, model, *part)]
    return torch.cat((losses, torch.stack(judged).float())).tolist()


def _judged(case: Case, model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> Iterator[torch.Tensor]:
    """Mean loss and accuracy, left on the device."""
    convolved = x.device.type == "cpu" and any(isinstance(layer, nn.Conv2d) for layer in model)
    outputs = torch.cat([model(_taken(case, part)) for part in x.split(CONVOLVED if convolved else EVALUATION_BATCH)])
    yield _loss(case, outputs, y)
    yield _right(case, outputs, y).float().mean()


@cache
def in_memory(case: Case, device: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Both splits on the device as the network takes them; images (n, height, width, channels)."""
    found = []
    for x, y in parts(case):
        if case.kind == "images":
            images = torch.from_numpy(x).to(device).float().div_(255)
            found.append((images.view(*images.shape[:3], -1), torch.from_numpy(y).to(device)))
        else:
            found.append((torch.from_numpy(x).to(device), torch.from_numpy(y).to(device).float().unsqueeze(1)))
    return found


def _taken(case: Case, x: torch.Tensor) -> torch.Tensor:
    """Images in torch's order of dimensions; in memory they stay channels-last."""
    return x.permute(0, 3, 1, 2) if case.kind == "images" else x


def _loss(case: Case, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return cross_entropy(outputs, y) if case.kind == "images" else binary_cross_entropy_with_logits(outputs, y)


def _right(case: Case, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return outputs.argmax(1) == y if case.kind == "images" else (outputs > 0) == (y > 0.5)
