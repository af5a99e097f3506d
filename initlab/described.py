"""The properties of an experiment that are known without asking for more."""

from typing import Any, Literal, cast

from initlab.words import runs

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Described:
    """An experiment as the server last described it."""

    data: dict[str, Any]
    """The server's words, as of the last call."""

    @property
    def id(self) -> int:
        return cast(int, self.data["id"])

    @property
    def name(self) -> str:
        return cast(str, self.data["name"])

    @property
    def tags(self) -> list[str]:
        """In alphabetical order."""
        return cast(list[str], self.data["tags"])

    @property
    def notes(self) -> str:
        """Free text about it; empty where nobody has written any."""
        return cast(str, self.data["notes"])

    @property
    def status(self) -> Status:
        return cast(Status, self.data["status"])

    @property
    def finished(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")

    @property
    def paused(self) -> bool:
        """True while it waits for `resume`, or is about to."""
        return cast(bool, self.data["paused"])

    @property
    def arms(self) -> list[dict[str, Any]]:
        """For each arm: label, runs_done (in whatever way), runs_total, steps_done, steps_total, diverged, failed,
        cancelled.
        """
        return cast(list[dict[str, Any]], self.data["arms"])

    @property
    def progress(self) -> dict[str, Any]:
        """steps_done, steps_total, runs_done, runs_total, runs_cancelled, eta_seconds (None while nobody can tell)."""
        return cast(dict[str, Any], self.data["progress"])

    @property
    def looks(self) -> list[dict[str, Any]]:
        """The looks at adaptive seeds that were taken: seeds, decided, open, and the arms that are trained further."""
        return cast(list[dict[str, Any]], self.data["looks"])

    @property
    def errors(self) -> list[str]:
        """The reasons of failed runs."""
        return cast(list[str], self.data["errors"])

    @property
    def diverged(self) -> bool:
        """True where every run diverged, so that nothing can be compared; not of a range test, which is to diverge."""
        meant = self.data["spec"].get("kind") == "lr_range_test"
        return not meant and all(arm["diverged"] == arm["runs_total"] for arm in self.arms)

    @property
    def path(self) -> str:
        return f"/experiments/{self.id}"

    def __repr__(self) -> str:
        return f"<Experiment {self.id} {self.name!r} {self.status}, {runs(self.progress, noun=' runs')}>"
