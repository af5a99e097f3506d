"""Previews from Python: of schedules, initializers, optimizers, layers, data sets, and a network's signal."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from initlab.transport import Transport

PreviewKind = Literal["schedule", "initializer", "optimizer", "layer", "dataset", "signal"]
Form = Literal["png", "svg", "json"]


class Previews:
    """The part of the client that looks at what is not trained yet."""

    _transport: Transport

    def preview_schedule(
        self,
        schedule: str | Mapping[str, Any],
        lr: float,
        steps: int,
        steps_per_epoch: int = 1,
        metrics: Sequence[float] | None = None,
    ) -> list[float]:
        """Return the learning rate in force during each of `steps` updates; `metrics` feeds a plateau schedule."""
        body: dict[str, Any] = {"schedule": schedule, "lr": lr, "steps": steps, "steps_per_epoch": steps_per_epoch}
        if metrics is not None:
            body["metrics"] = list(metrics)
        return cast(list[float], self._preview("schedule", body)["lr"])

    def preview_initializer(
        self, initializer: str | Mapping[str, Any], shape: Sequence[int], seed: int = 0, bins: int = 50
    ) -> dict[str, Any]:
        """Return what an initializer draws for a weight of this shape: `stats`, `theory` and `histogram`."""
        body = {"initializer": initializer, "shape": list(shape), "seed": seed, "bins": bins}
        return self._preview("initializer", body)

    def preview_signal(self, /, initializers: Sequence[str | Mapping[str, Any]], **body: Any) -> dict[str, Any]:
        """Return forward and backward variance of every layer before any training, of each of `initializers`.

        `body` may say `model`, `dataset` (or `inputs`, the shape of an example, and `outputs`), `seeds` and `batch`.
        """
        asked = {"initializers": list(initializers)} | body
        return self._preview("signal", asked)

    def preview_optimizer(self, /, optimizer: str | Mapping[str, Any], **body: Any) -> dict[str, Any]:
        """Return an optimizer's way down a valley of two weights: `x`, `y` and `loss` after 0, 1, 2, ... updates.

        `body` may say `compare` (other optimizers), `steps`, `curvature`, `angle`, `start`, `minimum`, `noise`, `seed`.
        """
        return self._preview("optimizer", {"optimizer": optimizer} | body)

    def preview_layer(self, /, layer: str | Mapping[str, Any], **body: Any) -> dict[str, Any]:
        """Return what a layer, written as in a `sequential` model, makes of examples `before`: `after` and `curve`.

        `body` may say `compare` (other layers), `inputs`, the shape of an example, `outputs`, `batch` and `seed`.
        """
        return self._preview("layer", {"layer": layer} | body)

    def look_at_dataset(self, dataset: str | Mapping[str, Any]) -> dict[str, Any]:
        """Return how a data set of the catalogue is split, its `classes` or `targets`, and some of its examples.

        `preview_dataset` returns the rows or pictures of a user's own file as they came.
        """
        return self._preview("dataset", {"dataset": dataset})

    def draw_preview(
        self,
        kind: PreviewKind,
        body: Mapping[str, Any],
        format: Form = "png",  # noqa: A002 the field's word
    ) -> bytes:
        """Return a preview as a picture or as JSON; `body` is what `POST /previews/KIND` takes."""
        headers = {"Accept": {"png": "image/png", "svg": "image/svg+xml", "json": "application/json"}[format]}
        return self._transport.request("POST", f"/previews/{kind}", body=body, headers=headers).content

    def _preview(self, kind: PreviewKind, body: Mapping[str, Any]) -> dict[str, Any]:
        return cast(dict[str, Any], self._transport.call("POST", f"/previews/{kind}", body=body))
