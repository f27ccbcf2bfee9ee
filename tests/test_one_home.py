"""Names, addresses and the ledger's keys are spelled in one module each; everything else imports them."""

import ast
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import names
from pipelines.ledger import keys

ROOT = Path(__file__).parents[1]
HOMES = [ROOT / "pipelines/names.py", ROOT / "pipelines/ledger/keys.py"]
SOURCES = [
    path
    for folder in ("benchmarks", "infra", "inference", "pipelines", "processing", "training")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path not in HOMES
]
FORMS = [
    form
    for home in (names, keys)
    for form in vars(home).values()
    if isinstance(form, str) and re.fullmatch(r"[\w/{}#.-]*\{[a-z_]+\}[\w/{}#.-]*", form)
]
SPELLED = {
    "names.py has the pattern of a group, period, delivery, run or model": re.compile(
        r"\[A-Z\]\{2\}-|(\[0-9\]|\\d)\{4\}-|\[A-Za-z0-9\._-\]\{1,64\}|\[0-9a-f\]\{(8|12)\}"
    ),
    "names.py makes and splits addresses": re.compile(r"s3://($|[{$])|^s3:/?$"),
    "names.py says what lies where": re.compile(
        r"(^|/)(training|inference|codebooks|runs|predictions|reviewed|shared|labels|current)/($|\{)|>/<"
    ),
    "keys.py has the ledger's keys": re.compile(
        r"^(GROUP|TRAINED|WINNER)$"
        r"|(MODEL|PREDICTIONS|MONTH|LABELS|DECISION|APPROVAL|SAMPLE|NOITEMS|NOTICE|DISMISSED|STATUS)#"
    ),
    "keys.py splits the ledger's keys": re.compile("^#$"),
}
#: A group, its country, a run and a model: a regular expression that accepts one spells its pattern.
NAMES = ("DE-weee", "DE-", "DE-weee-comparison-2026-10-0f3a9c21d4e5", "DE-weee-2026-10-1a2b3c4d")
NO_NAME = "Any text, at all!"


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and value of the strings that a program works with, `{}` for each field of an f-string.

    Left out are docstrings, and words that stand for a name in what people are shown.
    """
    tree = ast.parse(source)
    shown = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg in ("metavar", "group"))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            shown.update(map(id, node.values))
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in shown:
            yield node.lineno, node.value


def accepts_a_name(text: str) -> bool:
    """Whether a text is a regular expression, any field standing for anything, that picks out a name."""
    if not re.search(r"[\[\\(*+?]", text):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is no regular expression
        try:
            pattern = re.compile(text.replace("{}", ".*"))
        except re.error:
            return False
    return any(map(pattern.fullmatch, NAMES)) and not pattern.fullmatch(NO_NAME)


def takes_apart(node: ast.AST) -> bool:
    """Whether a piece of program takes an address or a key apart: by scheme, by length, or by its slashes."""
    match node:
        case ast.alias(name="urlsplit" | "urlparse") | ast.Attribute(attr="urlsplit" | "urlparse"):
            return True
        case ast.Subscript(slice=ast.Slice(lower=ast.Constant(5), upper=None)):
            return True
        case ast.Call():
            ends = r"\.split\('/', (maxsplit=)?[23]\)$|\.(split|partition)\('://'[^()]*\)$"
            return re.search(ends, ast.unparse(node)) is not None
        case ast.Assign(value=ast.Call() as call) | ast.Subscript(value=ast.Call() as call):
            return ast.unparse(call).endswith(".split('/')")
    return False


def spelled(source: str) -> list[str]:
    found = [
        f"line {line}: {text!r}: {home}"
        for line, text in texts(source)
        for home, pattern in SPELLED.items()
        if pattern.search(text)
    ]
    found += [
        f"line {line}: {text!r}: names.py has the pattern of a group, run or model, and reads them"
        for line, text in texts(source)
        if accepts_a_name(text)
    ]
    found += [
        f"line {node.lineno}: {ast.unparse(node)}: names.py reads addresses and keys"
        for node in ast.walk(ast.parse(source))
        if takes_apart(node)
    ]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_other_module_spells_a_pattern_an_address_or_a_key(path):
    assert spelled(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "planted",
    [
        're.fullmatch(r"[A-Z]{2}-[a-z0-9]{2,12}", name)',
        're.fullmatch(r"(.*)-comparison-\\d{4}-\\d{2}-.*", name)',
        'model = re.compile("(.*)-[0-9a-f]{8}")',
        'uri = f"s3://{bucket}/{key}"',
        'uri = text("s3://${WorkBucket}/{}", "$.key")',
        'bucket, _, key = uri.removeprefix("s3://").partition("/")',
        're.match(r"([A-Z][A-Z])-(\\w+)", name)',
        're.compile(r"[\\w-]+-[a-z]+-[0-9-]+-[a-f0-9]+")',
        'model = re.compile(rf"({GROUP})-(.*)-[a-f0-9]{{8}}")',
        "from urllib.parse import urlsplit",
        "place = urllib.parse.urlparse(uri)",
        'bucket, key = uri[5:].split("/", 1) if uri.startswith("s3") else None',
        'local = not uri.startswith("s3:")',
        'bucket = uri.split("/", 3)[2]',
        '_, _, bucket, key = uri.split("/", maxsplit=3)',
        'scheme, path = uri.split("://")',
        'folders = key.split("/")',
        '_, group, *_ = key.split("/")',
        'group = key.split("/")[1]',
        'fix = f"put it under {purpose}/<group>/<period>/"',
        'prefix = f"runs/{group}/{run}/items/"',
        'prefix = text("labels/{}/{}/", "$.group", "$.period")',
        'prefix = "codebooks/" + group',
        'item = {"entry": "WINNER"}',
        'entry = f"DECISION#{time}#{run}"',
        'models = entry.startswith("MODEL#")',
        'kind, *values = entry.split("#")',
    ],
)
def test_one_that_does_is_found(planted):
    assert spelled(planted)


@pytest.mark.parametrize(
    "other",
    [
        're.fullmatch("[a-z0-9]{1,20}", word)',
        're.sub(r"^\\s*--.*\\n", "", query)',
        'parts = [quote(part) for part in key.split("/")]',
        'key_id.rpartition("/")[2]',
        'client("s3")',
        'operation = "s3:GetObject"',
        "rest = words[2:]",
    ],
)
def test_one_that_does_something_else_is_not(other):
    assert spelled(other) == []


@pytest.mark.parametrize("home", HOMES, ids=lambda path: path.stem)
def test_a_home_imports_the_standard_library_alone(home):
    imported = {
        module
        for node in ast.walk(ast.parse(home.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or "."] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
        )
    }
    assert imported and {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_a_codebooks_schema_which_is_data_has_the_same_pattern_of_a_group():
    schema = json.loads((ROOT / "pipelines/codebooks/codebook.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"]["group"]["pattern"] == f"^{names.GROUP_PATTERN}$(?!\\n)"


@pytest.mark.parametrize("form", FORMS)
def test_the_contracts_explain_every_form(form):
    contracts = (ROOT / "docs/contracts.md").read_text(encoding="utf-8")
    written = form.replace("{purpose}/", "training/")
    written = written.replace("{hex}", "{8 hex}" if "{period}" in form else "{12 hex}")
    assert f"`{written}" in contracts


@pytest.mark.parametrize("pattern", [names.GROUP_PATTERN, names.DELIVERY_PATTERN])
def test_the_contracts_have_the_patterns(pattern):
    assert f"`{pattern}`" in (ROOT / "docs/contracts.md").read_text(encoding="utf-8")
