"""`labelmill report mlflow` and `registry`: models, scores and decisions in the systems that people have."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.commands import arguments
from pipelines.commands.shared import Subparsers, add_stack, guarded
from pipelines.errors import Refused
from processing.words import counted

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

    from pipelines.failures.failure import Stack
    from pipelines.ledger.reading import GroupLedger

#: Beside these, hyperparameters are SageMaker's own: where the code is, and the like.
OF_SAGEMAKER = "sagemaker_"


#: MLflow's settings where the user has made none. It would tell its makers how it is used, and ask a server
#: that does not answer eight times, two minutes each (mlflow/environment_variables.py).
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class ExportError(Refused):
    """What is needed to export is not there; the message says what to do."""


def add_verbs(verbs: Subparsers) -> None:
    """Add both verbs to those of `report`."""
    mlflow = verbs.add_parser(
        "mlflow",
        help="write models, scores, evidence and months to MLflow; only what it lacks",
        epilog="Example: labelmill report mlflow --tracking-uri sqlite:///mlflow.db",
    )
    mlflow.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="a tracking server or database (default: MLFLOW_TRACKING_URI, else MLflow's own)",
    )
    mlflow.set_defaults(run=guarded(_mlflow))
    registry = verbs.add_parser(
        "registry",
        help="write winners as approved packages to SageMaker's Model Registry, others as rejected",
        epilog="Example: labelmill report registry DE-weee",
    )
    registry.set_defaults(run=guarded(_registry))
    for verb in (mlflow, registry):
        verb.add_argument(
            "groups", type=arguments.group, metavar="GROUP", nargs="*", help="model groups (default: all)"
        )
    add_stack(mlflow, registry)


def _mlflow(args: argparse.Namespace) -> int:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if importlib.util.find_spec("mlflow") is None:
        raise ExportError("MLflow's client is not installed. Fix: make setup, or pip install mlflow-skinny")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    from pipelines.commands.report import archive
    from pipelines.exports import mlflow_runs
    from pipelines.failures.failure import open_stack

    stack = open_stack(args.stack)
    sagemaker = stack.client("sagemaker")
    refusals: tuple[type[Exception], ...] = (MlflowException, *_of_databases())
    try:
        client = MlflowClient(args.tracking_uri)
        for ledger in _ledgers(args.groups, stack):
            experiment = f"{args.stack}/{ledger.group}"
            written = mlflow_runs.export(
                client,
                experiment,
                ledger,
                archive(stack),
                lambda model: _parameters(sagemaker, model),
                datetime.now(UTC),
            )
            parts = (
                counted(written.runs, "new model"),
                counted(written.comparisons, "new comparison"),
                counted(written.months, "new month"),
            )
            print(f"{experiment}: {', '.join(parts)}")
    except ImportError as error:
        raise ExportError(f"MLflow: {error}. Fix: install what a store of that kind needs") from error
    except refusals as error:
        said = re.sub(r"//[^/@\s]+@", "//", str(error).splitlines()[0].rstrip("."))  # no password
        raise ExportError(
            f"MLflow: {said}. Fix: give --tracking-uri, such as "
            "sqlite:///mlflow.db or https://mlflow.example.com"
        ) from error
    return 0


def _of_databases() -> tuple[type[Exception], ...]:
    """What a database raises that cannot be opened, which MLflow passes on as it is.

    MLflow tries ten times, with 100 seconds between them, and has no setting for that.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        return ()
    from mlflow.store.db import utils
    from sqlalchemy.exc import SQLAlchemyError

    utils.MAX_RETRY_COUNT = 3
    return (SQLAlchemyError,)


def _parameters(sagemaker: SageMakerClient, model: str) -> Mapping[str, str]:
    """The hyperparameters that a model was trained with; none where SageMaker has forgotten its job."""
    from botocore.exceptions import ClientError

    try:
        described: Any = sagemaker.describe_training_job(TrainingJobName=model)
    except ClientError as error:
        # ValidationException in the service's answers, ResourceNotFound in its model: aws/aws-sdk issue 165.
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return {}
    found = described.get("HyperParameters", {})
    return {name: value for name, value in found.items() if not name.startswith(OF_SAGEMAKER)}


def _registry(args: argparse.Namespace) -> int:
    from pipelines.exports import registry
    from pipelines.failures.failure import open_stack

    stack = open_stack(args.stack)
    sagemaker = stack.client("sagemaker")
    for ledger in _ledgers(args.groups, stack):
        name = f"{args.stack}-{ledger.group}"
        written = registry.export(sagemaker, name, ledger, datetime.now(UTC))
        print(f"{name}: {counted(written.packages, 'new package')}, {written.changes} with a new status")
        for model in written.gone:
            print(f"  {model} is not in SageMaker any more: there is no package of it")
    return 0


def _ledgers(groups: list[str], stack: Stack) -> list[GroupLedger]:
    """The ledgers of these groups, of all where none is named. Raises LedgerError."""
    from pipelines.ledger import reading

    client, table = stack.client("dynamodb"), stack.table
    if groups:
        return [reading.read(client, table, group) for group in groups]
    return [each for each in reading.read_all(client, table) if each.registered]
