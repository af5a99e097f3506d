"""The command that saves the weights of a run."""

from pathlib import Path
from typing import Annotated

import typer

from initlab.client import Client
from initlab.output import AsJson, Quiet, tell
from initlab.weights import Which


def weights(
    run: Annotated[int, typer.Argument(help="The number of a run, as initlab metrics and the page show it.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; run-RUN.safetensors without.", show_default=False),
    ] = None,
    which: Annotated[
        Which | None, typer.Option(help="As drawn, after the best epoch, or at the end; else the last that is kept.")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Save the weights that a run has kept as a .safetensors file; the spec's "keep" says which."""
    content = Client().weights(run, which)
    path = output or Path(f"run-{run}.safetensors")
    path.write_bytes(content)
    tell({"saved": str(path), "bytes": len(content)}, str(path), as_json=as_json, quiet=quiet)
