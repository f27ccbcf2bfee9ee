"""The tree is as its texts say: what each package lists, what may import what, and every path they name."""

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.deploy.bundle import LAMBDA_SOURCES

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipelines", "processing", "training", "inference", "infra")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs", "requirements")
SOURCES = sorted(
    path for folder in (*PACKAGES, "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
FRONT_DOORS = [path for path in SOURCES if path.name == "__init__.py"]
TEXTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "requirements").glob("*.in"),
    *(ROOT / "infra").glob("*.yaml"),
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
    ROOT / ".ci" / "packages",
    ROOT / ".ci" / "run",
]
NAMES = {path.name for path in ROOT.iterdir()} | {
    path.name
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.*")
    if "node_modules" not in path.parts
}
#: What people have beside the tree.
OF_PEOPLE = {"labelmill.toml"}
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize("front_door", FRONT_DOORS, ids=lambda path: name_of(path.parent))
def test_a_package_opens_with_a_list_of_just_what_is_in_it(front_door):
    listed = re.findall(r"^ {4}([\w.]+/?) ", docstring(front_door), flags=re.MULTILINE)
    folder = front_door.parent
    modules = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    rooms = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    assert modules | rooms <= set(listed)
    assert [name for name in listed if not (folder / name).exists()] == []
    assert len(listed) == len(set(listed))


def test_no_module_leaves_its_docstring_for_later():
    later = "TO[D]O|FIX[M]E|XX[X]"  # so that whoever searches for one does not find this line
    assert [name_of(path) for path in SOURCES if re.search(later, docstring(path))] == []


def test_the_picture_shows_the_layers_of_the_import_contracts():
    lines = [line.split("│") for line in ARCHITECTURE.splitlines() if line.startswith("│")]
    drawn: dict[str, list[str]] = {}
    for _, package, layer, *_ in lines:
        if package.strip():
            drawn[package.strip()] = layers = []
        if layer.strip():
            layers.append(layer.strip().replace(" · ", " | "))
    packages, *rooms = [contract for contract in CONTRACTS if contract["type"] == "layers"]
    assert list(drawn) == packages["layers"]
    assert {package: layers for package, layers in drawn.items() if layers} == {
        contract["containers"][0]: contract["layers"] for contract in rooms
    }


def prose(path: Path) -> Iterator[str]:
    """What people read in a file: all of a text, comments and docstrings of a source.

    Of what we ship also all other strings: help texts and messages are among them.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    shipped = path.relative_to(ROOT).parts[0] in PACKAGES
    for node in ast.walk(ast.parse(text)):
        if shipped and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not shipped and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def named_paths(text: str) -> set[str]:
    """Paths of the tree in a text, `*` included.

    Without keys of S3 objects, which begin alike: they name a model group, or are any group's manifest.
    """
    paths = rf"(?<![\w./<>{{}}-])(?:{'|'.join(FOLDERS)})(?:/[\w.*-]+)+(?![\w{{])"
    found = {name.rstrip(".") for name in re.findall(paths, text)}
    return {name for name in found if not re.match(r"\w+/([A-Z]{2}-|\*/manifest$)", name)}


def named_files(text: str) -> set[str]:
    """Names of source files without their folder; those of AWS's toolkits begin with an underscore."""
    return set(re.findall(r"(?<![\w./*{}<>-])[a-z]\w*\.(?:py|mjs|js|sql|yaml|toml|css)(?![\w/(])", text))


def named_modules(text: str) -> set[str]:
    """Dotted names that begin with one of our packages."""
    names = rf"(?<![\w./])(?:{'|'.join(PACKAGES)})(?:\.[a-z]\w*)+(?!\w)"
    found = set(re.findall(names, text))
    return {name for name in found if name.rpartition(".")[2] not in ("py", "sql", "json", "asl", "yaml")}


def is_module(name: str) -> bool:
    """Whether a dotted name is a module, a package, or something that a module has."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    holder, _, last = name.rpartition(".")
    module = ROOT / f"{holder.replace('.', '/')}.py"
    return module.exists() and re.search(rf"\b{last}\b", module.read_text(encoding="utf-8")) is not None


def test_whatever_a_text_a_comment_or_a_string_names_of_the_tree_is_there():
    gone = {}
    for path in (*TEXTS, *SOURCES):
        text = "\n".join(prose(path))
        paths = {name for name in named_paths(text) if not any(ROOT.glob(name))}
        paths |= named_files(text) - NAMES - OF_PEOPLE
        paths |= {
            name
            for name in re.findall(r"(?<![\w./])\.\./[\w./]*\w", text)
            if not (path.parent / name).exists()
        }
        modules = {name for name in named_modules(text) if not is_module(name)}
        if paths or modules:
            gone[name_of(path)] = sorted(paths | modules)
    assert gone == {}


def test_the_contracts_forbid_every_library_that_a_function_or_a_job_does_not_have():
    modules = {"scikit-learn": "sklearn", "xgboost-cpu": "xgboost", "pyyaml": "yaml"}
    lines = (ROOT / "requirements" / "main.in").read_text().splitlines()
    packages = {re.split(r"[\[=<>]", line)[0] for line in lines if not line.startswith("#")}
    libraries = {modules.get(package, package) for package in packages}
    forbidden = {
        contract["source_modules"][0]: set(contract["forbidden_modules"])
        for contract in CONTRACTS
        if contract["type"] == "forbidden"
    }
    assert libraries - forbidden["pipelines.handlers"] == {"boto3"}
    image = {"numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost"}
    assert libraries - forbidden["processing"] == image


def test_the_contract_of_the_handlers_forbids_just_what_their_zip_does_not_carry():
    """Its exception is an import for types alone, or no handler would start from the zip (test_bundle.py)."""
    [contract] = [each for each in CONTRACTS if each.get("source_modules") == ["pipelines.handlers"]]
    modules = {dotted(path) for path in SOURCES if path.is_relative_to(ROOT / "pipelines")}
    carried = {dotted(path) for sources in LAMBDA_SOURCES for path in ROOT.glob(sources)}
    forbidden = {
        module
        for module in modules
        if any(f"{module}.".startswith(f"{name}.") for name in contract["forbidden_modules"])
    }
    assert forbidden == modules - carried
    assert contract["ignore_imports"] == ["pipelines.messages -> pipelines.ledger.items"]


def imported(path: Path) -> set[str]:
    """Modules that a source imports; of `from a import b` both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_only_the_tests_of_the_state_machines_import_their_source():
    own = ROOT / "tests" / "pipelines" / "machines"
    assert [
        name_of(path)
        for path in SOURCES
        if path.is_relative_to(ROOT / "tests") and not path.is_relative_to(own)
        if any(f"{module}.".startswith("pipelines.machines.") for module in imported(path))
    ] == []


#: An import that each contract forbids, by the contract's place: where it is planted, and what.
FORBIDDEN = {
    0: ("processing/policy.py", "import pipelines.runs"),
    1: ("infra/rehearsal/run.py", "import infra.local.stack"),
    2: ("pipelines/ledger/reading.py", "import pipelines.commands.models"),
    3: ("processing/codes/recode.py", "import processing.labels.output"),
    4: ("infra/deploy/bundle.py", "import pipelines.machines.states"),
    5: ("pipelines/handlers/batch.py", "import numpy"),
    6: ("training/fitting.py", "import boto3"),
}


def test_a_forbidden_import_breaks_its_contract(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, line in FORBIDDEN.values():
        planted = tmp_path / path
        planted.write_text(f"{planted.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env={"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 1, checked.stdout + checked.stderr
    broken = re.findall(r"^(.*) BROKEN(?: \(\d+ ignored imports?\))?$", checked.stdout, flags=re.MULTILINE)
    assert broken == [CONTRACTS[place]["name"] for place in FORBIDDEN], checked.stdout
