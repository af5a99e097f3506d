"""The output of the commands: tables and sentences for people, JSON for programs, nothing where that was asked for."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from initlab import display
from initlab.completing import id_of

Id = Annotated[int, typer.Argument(help="The experiment's id.", parser=id_of, metavar="EXPERIMENT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no sentences; errors are told.")]


def out(what: RenderableType) -> None:
    """Print for people; a sentence is not broken into lines."""
    display.console().print(what, soft_wrap=isinstance(what, str))


def complain(text: str, end: str = "\n") -> None:
    """Print on standard error."""
    display.console(stderr=True).print(text, end=end, soft_wrap=True)


def print_json(what: Any) -> None:
    """Print for programs."""
    sys.stdout.write(json.dumps(what, indent=2) + "\n")


def tell(data: Any, shown: RenderableType, *, as_json: bool, quiet: bool = False) -> None:
    """Print `data` as JSON where that was asked for, else `shown` unless it was to be quiet."""
    if as_json:
        print_json(data)
    elif not quiet:
        out(shown)
