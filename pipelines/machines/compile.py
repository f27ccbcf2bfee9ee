"""Compiles the state machines to `pipelines/definitions/*.asl.json`: `make definitions`.

The committed JSON is what a person reviews, what is deployed and what a local run executes. Compiling needs
the environment of the SDKs (`.venv/sdk`) and no network: `python -m pipelines.machines.compile [DIRECTORY]`.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path

# The SDKs warn of their own age, and look up Region and credentials of whoever compiles, even on the network.
warnings.simplefilter("ignore")
logging.getLogger("sagemaker").setLevel(logging.ERROR)
logging.getLogger("sagemaker.config").setLevel(logging.ERROR)
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "none"
os.environ.pop("AWS_PROFILE", None)

from pipelines.machines import comparison, inference, training  # noqa: E402

DEFINITIONS = Path(__file__).parents[1] / "definitions"


def main(directory: Path = DEFINITIONS) -> None:
    for module in (training, inference, comparison):
        path = directory / f"{module.__name__.rpartition('.')[2]}.asl.json"
        path.write_text(json.dumps(module.build().to_dict(), indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
