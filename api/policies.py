"""The headers of answers that tell browsers what may be done with them."""

SEALED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of what is no page: it loads nothing, runs nothing, and is shown inside of nothing."""

REPORT = f"{SEALED}; img-src 'self'; style-src 'unsafe-inline'"
"""The policy of the report: it needs no scripts and nothing from elsewhere, whatever a label smuggled in."""

REPORT_IN_ONE = f"{SEALED}; img-src data:; style-src 'unsafe-inline'"
"""The policy of the report with its pictures inside, which says it of itself too, where it is saved."""

SVG = f"{SEALED}; img-src data:; style-src 'unsafe-inline'; sandbox"
"""The policy of a picture that is opened by itself: matplotlib's styles and pixels, and no script."""

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The policy of the page and of the API's documentation: scripts are files of this service. Bokeh and Swagger UI write
styles into their elements."""

MANUAL = PAGE.replace("form-action 'none'", "form-action 'self'")
"""The policy of the manual, whose search is a form that leads to a page of its own."""

NEVER_CHANGES = {"Cache-Control": "private, max-age=86400, immutable"}
"""For what is the same for ever: nobody asks again for a day, after which a newer service may write it otherwise.

Of all else its user alone may keep a copy, and asks for it again each time, which its `ETag` makes cheap.
"""

ON_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": SEALED,
    "Cache-Control": "private, no-cache",
}
"""Headers of every answer that does not say otherwise itself."""
