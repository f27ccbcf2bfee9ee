"""What other systems are told of a group's models: MLflow, and SageMaker's Model Registry.

The ledger stays what counts: it is read, and what another system lacks is written there. Told twice is as
told once.

    models.py        what an export says of a model, from the ledger
    mlflow_runs.py   models as runs of MLflow
    registry.py      models as packages of the Model Registry

docs/exports.md is the user's page.
"""
