"""Step Functions as far as failures need it: a test says how each execution ends."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

ACCOUNT = "arn:aws:states:eu-central-1:123456789012"


class FakeStates:
    """In place of a boto3 client. What is started runs until `end` says otherwise."""

    class exceptions:
        class ExecutionAlreadyExists(Exception): ...

        class ExecutionDoesNotExist(Exception): ...

    def __init__(self):
        self.executions: dict[str, dict] = {}
        self.histories: dict[str, list[dict]] = {}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        arn = f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"
        if arn in self.executions:
            raise self.exceptions.ExecutionAlreadyExists
        self.executions[arn] = {
            "executionArn": arn,
            "stateMachineArn": stateMachineArn,
            "name": name,
            "status": "RUNNING",
            "startDate": datetime(2026, 11, 3, 8, tzinfo=UTC) + timedelta(minutes=len(self.executions)),
            "input": input,
        }

    def end(self, name: str, status: str, **details: str) -> None:
        """Let an execution end; `details` are its `error` and `cause`."""
        [execution] = [one for one in self.executions.values() if one["name"] == name]
        execution |= {"status": status, "stopDate": execution["startDate"] + timedelta(hours=1), **details}

    def describe_execution(self, executionArn: str) -> dict:
        if executionArn not in self.executions:
            raise self.exceptions.ExecutionDoesNotExist
        return self.executions[executionArn]

    def get_paginator(self, operation: str) -> SimpleNamespace:
        pages = {"list_executions": self._listed, "get_execution_history": self._history}
        return SimpleNamespace(paginate=pages[operation])

    def _history(self, executionArn: str):
        """One event a page, of those that a test put into `histories` by the run's name."""
        for event in self.histories.get(executionArn.rpartition(":")[2], []):
            yield {"events": [event]}

    def _listed(self, stateMachineArn: str):
        """One execution a page, without what only a description says."""
        for execution in self.executions.values():
            if execution["stateMachineArn"] == stateMachineArn:
                hidden = ("input", "error", "cause")
                yield {"executions": [{k: v for k, v in execution.items() if k not in hidden}]}

    def running(self) -> list[dict]:
        """The inputs of the executions that run."""
        return [json.loads(one["input"]) for one in self.executions.values() if one["status"] == "RUNNING"]
