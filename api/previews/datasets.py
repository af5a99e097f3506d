"""`POST /previews/dataset`: the request, the bounds of its work, and the answer."""

import math
from typing import Any

from pydantic import BaseModel

from api.previews._bounds import ASKED, MOST_LOADED, check_seconds
from core.datasets import SECONDS_OF_NUMBER, DataError, DatasetEntry, DatasetPaths, look
from core.errors import InvalidSpec, Problem


class DatasetLook(BaseModel):
    """A data set of the catalogue to look at, as a spec has it: built in, of files, or a user's own."""

    model_config = ASKED

    dataset: DatasetEntry = "digits"


def dataset_of(body: DatasetLook, paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Return how it is split, its classes or targets, and some of its examples.

    Raises `InvalidSpec` where it cannot be read here, is too large, or would take more than `most_seconds`.
    """
    try:
        info = body.dataset.build().info(paths)
        numbers = (info.train + info.valid + info.test) * math.prod(info.inputs)
        if numbers > MOST_LOADED:
            raise InvalidSpec([Problem("dataset", f"has {numbers:,} numbers to load; {MOST_LOADED:,} is the most")])
        check_seconds(SECONDS_OF_NUMBER * numbers, most_seconds, "dataset", "take fewer examples")
        return {"dataset": body.dataset.model_dump(), **look(body.dataset, info, paths)}
    except DataError as error:
        raise InvalidSpec([Problem("dataset", error.detail)]) from None
