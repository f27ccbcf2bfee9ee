"""A policy changed in one place is noticed: a few at random; benchmarks/template_mutants.py tries all."""

import random

import pytest

from tests.infra.template_mutants import MODULES, cases, mutants, notices

pytestmark = pytest.mark.usefixtures("engine")
SEED, HOW_MANY = 1, {"template": 5, "bootstrap": 2, "delivery": 3}


def test_a_statement_that_is_changed_is_noticed():
    alive = {}
    for template in MODULES:
        checks = cases(template)
        chosen = random.Random(SEED).sample(list(mutants(template)), HOW_MANY[template])
        alive[template] = [mutant.name for mutant in chosen if notices(mutant, checks) is None]
    assert alive == {template: [] for template in MODULES}


def test_there_are_mutants_of_every_statement():
    dropped = sum(mutant.name.endswith("dropped") for mutant in mutants("template"))
    assert dropped > 150
    assert len({mutant.name for mutant in mutants("template")}) == len(list(mutants("template")))
