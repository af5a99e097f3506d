"""The environments that an experiment was trained in, in sentences for the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis.report.page_text import count

SHOWN = {"torch": "PyTorch", "numpy": "NumPy"}
"""Packages beside initlab that the sentence names."""


def environment_sentences(environments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each environment, as `core.experiments` records them; empty where none is known."""
    found = [_sentence(one) for one in environments]
    if len(found) > 1:
        found.append("Attempts in different environments may differ in their last bits.")
    return found


def _sentence(of: Mapping[str, Any]) -> str:
    packages = of.get("packages", {})
    commit = f" (commit {of['commit'][:12]}{'+' if of['commit'].endswith('+') else ''})" if of.get("commit") else ""
    made = [f"initlab {packages.get('initlab', '?')}{commit}"]
    made += [f"{words} {packages[name]}" for name, words in SHOWN.items() if name in packages]
    on = of.get("gpu") or of.get("processor") or "an unnamed processor"
    threads = count(of["threads"], "thread") if of.get("device") == "cpu" and "threads" in of else ""
    where = ", ".join(filter(None, [on, threads, of.get("platform")]))
    return f"Trained by {', '.join(made)} on Python {of.get('python', '?')}: {where}."
