"""The corpus of delivered files: each case has its right outcome, and none ends in a traceback."""

import pytest

from processing.dataset.kinds import KINDS
from processing.errors import JobError
from tests.processing.dataset.input_cases import csv_cases, value_cases
from tests.processing.dataset.input_cases.case import play

CASES = [*csv_cases.CASES, *value_cases.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_its_outcome(case, tmp_path):
    if case.rows is None:
        with pytest.raises(JobError) as refused:
            play(case, tmp_path)
        sentence = str(refused.value)
        assert (refused.value.kind, KINDS[refused.value.kind].outcome) == (*case.kinds, "refused"), sentence
        assert len(sentence) <= 600
        assert sentence.endswith(f" Fix: {refused.value.fix}")
        assert [part for part in case.says if part not in sentence] == [], sentence
        return
    found = play(case, tmp_path)
    kinds = {finding.kind.name for finding in found.dataset.findings} | set(
        found.rejected["problem"].to_pylist()
    )
    assert (kinds, found.made.num_rows) == (set(case.kinds), case.rows)
    assert {name: found.made[name].to_pylist() for name in case.values} == case.values


def test_no_two_cases_have_the_same_name():
    assert len({case.name for case in CASES}) == len(CASES)
