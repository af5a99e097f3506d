"""Looks at a schedule or an initializer before any training."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import plain, preferred
from api.schemas import ProblemOut
from core.errors import InvalidSpec, Problem
from core.initializers import InitializerEntry, preview
from core.plots import draw_initializer_preview, draw_schedule_preview, render
from core.registry import Entry, Positive
from core.schedules import ScheduleEntry, bind

router = APIRouter(
    prefix="/previews", tags=["previews"], responses={"default": {"model": ProblemOut, "description": "Problem"}}
)

PNG = "image/png"
MOST_VALUES = 16_000_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SchedulePreview(_Body):
    """`lr` is the base rate B; an epoch has `steps_per_epoch` updates."""

    schedule: ScheduleEntry
    lr: Positive = 0.1
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100
    steps_per_epoch: Annotated[int, Field(ge=1, le=100_000)] = 1


class InitializerPreview(_Body):
    """`shape` is a weight's, in torch's layout: (out, in / groups, *kernel)."""

    initializer: InitializerEntry
    shape: Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=5)] = [256, 784]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    bins: Annotated[int, Field(ge=1, le=1_000)] = 50


@router.post("/schedule", responses={200: {"content": {PNG: {}}}})
def schedule(body: SchedulePreview, request: Request) -> Response:
    """`lr[t]` is in force during update t. JSON, or a PNG by `Accept`."""
    entry: Entry = body.schedule
    curve = bind(entry, body.lr, body.steps, body.steps_per_epoch)
    try:
        rates = [curve(step) for step in range(body.steps)]
    except (ArithmeticError, ValueError) as error:
        raise InvalidSpec([Problem("schedule", f"has no rate at some update: {error}")]) from None
    found: dict[str, Any] = {
        "schedule": entry.model_dump(),
        "steps_per_epoch": body.steps_per_epoch,
        "lr": rates,
    }
    return _answer(request, found, draw_schedule_preview)


@router.post("/initializer", responses={200: {"content": {PNG: {}}}})
def initializer(body: InitializerPreview, request: Request) -> Response:
    """Values drawn for one weight beside what theory says of them. JSON, or a PNG by `Accept`."""
    if math.prod(body.shape) > MOST_VALUES:
        raise InvalidSpec([Problem("shape", f"has more than {MOST_VALUES:,} values")])
    try:
        found = preview(body.initializer, tuple(body.shape), body.seed, body.bins)
    except ValueError as error:
        raise InvalidSpec([Problem("shape", str(error))]) from None
    return _answer(
        request, {"initializer": body.initializer.model_dump(), "shape": body.shape} | found, draw_initializer_preview
    )


def _answer(request: Request, found: dict[str, Any], draw: Any) -> Response:
    if preferred(request, ["application/json", PNG]) == PNG:
        return Response(render(draw(found), "png"), media_type=PNG, headers={"Vary": "Accept"})
    return plain(found)
