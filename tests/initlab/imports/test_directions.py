"""The rules for names: those of the client, which imports nothing of the server's, and those of MLflow's door."""

from typing import Any

import pytest

from core.external import _names
from initlab.imports import directions


@pytest.mark.parametrize("name", ["SMALLER", "ENDINGS", "JUDGED", "TRAINED", "UNJUDGED"])
def test_client_and_server_have_the_same_rules(name: str) -> None:
    assert _plain(getattr(directions, name)) == _plain(getattr(_names, name))


def _plain(rule: Any) -> Any:
    """Return a rule's words whatever holds them; of several groups each."""
    return [set(one) for one in rule] if isinstance(next(iter(rule)), set | frozenset) else set(rule)
