"""Plans: the runs that train together, the number of them at the same time, and the time and memory they take."""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.design import Varied
from core.spec import ArmInfo, Spec, Treatment
from core.training.compatibility import built_optimizer, compatibility_key
from core.training.options import Layout
from core.training.planning.arrangement import Arrangement, arrange
from core.training.planning.cuts import Cut, Member, cuts, members_of
from core.training.planning.profile import Device, Profile, Way, Work, estimate, estimate_start

WORTH = 0.95
"""Share of the time below which a finer split is chosen: estimates are no more exact."""
COHORT = 0.03
"""Seconds that a worker spends on a cohort beside its training: on the claim, and on storing how it ended."""
EVALUATION = 1 / 3
"""An evaluation's share of an update's work, for each example: the forward pass alone."""


class PlannedCohort(NamedTuple):
    """Runs that one task trains together."""

    members: list[Member]
    again: Varied | None
    """The one thing in which these second trainings differ from the first; None: they are first ones."""
    threads: int
    layout: Layout
    independent: bool
    """True: its runs would have the same bits in any other company."""
    seconds: float
    """Estimated seconds from start to end."""
    memory: int
    """Estimated peak memory in bytes, the data set included."""
    look: int | None = None
    """The seeds after which a look decides whether it is trained, and with which arms; None: it is in any case."""


@dataclass(frozen=True)
class Plan:
    """A plan of an experiment's training: its cohorts in the order in which they should start, the longest first.

    Those of adaptive seeds come after those of the seeds before them, and count as if all had to be trained.
    """

    cohorts: list[PlannedCohort]
    device: Device
    processes: int
    """Number of processes that train at the same time."""
    seconds: float
    """Estimated seconds until all cohorts have ended, if nothing else is trained."""
    memory: int
    """Estimated peak memory, in bytes, of the cohorts trained at the same time."""
    measured: bool
    """True if the estimates come from a machine's measured profile."""


class _Program(NamedTuple):
    """Arms that share a program, their seeds, and which of their trainings it is of."""

    arms: list[int]
    seeds: Sequence[int]
    again: Varied | None


class _Split(NamedTuple):
    """One way to cut the runs of a program into cohorts."""

    arrangement: Arrangement
    cut: Cut
    lasts: Mapping[int, float]
    """Seconds of a cohort by width."""

    @property
    def seconds(self) -> list[float]:
        """Seconds of each cohort."""
        return [self.lasts[width] for width, count in self.cut.widths.items() for _ in range(count)]

    @property
    def work(self) -> float:
        """Seconds of all cohorts."""
        return sum(self.seconds)

    @property
    def longest(self) -> float:
        """Seconds of the longest cohort."""
        return max(self.seconds)


def make_plan(spec: Spec, infos: Sequence[ArmInfo], profile: Profile) -> Plan:
    """Cut the experiment's runs into cohorts that may each be trained by `train_lanes`, so that all end soonest.

    `infos` are the arms', as `check` gives them. The same spec and profile give the same plan; whatever the profile,
    the same spec gives the same bits on one kind of device (`arrange`). The runs of a seed stay together, since they
    share batches and dropout draws, unless memory or a process left idle speak against it. The cohorts that train at
    the same time take at most `spec.memory_limit` of what is free, as estimated; a run that would not fit alone is
    planned all the same. Second trainings have cohorts of their own, cut as the first are: their company is the same
    too, and the first trainings have the bits that they would have without the second. Of adaptive seeds those between
    two looks are planned as an experiment of their own.
    """
    looks = [None, *(spec.adaptive.looks if spec.adaptive else ())]
    plans = [_block(spec, infos, profile, seeds, look) for seeds, look in zip(spec.seed_blocks, looks, strict=False)]
    return replace(
        plans[0],
        cohorts=[cohort for plan in plans for cohort in plan.cohorts],
        processes=max(plan.processes for plan in plans),
        seconds=sum(plan.seconds for plan in plans),
        memory=max(plan.memory for plan in plans),
    )


def _block(spec: Spec, infos: Sequence[ArmInfo], profile: Profile, seeds: Sequence[int], look: int | None) -> Plan:
    """Return the plan of these seeds, which are trained at the same time."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for i, arm in enumerate(spec.expanded):
        alike.setdefault(compatibility_key(arm.treatment), []).append(i)
    programs = [_Program(arms, seeds, again) for again in (None, *spec.again) for arms in alike.values()]
    way = profile.with_threads(spec.device, spec.threads)
    between, anywhere = (_plan_for(spec, infos, programs, profile, way, whole) for whole in (True, False))
    best = anywhere if anywhere.seconds < WORTH * between.seconds else between
    return replace(best, cohorts=[cohort._replace(look=look) for cohort in best.cohorts])


def _plan_for(
    spec: Spec, infos: Sequence[ArmInfo], programs: Sequence[_Program], profile: Profile, way: Way, whole: bool
) -> Plan:
    """Return the plan that uses the machine in this way and cuts between seeds (`whole`), or anywhere."""
    budget = spec.memory_limit * profile.memory_of(way)
    fronts = [_front(spec, program, infos[program.arms[0]], way, budget, whole) for program in programs]
    cohorts: list[PlannedCohort] = []
    processes = way.processes * profile.machines
    for (arms, seeds, again), split in zip(programs, _choose(fronts, processes), strict=True):
        lane, rest = _bytes(spec.expanded[arms[0]].treatment, infos[arms[0]], spec, split.arrangement.layout)
        cohorts += [
            PlannedCohort(
                members=members,
                again=again,
                threads=way.threads,
                layout=split.arrangement.layout,
                independent=split.arrangement.independent,
                seconds=split.lasts[len(members)],
                memory=len(members) * lane + rest,
            )
            for members in members_of(split.cut, arms, seeds)
        ]
    cohorts.sort(key=lambda cohort: -cohort.seconds)  # those as long stay in the order of their arms and seeds
    processes = min(processes, len(cohorts))
    return Plan(
        cohorts=cohorts,
        device=way.device,
        processes=processes,
        seconds=_makespan([cohort.seconds for cohort in cohorts], processes),
        memory=sum(sorted((cohort.memory for cohort in cohorts), reverse=True)[:processes]),
        measured=profile.measured,
    )


def _choose(fronts: Sequence[Sequence[_Split]], processes: int) -> list[_Split]:
    """Choose one split of each front, so that all ends soonest: the longest is cut finer for as long as that pays."""
    now = [0] * len(fronts)
    best, soonest = list(now), math.inf
    while True:
        splits = [front[i] for front, i in zip(fronts, now, strict=True)]
        seconds = [cohort for split in splits for cohort in split.seconds]
        if (end := _makespan(seconds, processes)) < WORTH * soonest:
            best, soonest = list(now), end
        longest = max(range(len(fronts)), key=lambda i: splits[i].longest)
        # Finer splits are more work: none ends before all processes have had their part of what there is now.
        if sum(seconds) / processes >= WORTH * soonest or now[longest] + 1 == len(fronts[longest]):
            return [front[i] for front, i in zip(fronts, best, strict=True)]
        now[longest] += 1


def _front(spec: Spec, program: _Program, info: ArmInfo, way: Way, budget: float, whole: bool) -> list[_Split]:
    """Return the splits of one program, each with more total work and a shorter longest cohort than the last.

    A split that another is as good as in both is left out, and one whose cohorts the budget (bytes) does not hold.
    """
    splits = list(_splits(spec, program, info, way, budget, whole=whole))
    splits.sort(key=lambda split: (split.work, split.longest))  # stable: the fewest cohorts where they are as long
    front = splits[:1]
    for split in splits[1:]:
        if split.longest < front[-1].longest:
            front.append(split)
    return front


def _splits(spec: Spec, program: _Program, info: ArmInfo, way: Way, budget: float, *, whole: bool) -> Iterator[_Split]:
    """Yield the splits of one program whose cohorts the budget (bytes) holds.

    Where runs are not independent it is one split, whatever the machine but for a memory that does not hold it.
    """
    treatment = spec.expanded[program.arms[0]].treatment
    arrangement = arrange(spec, treatment, info, way.device)
    layout, independent, lanes = arrangement
    lane, rest = _bytes(treatment, info, spec, layout)
    widest = max(1, min(lanes, int((budget - rest) // lane)))
    lasts: dict[int, float] = {}
    arms, seeds = len(program.arms), len(program.seeds)
    for cut in cuts(arms, seeds, widest, whole or not independent):
        widths = cut.widths
        if max(widths) > widest:
            continue
        for width in widths.keys() - lasts.keys():
            lasts[width] = _seconds(way, treatment, info, width, spec, layout)
        yield _Split(arrangement=arrangement, cut=cut, lasts=lasts)
        if not independent:
            return


def _seconds(way: Way, treatment: Treatment, info: ArmInfo, width: int, spec: Spec, layout: Layout) -> float:
    """Return the seconds of a cohort of `width` lanes.

    An update that measures the gradient noise has half a pass more; one that measures the layers takes twice its time,
    and so does each by sharpness-aware minimization.
    """
    noise = 0.5 / spec.noise_every if spec.noise_every else 0.0
    looks = 1 / spec.diagnose_every if spec.diagnose_every else 0.0
    updates = info.steps * (1 + noise + looks + (treatment.sam is not None))
    batch = min(treatment.batch_size, info.data.train / info.steps_per_epoch)
    passes = 1 if treatment.micro_batch_size is None else math.ceil(batch / treatment.micro_batch_size)
    update = Work(info.size, batch, treatment.precision, passes)
    train, valid = info.data.train, info.data.valid
    examples = (train if spec.evaluate.train == "all" else min(train, valid)) + valid
    if treatment.ema_decay is not None:
        examples += valid
    judged = update._replace(batch=examples, passes=1)
    return (
        COHORT
        + estimate_start(way, update, width)
        + updates * estimate(way, update, width, layout)
        + info.steps // info.steps_per_epoch * EVALUATION * estimate(way, judged, width, layout)
        + (EVALUATION * estimate(way, judged._replace(batch=info.data.test), width, layout) if info.data.test else 0.0)
    )


def _bytes(treatment: Treatment, info: ArmInfo, spec: Spec, layout: Layout) -> tuple[int, int]:
    """Return the bytes of a lane, and those of its cohort beside the lanes.

    A lane has its parameters, gradients, temporaries and optimizer state. By `vmap` it has a batch's values in every
    layer with their gradients, convolutions' patches too; by `loop` all lanes have this memory in turn, and each seed
    its batch and dropout masks with what they are made of (each lane, where a cut leaves seeds of unlike width). Of a
    batch that is passed in parts it is one part's, unless layers are looked at. All lanes read one copy of the data.
    """
    rule = built_optimizer(treatment.optimizer)
    slots = max(len(one.slots) for one in (rule, rule.others or rule))
    batch = min(treatment.batch_size, info.data.train)
    part = min(batch, treatment.micro_batch_size or batch)
    at_once = batch if spec.diagnose_every else part
    # a half's gradients; the weights before an update and before an ascent; their running means; a sum of parts
    copies = 3 + bool(spec.noise_every) + bool(spec.diagnose_every) + (treatment.ema_decay is not None)
    copies += treatment.sam is not None
    copies += (1 + slots) * (treatment.precision == "fp16")  # weights and state before an update, which may be skipped
    copies += part < batch and layout == "vmap"
    inputs = math.prod(info.data.inputs)
    lane = info.size.parameters * (copies + slots)
    copies_of_data = len(spec.split_seeds) if spec.split == "per_seed" else 1  # at most: pictures are there once
    examples = (info.data.train + info.data.valid + info.data.test) * copies_of_data
    rest = examples * (inputs + max(2, info.data.outputs))
    if layout == "vmap":
        lane += (info.size.activations * 2 + info.size.patches) * at_once
        lane += (inputs + info.size.dropped * 2) * (batch - at_once)
    else:
        lane += (inputs + info.size.dropped * 2) * batch
        rest += info.size.activations * at_once * 2
    if treatment.mixup or treatment.cutmix:  # the neighbours of a batch, and the mixtures
        lane += 2 * inputs * batch
    return 4 * lane, 4 * rest


def _makespan(seconds: Sequence[float], processes: int) -> float:
    """Return when the last of these ends, if each free process takes the longest that is left."""
    ends = [0.0] * processes
    for one in sorted(seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)
