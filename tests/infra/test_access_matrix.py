"""docs/access.md says what the template says."""

import pytest

from tests.infra.access_matrix import PAGE, matrix, page
from tests.infra.policies import Stack
from tests.infra.templates import planted

pytestmark = pytest.mark.usefixtures("engine")


def test_the_page_is_what_the_template_gives(stack):
    assert PAGE.read_text(encoding="utf-8") == page(stack), "run python tests/infra/access_matrix.py"


def test_a_right_that_is_added_or_taken_changes_the_page(stack):
    def let_in(source: dict) -> None:
        [statement] = (
            one
            for one in source["Resources"]["LandingKey"]["Properties"]["KeyPolicy"]["Statement"]
            if one["Sid"] == "ReadDatasets"
        )
        statement["Condition"]["ArnEquals"] = {"aws:PrincipalArn": {"Fn::GetAtt": ["TuneRole", "Arn"]}}

    with planted("template", let_in):
        faulty = list(matrix(Stack()))
    changed = [
        line.split("|")[1].strip() for line, was in zip(faulty, matrix(stack), strict=True) if line != was
    ]
    assert changed == ["PrepareRole", "TuneRole"]
