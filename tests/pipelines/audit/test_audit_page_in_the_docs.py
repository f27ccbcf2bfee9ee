"""docs/audit.md has the fields and the files that there are."""

import json
import re
import zipfile
from pathlib import Path

from tests.pipelines.audit.audited_month import LABELLED, PERIOD
from tests.pipelines.evidence.kept_rows import GROUP

PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")


def named(heading: str) -> list[str]:
    """What the first cells of the table after a heading name."""
    table = PAGE.partition(f"{heading} |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w.]+)/?`", cell)]


def test_every_field_of_the_json_is_explained_in_its_place(run):
    found = json.loads(run(GROUP, PERIOD, LABELLED, "--json")[1])
    assert named("field of the JSON") == list(found)


def test_everything_in_the_bundle_is_explained(run):
    run(GROUP, PERIOD, "--bundle", "month.zip")
    with zipfile.ZipFile("month.zip") as archive:
        assert set(named("in it")) == {name.partition("/")[0] for name in archive.namelist()}
