"""The commands about projects, and about oneself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.table import Table

from initlab.client import Client
from initlab.errors import ClientError
from initlab.output import AsJson, Quiet, tell

app = typer.Typer(
    no_args_is_help=True,
    help="Projects: who sees, posts to and changes what is in them, and how much they hold.",
    rich_markup_mode=None,
)

QUOTAS = ("runs", "points", "bytes")
NONE = "none"

Name = Annotated[str, typer.Argument(help="The project's name.")]
Who = Annotated[str, typer.Argument(help="A key's id, @user or %group.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
DefaultRole = Annotated[
    Literal["viewer", "member", "none"] | None,
    typer.Option(help="Of everybody who is no member; none: they do not see it."),
]
KeepDays = Annotated[str | None, typer.Option(help="Days for which what has ended is kept, or none of its own.")]
Most = Annotated[str | None, typer.Option(help="Most of them that it may have stored, or none: any number.")]


@app.command("list")
def list_projects(as_json: AsJson = False) -> None:
    """List the projects that you see."""
    found = Client().projects()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("project", "your role", "runs", "points", "bytes", "description"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(one["name"], one["role"], *map(_used, _quotas(one)), one["description"])
    tell(found, table, as_json=as_json)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a project's members, and what it holds beside its quotas."""
    found = Client().project(name)
    kept = "as long as the service has it" if found["keep_days"] is None else f"for {found['keep_days']:g} days"
    everybody = f"everybody else is {found['default_role']}" if found["default_role"] else "nobody else sees it"
    lines = [
        f"{found['name']}: {found['description']}".rstrip(": "),
        f"you are {found['role']}, {everybody}; what has ended is kept {kept}",
        *(f"{quota}: {_used(used)}" for quota, used in zip(QUOTAS, _quotas(found), strict=True)),
        *(f"{role}: {who}" for who, role in found["members"].items()),
    ]
    tell(found, "\n".join(lines), as_json=as_json)


@app.command()
def create(
    name: Name,
    description: Description = None,
    default_role: DefaultRole = None,
    keep_days: KeepDays = None,
    runs: Most = None,
    points: Most = None,
    bytes: Most = None,  # noqa: A002 the option's name
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a project; its members alone see it, unless there is a default role."""
    quotas = {"runs": runs, "points": points, "bytes": bytes}
    made = Client().create_project(name, **_fields(description, default_role, keep_days, quotas))
    said = f"project {name} is made. Give roles in it with: initlab projects add-member {name} WHO"
    tell(made, said, as_json=as_json, quiet=quiet)


@app.command()
def change(
    name: Name,
    description: Description = None,
    default_role: DefaultRole = None,
    keep_days: KeepDays = None,
    runs: Most = None,
    points: Most = None,
    bytes: Most = None,  # noqa: A002 the option's name
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Change what the options name of a project."""
    quotas = {"runs": runs, "points": points, "bytes": bytes}
    changed = Client().change_project(name, **_fields(description, default_role, keep_days, quotas))
    tell(changed, f"project {name} is changed", as_json=as_json, quiet=quiet)


@app.command()
def add_member(
    name: Name,
    who: Who,
    role: Annotated[Literal["viewer", "member", "maintainer"], typer.Option(help="What it may there.")] = "member",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Give a key, a user or a group a role in a project."""
    changed = Client().change_project(name, members={who: role})
    tell(changed, f"{who} is {role} of {name}", as_json=as_json, quiet=quiet)


@app.command()
def remove_member(name: Name, who: Who, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Take a key's, a user's or a group's role in a project away."""
    changed = Client().change_project(name, members={who: None})
    tell(changed, f"{who} is no member of {name}", as_json=as_json, quiet=quiet)


@app.command()
def delete(name: Name, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Remove a project that holds nothing."""
    Client().delete_project(name)
    tell({"done": [name]}, f"project {name} is deleted", as_json=as_json, quiet=quiet)


def whoami(as_json: AsJson = False) -> None:
    """Show who you are to the server: scope, roles, and what you have stored beside your quotas."""
    found = Client().me()
    lines = [
        f"{found['id'] or 'nobody needs a key here'}: {found['scope']}",
        *(f"{one['role']} of {one['name']}" for one in found["projects"]),
        *(f"{quota}: {_used(used)}" for quota, used in zip(QUOTAS, _quotas(found), strict=True)),
    ]
    tell(found, "\n".join(lines), as_json=as_json)


def _fields(
    description: str | None, default_role: str | None, keep_days: str | None, quotas: Mapping[str, str | None]
) -> dict[str, Any]:
    """Return the fields that were named; `none` is null."""
    given: dict[str, Any] = {"description": description, "default_role": default_role, "keep_days": keep_days}
    given = {name: None if said == NONE else said for name, said in given.items() if said is not None}
    if given.get("keep_days") is not None:
        given["keep_days"] = _number("keep-days", given["keep_days"], float)
    named = {name: said for name, said in quotas.items() if said is not None}
    if named:
        given["quotas"] = {name: None if said == NONE else _number(name, said, int) for name, said in named.items()}
    return given


def _number(name: str, said: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(said)
    except ValueError:
        raise ClientError(f"--{name} should be a number, or none: {said!r}") from None


def _quotas(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [found["quotas"][name] for name in QUOTAS]


def _used(quota: Mapping[str, Any]) -> str:
    return f"{quota['used']:,}" + ("" if quota["most"] is None else f" of {quota['most']:,}")
