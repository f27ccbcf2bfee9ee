"""How groups, periods, runs, models and jobs are named, and where in S3 everything lies.

Fields in braces are filled by `str.format`, or with paths in a state machine's source (`text` in
pipelines/machines/states.py). docs/contracts.md explains them all; the ledger's keys are in
pipelines/ledger/keys.py. Lambda functions carry this module: it imports no other module of this project.
"""

import hashlib
import re
from typing import NamedTuple

#: Regular expressions, for `re.fullmatch`.
GROUP_PATTERN = "[A-Z]{2}-[a-z0-9]{2,12}"
PERIOD_PATTERN = "[1-9][0-9]{3}-(?:0[1-9]|1[0-2])"
DELIVERY_PATTERN = r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}"

RUN_NAME = "{group}-{purpose}-{period}-{digest}"
MODEL_NAME = "{group}-{period}-{hex}"
JOB_NAME = "{group}-{period}-{state}-{hex}"
TUNING_JOB_NAME = "{group}-{hex}"  # SageMaker allows 32 characters

_RUN = re.compile(
    RUN_NAME.format(
        group=f"({GROUP_PATTERN})", purpose="([a-z]+)", period=f"({PERIOD_PATTERN})", digest="[0-9a-f]{12}"
    )
)
_MODEL = re.compile(MODEL_NAME.format(group=f"({GROUP_PATTERN})", period=PERIOD_PATTERN, hex="[0-9a-f]{8}"))

# The landing bucket.
DATASETS = "{purpose}/{group}/{period}/"
DATASET = DATASETS + "{delivery}/"
_DATASET = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", DATASET))
# The work bucket.
CODEBOOK = "codebooks/{group}/{version}.json"
RUN_FOLDER = "runs/{group}/{run}/"
#: The items as Transform is sent them: JSON Lines.
ITEMS = RUN_FOLDER + "items/"
#: What a training job leaves, and the copy of it that is kept: by its digest the ledger knows the model.
TRAINED_ARTEFACT = RUN_FOLDER + "model/{model}/output/model.tar.gz"
ARTEFACT = "models/{group}/{model}/model.tar.gz"
REPORT = RUN_FOLDER + "report/"
EVIDENCE = RUN_FOLDER + "evidence/comparison.json"
_EVIDENCE = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", EVIDENCE))
PREDICTIONS = "predictions/{group}/{test_set}/{model}/{run}/"
REVIEWED = "reviewed/{group}/"
DECISIONS = REVIEWED + "{sheet}/"
#: Of the group's labelled rows, the texts that each training run saw first.
TEXTS = "texts/{group}/"
#: Decisions until the labels with them are recorded; a sheet is named by the first run that took it.
SHEET = "sheets/{group}/{sheet}/"
SHARED = "shared/{list}/"
SHARED_ROWS = SHARED + "{group}/"
# The bucket of labels.
LABELS_OF_GROUP = "labels/{group}/"
LABELS = LABELS_OF_GROUP + "{period}/{run}/"
CURRENT = "current/{group}/{period}/labels.parquet"


class Run(NamedTuple):
    """What a run's name says.

    Attributes:
        group: the model group, like DE-weee.
        purpose: training, inference, test, review or comparison; sample or second in the name of a sheet.
        period: the month, like 2026-10.
    """

    group: str
    purpose: str
    period: str


class Dataset(NamedTuple):
    """What the key of a dataset says; each part is any text without a slash.

    Attributes:
        purpose: training or inference.
        group: the model group, like DE-weee.
        period: the month, like 2026-10.
        delivery: the name of the delivery, like d1.
    """

    purpose: str
    group: str
    period: str
    delivery: str


def parse_dataset(key: str) -> Dataset | None:
    """What the key of a dataset's folder says; None for a key of another form."""
    found = _DATASET.fullmatch(key)
    return Dataset(**found.groupdict()) if found else None


def run_name(group: str, purpose: str, period: str, *processed: str) -> str:
    """The name of the run that takes what `processed` identifies: the same things give the same name."""
    digest = hashlib.sha256("\n".join(processed).encode()).hexdigest()[:12]
    return RUN_NAME.format(group=group, purpose=purpose, period=period, digest=digest)


def parse_run(name: str) -> Run | None:
    """What a run's name says; None for any other text, such as the name of a decision by hand."""
    found = _RUN.fullmatch(name)
    return Run(*found.groups()) if found else None


def manual_run_name(group: str, verdict: str, time: str) -> str:
    """What stands for the run in a decision by hand, made at `time` (ISO 8601)."""
    return f"{group}-{verdict.lower()}-{re.sub('[^0-9]', '', time)}"


def group_of_model(model: str) -> str | None:
    """The group that a model's name begins with; None for a text that is not a model's name."""
    found = _MODEL.fullmatch(model)
    return found[1] if found else None


def split_delivered(delivered: str) -> tuple[str, str]:
    """When S3 took a dataset's manifest, and the version of that object: the parts of a delivery's place."""
    time, _, version = delivered.partition("#")
    return time, version


def address(bucket: str, key: str) -> str:
    """The S3 address of an object, or of a folder where `key` ends with a slash."""
    return f"s3://{bucket}/{key}"


def run_of_evidence(address: str) -> str | None:
    """The comparison whose evidence lies at an S3 address; None where that is no evidence's."""
    found = _EVIDENCE.fullmatch(split_address(address)[1])
    return found["run"] if found else None


def is_address(text: str) -> bool:
    """Whether a text is meant as an S3 address, not as the path of a file."""
    return text.startswith("s3://")


def split_address(address: str) -> tuple[str, str]:
    """Bucket and key of an S3 address; of a bucket alone the key is empty.

    Raises:
        ValueError: it is not an S3 address.
    """
    scheme, _, rest = address.partition("://")
    if scheme != "s3":
        raise ValueError(f"{address!r} is not an S3 address. Fix: write it like s3://bucket/key")
    bucket, _, key = rest.partition("/")
    return bucket, key
