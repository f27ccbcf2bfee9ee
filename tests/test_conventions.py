"""The project's own rules; those that a tool was made for are checked by `make lint`."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: How many modules the type checker still passes over. Lower it with each that is covered; never raise it.
UNTYPED_MODULES = 6
TOPS = ("pipelines", "processing", "training", "inference", "infra")


def test_environments_are_locked_with_hashes_and_name_no_package_host():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        lines = text.splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert pins
        assert all("--hash=sha256:" in lines[number + 1] for number in pins)


def test_what_is_tested_is_what_a_demo_is_set_up_with():
    """`make demo` installs main.lock alone, and tests run with dev.lock."""
    pins = {
        name: set(re.findall(r"^(\S+==[^\s;]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("main.lock", "dev.lock")
    }
    assert pins["main.lock"] < pins["dev.lock"]


def test_what_runs_imports_nothing_that_only_tests_are_set_up_with():
    packages = packages_distributions()
    lock = (ROOT / "requirements" / "main.lock").read_text()
    installed = {normal(name) for name in re.findall(r"^(\S+)==", lock, re.MULTILINE)}
    # The state machines are compiled in an environment of their own.
    files = [path for top in TOPS for path in (ROOT / top).rglob("*.py") if "machines" not in path.parts]
    imported = {
        name.partition(".")[0]
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    third_party = {name for name in imported if name in packages and name not in TOPS}
    assert "numpy" in third_party
    lacking = {name for name in third_party if not installed & {normal(each) for each in packages[name]}}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {normal(name) for names in project["optional-dependencies"].values() for name in names}
    lacking = {name for name in lacking if not extras & {normal(each) for each in packages[name]}}
    # Types of AWS clients are for the checker alone.
    assert {name for name in lacking if not name.startswith("types_")} == set()


def normal(name: str) -> str:
    """A distribution's name as a lock has it (PEP 503)."""
    return re.sub("[-_.]+", "-", name).lower()


def test_the_job_image_versions_are_pinned_exactly():
    """What passes here is what runs in the SageMaker XGBoost 3.2-0 image (docs/decisions.md)."""
    pinned = (ROOT / "requirements" / "main.in").read_text().splitlines()
    for version in (
        "numpy==2.1.0",
        "pandas==2.2.3",
        "pyarrow==22.0.0",
        "scikit-learn==1.8.0",
        "scipy==1.15.0",
        "xgboost-cpu==3.2.0",
    ):
        assert version in pinned


def test_the_type_checker_is_strict_and_its_list_of_exceptions_only_gets_shorter():
    """`make lint` runs mypy; here is what would let code escape it unseen."""
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    overrides = mypy.pop("overrides")
    packages = ["processing", "training", "inference", "pipelines", "infra"]
    assert mypy == {"files": packages, "python_version": "3.11", "strict": True}
    without_types, on_the_sdk, untyped = overrides
    assert not [module for module in without_types["module"] if module.split(".")[0] in packages]
    assert on_the_sdk == {"module": ["pipelines.machines.*"], "disallow_subclassing_any": False}
    assert untyped.keys() == {"module", "ignore_errors"}
    assert len(untyped["module"]) == UNTYPED_MODULES
    for module in untyped["module"]:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), module


@pytest.mark.parametrize("package", ["processing", "training", "inference", "pipelines", "infra"])
def test_no_file_opts_out_of_the_type_checker_and_every_suppression_has_its_reason(package):
    assert (ROOT / package / "py.typed").is_file()
    for path in (ROOT / package).rglob("*.py"):
        for line in path.read_text().splitlines():
            assert "# mypy:" not in line, path
            if "type: ignore" in line:
                assert re.search(r"# type: ignore\[[a-z-]+\]  # \w", line), f"{path}: {line}"


def test_what_tests_share_is_in_modules_that_are_no_tests_themselves():
    shared = re.compile(
        r"^(from tests\.\S*\btest_\w+ import|from tests\S* import .*\btest_|import tests\.\S*test_)", re.M
    )
    assert [path for path in (ROOT / "tests").rglob("*.py") if shared.search(path.read_text())] == []


def test_the_tree_of_errors_has_every_error_of_the_command_line():
    tree = ast.get_docstring(ast.parse((ROOT / "pipelines" / "errors.py").read_text()))
    sources = [path.read_text() for top in TOPS for path in (ROOT / top).rglob("*.py")]
    errors = {name for text in sources for name in re.findall(r"^class (\w+)\(Refused\)", text, re.MULTILINE)}
    assert errors
    assert not errors - set(re.findall(r"\w+", tree))
