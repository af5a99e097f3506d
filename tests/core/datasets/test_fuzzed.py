"""Mutated files are stored or refused, and nothing else: a few of each kind, the same ones always."""

import pytest

from tests.core.datasets.fuzzing import fuzz, originals

ORIGINALS = originals()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ORIGINALS)
def test_a_mutated_file_is_stored_or_refused(kind: str) -> None:
    ends, _, failures = fuzz(kind, ORIGINALS[kind], range(60))
    assert failures == []
    assert ends["refused"] > 10
