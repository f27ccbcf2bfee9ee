"""An execution's history as the tasks it tried: which requests AWS took, and its words where it did not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import HistoryEventTypeDef


@dataclass(frozen=True)
class Task:
    """One state's try to do something.

    Attributes:
        state: its name, such as `Tune`.
        parameters: the request as it was sent.
        accepted: whether the service took the request; for a job that is before the job has ended.
        done: whether what was asked for has ended well.
        words: error and cause as AWS gives them; empty where there is none.
    """

    state: str
    parameters: dict[str, Any]
    accepted: bool = False
    done: bool = False
    words: str = ""


@dataclass(frozen=True)
class History:
    """An execution: its name, its status as Step Functions gives it, and its tasks in order."""

    run: str
    status: str
    tasks: tuple[Task, ...]


def tasks(events: Iterable[HistoryEventTypeDef]) -> tuple[Task, ...]:
    """The tasks in an execution's events (Step Functions' GetExecutionHistory, oldest first).

    Our machines have no parallel branches, so what follows a state's entry is its own. A request that is made
    again after an error is a task of its own.
    """
    found: list[Task] = []
    state = ""
    for event in events:
        match event["type"]:
            case "TaskStateEntered":
                state = event["stateEnteredEventDetails"]["name"]
            case "TaskScheduled":
                parameters = json.loads(event["taskScheduledEventDetails"]["parameters"])
                found.append(Task(state, parameters))
            case "TaskSubmitted":
                found[-1] = Task(state, found[-1].parameters, accepted=True)
            case "TaskSucceeded":
                found[-1] = Task(state, found[-1].parameters, accepted=True, done=True)
            case "TaskStartFailed" | "TaskSubmitFailed" | "TaskFailed" | "TaskTimedOut" as kind:
                details: Any = event.get(f"t{kind[1:]}EventDetails", {})
                words = ": ".join(filter(None, (details.get("error"), details.get("cause"))))
                found[-1] = Task(state, found[-1].parameters, found[-1].accepted, words=words or kind)
    return tuple(found)
