"""The documentation, and `docs.manual`, which makes a site of it."""
