"""The calls that ask about several experiments together."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

from initlab.answers import Report
from initlab.errors import ClientError
from initlab.transport import Transport

ArmOf = str | tuple[int, str] | Mapping[str, Any]
"""An arm of an experiment: `"4/he"`, `(4, "he")` or `{"experiment": 4, "arm": "he"}`."""


class AcrossExperiments:
    """Comparisons and studies of a server's experiments."""

    _transport: Transport
    _into: dict[str, str | None]
    """The project that is posted into, as a query has it."""

    def compare(
        self, arms: Sequence[ArmOf], metric: str | None = None, margin: float | None = None, alpha: float | None = None
    ) -> Report:
        """Return the comparison of arms that different experiments trained, each labelled `ID/arm`.

        Beside the keys of a report it has `paired`, whether runs were compared seed by seed, and the `reason`. Raises
        `ApiError` 422 for arms that cannot be compared, such as those of different data sets.
        """
        headers = {"Accept": "application/json"}
        return Report(
            self._transport.call("POST", "/comparisons", body=_asked(arms, metric, margin, alpha), headers=headers)
        )

    def compare_markdown(
        self, arms: Sequence[ArmOf], metric: str | None = None, margin: float | None = None, alpha: float | None = None
    ) -> str:
        """Return the comparison as Markdown, for people."""
        body = _asked(arms, metric, margin, alpha)
        return self._transport.request("POST", "/comparisons", body=body, headers={"Accept": "text/markdown"}).text

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies that one sees, the newest first: `alpha`, and what of it is `spent` and `left`."""
        return cast(list[dict[str, Any]], self._transport.call("GET", "/studies")["items"])

    def study(self, name: str, project: str | None = None) -> dict[str, Any]:
        """Return a study with the `verdicts` of its experiments in the order of their posts; raises `ApiError` 404.

        Each has the `level` that it was given and a `decision`: keep, discard, inconclusive, or None while it has not
        ended. `project` is that of the client where none is named.
        """
        asked = self._into if project is None else {"project": project}
        return cast(dict[str, Any], self._transport.call("GET", f"/studies/{quote(name, safe='')}", params=asked))


def arm_of(said: ArmOf) -> dict[str, Any]:
    """Return an arm as the server takes it; raises `ClientError` for text that is not ID/ARM."""
    if isinstance(said, Mapping):
        return dict(said)
    experiment, _, arm = said.partition("/") if isinstance(said, str) else (str(said[0]), "/", said[1])
    if not (experiment.isascii() and experiment.isdigit() and arm):
        raise ClientError(f"{said!r} names no arm of an experiment: write its id, a slash and the arm's label, as 4/he")
    return {"experiment": int(experiment), "arm": arm}


def _asked(arms: Sequence[ArmOf], metric: str | None, margin: float | None, alpha: float | None) -> dict[str, Any]:
    given = {"metric": metric, "margin": margin, "alpha": alpha}
    return {"arms": [arm_of(one) for one in arms]} | {name: value for name, value in given.items() if value is not None}
