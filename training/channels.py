"""What a training job is given: the folders of its channels, the training set.

SageMaker names each channel's folder in `SM_CHANNEL_<NAME>` and the model's in `SM_MODEL_DIR` (SageMaker
Training Toolkit, script mode).
"""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from processing.container import base_folder
from processing.errors import BadData
from training.training_set import TrainingSet


def channel(name: str) -> Path:
    """The folder of a channel; it need not exist."""
    return Path(os.environ.get(f"SM_CHANNEL_{name.upper()}", base_folder() / "input" / "data" / name))


def model_folder() -> Path:
    """The folder whose content becomes the model artefact, created."""
    folder = Path(os.environ.get("SM_MODEL_DIR", base_folder() / "model"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_rows(folder: Path) -> pa.Table:
    """The canonical rows in a folder. Raises BadData where there are none."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadData(f"The folder {folder.name} has no Parquet file.", "check the Prepare job of this run.")
    return pa.concat_tables([pq.read_table(file) for file in files])


def read_training_set() -> TrainingSet:
    """The channel `features`, as Featurize made it."""
    return TrainingSet.load(channel("features"))
