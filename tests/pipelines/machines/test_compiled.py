"""The committed definitions are what the sources compile to."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.pipelines.machines.definition_examples import MACHINES, text_of

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv" / "sdk" / "bin" / "python"

# Compiling must neither need a network nor depend on the person who does it.
OFFLINE = """
import socket, sys
from pathlib import Path

def refuse(*args, **kwargs):
    raise AssertionError("compiling reached for the network")

socket.socket.connect = socket.getaddrinfo = refuse
from pipelines.machines import compile
compile.main(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder with what the sources compile to now."""
    assert PYTHON.exists(), f"{PYTHON} is missing: make the environment of the SDKs with 'make setup'"
    folder = tmp_path_factory.mktemp("compiled")
    environment = os.environ | {"AWS_DEFAULT_REGION": "cn-north-1", "HOME": str(folder)}
    done = subprocess.run(
        [PYTHON, "-c", OFFLINE, folder], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("machine", MACHINES)
def test_the_committed_definition_is_what_the_sources_compile_to(compiled, machine):
    rebuilt = (compiled / f"{machine}.asl.json").read_text()
    assert rebuilt == text_of(machine), "run 'make definitions' and commit the result"
