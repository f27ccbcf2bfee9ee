"""A training job from the image's start-up on: what is left of a script that fails."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from infra.local.sagemaker import script_mode
from training import start

GIVEN = {
    "sagemaker_program": "script",
    "sagemaker_submit_directory": "/opt/ml/input/data/code",
    "_tuning_objective_metric": "macro_f1",
    "min_df": "2",
    "C": "1.5",
}


@pytest.fixture
def start_up(tmp_path):
    """Run a script's source as the image's start-up would: the ended process, and its failure or None.

    What would come after `training.start:main` is there too (sagemaker-containers 2.8.6, `_trainer.py`): it
    takes an exit for success, and for any other error writes its own text.
    """

    def run(source: str):
        config = tmp_path / "input" / "config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(GIVEN))
        (tmp_path / "script.py").write_text(textwrap.dedent(source))
        code = (
            "import training.start\ntry:\n    training.start.main()\nfinally:\n    print('start-up goes on')"
        )
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path), "PYTHONPATH": str(tmp_path)}
        ended = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        failure = tmp_path / "output" / "failure"
        return ended, failure.read_text() if failure.exists() else None

    return run


def test_a_known_failure_is_the_jobs_reason_and_the_start_up_can_not_overwrite_it(start_up):
    ended, failure = start_up("""
        from processing.errors import BadData
        def main(arguments):
            raise BadData("The folder train has no Parquet file.", "check the Prepare job of this run.")
    """)
    assert ended.returncode == 1
    assert failure.startswith("The folder train has no Parquet file.")
    assert "start-up goes on" not in ended.stdout
    assert '"errorType": "BadData"' in ended.stdout


def test_a_defect_is_hinted_at_and_its_traceback_is_in_the_log(start_up):
    ended, failure = start_up("""
        def main(arguments):
            {}["label"]
    """)
    assert ended.returncode == 1
    assert failure.startswith("Unexpected KeyError: 'label'.")
    assert "Traceback" in ended.stderr and "start-up goes on" not in ended.stdout


def test_a_script_that_ends_well_lets_the_start_up_go_on(start_up):
    ended, failure = start_up("""
        def main(arguments):
            print("arguments:", *arguments)
            return {"macro_f1": 0.5}
    """)
    assert (ended.returncode, failure) == (0, None), ended.stderr
    assert "arguments: -C 1.5 --min_df 2\nstart-up goes on" in ended.stdout


def test_the_script_is_given_what_the_image_would_give_it():
    _, _, _, *words = script_mode.program({"HyperParameters": GIVEN})
    assert start.arguments(GIVEN) == words
