"""The pages that are made: of every catalogue entry and of every call."""

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from api.routes.catalog import CATALOG
from core.analysis.findings import rules
from core.analysis.outcomes import outcomes
from core.metrics import metrics
from core.models import LayerField, NamedLayer
from docs.manual.catalogue import catalogue_pages, entry_page
from docs.manual.pictures import entry_of
from docs.manual.reference import reference_pages
from docs.manual.site import ManualError, make
from docs.manual.sources import contents_page, pages
from tests.test_docs import ROOT

LAYER: TypeAdapter[NamedLayer] = TypeAdapter(LayerField)
ENTRIES = [(kind, name) for kind in CATALOG for name in CATALOG[kind]]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_an_entrys_page_says_all_of_it(kind: str, name: str) -> None:
    entry = CATALOG[kind].describe(name)
    text = entry_page(kind, entry)
    assert entry["formula"] in text.replace("\\", "")
    assert [alias for alias in entry["aliases"] if f"`{alias}`" not in text] == []
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert named == entry["parameters"]["properties"].keys() - {"name"}
    for block in re.findall(r"```json\n(.*?)```", text, re.S):
        given = json.loads(block)
        found = LAYER.validate_python(given).layer if kind == "layers" else CATALOG[kind].parse(given[kind[:-1]])
        assert found.name == name


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_an_entrys_example_can_be(kind: str, name: str) -> None:
    given = entry_of(kind, name)
    missing = {key for key, field in CATALOG[kind][name].model_fields.items() if field.is_required()} - given.keys()
    assert not missing, f"{name!r} needs {sorted(missing)}: write values into EXAMPLES of api/catalog_examples.py"
    assert CATALOG[kind].parse(given).name == name


def test_every_metric_outcome_and_finding_has_its_row() -> None:
    made = dict(catalogue_pages())
    for page, catalogue in (("metrics", metrics), ("outcomes", outcomes), ("findings", rules)):
        assert [name for name in catalogue if f"`{name}`" not in made[f"catalogue/{page}.md"]] == []


def test_every_call_is_in_the_reference() -> None:
    api = json.loads((ROOT / "tests" / "api" / "openapi.json").read_text(encoding="utf-8"))
    made = dict(reference_pages(api))
    calls = [f"{method.upper()} {path}" for path, operations in api["paths"].items() for method in operations]
    assert [call for call in calls if f"`{call}`" not in made["api/index.md"]] == []
    headings = [line.replace("\\", "") for text in made.values() for line in text.splitlines() if line[:3] == "## "]
    assert sorted(headings) == sorted(f"## {call}" for call in calls)


def test_every_page_of_the_documentation_is_in_the_manual() -> None:
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {file for file in here if not file.startswith("docs/manual/")} <= pages().keys()


def test_a_page_that_the_contents_do_not_name_is_in_them_all_the_same() -> None:
    known = ["tutorial.md", "guide.md", "howto/in-ci.md", "decisions/index.md", "decisions/0001-layers.md"]
    as_written = contents_page(known)
    assert "{others}" not in as_written
    added = set(contents_page([*known, "new.md", "howto/new.md"]).splitlines()) - set(as_written.splitlines())
    assert added == {"new", "howto/new"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*Check CHANGES for Sphinx API")  # of what MyST calls, with Sphinx 9
def test_a_broken_link_fails_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "index.md").write_text("# Home\n\n[More](more.md#further)\n\n```{toctree}\nmore\n```\n")
    (sources / "more.md").write_text("# More\n\n## Further\n")
    make(sources, tmp_path / "html")
    (sources / "more.md").write_text("# More\n\n## Elsewhere\n")
    with pytest.raises(ManualError):
        make(sources, tmp_path / "html")
    assert "further" in capfd.readouterr().err
