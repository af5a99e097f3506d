"""The client: a server's experiments, catalogue and previews from Python."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, cast
from urllib.parse import quote

from initlab import packing, spec_file
from initlab.across import AcrossExperiments
from initlab.experiment import Experiment, Sort, pages
from initlab.external_runs import ExternalRuns
from initlab.external_spec import ExternalExperiments
from initlab.previewing import Previews
from initlab.reading import ReadOptions, form_fields
from initlab.settings import Settings
from initlab.transport import Transport, Upload
from initlab.weights import KeptWeights


class Client(ExternalExperiments, ExternalRuns, AcrossExperiments, KeptWeights, Previews):
    """A server at `url` (default: the setting INITLAB_URL), asked as the owner of `api_key` (INITLAB_API_KEY).

    What is posted belongs to `project` (INITLAB_PROJECT), else to the server's default project. `patience` is how many
    seconds a call is repeated while the server is away or busy. Every call may raise `Unreachable` and `ApiError`.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        project: str | None = None,
        patience: float = 30.0,
    ) -> None:
        settings = Settings()
        self._into = {"project": (settings.project if project is None else project) or None}
        key = settings.api_key if api_key is None else api_key
        self._transport = Transport(settings.url if url is None else url, key.strip(), patience)

    @property
    def url(self) -> str:
        return self._transport.url

    def submit(self, spec: Mapping[str, Any] | str | Path, key: str | None = None) -> Experiment:
        """Post an experiment: a dict, or the path of a JSON or YAML file (`-`: standard input).

        A lost answer is asked for again under the same Idempotency-Key, so that one call makes one experiment; calls
        with the same `key` within a day make one together. Raises `ApiError` 422 with every problem of the spec, and
        `SpecError` where the file holds none.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        made = self._transport.call("POST", "/experiments", body=_body(spec), headers=headers, params=self._into)
        return Experiment(self._transport, made)

    def preview(self, spec: Mapping[str, Any] | str | Path) -> dict[str, Any]:
        """Return what submitting this would start: arms, steps, and `plan` with its estimated time and memory.

        The server checks the spec as `submit` would have it checked, and stores nothing. Raises what `submit` raises.
        """
        return cast(
            dict[str, Any], self._transport.call("POST", "/experiments/preview", body=_body(spec), params=self._into)
        )

    def experiment(self, id: int) -> Experiment:  # noqa: A002 the field's word
        """Return one experiment; raises `ApiError` 404."""
        response = self._transport.request("GET", f"/experiments/{id}")
        return Experiment(self._transport, self._transport.decoded(response), response.headers.get("ETag", ""))

    def experiments(
        self,
        status: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        name: str | None = None,
        *,
        owner: str | None = None,
        project: str | None = None,
        created_after: str | datetime | None = None,
        created_before: str | datetime | None = None,
        sort: Sort | None = None,
        reverse: bool = False,
    ) -> Iterator[Experiment]:
        """Yield all experiments that meet every condition; read page by page.

        They are in any of the states `status` and have all tags `tag`; `name` is a part of theirs, in any case;
        `owner="me"`: those of this API key. Moments are RFC 3339 or a datetime that knows its offset. `sort`: the
        newest or the oldest post first, by name, by the end (`finished`, the last one first), or by the part that is
        done (`progress`, the most first); by default one's own first, then the newest. `reverse` turns it round.
        """
        asked: dict[str, Any] = {"status": status, "tag": tag, "name": name, "owner": owner, "project": project}
        asked |= {"created_after": _moment(created_after), "created_before": _moment(created_before)}
        asked |= {"sort": sort, "reverse": reverse or None}
        return (Experiment(self._transport, data) for data in pages(self._transport, "/experiments", asked))

    def cancel_experiments(
        self, tag: str | Sequence[str], status: str | Sequence[str] | None = None
    ) -> dict[str, list[Any]]:
        """Cancel all experiments with a tag, or with all of several, in any of the states `status`.

        Returns `{"done": [id, ...], "refused": [{"id", "status", "reason"}, ...]}`: what has ended, and what this API
        key may not change, stays as it is.
        """
        return self._transport.each("POST", "/experiments/cancel", {"tag": tag, "status": status})

    def delete_experiments(
        self, tag: str | Sequence[str], status: str | Sequence[str] | None = None
    ) -> dict[str, list[Any]]:
        """Remove all experiments with a tag, and all that they measured; those that have not ended stay.

        Tags, states and the answer are those of `cancel_experiments`.
        """
        return self._transport.each("DELETE", "/experiments", {"tag": tag, "status": status})

    def catalog(self, kind: str | None = None, name: str | None = None) -> dict[str, Any]:
        """Return what a spec may name, and the metrics, outcomes and findings: all, one kind, or one entry of it."""
        if name is not None and kind is None:
            raise ValueError("a name needs its kind")
        path = "/".join(quote(part, safe="") for part in (kind, name) if part is not None)
        return cast(dict[str, Any], self._transport.call("GET", f"/catalog/{path}".rstrip("/")))

    def upload_dataset(
        self,
        path: str | Path,
        name: str | None = None,
        *,
        valid: str | Path | None = None,
        **options: Unpack[ReadOptions],
    ) -> dict[str, Any]:
        """Send a data set of your own, and return what the server found in it; its `notes` say what it took for what.

        A table (CSV, TSV, XLSX, JSON lines, Parquet), an NPZ file of the arrays x and y, or a folder or a ZIP of images
        in one folder a class; with `valid` a second table, or folder, to validate on. `options` are those of
        `initlab.reading.ReadOptions`, `target` among them, the column of a table to learn. A spec names it as
        `{"name": "uploaded", "id": name}`. The same content again changes nothing. Raises `ApiError` 422 with every
        row, column or file inside that is at fault, and 409 where the name has other content.
        """
        with packing.opened(Path(path), None if valid is None else Path(valid)) as (file, filename):
            upload = Upload(file, filename, form_fields(name, options))
            return cast(dict[str, Any], self._transport.call("POST", "/datasets", upload=upload, params=self._into))

    def datasets(self) -> list[dict[str, Any]]:
        """Return the data sets that users sent, one's own first, by name."""
        return cast(list[dict[str, Any]], self._transport.call("GET", "/datasets")["items"])

    def dataset(self, name: str) -> dict[str, Any]:
        """Return one data set; raises `ApiError` 404."""
        return cast(dict[str, Any], self._transport.call("GET", f"/datasets/{quote(name, safe='')}"))

    def preview_dataset(self, name: str) -> dict[str, Any]:
        """Return a data set's first `rows` or `pictures`, its `classes` with their counts, and `experiments` on it."""
        return cast(dict[str, Any], self._transport.call("GET", f"/datasets/{quote(name, safe='')}/preview"))

    def delete_dataset(self, name: str) -> None:
        """Remove a data set; raises `ApiError` 409 while an experiment that has not ended uses it."""
        self._transport.call("DELETE", f"/datasets/{quote(name, safe='')}")

    def workers(self) -> dict[str, Any]:
        """Return `{"items", "queue"}`: the training processes seen of late, and counts of what waits for them."""
        return cast(dict[str, Any], self._transport.call("GET", "/workers"))

    def plugins(self) -> dict[str, Any]:
        """Return `{"items", "workers"}`: the service's plug-ins, and the number of training processes."""
        return cast(dict[str, Any], self._transport.call("GET", "/plugins"))

    def drain_worker(self, name: str) -> dict[str, Any]:
        """Ask a training process to leave, for admins, and return it: others go on with what it trains.

        `name` is as `workers` has it. Raises `ApiError` 404 where none is called so, or it has ended.
        """
        return cast(dict[str, Any], self._transport.call("POST", f"/workers/{quote(name, safe='')}/drain"))

    def create_webhook(
        self,
        url: str,
        events: Sequence[str] | None = None,
        *,
        payload: str = "json",
        experiment_id: int | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """Have `url` told of your experiments, of one, or of those with a tag; returns the webhook with its `secret`.

        `events`, such as `experiment.succeeded`; None: the ends and the decisions. `payload="slack"` sends sentences.
        No later call returns the secret. Raises `ApiError` 422 for an address that the service sends nothing to.
        """
        body: dict[str, Any] = {"url": url, "payload": payload, "experiment_id": experiment_id, "tag": tag}
        if events is not None:
            body["events"] = list(events)
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return cast(dict[str, Any], self._transport.call("POST", "/webhooks", body=body, headers=key))

    def webhooks(self) -> list[dict[str, Any]]:
        """Return your webhooks, without their secrets."""
        return cast(list[dict[str, Any]], self._transport.call("GET", "/webhooks")["items"])

    def deliveries(self, webhook_id: int) -> Iterator[dict[str, Any]]:
        """Yield what was sent to a webhook and what is to be, the newest first; raises `ApiError` 404."""
        return pages(self._transport, f"/webhooks/{webhook_id}/deliveries")

    def replay(self, webhook_id: int, delivery_id: int) -> dict[str, Any]:
        """Have a delivery that has ended sent again; raises `ApiError` 409 while it is still tried."""
        return cast(
            dict[str, Any], self._transport.call("POST", f"/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")
        )

    def delete_webhook(self, webhook_id: int) -> None:
        """Remove a webhook; what has not been sent is not sent any more."""
        self._transport.call("DELETE", f"/webhooks/{webhook_id}")

    def me(self) -> dict[str, Any]:
        """Return who asks: `id`, `scope`, `projects` with roles, `limits`, and `quotas` with what is used of them."""
        return cast(dict[str, Any], self._transport.call("GET", "/me"))

    def projects(self) -> list[dict[str, Any]]:
        """Return the projects that one sees, by name."""
        return cast(list[dict[str, Any]], self._transport.call("GET", "/projects")["items"])

    def project(self, name: str) -> dict[str, Any]:
        """Return one project, its members, and what it holds beside its quotas; raises `ApiError` 404."""
        return cast(dict[str, Any], self._transport.call("GET", f"/projects/{quote(name, safe='')}"))

    def create_project(self, /, name: str, **fields: Any) -> dict[str, Any]:
        """Make a project, for admins, and return it; raises `ApiError` 409 where there is one of that name.

        `fields` may be `description`, `default_role` (`viewer` or `member`, of who is no member), `keep_days`,
        `quotas` (`runs`, `points`, `bytes`) and `members` (roles by key id, `@user` or `%group`).
        """
        return cast(dict[str, Any], self._transport.call("POST", "/projects", body={"name": name, **fields}))

    def change_project(self, /, name: str, **fields: Any) -> dict[str, Any]:
        """Change what is named of a project, as `create_project` has it, and return it; None removes."""
        return cast(dict[str, Any], self._transport.call("PATCH", f"/projects/{quote(name, safe='')}", body=fields))

    def delete_project(self, name: str) -> None:
        """Remove a project, for admins; raises `ApiError` 409 while it holds anything."""
        self._transport.call("DELETE", f"/projects/{quote(name, safe='')}")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"


def _moment(given: str | datetime | None) -> str | None:
    return given.isoformat() if isinstance(given, datetime) else given


def _body(spec: Mapping[str, Any] | str | Path) -> Any:
    return spec_file.read(spec) if isinstance(spec, str | Path) else dict(spec)
