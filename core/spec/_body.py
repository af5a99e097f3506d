"""The body of a spec: a base treatment, and the arms that replace parts of it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from core.design import Varied
from core.errors import Problem
from core.metrics import is_diagnostic
from core.registry import is_reading_stored
from core.spec._arms import Arm, expand
from core.spec._coordinates import CoordinateCheck, widened
from core.spec._diagnostics import Diagnostics
from core.spec._examples import Evaluate
from core.spec._keep import Keep
from core.spec._kinds import SETTINGS, DerivedArms, Kind, LrRange, range_test
from core.spec._limits import LIMITS, Alpha, Margin, Text
from core.spec._plugins import Pins, used_pins
from core.spec._pruning import Pruning, unfit
from core.spec._repeat import Repeat
from core.spec._scan import BatchSizeScan, scan
from core.spec._seeds import AdaptiveSeeds, Seeds, adaptive_unfit, blocks_of
from core.spec._study import StudyName, misplaced
from core.spec._target import Target
from core.spec._treatment import Treatment
from core.spec._vary import SourceSeeds, Vary, at_odds, second_trainings, source_seeds


class Spec(Treatment):
    """An experiment: the base treatment's fields, and what is compared.

    `arms` lists treatments, each `{"label": ..., field or dotted.path: value}`; `grid` is the other way to say it, the
    product of the values listed for each field. With neither there is one arm, the base.
    """

    name: Text = "untitled"
    arms: (
        Annotated[
            list[Annotated[dict[str, Any], Field(max_length=LIMITS.fields)]],
            Field(min_length=1, max_length=LIMITS.arms),
        ]
        | None
    ) = None
    grid: (
        Annotated[
            dict[str, Annotated[list[Any], Field(min_length=1, max_length=LIMITS.arms)]],
            Field(min_length=1, max_length=LIMITS.fields),
        ]
        | None
    ) = None
    seeds: Seeds = 5
    """A number of seeds, which are 0, 1, ..., or a list of them; or adaptive ones, `{"from": 5, "to": 20}`."""
    split: Literal["fixed", "per_seed"] = "fixed"
    """`per_seed`: every seed has a split of its own, the same for all arms; the verdict then allows for what the splits
    share. `fixed`: all seeds have that of `dataset.split_seed`."""
    vary: Vary | None = None
    """The sources of randomness that differ between the runs of an arm, by their seeds: `init`, the initial weights;
    `split`, with `"split": "per_seed"`; `order`, the batches, augmentation and mixtures too; `dropout`, its masks.
    Every other source is that of the first seed. With two or more, every run is trained again once for each of them,
    with another seed of that source alone: the report then tells how much of an arm's spread is whose. None: all differ
    but a fixed split, and nothing is told apart."""
    baseline: Text | None = None
    """Label of the arm that the others are compared with; none: the best."""
    margin: Margin | None = None
    """The largest difference of the outcome that does not matter, in its unit (0.005 of an accuracy is half a point):
    arms that differ by less for sure are called equivalent. None: no arms are."""
    alpha: Alpha = 0.05
    """The chance of a false win that the verdict allows, over all its comparisons together; likewise of a false
    equivalence."""
    study: StudyName | None = None
    tags: Annotated[list[Text], Field(max_length=20)] = []  # noqa: RUF012 pydantic copies it
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    queue: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] | None = None
    """The label of the workers that may train it (`initlab worker --queues`); none: any that has the device."""
    checkpoint_every: Annotated[float, Field(ge=0.1, le=86_400)] = 20.0
    """Seconds between checkpoints, which a run goes on from after its worker died."""
    memory_limit: Annotated[float, Field(gt=0, le=1)] = 0.6
    """The part of the free memory that the cohorts trained at the same time may take."""
    layout: Literal["auto", "loop", "vmap"] = "auto"
    """`loop` trains the runs of a cohort one after the other, `vmap` all of them in every operation: the two round
    differently. `auto` is the one that is quicker by rule, from the model, the batch and the kind of device alone."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of each training process on a CPU: sums are shared out among them, and round by how many there are."""
    lanes: Annotated[int, Field(ge=1, le=1024)] | None = None
    """The most runs that train together; None: by rule. The bits of some models depend on it, as a preview says."""
    evaluate: Evaluate = Evaluate()
    target: Target | None = None
    """The goal that runs are timed to."""
    diagnostics: Diagnostics | None = None
    """The interval at which every layer is measured; None: never."""

    kind: Kind | None = None
    """The kind of experiment; none: a comparison of the arms."""
    lr_range: LrRange | None = None
    """Settings of a learning-rate range test."""
    batch_size_scan: BatchSizeScan | None = None
    """Settings of a batch-size scan, which also needs a `target`."""
    coordinate_check: CoordinateCheck | None = None
    """Settings of a coordinate check."""
    pruning: Pruning | None = None
    """The rule by which arms end before their last epoch; none: all are trained to the end."""
    repeat: Repeat | None = None
    """The way in which every run is trained a second time; none: once."""
    keep: Keep | None = None
    """The weights of each run that are kept: `initial`, as drawn, `best`, after the epoch with the best validation
    accuracy (of a regression the best loss), and `final`; one of these, or a list. None: none."""
    plugins: Pins | None = None
    """The plug-ins that it uses: written by the service; another content is refused."""
    _arms: list[Arm] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def _expand(self) -> Self:
        """Resolve every arm, and write `arms`, `grid` and `seeds` in their canonical form."""
        seeds = self.seed_list
        base = {field: _dump(getattr(self, field)) for field in Treatment.model_fields}
        expansion = expand(base, self.arms, self.grid, Treatment, LIMITS.arms)
        arms, refused = self._of_its_kind([] if expansion.problems else expansion.arms)
        problems = [*expansion.problems, *refused]
        if len(set(seeds)) < len(seeds):
            problems.append(Problem("seeds", "should differ from one another"))
        labels = [arm.label for arm in arms]
        if self.baseline is not None and not expansion.problems and self.baseline not in labels:
            problems.append(Problem("baseline", f"is not the label of an arm: {', '.join(labels)}", tuple(labels)))
        if self.trainings * len(seeds) * len(labels) > LIMITS.runs:
            times = {1: "", 2: ", each twice,"}.get(self.trainings, f", each {self.trainings} times,")
            size = f"{len(labels)} arms x {len(seeds)} seeds{times}"
            problems.append(Problem("seeds", f"{size} exceed {LIMITS.runs:,} runs"))
        problems += at_odds(self.vary, self.split if "split" in self.model_fields_set else None, self.kind)
        if self.vary is not None and "split" in self.vary:
            self.split = "per_seed"
        if self.margin is not None and self.kind in ("lr_range_test", "coordinate_check"):
            problems.append(Problem("margin", f"is for arms that are compared: leave it out of a {self.kind}"))
        problems += misplaced(self.study, self.kind, self.baseline, labels)
        if self.repeat is not None and self.kind is not None:
            problems.append(Problem("repeat", f"is for comparisons: leave it out of a {self.kind}"))
        if self.pruning is not None and not problems:
            problems += unfit(self.pruning, self.kind, len(seeds), [arm.treatment.epochs for arm in arms])
        if self.adaptive is not None and not problems:
            problems += adaptive_unfit(self.kind, len(arms), all_pairs=not self.baseline, pruned=bool(self.pruning))
        if problems:
            raise PydanticCustomError("catalog", "not a valid experiment", {"problems": problems})
        self.seeds, self.arms, self.grid = self.adaptive or seeds, expansion.canonical_arms, expansion.grid
        self._arms = arms
        return self

    @model_validator(mode="after")
    def _name_plugins(self) -> Self:
        if self.plugins is None and not is_reading_stored():
            self.plugins = used_pins(arm.treatment for arm in self._arms)
        return self

    def _of_its_kind(self, asked: list[Arm]) -> tuple[list[Arm], list[Problem]]:
        """Return the arms that the kind of experiment makes of these, and the problems; writes out its settings."""
        if self.kind == "comparison":
            self.kind = None
        place = "grid" if self.grid is not None else "arms" if self.arms is not None else None
        others = ((kind, field) for kind, field in SETTINGS.items() if kind != self.kind)
        given = ((kind, field) for kind, field in others if getattr(self, field) is not None)
        problems = [Problem(field, f'is for "kind": "{kind}"') for kind, field in given]
        arms, refused = asked, list[Problem]()
        if self.kind == "lr_range_test":
            self.lr_range = self.lr_range or LrRange()
            arms, refused = range_test(asked, self.lr_range, place)
        elif self.kind == "batch_size_scan":
            arms, refused = self._scanned(asked, place)
        elif self.kind == "coordinate_check":
            arms, refused = self._widened(asked, place)
        return arms, [*problems, *refused]

    def _scanned(self, asked: list[Arm], place: str | None) -> DerivedArms:
        problems = []
        if self.target is None:
            example = '{"metric": "valid_accuracy", "value": 0.9}'
            problems.append(Problem("target", f"a scan counts what it takes to a target: give one, such as {example}"))
        if self.batch_size_scan is None:
            return asked, [*problems, Problem("batch_size_scan", 'give its settings, such as {"rule": "linear"}')]
        arms, refused = scan(asked, self.batch_size_scan, self.batch_size, place)
        return arms, [*problems, *refused]

    def _widened(self, asked: list[Arm], place: str | None) -> DerivedArms:
        self.coordinate_check = self.coordinate_check or CoordinateCheck()
        arms, problems = widened(asked, self.coordinate_check, place)
        every_update = Diagnostics(every=1)
        if self.diagnostics not in (None, every_update):
            problems.append(Problem("diagnostics", "leave it out of a coordinate_check: it looks at every update"))
        self.diagnostics = every_update
        return arms, problems

    @property
    def expanded(self) -> list[Arm]:
        """The arms, each with its whole treatment, in the order given."""
        return self._arms

    @property
    def updates(self) -> int | None:
        """Updates of a run that does not end with its epochs."""
        if self.coordinate_check is not None:
            return self.coordinate_check.updates + 1  # sizes are measured at the beginning of an update
        return None if self.lr_range is None else self.lr_range.steps

    @property
    def diagnose_every(self) -> int:
        """Updates from one look at every layer to the next; 0: none."""
        return 0 if self.diagnostics is None else self.diagnostics.every

    @property
    def noise_every(self) -> int:
        """Updates from one measurement of the gradient noise to the next; 0: none."""
        return 0 if self.batch_size_scan is None else self.batch_size_scan.noise_every

    @property
    def seed_list(self) -> list[int]:
        """The seeds, each of which pairs one run of every arm; of adaptive ones the most that there may be."""
        return [seed for block in self.seed_blocks for seed in block]

    @property
    def adaptive(self) -> AdaptiveSeeds | None:
        """The rule by which seeds are added; None: all are trained in any case."""
        return self.seeds if isinstance(self.seeds, AdaptiveSeeds) else None

    @property
    def seed_blocks(self) -> list[list[int]]:
        """The seeds that are trained before each look at adaptive ones; else all of them, in one block."""
        return blocks_of(self.seeds)

    @property
    def trainings(self) -> int:
        """The times that every run is trained: once, and again for each of `again`."""
        return 1 + len(self.again)

    @property
    def again(self) -> list[Varied]:
        """The second trainings of every run, by the one thing in which each differs from the first."""
        return second_trainings(self.vary, rounding=self.repeat is not None)

    def sources(self, seed: int, again: Varied | None = None) -> SourceSeeds:
        """Return the seeds of the sources of a run's randomness, or of those of one of its second trainings."""
        return source_seeds(seed, self.vary, first=self.seed_list[0], again=again)

    @property
    def split_seeds(self) -> list[int]:
        """The seeds whose splits are trained on, where splits vary."""
        ways: list[Varied | None] = [None, *(["split"] if "split" in self.again else list[Varied]())]
        return [self.sources(seed, again).split for again in ways for seed in self.seed_list]

    def spacing(self, metric: str) -> int:
        """Return the updates, or epochs, between two points of a metric."""
        return self.diagnostics.every if self.diagnostics is not None and is_diagnostic(metric) else 1

    def canonical(self) -> dict[str, Any]:
        """Return the spec with every default written out; parsing it again gives the same spec."""
        return self.model_dump(exclude_none=True)


def _dump(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value
