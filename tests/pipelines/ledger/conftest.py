"""A stack with a ledger in this process, and its command line."""

import json

import pytest

from tests.complaints import complaints
from tests.pipelines.ledger.ledger_samples import FIRST, FOREIGN, SECOND, THIRD, Ledger, labelmill


@pytest.fixture
def ledger(emulated_aws):
    """DE-weee: FIRST won in August, SECOND replaced it in September, THIRD was not compared yet."""
    ledger = Ledger()
    ledger.put("GROUP", codebook_version="2025-08", policy="{}")
    ledger.put("GROUP", "IT-weee", codebook_version="2025-08", policy="{}")
    for model in (FIRST, SECOND, THIRD, FOREIGN):
        ledger.put_model(model)
    ledger.put_decision("2025-08-03T08:00:00.000Z", "FIRST", FIRST, "")
    ledger.put_decision("2025-09-03T23:59:59.999Z", "PROMOTE", SECOND, FIRST)
    return ledger


@pytest.fixture
def run(capsys):
    """`labelmill models` with these words: exit code, output and errors; JSON output is read."""

    def run(*words: str):
        code = labelmill("models", *words)
        out, err = capsys.readouterr()
        return code, json.loads(out) if out and "--json" in words else out, complaints(err)

    return run
