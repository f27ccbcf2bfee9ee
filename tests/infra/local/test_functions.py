"""Lambda functions in their processes."""

import io
import json
import zipfile


def invoke(client, arn, event=None):
    response = client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event or {}))
    return json.load(response["Payload"]), response.get("FunctionError")


def test_a_function_sees_its_event_its_environment_and_its_context(client, make_function):
    source = """
import os
def handler(event, context):
    return {"sum": event["a"] + event["b"], "table": os.environ["LEDGER_TABLE"],
            "name": context.function_name, "endpoint": os.environ["AWS_ENDPOINT_URL"],
            "left": 0 < context.get_remaining_time_in_millis() <= 10_000}
"""
    arn = make_function(source, LEDGER_TABLE="ledger")
    answer, error = invoke(client, arn, {"a": 1, "b": 2})
    assert error is None
    assert (answer["sum"], answer["table"], answer["left"]) == (3, "ledger", True)
    assert answer["name"] == arn.rsplit(":", 1)[1]
    assert answer["endpoint"].startswith("http://127.0.0.1:")


def test_a_function_stays_warm(client, make_function):
    arn = make_function("import os\ndef handler(event, context): return os.getpid()")
    assert invoke(client, arn) == invoke(client, arn)


def test_an_exception_is_reported_with_its_type_and_message(client, make_function):
    arn = make_function("def handler(event, context): return event['missing']")
    answer, error = invoke(client, arn)
    assert error == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'missing'")


def test_a_module_that_cannot_be_imported_is_reported(client, make_function):
    answer, error = invoke(client, make_function("import nothing_of_that_name"))
    assert error == "Unhandled"
    assert answer["errorType"] == "ModuleNotFoundError"


def test_a_function_cannot_import_what_lambda_does_not_have(client, make_function):
    arn = make_function("import boto3\ndef handler(event, context):\n    import numpy")
    answer, _ = invoke(client, arn)
    assert answer["errorMessage"] == "No module named 'numpy'"


def test_a_function_that_takes_too_long_is_killed_and_the_next_event_is_answered(client, make_function):
    source = """
import threading
def handler(event, context):
    if event.get("hang"):
        threading.Event().wait()
    return "fine"
"""
    arn = make_function(source, timeout=1)
    answer, error = invoke(client, arn, {"hang": True})
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert invoke(client, arn) == ("fine", None)


def test_a_function_whose_process_ends_is_reported_and_started_again(client, make_function):
    arn = make_function(
        "import os\ndef handler(event, context): return os._exit(3) if event.get('end') else 'fine'"
    )
    answer, _ = invoke(client, arn, {"end": True})
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("status 3")
    assert invoke(client, arn) == ("fine", None)


def test_a_function_that_is_killed_in_the_middle_of_its_answer_is_reported_and_started_again(
    client, make_function
):
    source = """
import os, signal
def handler(event, context):
    if event.get("kill"):
        os.write(3, b'{"payload": ')  # where its process writes answers
        os.kill(os.getpid(), signal.SIGKILL)
    return "fine"
"""
    arn = make_function(source)
    answer, error = invoke(client, arn, {"kill": True})
    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"
    assert invoke(client, arn) == ("fine", None)


def test_what_a_function_prints_is_its_log_and_not_its_answer(aws, client, make_function):
    arn = make_function("def handler(event, context): print('said aloud'); return 1")
    assert invoke(client, arn) == (1, None)
    log = aws.folder / "functions" / f"{arn.rsplit(':', 1)[1]}.log"
    assert "said aloud" in log.read_text()


def test_new_code_and_settings_are_used_from_then_on(client, make_function):
    arn = make_function("def handler(event, context): return 'old'")
    assert invoke(client, arn) == ("old", None)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("app.py", "import os\ndef handler(event, context): return os.environ['SAY']")
    client("lambda").update_function_code(FunctionName=arn, ZipFile=packed.getvalue())
    client("lambda").update_function_configuration(
        FunctionName=arn, Environment={"Variables": {"SAY": "new"}}
    )
    assert invoke(client, arn) == ("new", None)
