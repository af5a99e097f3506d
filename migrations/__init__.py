"""Alembic's migrations; `core.store.upgrade` runs them."""
