"""Messages and events that no function could take, in the dead-letter queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from pipelines import runs
from pipelines.failures import orders
from pipelines.failures.failed_runs import Executions
from pipelines.failures.failure import Failure, NotAgain, Stack, dismissal
from pipelines.failures.queues import Held, Message
from pipelines.handlers.landing import runs_in
from pipelines.ledger.reading import GroupLedger
from pipelines.warehouse import unload

#: The outputs that name each queue of dead letters, and the queue that its messages come from.
SOURCES = {
    "TrainingDeadLetterQueueUrl": "TrainingQueueUrl",
    "InferenceDeadLetterQueueUrl": "InferenceQueueUrl",
    "UnloadDeadLetterQueueUrl": "UnloadQueueUrl",
}
EVENTS = "EventsDeadLetterQueueUrl"
#: Which function takes an event, by its detail-type; that of a statement by its state.
FUNCTIONS = {
    "Model Trained": "test-model",
    "Inference Completed": "start-comparison",
    "FINISHED": "statement-finished",
    "FAILED": "statement-failed",
    "ABORTED": "statement-failed",
}
CUT_OFF = "Step Functions Execution Status Change"
#: So long the warehouse takes the same order for the same statements (API reference of the Redshift Data API,
#: ExecuteStatement, ClientToken).
SAME_STATEMENT = timedelta(hours=8)


def find(
    stack: Stack, held: Held, known: Executions, ledgers: Mapping[str, GroupLedger], now: datetime
) -> Iterator[Failure]:
    """Each message in the queues of dead letters that is still good for something; the others are deleted."""
    for output, source in SOURCES.items():
        for message in list(held.by_queue[stack.outputs[output]]):
            purpose = source.removesuffix("QueueUrl").lower()
            if purpose == "unload":
                yield _order(stack, held, message, ledgers, now)
            elif (found := _notification(stack, held, message, purpose, source, known)) is not None:
                yield found
    for message in list(held.by_queue[stack.outputs[EVENTS]]):
        try:
            found = _event(stack, held, message, ledgers)
        # What nobody can read is here more likely than anywhere, and must not hide the rest of the list.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            found = useless(
                stack, held, message, "event", f"It cannot be read ({error}): {message.body[:200]}"
            )
        if found is not None:
            yield found


def _letter(
    stack: Stack,
    held: Held,
    message: Message,
    what: str,
    retry: Callable[[], str],
    sentence: str,
    **about: str,
) -> Failure:
    """A message that is deleted once it has been sent again, and when it is dismissed."""
    group = about.get("group", "")

    def send() -> str:
        done = retry()
        held.delete(message)
        return done

    def dismiss(by: str, why: str) -> None:
        if group:
            dismissal(stack, group, message.id)(by, why)
        held.delete(message)

    return Failure(
        name=message.id,
        group=group,
        period=about.get("period", ""),
        what=what,
        since=message.sent,
        error=about.get("error", ""),
        sentence=sentence,
        next_step=about.get("next_step", "") or f"labelmill retry --run {message.id}",
        retry=send,
        dismiss=dismiss,
    )


def useless(stack: Stack, held: Held, message: Message, what: str, error: Exception | str) -> Failure:
    """One that every try would refuse."""

    def refuse() -> str:
        raise NotAgain(str(error))

    step = f"what it says; then labelmill dismiss {message.id} --reason TEXT"
    return _letter(stack, held, message, what, refuse, str(error), error=type(error).__name__, next_step=step)


def _notification(
    stack: Stack, held: Held, message: Message, purpose: str, source: str, known: Executions
) -> Failure | None:
    what = f"notification of a dataset for {purpose}"
    try:
        landed = runs_in(message.body, purpose)
    except runs.CannotStart as error:
        return useless(stack, held, message, what, error)
    if all(run["run"] in known.by_name for run in landed):
        held.delete(message)
        return None

    def send() -> str:
        stack.client("sqs").send_message(QueueUrl=stack.outputs[source], MessageBody=message.body)
        return f"sent again to start {landed[0]['run']}"

    return _letter(
        stack,
        held,
        message,
        what,
        send,
        f"No run was started for {landed[0]['dataset']}: the log of start-{purpose} says why.",
        group=landed[0]["group"],
        period=landed[0]["period"],
    )


def _order(
    stack: Stack, held: Held, message: Message, ledgers: Mapping[str, GroupLedger], now: datetime
) -> Failure:
    what = "order of datasets"
    try:
        order = unload.read_order(message.body, stack.outputs["TimeZone"])
    except unload.CannotUnload as error:
        return useless(stack, held, message, what, error)

    def send() -> str:
        body = message.body
        if now - message.sent >= SAME_STATEMENT:
            if not (groups := _lacking(stack, order, ledgers)):
                return "every group has its dataset"
            body = json.dumps(
                asdict(order) | {"groups": groups, "delivery": unload.next_delivery(order.delivery)}
            )
        stack.client("sqs").send_message(QueueUrl=stack.outputs["UnloadQueueUrl"], MessageBody=body)
        return "ordered again"

    return _letter(
        stack,
        held,
        message,
        f"{what} for {order.purpose}",
        send,
        f"The warehouse did not take all statements of {order.delivery}: the log of unload names the groups.",
        group=order.groups[0] if len(order.groups) == 1 else "",
        period=order.period,
    )


def _lacking(stack: Stack, order: unload.Order, ledgers: Mapping[str, GroupLedger]) -> list[str]:
    """The groups of an order that have no dataset of its month, are not retired, and may have rows."""
    known = [group for group, ledger in ledgers.items() if ledger.registered]
    return [
        group
        for group in order.groups or known
        if not (ledger := ledgers.get(group, GroupLedger(group))).is_retired
        and (order.purpose, order.period) not in ledger.without_items
        and not any(orders.landings(stack, group, asdict(order)))
    ]


def _event(stack: Stack, held: Held, message: Message, ledgers: Mapping[str, GroupLedger]) -> Failure | None:
    content = message.content if isinstance(message.content, dict) else {}
    kind, detail = content.get("detail-type", ""), content.get("detail", {})
    # Of a run that was cut off: it is in the list of executions anyway.
    if kind == CUT_OFF or content.keys() >= {"machine", "run", "input"}:
        held.delete(message)
        return None
    if "overdue" in content:
        function, kind, detail = "check-month", "hourly check", {}
    else:
        function = FUNCTIONS.get(kind) or FUNCTIONS.get(detail.get("state", ""), "")
    if not function:
        return useless(stack, held, message, "event", f"No function takes this event: {message.body[:200]}")
    about = {name: detail.get(name, "") for name in ("group", "period")}
    if statement := detail.get("statementName"):
        order = unload.read_name(statement)
        about = {"group": order.groups[0], "period": order.period}
    model = detail.get("challenger") or detail.get("model")
    ledger = ledgers.get(about["group"], GroupLedger(about["group"]))
    if model and any(decision["model"] == model for decision in ledger.decisions):
        held.delete(message)
        return None

    def invoke() -> str:
        stack.client("lambda").invoke(
            FunctionName=f"{stack.name}-{function}", InvocationType="Event", Payload=message.body.encode()
        )
        return f"sent again to {function}"

    notes = {name.upper(): value for name, value in message.notes.items()}
    why = notes.get("ERRORMESSAGE") or notes.get("ERROR_MESSAGE") or f"The log of {function} says why."
    return _letter(stack, held, message, f"event: {kind}", invoke, why, **about)
