"""All that jobs import: loaded once, by the process that theirs are forked from."""

import api.export_jobs
import api.jobs
import api.judging_jobs
import api.posting_jobs  # noqa: F401 what they import is what is wanted
from api.routes.catalog import CATALOG

for registry in CATALOG.values():
    len(registry)  # which loads its entries
