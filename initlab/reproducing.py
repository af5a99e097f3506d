"""Trains a bundle's experiment again on a service, and compares every point: `initlab reproduce`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from initlab.bundles import Bundle, Comparison, compare
from initlab.client import Client
from initlab.errors import ClientError
from initlab.experiment import Experiment

TOLERANCE = 1e-3
"""Relative to the larger of two values; see `initlab.bundles.FLOOR` for those near 0."""
TAG = "reproduction"
MOST_TAGS = 20
LEFT_OUT = ("study", "priority", "queue")
"""Fields of a spec that are about where and when it was posted: a study's error was spent by the first training."""
WARNED_OF = 5
Follow = Callable[[Experiment], object]


class Reproduction(NamedTuple):
    """The experiment that trained a bundle's spec again, and how it compares with the bundle."""

    experiment: Experiment
    comparison: Comparison

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"experiment": self.experiment.id, **self.comparison.as_dict()}


def reproduce(
    bundle: str | Path,
    client: Client | None = None,
    *,
    against: int | None = None,
    tolerance: float = TOLERANCE,
    follow: Follow = Experiment.wait,
) -> Reproduction:
    """Train a bundle's spec again on the client's service, wait for its end, and compare every point.

    It is trained on the kind of device that the first training had. With `against`, the id of an experiment, nothing
    is trained: that one is compared. `follow` waits for the end. Raises `DamagedBundle` for a file that is not as it
    was packed, `ApiError` for a spec that the service refuses, `ClientError` where the new training did not succeed.
    """
    with Bundle(bundle) as was:
        was.check()
        client = client or Client()
        if against is None:
            posted = client.submit(spec_of(was))
            follow(posted)
        experiment = client.experiment(posted.id if against is None else against)
        if not experiment.finished:
            raise ClientError(f"experiment {experiment.id} is {experiment.status}: compare it when it has ended")
        with (
            TemporaryDirectory() as folder,
            Bundle(experiment.save("bundle", Path(folder) / "bundle.zip")) as became,
        ):
            return Reproduction(experiment, compare(was, became, tolerance))


def spec_of(bundle: Bundle) -> dict[str, Any]:
    """Return the spec that trains a bundle's experiment again: in no study, and on the same kind of device.

    Raises `ClientError` for what initlab has not trained, or not to its end.
    """
    spec: dict[str, Any] = bundle.read("spec.json")
    if bundle.about["kind"] == "external":
        raise ClientError(
            f"experiment {bundle.about['id']} was trained outside of initlab, which cannot train it again"
        )
    if bundle.about.get("status") == "cancelled":
        raise ClientError(
            f"experiment {bundle.about['id']} was cancelled: its points end where it was, and a new training goes on"
        )
    kept = {name: value for name, value in spec.items() if name not in LEFT_OUT}
    devices = {one["environment"]["device"] for one in bundle.read("environment.json")}
    tags = [*dict.fromkeys([*spec.get("tags", []), TAG])]
    device = {"device": devices.pop()} if len(devices) == 1 else {}
    return kept | device | {"tags": tags if len(tags) <= MOST_TAGS else spec["tags"]}


def sentences(found: Reproduction) -> list[str]:
    """Return for people how a reproduction compares: the result first, then where it differs and what may be why."""
    of, told = found.comparison, list[str]()
    same = f"{of.identical:,} of {of.points:,} points are the same to the last bit"
    if of.result == "identical":
        told.append(f"identical: all {of.points:,} points of experiment {found.experiment.id} are the same, bit by bit")
    elif of.result == "within tolerance":
        told.append(f"within tolerance: {same}, the others within {of.tolerance:g} of their size")
    else:
        told.append(f"different: {same}, and {of.beyond:,} are beyond {of.tolerance:g} of their size")
    for title, point in (("first other bit", of.first), ("first beyond tolerance", of.first_beyond)):
        told += [] if point is None else [f"{title}: {_place(point)}, {_said(point)}"]
    for metric, apart in sorted(of.largest.items(), key=lambda one: -one[1])[:WARNED_OF]:
        told.append(f"largest difference of {metric}: {apart:.3g}")
    told += _listed(of.runs, lambda one: f'run of "{one["arm"]}" with seed {one["seed"]}: {_said(one)}')
    told += _listed(of.decisions, lambda one: f'decision of "{one["a"]}" against "{one["b"]}": {_said(one)}')
    told += _listed(of.data, lambda one: f"data set {one['dataset']['name']} has other content")
    told += _listed(of.environment, lambda one: f"environment, {one['name']}: {_said(one)}")
    return told


def _listed(items: list[dict[str, Any]], sentence: Callable[[dict[str, Any]], str]) -> list[str]:
    more = [f"and {len(items) - WARNED_OF:,} more"] if len(items) > WARNED_OF else []
    return [*map(sentence, items[:WARNED_OF]), *more]


def _place(point: Mapping[str, Any]) -> str:
    second = f", second training by {point['varied']}" if point["varied"] else ""
    unit = "update" if point["unit"] == "step" else point["unit"]
    return f'{point["metric"]} of "{point["arm"]}", seed {point["seed"]}{second}, {unit} {point["step"]}'


def _said(one: Mapping[str, Any]) -> str:
    return f"{_words(one['was'])} became {_words(one['became'])}"


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "nothing"
    return "nothing" if value is None else str(value)
