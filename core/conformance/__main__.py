"""Checks plug-ins for `initlab plugins check`: 0 where all is well, 1 where not, 2 for a wrong call."""

import json
import sys
from collections.abc import Sequence

from core.conformance import Result, tried
from core.plugins import Plugin, loaded


def main(words: Sequence[str]) -> int:
    """Print the results, and return the exit code."""
    as_json, wanted = "--json" in words, [word for word in words if word != "--json"]
    there = {plugin.name: plugin for plugin in loaded()}
    unknown = sorted(set(wanted) - there.keys())
    if unknown or not there:
        names = ", ".join(there) or "none: set INITLAB_PLUGINS, or install one by its entry point"
        sys.stderr.write(f"no such plug-in: {', '.join(unknown) or 'any'} (there is {names})\n")
        return 2
    plugins = [there[name] for name in wanted] if wanted else [*there.values()]
    results = {plugin.name: _tried(plugin) for plugin in plugins}
    if as_json:
        told = [
            {"name": p.name, "version": p.version, "sha256": p.sha256, "source": p.source, "error": p.error}
            | {"checks": [one._asdict() for one in results[p.name]]}
            for p in plugins
        ]
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        for plugin in plugins:
            sys.stdout.write(_text(plugin, results[plugin.name]))
    broken = any(plugin.error for plugin in plugins) or any(one.problem for own in results.values() for one in own)
    return 1 if broken else 0


def _tried(plugin: Plugin) -> list[Result]:
    return [one for kind, names in sorted(plugin.entries.items()) for name in names for one in tried(kind, name)]


def _text(plugin: Plugin, results: Sequence[Result]) -> str:
    lines = [f"{plugin.name} {plugin.version} ({plugin.source})".replace("  ", " ")]
    if plugin.error is not None:
        lines.append(f"  is left out: {plugin.error}")
    for kind, names in sorted(plugin.entries.items()):
        for name in names:
            own = [one for one in results if (one.kind, one.entry) == (kind, name)]
            bad = [one for one in own if one.problem is not None]
            lines.append(f"  {kind} {name}: {len(own) - len(bad)} of {len(own)} checks")
            lines += [f"    {one.check}: {one.problem}" for one in bad]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
