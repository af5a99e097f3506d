"""Sphinx's configuration. Nothing of the site comes from elsewhere: fonts are the reader's, formulas the page's own."""

from importlib.metadata import version as version_of

project = "initlab"
version = release = version_of("initlab")
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
"""Headings have the anchors that forges give them."""
nitpicky = True

html_theme = "furo"
html_title = f"initlab {release}"
html_static_path = ["static", "../../api/page/static/formula.js", "../../api/page/static/icon.svg"]
html_favicon = "../../api/page/static/icon.svg"
html_css_files = ["manual.css"]
html_js_files = [("manual.js", {"type": "module"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_domain_indices = False
html_use_index = False
