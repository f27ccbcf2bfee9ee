"""How the delivery's builds get their packages: `.ci/packages`, with a fake `aws` and a fake repository.

That every lock has hashes is here, too; what the builds' roles may do is in test_delivery_permissions.py.
"""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.infra.templates import ROOT

PACKAGES = ROOT / ".ci/packages"
TOKEN = "a-token-that-nobody-sees"
AWS = f"""#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
  *get-authorization-token*) echo {TOKEN} ;;
  *"--format pypi"*) echo "$ENDPOINT/pypi/pypi/" ;;
  *"--format npm"*) echo "$ENDPOINT/npm/npm/" ;;
esac
"""
BIN = ROOT / ".venv/bin"


class Build:
    """A build's environment: a fake `aws` first in PATH, and an empty home."""

    def __init__(self, folder: Path, endpoint: str, aws: str = AWS):
        self.calls = folder / "calls"
        (folder / "bin").mkdir()
        (folder / "bin/aws").write_text(aws)
        (folder / "bin/aws").chmod(0o755)
        (folder / "tmp").mkdir()
        self.temporary = folder / "tmp"
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            "CALLS": str(self.calls),
            "ENDPOINT": endpoint,
            "PACKAGE_DOMAIN": "labelmill-delivery",
            "UV_NO_CACHE": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_CONFIG_FILE": "/dev/null",
        }

    def run(self, *command: str | Path, **given: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PACKAGES, *command], capture_output=True, text=True, env={**self.environment, **given}
        )


@pytest.fixture
def build(tmp_path) -> Build:
    return Build(
        tmp_path, "https://labelmill-delivery-123456789012.d.codeartifact.eu-central-1.amazonaws.com"
    )


def test_a_command_sees_the_repositories_and_the_token_in_files_only(build):
    done = build.run("bash", "-c", "env; echo; cat $NETRC; cat $NPM_CONFIG_USERCONFIG")
    environment, _, files = done.stdout.partition("\n\n")
    endpoint = build.environment["ENDPOINT"]
    seen = dict(line.split("=", 1) for line in environment.splitlines())
    assert seen["PIP_INDEX_URL"] == seen["UV_DEFAULT_INDEX"] == f"{endpoint}/pypi/pypi/simple/"
    host = endpoint.removeprefix("https://")
    assert files.splitlines() == [
        f"machine {host} login aws password {TOKEN}",
        f"registry={endpoint}/npm/npm/",
        f"//{host}/npm/npm/:_authToken={TOKEN}",
    ]
    assert TOKEN not in environment + done.stderr


def test_the_token_is_gone_with_the_command_whose_exit_code_stays(build):
    done = build.run("bash", "-c", "exit 3")
    assert done.returncode == 3
    assert list(build.temporary.iterdir()) == []


def test_no_command_runs_without_a_token(tmp_path):
    denied = "#!/usr/bin/env bash\necho AccessDeniedException >&2\nexit 254\n"
    done = Build(tmp_path, "https://nowhere", denied).run("echo", "ran")
    assert (done.returncode, done.stdout) == (254, "")
    assert "AccessDeniedException" in done.stderr


def test_the_calls_are_those_of_codeartifacts_api(build):
    build.run("true")
    service = botocore.session.get_session().get_service_model("codeartifact")
    operations = {re.sub(r"(?!^)([A-Z])", r"-\1", name).lower(): name for name in service.operation_names}
    asked = set()
    for line in build.calls.read_text().splitlines():
        _, operation, *options = line.split()
        shape = service.operation_model(operations[operation]).input_shape
        given = {
            re.sub("-(.)", lambda found: found[1].upper(), name.removeprefix("--")): value
            for name, value in zip(options[::2], options[1::2], strict=True)
            if name not in ("--query", "--output")
        }
        if "durationSeconds" in given:
            given["durationSeconds"] = int(given["durationSeconds"])
            # Or 0; botocore's model says so in its documentation only.
            assert 900 <= given["durationSeconds"] <= 43200
        assert set(given) <= set(shape.members)
        assert ParamValidator().validate(given, shape).generate_report() == ""
        assert given.get("format", "pypi") in service.shape_for("PackageFormat").enum
        asked.add((operations[operation], given.get("repository")))
    assert asked == {
        ("GetAuthorizationToken", None),
        ("GetRepositoryEndpoint", "pypi"),
        ("GetRepositoryEndpoint", "npm"),
    }


# ---------------------------------------------------------------- installers


def _wheel() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("thing.py", "")
        wheel.writestr("thing-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
        wheel.writestr(
            "thing-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("thing-1.dist-info/RECORD", "")
    return file.getvalue()


def _tarball() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as package:
        text = json.dumps({"name": "thing", "version": "1.0.0"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(text)
        package.addfile(entry, io.BytesIO(text))
    return file.getvalue()


WHEEL, TARBALL = _wheel(), _tarball()
WHEEL_NAME = "thing-1-py3-none-any.whl"
DIGEST = hashlib.sha256(WHEEL).hexdigest()
BASIC = f"Basic {base64.b64encode(f'aws:{TOKEN}'.encode()).decode()}"


def _answer(path: str, host: str) -> tuple[str, bytes]:
    """What is there for whom has the token; the paths are those of CodeArtifact's user guide."""
    if path == "/pypi/pypi/simple/thing/":
        return "text/html", f'<a href="{WHEEL_NAME}#sha256={DIGEST}">{WHEEL_NAME}</a>'.encode()
    if path == "/npm/npm/thing":
        tarball = {"tarball": f"http://{host}/npm/npm/thing/-/thing-1.0.0.tgz"}
        version = {"name": "thing", "version": "1.0.0", "dist": tarball}
        return "application/json", json.dumps({"name": "thing", "versions": {"1.0.0": version}}).encode()
    files = {f"/pypi/pypi/simple/thing/{WHEEL_NAME}": WHEEL, "/npm/npm/thing/-/thing-1.0.0.tgz": TARBALL}
    return "application/octet-stream", files.get(path, b"")


class Repository(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, body = _answer(self.path, self.headers["Host"])
        status = 200 if body else 404
        if self.headers.get("Authorization") not in (BASIC, f"Bearer {TOKEN}"):
            status, body = 401, b""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def installing(tmp_path):
    """A build in whose repositories is one package for each format."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Repository) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Build(tmp_path, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def assert_installed(done: subprocess.CompletedProcess, file: Path, right: bool, complaint: str) -> None:
    said = done.stdout + done.stderr
    assert (done.returncode == 0, file.exists(), complaint in said) == (right, right, not right), said
    assert TOKEN not in said


@pytest.mark.parametrize("right", [True, False], ids=["right hash", "wrong hash"])
@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("pip install -v --target {} -r", "DO NOT MATCH THE HASHES"),
        ("uv pip sync -v --target {}", "Hash mismatch"),
    ],
    ids=["pip", "uv"],
)
def test_pip_and_uv_install_what_has_its_hash_and_print_no_token(
    installing, command, complaint, right, tmp_path
):
    lock, target = tmp_path / "a.lock", tmp_path / "installed"
    lock.write_text(f"thing==1 --hash=sha256:{DIGEST if right else '0' * 64}\n")
    program, *options = command.format(target).split()
    done = installing.run(BIN / program, *options, lock, "--require-hashes")
    assert_installed(done, target / "thing.py", right, complaint)


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
@pytest.mark.parametrize("right", [True, False], ids=["right hash", "wrong hash"])
def test_npm_installs_what_has_its_hash_and_prints_no_token(installing, right, tmp_path):
    """From a lock that names no registry, as ours do not."""
    digest = hashlib.sha512(TARBALL if right else b"another").digest()
    thing = {"version": "1.0.0", "integrity": f"sha512-{base64.b64encode(digest).decode()}"}
    project = {"name": "project", "dependencies": {"thing": "1.0.0"}}
    lock = {"lockfileVersion": 3, "packages": {"": project, "node_modules/thing": thing}}
    (tmp_path / "package.json").write_text(json.dumps(project))
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    done = installing.run(
        "npm", "ci", "--loglevel", "verbose", "--no-audit", "--fetch-retries=0", "--prefix", tmp_path
    )
    assert_installed(done, tmp_path / "node_modules/thing/package.json", right, "EINTEGRITY")


# ---------------------------------------------------------------- locks


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_a_hash(lock):
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_make_installs_nothing_without_hashes():
    recipes = re.findall(
        r"^\t.*(?:pip|uv) (?:pip )?(?:install|sync).*$", (ROOT / "Makefile").read_text(), re.M
    )
    assert len(recipes) == 6
    for recipe in recipes:
        assert "--require-hashes" in recipe or ("--no-deps" in recipe and "$(HASHED)" in recipe)


@pytest.mark.parametrize("package", ["policy_engine", "engines"])
def test_every_node_package_has_a_hash_and_comes_from_whatever_registry_is_set(package):
    lock = json.loads((ROOT / f"tests/infra/{package}/package-lock.json").read_text())
    installed = {name: entry for name, entry in lock["packages"].items() if name}
    assert installed
    for name, entry in installed.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
