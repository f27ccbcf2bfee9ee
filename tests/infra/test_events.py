"""Our events keep to the schemas that the template registers: what machines send, and the samples."""

import json

import jsonschema
import pytest

from pipelines.runs import EVENT_VERSION
from tests.definition_checks import requests, substitute
from tests.infra.templates import MACHINES, ROOT, resources
from tests.pipelines.machines.definition_examples import DATA, SUBSTITUTIONS, context, text_of

SCHEMAS = {
    content["title"]: content
    for content in (json.loads(schema["Content"]) for schema in resources("EventSchemas::Schema").values())
}


def sent() -> list[dict]:
    """Every event that a machine sends, as it is on the bus."""
    return [
        {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
        for machine in map(str.lower, MACHINES)
        for request in requests(substitute(text_of(machine), SUBSTITUTIONS), DATA[machine], context(machine))
        if request.service == "events"
        for entry in request.parameters["Entries"]
    ]


def samples() -> list[dict]:
    return [
        json.loads((ROOT / f"tests/events/{name}.json").read_text())
        for name in ("model_trained", "inference_completed")
    ]


@pytest.mark.parametrize("event", [*sent(), *samples()], ids=lambda event: event["detail-type"])
def test_an_event_has_the_form_that_is_registered(event):
    jsonschema.validate(event, SCHEMAS[event["detail-type"]], jsonschema.Draft4Validator)
    assert event["detail"]["version"] == EVENT_VERSION


@pytest.mark.parametrize("event", samples(), ids=lambda event: event["detail-type"])
def test_an_event_with_a_field_less_or_more_or_another_version_has_not(event):
    validator = jsonschema.Draft4Validator(SCHEMAS[event["detail-type"]])
    for name in event["detail"]:
        less = {key: value for key, value in event["detail"].items() if key != name}
        assert not validator.is_valid(event | {"detail": less}), name
    assert not validator.is_valid(event | {"detail": event["detail"] | {"title": "an item"}})
    assert not validator.is_valid(event | {"detail": event["detail"] | {"version": "2"}})


def test_every_kind_of_event_is_registered_in_the_language_that_the_registry_knows():
    assert {event["detail-type"] for event in sent()} == set(SCHEMAS)
    for schema in resources("EventSchemas::Schema").values():
        assert schema["Type"] == "JSONSchemaDraft4"
        jsonschema.Draft4Validator.check_schema(json.loads(schema["Content"]))
