"""The bodies of MLflow's clients. Fields that they send beside these are ignored, as MLflow's server does."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from core.errors import InvalidSpec, Problem

MOST_PAGE = 50_000
WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
STEPS = 2**53

ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
Number = Annotated[float, BeforeValidator(lambda value: WORDS.get(value, value) if isinstance(value, str) else value)]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53)]


class Pair(BaseModel):
    """A tag or a param."""

    key: Annotated[str, Field(min_length=1, max_length=250)]
    value: str = ""


class Metric(BaseModel):
    """One point."""

    key: Annotated[str, Field(min_length=1, max_length=250)]
    value: Number
    timestamp: Milliseconds = 0
    step: Annotated[int, Field(gt=-STEPS, lt=STEPS)] = 0


class CreateExperiment(BaseModel):
    name: str
    tags: list[Pair] = []


class OneExperiment(BaseModel):
    experiment_id: str


class UpdateExperiment(OneExperiment):
    new_name: Annotated[str, Field(min_length=1, max_length=500)]


class SetExperimentTag(OneExperiment, Pair):
    pass


class SearchExperiments(BaseModel):
    max_results: Annotated[int, Field(ge=1, le=MOST_PAGE)] = 1_000
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: ViewType = "ACTIVE_ONLY"


class CreateRun(BaseModel):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Milliseconds = 0
    tags: list[Pair] = []


class OneRun(BaseModel):
    run_id: str = ""
    run_uuid: str = ""
    """The name of before, which clients still send beside the other."""

    @property
    def id(self) -> str:
        """The run's id. Raises `InvalidSpec` where none is said."""
        found = self.run_id or self.run_uuid
        if not found:
            raise InvalidSpec([Problem("run_id", "is missing")])
        return found


class UpdateRun(OneRun):
    status: str | None = None
    end_time: Milliseconds | None = None
    run_name: str | None = None


class SearchRuns(BaseModel):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: ViewType = "ACTIVE_ONLY"
    max_results: Annotated[int, Field(ge=1, le=MOST_PAGE)] = 1_000
    order_by: list[str] = []
    page_token: str = ""


class LogMetric(OneRun, Metric):
    pass


class LogPair(OneRun, Pair):
    pass


class LogBatch(OneRun):
    metrics: Annotated[list[Metric], Field(max_length=1_000)] = []
    params: Annotated[list[Pair], Field(max_length=1_000)] = []
    tags: Annotated[list[Pair], Field(max_length=1_000)] = []


class DeleteTag(OneRun):
    key: str


class LogInputs(OneRun):
    datasets: Annotated[list[dict[str, Any]], Field(max_length=100)] = []


class CreateModel(BaseModel):
    name: str = "model"
    source_run_id: str


def pairs(given: list[Pair]) -> dict[str, str]:
    """Return tags or params by name."""
    return {one.key: one.value for one in given}
