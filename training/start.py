"""What the image's start-up calls in a training job, so that a failed job's reason is its script's sentence.

Left to itself the image runs the script as another process, and puts `ExecuteUserScriptError: Command ...`
over what the script wrote to `output/failure` (sagemaker-containers 2.8.6: `_trainer.py`, `_errors.py`). It
calls this instead where SAGEMAKER_TRAINING_MODULE says `training.start:main`.
"""

import importlib
import json
import os
import sys
import traceback

from processing.container import base_folder, run

#: Hyperparameters that are for the image or the service, besides those that begin with `sagemaker_`.
_NOT_FOR_THE_SCRIPT = {"_tuning_objective_metric"}


def main() -> None:
    """Run the `main` of the module that the hyperparameter `sagemaker_program` names.

    Returns where that ends well. Else this process ends here, with 1: the start-up takes an exit for success,
    and would put its own text over the sentence for any other exception.
    """
    given = json.loads((base_folder() / "input" / "config" / "hyperparameters.json").read_text("utf-8"))
    script = importlib.import_module(given["sagemaker_program"])
    try:
        run(script.main, arguments(given))
    except SystemExit:
        _end()
    except Exception:
        traceback.print_exc()
        _end()


def arguments(hyperparameters: dict[str, str]) -> list[str]:
    """The script's hyperparameters as its command line, as the image gives them: one dash for one letter."""
    words = []
    for name, value in sorted(hyperparameters.items()):
        if not name.startswith("sagemaker_") and name not in _NOT_FOR_THE_SCRIPT:
            words += [f"-{name}" if len(name) == 1 else f"--{name}", value]
    return words


def _end() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)
