"""docs/deploy.md says what a rehearsal proves and costs: the same as the code."""

import re
from pathlib import Path

import pytest

from infra.deploy.settings import ENVIRONMENTS, load
from infra.rehearsal.claims import Claim
from infra.rehearsal.cost import dollars
from pipelines.plan.prices import load as prices
from pipelines.plan.standing import instances

PAGE = (Path(__file__).parents[3] / "docs" / "deploy.md").read_text(encoding="utf-8")
SECTION = re.search(r"### The first hour in an account\n(.*?)\n## ", PAGE, flags=re.DOTALL)[1]


def test_the_page_lists_the_claims_in_their_order():
    rows = re.findall(r"^\| (.*?) \| .* \|$", SECTION, flags=re.MULTILINE)
    assert rows[2:] == [claim.value for claim in Claim]


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_the_page_says_what_it_costs(environment):
    settings = load(ENVIRONMENTS / f"{environment}.json")
    cost = dollars(instances(settings.parameters), prices(settings.region))
    assert f"about {cost:.2f} USD" in SECTION
