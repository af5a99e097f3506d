"""Tables as data sets, whatever file they are in."""

from core.datasets.tables.reader import SUFFIXES, read_table, read_tables

__all__ = ["SUFFIXES", "read_table", "read_tables"]
