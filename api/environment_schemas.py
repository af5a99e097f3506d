"""The models of answers about the environments that an experiment was trained in."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel

from api.schemas import Instant
from core.experiments.cohorts.environments import TrainedIn


class EnvironmentOut(BaseModel):
    """The software, the machine and the settings that may change what a training comes to."""

    packages: dict[str, str]
    commit: str | None
    """Of the checkout, with "+" where files have changed; None where initlab is no checkout."""
    code: str
    """A hash of the sources that trainings depend on."""
    python: str
    platform: str
    processor: str
    cores: int
    instructions: str
    """The widest instructions that PyTorch uses, such as AVX512."""
    device: str
    gpu: str | None
    capability: str | None
    driver: str | None
    cuda: str | None
    """The CUDA that PyTorch was built for; None, as the four beside it, of a training on a CPU."""
    cudnn: int | None
    threads: int
    layout: str
    settings: dict[str, str | None]
    """Variables of the environment that change last bits or speed; None where they are not set."""


class AttemptOut(BaseModel):
    """An attempt at training a cohort."""

    cohort: int
    attempt: int
    at: Instant
    worker: str | None


class TrainedInOut(BaseModel):
    """An environment, and the attempts that were made in it."""

    environment: EnvironmentOut
    attempts: list[AttemptOut]


class EnvironmentList(BaseModel):
    items: list[TrainedInOut]

    @classmethod
    def of(cls, found: Sequence[TrainedIn]) -> Self:
        return cls.model_validate(
            {"items": [{"environment": env, "attempts": [one._asdict() for one in made]} for env, made in found]}
        )
