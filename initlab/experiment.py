"""One experiment on the server, as a Python object."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Literal, Self, cast
from urllib.parse import quote

from initlab import notebook
from initlab.answers import Picture, Report, Series
from initlab.described import Described
from initlab.downloads import Downloads
from initlab.errors import ClientError
from initlab.events import Event, follow
from initlab.logged import Logged
from initlab.progress import shown
from initlab.transport import Transport

Sort = Literal["newest", "oldest", "name", "finished", "progress"]
OF_THE_OUTCOME = ("lr_range", "coordinate_check", "batch_size", "comparison")
"""The pictures of what an experiment asks: of its kind alone, or of arms that are compared."""
FIRST_POLL, LONGEST_POLL, GROWTH = 0.1, 1.0, 1.25


class Experiment(Described, Downloads, Logged):
    """An experiment as the server last described it (`data`), with the calls that ask about it."""

    def __init__(self, transport: Transport, data: dict[str, Any], etag: str = "") -> None:
        self.transport = transport
        self._etag = etag
        self.data = data

    @property
    def url(self) -> str:
        """The address of its page, for a browser."""
        return f"{self.transport.url}/#{self.path}"

    def refresh(self) -> Self:
        """Ask the server again."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        response = self.transport.request("GET", self.path, headers=headers)
        if response.status_code != 304:
            self.data, self._etag = response.json(), response.headers.get("ETag", "")
        return self

    def wait(
        self, progress: Callable[[Self], None] | Literal[False] | None = None, timeout: float | None = None
    ) -> Self:
        """Poll until the experiment has ended, and call `progress` after each look; raises `TimeoutError`.

        By default the progress of each arm is shown below a notebook's cell or in a terminal, and nowhere else; False
        shows none. The pause grows from 0.1 s to 1 s, so that short experiments answer at once and long ones cost
        nothing.
        """
        with shown() if progress is None else nullcontext(progress or (lambda _: None)) as tell:
            tell(self.refresh())
            for pause in self.pauses(timeout):
                time.sleep(pause)
                tell(self.refresh())
        return self

    def pauses(self, timeout: float | None = None) -> Iterator[float]:
        """Yield the seconds to let pass before the next `refresh`, until it has ended; raises `TimeoutError`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_POLL
        while not self.finished:
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TimeoutError(f"experiment {self.id} is {self.status} after {timeout:g} s")
            yield pause
            pause = min(pause * GROWTH, LONGEST_POLL)

    def link(self, hours: int = 24) -> dict[str, Any]:
        """Make a read-only link, for whoever has its `url` or `token`, and return it with its `id` and `expires_at`.

        It opens this experiment alone, without a key. Raises `ApiError` 403 for who may not change the experiment, and
        409 where the server asks nobody for a key.
        """
        return cast(dict[str, Any], self.transport.call("POST", f"{self.path}/links", body={"hours": hours}))

    def cancel(self) -> Self:
        """Ask for its end; what was measured is kept. A worker hears it within a second: `wait` for it."""
        return self._ask("cancel")

    def pause(self) -> Self:
        """Pause it where it is, until `resume`; raises `ApiError` 409 where it has ended."""
        return self._ask("pause")

    def resume(self) -> Self:
        """Go on after a pause, from the same update; without one nothing changes."""
        return self._ask("resume")

    def retry(self) -> Self:
        """Run again what failed, and only that; raises `ApiError` 409 where nothing did."""
        return self._ask("retry")

    def edit(
        self,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        *,
        if_unchanged: bool = False,
    ) -> Self:
        """Give it another name, other tags (all that it has from then on) or notes; what is None stays as it is.

        The spec stays as it was posted. With `if_unchanged` it raises `ApiError` 412 where somebody has edited it since
        it was last looked at here, by `Client.experiment` or `refresh`.
        """
        if if_unchanged and not self._etag:
            raise ValueError("refresh() it first, to know what it is to be unchanged from")
        given = {"name": name, "tags": None if tags is None else list(tags), "notes": notes}
        body = {key: value for key, value in given.items() if value is not None}
        headers = {"If-Match": self._etag} if if_unchanged else {}
        response = self.transport.request("PATCH", self.path, body=body, headers=headers)
        self.data, self._etag = self.transport.decoded(response), response.headers.get("ETag", "")
        return self

    def environments(self) -> list[dict[str, Any]]:
        """Return what its attempts were trained in, each once: `environment` and the `attempts` that were made in it.

        An environment has packages, commit, Python, platform, processor or GPU, threads, and settings that matter.
        """
        return cast(list[dict[str, Any]], self.transport.call("GET", f"{self.path}/environments")["items"])

    def history(self) -> Iterator[dict[str, Any]]:
        """Yield what happened to it, the oldest first: `{"id", "at", "kind", "cohort", "attempt", "detail"}`."""
        return pages(self.transport, f"{self.path}/history")

    def events(
        self,
        metric: str | Sequence[str] | None = None,
        arm: str | None = None,
        seed: int | None = None,
        last_event_id: str | None = None,
        diagnostics: bool = False,
    ) -> Iterator[Event]:
        """Yield all that was measured, and then what happens from now on, until the experiment has ended.

        An event has an `id`, a `kind` and its `data`. `state` and `progress` are the experiment's own; `metric` has the
        `values` of one series at step, or epoch, `first`, `first + every`, ...; `rewind` voids what its `runs` measured
        at `step` and later, in epochs at `epoch` and later: their training goes on from a checkpoint, and those points
        come again. Lost connections are made again, and nothing is left out or comes twice; with `last_event_id` that
        holds for a program that was ended too. Diagnostics come as in `metrics`. Raises `Unreachable` and `ApiError`,
        404 once the experiment is deleted.
        """
        asked = {"metric": metric, "arm": arm, "seed": seed, "diagnostics": diagnostics or None}
        return follow(self.transport, f"{self.path}/events", asked, last_event_id)

    def delete(self) -> None:
        """Remove it and all it measured; raises `ApiError` 409 while it is unfinished."""
        self.transport.call("DELETE", self.path)

    def runs(self) -> list[dict[str, Any]]:
        """Return every run with its outcome and final numbers; second trainings have `repeat` and come last."""
        return list(pages(self.transport, f"{self.path}/runs"))

    def metrics(
        self,
        metric: str | Sequence[str] | None = None,
        arm: str | None = None,
        seed: int | None = None,
        max_points: int | None = None,
        diagnostics: bool = False,
        repeat: bool = False,
    ) -> Series:
        """Return series as `{"run_id", "arm", "seed", "metric", "unit", "steps": [...], "values": [...], "total"}`.

        They are a list, and a table by `to_pandas`, `to_polars` and `to_arrow`. `max_points` thins each series, keeping
        its spikes. A value that is not finite is None. Diagnostics of layers are among them where `metric` names one,
        `activation_std/fc1` or of all layers `activation_std`, or with `diagnostics` where it names none. With `repeat`
        they are the series of second trainings.
        """
        asked = {"metric": metric, "arm": arm, "seed": seed, "max_points": max_points}
        asked |= {"diagnostics": diagnostics or None, "repeat": repeat or None}
        answer = self.transport.call("GET", f"{self.path}/metrics", params=asked)
        return Series(answer["series"])

    def plots(self) -> list[dict[str, Any]]:
        """Return what can be drawn: `{"name", "summary", "links"}` each."""
        return cast(list[dict[str, Any]], self.transport.call("GET", f"{self.path}/plots")["items"])

    def plot(
        self,
        name: str | None = None,
        format: Literal["png", "svg", "json"] = "png",  # noqa: A002 the field's word
        *,
        width: int | None = None,
        height: int | None = None,
        dpi: int | None = None,
        theme: Literal["light", "dark"] | None = None,
        arm: str | Sequence[str] | None = None,
        log: bool | None = None,
        first: int | Literal["all"] | None = None,
        x: Literal["updates", "epochs", "examples", "seconds"] | None = None,
        axes: Literal["shared", "own"] | None = None,
    ) -> Picture:
        """Return a picture's file, which a notebook shows, or with `json` the data behind it.

        Without a name it is that of the outcome: `comparison`, or of another kind of experiment its own.

        `width` and `height` are pixels, `arm` one label or several, `log` whether the axis of values is logarithmic,
        `first` how many updates `loss` shows and `x` what its axis counts, `axes` whether the histograms of `weights`
        share theirs. What is None is as the server has it.
        """
        asked = {"width": width, "height": height, "dpi": dpi, "theme": theme, "arm": arm, "log": log}
        asked |= {"first": first, "x": x, "axes": axes}
        if name is None:
            known = [one["name"] for one in self.plots()]
            name = next((one for one in OF_THE_OUTCOME if one in known), OF_THE_OUTCOME[-1])
        path = f"{self.path}/plots/{quote(name, safe='')}.{format}"
        return Picture.of(self.transport.request("GET", path, params=asked).content, name, format)

    def plots_zip(self, theme: Literal["light", "dark"] | None = None) -> bytes:
        """Return all pictures in one ZIP: each as PNG and SVG, with the data behind it as JSON."""
        return self.transport.request("GET", f"{self.path}/plots.zip", params={"theme": theme}).content

    def report(self, metric: str | None = None, *, margin: float | None = None, alpha: float | None = None) -> Report:
        """Return the comparison of the arms, a dict that a notebook shows: intervals, differences, the verdict.

        `margin` is the largest difference that does not matter, in the outcome's unit, and `alpha` the chance of a
        false win that is allowed; None: those of the spec.
        """
        headers = {"Accept": "application/json"}
        params = {"metric": metric, "margin": margin, "alpha": alpha}
        return Report(self.transport.call("GET", f"{self.path}/report", params=params, headers=headers))

    def report_markdown(
        self, metric: str | None = None, *, margin: float | None = None, alpha: float | None = None
    ) -> str:
        """Return the report as Markdown, for people."""
        headers = {"Accept": "text/markdown"}
        params = {"metric": metric, "margin": margin, "alpha": alpha}
        return self.transport.request("GET", f"{self.path}/report", params=params, headers=headers).text

    def report_html(
        self,
        metric: str | None = None,
        pictures: Literal["linked", "inline"] = "linked",
        *,
        margin: float | None = None,
        alpha: float | None = None,
    ) -> str:
        """Return the report as a web page, whose pictures are linked as `plots/NAME.png`, or inside of it."""
        inline = None if pictures == "linked" else pictures
        params = {"metric": metric, "margin": margin, "alpha": alpha, "pictures": inline}
        headers = {"Accept": "text/html"}
        return self.transport.request("GET", f"{self.path}/report", params=params, headers=headers).text

    def _ask(self, what: Literal["cancel", "pause", "resume", "retry"]) -> Self:
        self.data, self._etag = self.transport.call("POST", f"{self.path}/{what}"), ""
        return self

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the verdict and a picture once there are, until then how far it is."""
        report, picture = None, b""
        if self.status == "succeeded":
            with suppress(ClientError):  # a server that has gone since leaves what is known here
                report = self.report()
                picture = self.plot("comparison")
        return notebook.experiment(self.data, self.url, report, b64encode(picture).decode("ascii"))


def pages(transport: Transport, path: str, params: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the items of a list, page after page as they are asked for."""
    cursor: str | None = None
    while True:
        page = transport.call("GET", path, params={**(params or {}), "cursor": cursor})
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return
