"""How the XGBoost image hands a training job's request to the user's script, as pure functions of it.

Source: the image's own start-up code (sagemaker_containers 2.8.6: `_env.py`, `_mapping.py`, `_params.py`).
"""

import json
from typing import Any

HOST = "algo-1"
CODE = "/opt/ml/code"
# Hyperparameters that are for the image, not for the script, besides those that begin with "sagemaker_".
_FOR_THE_IMAGE = {"_tuning_objective_metric", "default_user_module_name"}


def hyperparameters(request: dict[str, Any]) -> dict[str, object]:
    """All hyperparameters; each text is read as JSON where it is JSON, else kept."""
    return {name: _json_or_text(text) for name, text in request.get("HyperParameters", {}).items()}


def script_hyperparameters(request: dict[str, Any]) -> dict[str, object]:
    """Those that are for the script."""
    found = hyperparameters(request).items()
    return {n: value for n, value in found if not n.startswith("sagemaker_") and n not in _FOR_THE_IMAGE}


def command_line(values: dict[str, Any]) -> list[str]:
    """Hyperparameters as the script's arguments: sorted by name, one dash before a name of one letter."""
    arguments = []
    for name, value in sorted(values.items()):
        if isinstance(value, dict):
            value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        arguments += [f"-{name}" if len(name) == 1 else f"--{name}", "" if value is None else str(value)]
    return arguments


def program(request: dict[str, Any]) -> list[str]:
    """The command that runs the script."""
    module = str(hyperparameters(request)["sagemaker_program"]).removesuffix(".py")
    return ["python3", "-m", module, *command_line(script_hyperparameters(request))]


def called_instead(request: dict[str, Any]) -> str | None:
    """The `module:function` that the start-up calls, where the request's environment names another one.

    The image's own is `sagemaker_xgboost_container.training:main`, by SAGEMAKER_TRAINING_MODULE in its
    Dockerfile; that runs the script. A container's environment goes before that of its image (Docker).
    """
    named: str | None = request.get("Environment", {}).get("SAGEMAKER_TRAINING_MODULE")
    return named


def failure(command: list[str]) -> str:
    """What the image leaves as `output/failure` when the script fails; nothing of what the script said.

    Source: sagemaker-containers 2.8.6 (`_errors.py`, `_trainer.py`), and `capture_error=False` in
    sagemaker-xgboost-container (`training.py`).
    """
    return f'ExecuteUserScriptError:\nCommand "{" ".join(command)}"'


def input_data_config(request: dict[str, Any]) -> dict[str, Any]:
    """The content of inputdataconfig.json."""
    return {
        item["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            **({"ContentType": item["ContentType"]} if "ContentType" in item else {}),
        }
        for item in request.get("InputDataConfig", [])
    }


def resource_config(request: dict[str, Any]) -> dict[str, Any]:
    """The content of resourceconfig.json."""
    instance = request.get("ResourceConfig", {}).get("InstanceType", "")
    group = {"instance_type": instance, "hosts": [HOST], "instance_group_name": "homogeneousCluster"}
    return {
        "current_host": HOST,
        "current_instance_type": instance,
        "current_group_name": group["instance_group_name"],
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }


def environment(request: dict[str, Any]) -> dict[str, str]:
    """The SM_* variables, and the module path of the code."""
    values = hyperparameters(request)
    own = script_hyperparameters(request)
    channels = sorted(input_data_config(request))
    variables = {
        "channels": channels,
        "current_host": HOST,
        "hosts": [HOST],
        "hps": own,
        "input_config_dir": "/opt/ml/input/config",
        "input_data_config": input_data_config(request),
        "input_dir": "/opt/ml/input",
        "log_level": 20,
        "model_dir": "/opt/ml/model",
        "module_dir": values["sagemaker_submit_directory"],
        "module_name": str(values["sagemaker_program"]).removesuffix(".py"),
        "network_interface_name": "eth0",
        "num_cpus": 1,  # What a job gets here; on AWS, what its instance has.
        "num_gpus": 0,
        "output_data_dir": "/opt/ml/output/data",
        "output_dir": "/opt/ml/output",
        "output_intermediate_dir": "/opt/ml/output/intermediate",
        "resource_config": resource_config(request),
        "user_args": command_line(own),
        "user_entry_point": values["sagemaker_program"],
    }
    variables |= {f"channel_{name}": f"/opt/ml/input/data/{name}" for name in channels}
    variables |= {f"hp_{name}": value for name, value in own.items()}
    named = {f"SM_{name.upper()}": _text(value) for name, value in variables.items()}
    return {**named, "CURRENT_HOST": HOST, "PYTHONPATH": CODE}


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
