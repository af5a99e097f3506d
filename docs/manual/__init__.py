"""The manual: a site that Sphinx makes of the pages in docs/, of the catalogues, and of the API's own description.

`sources` lays all pages into one folder; `site` has Sphinx make HTML of them, and looks at what came of it.
"""

from docs.manual.site import BUILT, ManualError, build

__all__ = ["BUILT", "ManualError", "build"]
