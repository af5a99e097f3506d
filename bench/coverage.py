"""The table that accepts the report's statistics: how often what it says holds, beside what others do.

`python bench/coverage.py` draws 10,000 experiments a row by the normal law, at 3, 5, 10 and 30 runs, and some
thousands by laws that make statistics hard; it calls the functions that the report calls, prints per cent, and writes
bench/records/coverage.json. `--only NAME` runs one table and leaves the others in the record as they are. Where a bound
is given and not held it ends with an error. It measures no speed: other work on the machine does not matter. It takes
some minutes of one core.
"""

import argparse
import json
import sys
import time
from datetime import date

import record
from accepted import Table
from claim_tables import of_lost_runs, of_margins, of_peers, of_places, of_unpaired_runs
from interval_tables import of_equal_arms, of_one_arm
from plan_tables import of_chances, of_grids, of_looks, of_plans
from sequential_tables import of_adaptive_seeds
from source_tables import of_sources
from split_tables import of_splits

TABLES: dict[str, Table] = {
    "arms": of_one_arm,
    "equal": of_equal_arms,
    "places": of_places,
    "margins": of_margins,
    "lost": of_lost_runs,
    "unpaired": of_unpaired_runs,
    "adaptive": of_adaptive_seeds,
    "splits": of_splits,
    "sources": of_sources,
    "chances": of_chances,
    "plans": of_plans,
    "looks": of_looks,
    "grids": of_grids,
    "peers": of_peers,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", choices=TABLES)
    only = arguments.parse_args().only
    kept = record.FOLDER / "coverage.json"
    tables: dict[str, object] = json.loads(kept.read_text())["tables"] if only and kept.exists() else {}
    missed: list[str] = []
    for name in [only] if only else TABLES:
        began = time.monotonic()
        rows = TABLES[name]()
        print(f"== {name}: {time.monotonic() - began:.0f} s", *rows, sep="\n", flush=True)
        tables[name] = {"date": date.today().isoformat(), "rows": [row.told() for row in rows]}
        record.write("coverage", tables=tables)
        missed += [str(row) for row in rows if row.held is False]
    if missed:
        sys.exit("\n".join(["not held:", *missed]))


if __name__ == "__main__":
    main()
