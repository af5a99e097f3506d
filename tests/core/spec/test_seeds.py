"""Seeds as a number, as a list, and as a rule by which they are added."""

from typing import Any

import pytest

from core.errors import InvalidSpec
from core.spec import parse

ARMS = {"arms": [{"initializer": "he_normal"}, {"initializer": "glorot_normal"}]}


@pytest.mark.parametrize(
    ("given", "looks"),
    [
        ({"from": 5, "to": 20}, [5, 10, 15, 20]),
        ({"from": 5, "to": 7}, [5, 6, 7]),
        ({"from": 3, "to": 4}, [3, 4]),
        ({"from": 5, "to": 30, "looks": [5, 6, 30]}, [5, 6, 30]),
    ],
)
def test_adaptive_seeds_are_written_out_with_their_looks(given: Any, looks: list[int]) -> None:
    spec = parse(ARMS | {"seeds": given})
    assert spec.canonical()["seeds"] == {"from": looks[0], "to": looks[-1], "looks": looks}
    assert parse(spec.canonical()) == spec
    assert spec.seed_list == list(range(looks[-1]))
    blocks = spec.seed_blocks
    assert [seed for block in blocks for seed in block] == spec.seed_list
    assert [block[-1] + 1 for block in blocks] == looks


def test_other_seeds_are_one_block() -> None:
    assert parse({"seeds": [4, 2]}).seed_blocks == [[4, 2]]
    assert parse({"seeds": 2}).adaptive is None


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"from": 5, "to": 5}, "seeds", "adds nothing"),
        ({"from": 5, "to": 9, "looks": [5, 8]}, "seeds", "begin and end so"),
        ({"from": 5, "to": 9, "looks": [5, 7, 7, 9]}, "seeds", "increase"),
        ({"from": 2, "to": 9}, "seeds.from", "greater than or equal to 3"),
        ({"from": 5, "to": 1001}, "seeds.to", "less than or equal to 1000"),
        ({"from": 5, "to": 20, "look": [5]}, "seeds.look", "not permitted"),
        ({"from": 5}, "seeds.to", "required"),
        ([1, -2], "seeds[1]", "greater than or equal to 0"),
        (0, "seeds", "greater than or equal to 1"),
        (True, "seeds", 'such as {"from": 5, "to": 20}'),
    ],
)
def test_what_are_no_seeds_is_refused_with_its_path(given: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(ARMS | {"seeds": given})
    [problem] = refusal.value.problems
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize(
    ("more", "path", "words"),
    [
        ({"arms": None}, "seeds", "there is one"),
        ({"pruning": {}}, "pruning", "a look compares last values, which they lack; leave it out"),
        ({"kind": "lr_range_test"}, "seeds", "for comparisons"),
        ({"arms": [{"label": str(i)} for i in range(25)]}, "seeds", "name a baseline"),
        ({"arms": [{"label": str(i)} for i in range(20)], "seeds": {"from": 3, "to": 600}}, "seeds", "exceed"),
    ],
)
def test_they_are_for_comparisons_within_the_limits(more: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(ARMS | {"seeds": {"from": 5, "to": 20}} | more)
    assert [(p.path, words in p.message) for p in refusal.value.problems] == [(path, True)]
