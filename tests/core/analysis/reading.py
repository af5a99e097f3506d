"""Reads parts of a report that may be null: a test that meets null fails here."""

from typing import TypeVar

from core.analysis.shapes import Report

T = TypeVar("T")


def not_none(value: T | None) -> T:
    """Return the value, which must be there."""
    assert value is not None
    return value


def verdict_text(report: Report) -> str:
    """Return the verdict in words."""
    return not_none(report["verdict"]["text"])


def sentences(report: Report) -> list[str]:
    """Return the messages of the report's warnings."""
    return [one["message"] for one in report["warnings"]]
