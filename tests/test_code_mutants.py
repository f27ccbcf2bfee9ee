"""What benchmarks/mutants.py plants is another program each time, and of every kind."""

from tests.code_mutants import mutants_of_code, mutants_of_definition

SOURCE = '''"""A module."""

def price(count: int, rates: dict) -> float:
    """Words for people."""
    if count < 3 and rates.get("base", 0):
        raise ValueError(f"Too few: {count}")
    log("The price is asked for", count)
    return count * rates["base"]
'''


def changed_lines(mutants) -> set[str]:
    return {line.strip() for mutant in mutants for line in mutant.text.splitlines()}


def test_comparisons_operators_constants_statements_arguments_and_branches_are_changed():
    lines = changed_lines(mutants_of_code(SOURCE))
    for expected in (
        "if count <= 3 and rates.get('base', 0):",
        "if count < 4 and rates.get('base', 0):",
        "if count < 3 or rates.get('base', 0):",
        "if not (count < 3 and rates.get('base', 0)):",
        "if count < 3 and rates.get('base'):",
        "if count < 3 and rates.get('basex', 0):",
        "return count / rates['base']",
        "pass",
    ):
        assert expected in lines


def test_words_for_people_and_annotations_stay():
    mutants = mutants_of_code(SOURCE)
    assert all("Words for people." in mutant.text and "rates: dict" in mutant.text for mutant in mutants)
    assert not any("asked forx" in mutant.text or "Too fewx" in mutant.text for mutant in mutants)


def test_no_mutant_is_made_twice():
    mutants = mutants_of_code(SOURCE)
    assert len({mutant.text for mutant in mutants}) == len(mutants) > 10


def test_a_definitions_tries_catches_and_times_are_changed_one_at_a_time():
    task = {
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "TimeoutSeconds": 60,
        "Parameters": {"ConsistentRead": True, "TableName": "ledger"},
    }
    definition = {"States": {"Read": task}}
    changed = dict(mutants_of_definition(definition))
    assert len(changed) == 8 and definition not in changed.values()
    assert changed["States Read Parameters ConsistentRead"]["States"]["Read"]["Parameters"] == {
        "ConsistentRead": False,
        "TableName": "ledger",
    }
    assert changed["Read without Catch 0"]["States"]["Read"]["Catch"] == []
