"""The tools that agents call: each is a call or two of the client. Their docstrings are what agents read."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

import anyio
from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from initlab.agents import digests
from initlab.agents.clients import Clients
from initlab.agents.guide import guide
from initlab.experiment import Experiment
from initlab.external_runs import Points as ClientPoints

Id = Annotated[int, Field(ge=1, description="The experiment's id.")]
Spec = Annotated[dict[str, Any], Field(description="The spec, as get_spec_guide shows.")]


class PointsOfMetric(BaseModel):
    """Points of one metric that follow on each other."""

    first: int = Field(ge=0)
    values: list[float | str | None] = Field(description='Numbers; null, "NaN" or "Infinity" where there is none.')
    steps: list[int] | None = Field(None, description="Where they were measured; default: their places.")


Run = Annotated[int, Field(ge=1, description="The run's id, of list_runs.")]
Points = Annotated[
    dict[str, PointsOfMetric],
    Field(description="By metric: first is the place of values[0], counted from 0 without gaps."),
]
Metric = Annotated[str | None, Field(description="The outcome to judge by; default: the spec's.")]
Margin = Annotated[float | None, Field(gt=0, description="The largest difference that does not matter.")]
Found = dict[str, Any]
MOST_SECONDS = 3600.0
Tool = Callable[..., Any]


class Tools:
    """The tools on one service; `reading` change nothing, `writing` post or change, `ending` stop what trains."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @property
    def reading(self) -> list[Tool]:
        return [
            self.get_spec_guide,
            self.list_catalog,
            self.preview_experiment,
            self.list_experiments,
            self.get_experiment,
            self.list_runs,
            self.wait_for_experiment,
            self.get_report,
            self.get_metrics,
            self.get_picture,
            self.get_history,
            self.compare_arms,
            self.list_studies,
            self.get_study,
        ]

    @property
    def writing(self) -> list[Tool]:
        return [self.submit_experiment, self.log_points, self.finish_run, self.retry_experiment]

    @property
    def ending(self) -> list[Tool]:
        return [self.cancel_experiment]

    def get_spec_guide(self) -> Found:
        """Show how a spec is written: three examples that can be posted as they are, and the rules."""
        return guide()

    def list_catalog(
        self,
        ctx: Context[Any, Any],
        kind: Annotated[
            str | None,
            Field(
                description="initializers, schedules, optimizers, models, layers, datasets, plots, metrics, outcomes, "
                "findings"
            ),
        ] = None,
        name: Annotated[str | None, Field(description="One entry of the kind, with its JSON schema.")] = None,
    ) -> Found:
        """List what a spec may name and what runs are judged by: all names, one kind, or one entry with its source."""
        if name is not None and kind is None:
            raise ToolError("a name needs its kind")
        with self._clients.of(ctx.headers) as client:
            found = client.catalog(kind, name)
        return found if name is not None else digests.catalog(found, kind)

    def preview_experiment(self, ctx: Context[Any, Any], spec: Spec) -> Found:
        """Check a spec and estimate its runs, time and memory. Stores nothing."""
        with self._clients.of(ctx.headers) as client:
            return digests.preview(client.preview(spec))

    def submit_experiment(self, ctx: Context[Any, Any], spec: Spec) -> Found:
        """Post an experiment: it trains at once, or waits for your points (kind external). Again makes another."""
        with self._clients.of(ctx.headers) as client:
            return digests.experiment(client.submit(spec))

    def list_experiments(
        self,
        ctx: Context[Any, Any],
        status: Annotated[
            Literal["queued", "running", "succeeded", "failed", "cancelled"] | None, Field(description="Only these.")
        ] = None,
        tag: Annotated[str | None, Field(description="Only those with this tag.")] = None,
        name: Annotated[str | None, Field(description="Only those whose name has this in it.")] = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
    ) -> Found:
        """List experiments, one's own first, then the newest."""
        with self._clients.of(ctx.headers) as client:
            found = client.experiments(status, tag, name)
            items = [digests.experiment(one) for one, _ in zip(found, range(limit), strict=False)]
        return {"experiments": items}

    def get_experiment(self, ctx: Context[Any, Any], experiment: Id) -> Found:
        """Show how far an experiment is, with its canonical spec."""
        with self._clients.of(ctx.headers) as client:
            one = client.experiment(experiment)
            return digests.experiment(one) | {"spec": one.data["spec"]}

    def list_runs(
        self,
        ctx: Context[Any, Any],
        experiment: Id,
        arm: Annotated[str | None, Field(description="One arm's label.")] = None,
        status: Annotated[
            Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled"] | None,
            Field(description="Only these."),
        ] = None,
    ) -> Found:
        """List the runs of an experiment: id, arm, seed, status, last values; at most 200."""
        with self._clients.of(ctx.headers) as client:
            return digests.runs(client.experiment(experiment).runs(), arm, status)

    def log_points(self, ctx: Context[Any, Any], run: Run, points: Points) -> Found:
        """Store points of a run that you train (kind external). Sent again, they are stored once."""
        with self._clients.of(ctx.headers) as client:
            return client.log_points(run, _sent(points))

    def finish_run(
        self,
        ctx: Context[Any, Any],
        run: Run,
        outcome: Literal["completed", "diverged", "failed"],
        points: Points | None = None,
        error: Annotated[str | None, Field(description="The reason, of one that failed.")] = None,
    ) -> Found:
        """End a run that you train (kind external), with its last points; the last of each metric is judged."""
        with self._clients.of(ctx.headers) as client:
            return client.finish_run(run, outcome, _sent(points or {}), error)

    async def wait_for_experiment(
        self,
        ctx: Context[Any, Any],
        experiment: Id,
        seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS, description="The longest to wait.")] = 60.0,
    ) -> Found:
        """Wait until an experiment has ended, or for so many seconds: `ended` says which. Call again to wait longer."""
        with self._clients.of(ctx.headers) as client:
            one = await run_sync(client.experiment, experiment)
            with anyio.move_on_after(seconds):
                for pause in one.pauses():
                    done = one.progress
                    await ctx.report_progress(done["steps_done"], done["steps_total"] or None)
                    await anyio.sleep(pause)
                    await run_sync(one.refresh)
        return {"ended": one.finished} | digests.experiment(one)

    def get_report(
        self,
        ctx: Context[Any, Any],
        experiment: Id,
        metric: Metric = None,
        margin: Margin = None,
        alpha: Annotated[
            float | None, Field(gt=0, le=0.5, description="The error allowed; default: the spec's.")
        ] = None,
        form: Annotated[
            Literal["summary", "whole", "markdown"], Field(description="What decides, all numbers, or text for people.")
        ] = "summary",
    ) -> Found:
        """Judge an experiment: verdict, interval of each arm, and each pair as better, worse, equivalent or open."""
        by: dict[str, Any] = {"metric": metric, "margin": margin, "alpha": alpha}
        with self._clients.of(ctx.headers) as client:
            one = client.experiment(experiment)
            if form == "markdown":
                return {"markdown": one.report_markdown(**by)}
            found = one.report(**by)
        return dict(found) if form == "whole" else {"status": one.status} | digests.report(found)

    def get_metrics(
        self,
        ctx: Context[Any, Any],
        experiment: Id,
        metric: Annotated[str, Field(description="train_loss, valid_loss, valid_accuracy, lr, ...")],
        arm: Annotated[str | None, Field(description="One arm's label.")] = None,
        seed: Annotated[int | None, Field(ge=0, description="One seed.")] = None,
        points: Annotated[int, Field(ge=4, le=1000, description="The most of each series; spikes are kept.")] = 50,
    ) -> Found:
        """Get the curves of a metric, one series a run, thinned."""
        with self._clients.of(ctx.headers) as client:
            return {"series": list(client.experiment(experiment).metrics(metric, arm, seed, points))}

    def get_picture(
        self,
        ctx: Context[Any, Any],
        experiment: Id,
        name: Annotated[str, Field(description="comparison, loss, accuracy, forest, ...")] = "comparison",
    ) -> Image:
        """Draw a picture of an experiment as PNG."""
        with self._clients.of(ctx.headers) as client:
            return Image(data=bytes(client.experiment(experiment).plot(name, width=900)), format="png")

    def get_history(self, ctx: Context[Any, Any], experiment: Id) -> Found:
        """Tell what happened to an experiment and why, the oldest first: claims, losses, looks, its end."""
        with self._clients.of(ctx.headers) as client:
            return {"events": list(client.experiment(experiment).history())}

    def compare_arms(
        self,
        ctx: Context[Any, Any],
        arms: Annotated[list[str], Field(min_length=2, description="Each as ID/LABEL, such as 4/he.")],
        metric: Metric = None,
        margin: Margin = None,
    ) -> Found:
        """Compare arms of different experiments: paired where data set, split and seeds agree, else as independent."""
        with self._clients.of(ctx.headers) as client:
            return digests.report(client.compare(arms, metric, margin))

    def list_studies(self, ctx: Context[Any, Any]) -> Found:
        """List studies: chains of experiments that share one error budget, with what is spent and left of it."""
        with self._clients.of(ctx.headers) as client:
            return {"studies": client.studies()}

    def get_study(
        self,
        ctx: Context[Any, Any],
        name: str,
        project: Annotated[str | None, Field(description="The project that it belongs to.")] = None,
    ) -> Found:
        """Show a study's decision on each experiment: keep (with the arm), discard or inconclusive; null: not ended."""
        with self._clients.of(ctx.headers) as client:
            return client.study(name, project)

    def retry_experiment(self, ctx: Context[Any, Any], experiment: Id) -> Found:
        """Train again the runs of an experiment that failed, and only those."""
        return self._changed(ctx, experiment, Experiment.retry)

    def cancel_experiment(self, ctx: Context[Any, Any], experiment: Id) -> Found:
        """Stop an experiment for good; what was measured is kept."""
        return self._changed(ctx, experiment, Experiment.cancel)

    def _changed(self, ctx: Context[Any, Any], experiment: int, change: Callable[[Experiment], Experiment]) -> Found:
        with self._clients.of(ctx.headers) as client:
            return digests.experiment(change(client.experiment(experiment)))


def _sent(points: Points) -> dict[str, ClientPoints]:
    """Return points as the client sends them."""
    return {name: cast(ClientPoints, one.model_dump(exclude_unset=True)) for name, one in points.items()}
