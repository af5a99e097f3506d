"""What every entry of every catalogue promises. A newcomer is tested by existing."""

import json
import math

import jsonschema
import pytest

from tests.core.entries import KINDS, REQUIRED, catalogue, entries, folder_of, is_named, parse, raw, refusal

ENTRIES = entries(*KINDS)
every_entry = pytest.mark.parametrize(("kind", "name"), ENTRIES)


def test_the_table_of_required_parameters_has_no_stale_row() -> None:
    assert REQUIRED.keys() <= set(ENTRIES)


@every_entry
def test_it_is_documented(kind: str, name: str) -> None:
    described = catalogue(kind).describe(name)
    assert described["summary"].endswith((".", ";")), "its factory needs a docstring, which is what users read of it"
    assert len(described["formula"]) >= 1, "write its formula into register(formula=...)"
    assert any(mark in described["source"] for mark in ("19", "20", "torch", "paddle", "arXiv")), (
        "cite a paper with its year, or a peer, in register(source=...)"
    )


@every_entry
def test_it_has_a_test_of_its_own(kind: str, name: str) -> None:
    folder = folder_of(kind)
    assert is_named(name, folder), f"test below tests/core/{folder} that {name!r} is what its source says"


@every_entry
def test_its_schema_is_valid_and_closed(kind: str, name: str) -> None:
    schema = json.loads(json.dumps(catalogue(kind).describe(name)["parameters"], allow_nan=False))
    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    entry = parse(kind, name)
    validator(schema).validate(entry.model_dump())
    validator(schema).validate(raw(kind, name))
    assert not validator(schema).is_valid({**raw(kind, name), "no such parameter": 1})


CONVERTED = {"PiecewiseConstantDecay", "piecewise_constant_decay"}
"""Names under which a parameter has another meaning: see tests/core/schedules/test_names.py."""


@every_entry
def test_parsing_is_canonical_and_idempotent(kind: str, name: str) -> None:
    entry = parse(kind, name)
    canonical = json.loads(json.dumps(entry.model_dump(), allow_nan=False))
    assert canonical.keys() == catalogue(kind)[name].model_fields.keys()
    again = catalogue(kind).parse(canonical)
    assert again == entry
    assert again.model_dump() == canonical
    if not REQUIRED.get((kind, name)):
        assert catalogue(kind).parse(name) == entry


@every_entry
def test_its_aliases_mean_itself(kind: str, name: str) -> None:
    about = catalogue(kind).describe(name)
    for alias in about["aliases"]:
        own = about["alias_defaults"].get(alias, {})
        given = raw(kind, name)
        found, meant = catalogue(kind).parse({**given, "name": alias}), catalogue(kind).parse({**own, **given})
        assert found == meant or alias in CONVERTED
        assert alias not in catalogue(kind)._entries


@every_entry
def test_a_typo_gets_the_nearest_name(kind: str, name: str) -> None:
    (problem,) = refusal(kind, name + "x")
    assert (problem.path, problem.known[0]) == ("name", name)
    for field in catalogue(kind)[name].model_fields.keys() - {"name"}:
        problems = refusal(kind, {**raw(kind, name), field + "x": 1})
        assert [(p.path, p.known[0]) for p in problems] == [(field + "x", field)]


@every_entry
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 10**400, "\ud800", {}, [[]], [None]])
def test_no_parameter_takes_nonsense(kind: str, name: str, bad: object) -> None:
    for field in catalogue(kind)[name].model_fields.keys() - {"name"}:
        for problem in refusal(kind, {**raw(kind, name), field: bad}):
            assert problem.path.startswith(field)
            problem.message.encode()
