"""Single changes of Python code and of compiled definitions; `benchmarks/mutants.py` plants them.

Comparisons, boolean and arithmetic operators, numbers, names in quotes, a statement, an argument or a branch.
Docstrings, annotations and sentences for people are left alone: no test should pin their words.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PAIRS = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.In, ast.NotIn), (ast.Is, ast.IsNot)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr)),
)
OPPOSITE: dict[type, type] = dict(_PAIRS) | {second: first for first, second in _PAIRS}
#: Arguments of argparse that a command's help shows.
FOR_PEOPLE = {"help", "description", "epilog", "metavar"}
DROPPED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Return, ast.Continue, ast.Break)


@dataclass(frozen=True)
class Mutant:
    """A file's text after one change; `name` says line and change."""

    name: str
    text: str


def mutants_of_code(source: str) -> list[Mutant]:
    """Every mutant of a module whose code differs from the module's own, in the order of its lines."""
    same, made = ast.unparse(ast.parse(source)), []
    for position, number, what in _places(source):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[position]
        before = _first_line(node)
        list(_changes(node))[number][1](node)
        text = ast.unparse(ast.fix_missing_locations(tree))
        if text != same:
            made.append(Mutant(f"{node.lineno}: `{before}`: {what}", text))
    return sorted(made, key=lambda mutant: int(mutant.name.partition(":")[0]))


def _places(source: str) -> Iterator[tuple[int, int, str]]:
    tree = ast.parse(source)
    spared = set(_spared(tree))
    for position, node in enumerate(ast.walk(tree)):
        if node not in spared and hasattr(node, "lineno"):
            for number, (what, _) in enumerate(_changes(node)):
                yield position, number, what


def _spared(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that nothing runs or that are words for people."""
    for node in ast.walk(tree):
        away = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            away.append(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            away.append(node)
        if isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
        if isinstance(node, ast.keyword) and node.arg in FOR_PEOPLE:
            away.append(node.value)
        if isinstance(node, ast.FormattedValue) and node.format_spec:
            away.append(node.format_spec)
        for each in filter(None, away):
            yield from ast.walk(each)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable]]:
    """What can be changed at `node` itself: what, and a function that changes it in place."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            other = OPPOSITE[type(operator)]
            yield other.__name__, lambda at, index=index, other=other: at.ops.__setitem__(index, other())
    if isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in OPPOSITE:
        other = OPPOSITE[type(node.op)]
        yield other.__name__, lambda at, other=other: setattr(at, "op", other())
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "turned round", lambda at: setattr(at, "test", ast.UnaryOp(ast.Not(), at.test))
    if isinstance(node, ast.Call):
        for index, keyword in enumerate(node.keywords):
            if keyword.arg not in FOR_PEOPLE:
                yield f"without keyword {index}", lambda at, index=index: at.keywords.pop(index)
        if len(node.args) > 1:
            yield "without the last argument", lambda at: at.args.pop()
    if isinstance(node, ast.Dict) and len(node.keys) > 1:
        for index in range(len(node.keys)):
            yield f"without entry {index}", lambda at, index=index: (at.keys.pop(index), at.values.pop(index))
    if isinstance(node, ast.Constant):
        yield from _other_constant(node.value)
    for name in ("body", "orelse", "finalbody") if isinstance(node, ast.stmt) else ():
        for index, statement in enumerate(getattr(node, name, [])):
            if isinstance(statement, DROPPED) and not _is_constant(getattr(statement, "value", None)):
                what = f"{name} without `{_first_line(statement)}`"
                yield what, lambda at, name=name, index=index: _drop(getattr(at, name), index)


def _is_constant(value: object) -> bool:
    return isinstance(value, ast.Constant)


def _drop(statements: list[ast.stmt], index: int) -> None:
    statements[index] = ast.Pass()


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0][:70]


def _other_constant(value: object) -> Iterator[tuple[str, Callable]]:
    if isinstance(value, bool):
        yield f"{not value}", lambda at: setattr(at, "value", not at.value)
    elif isinstance(value, int | float):
        yield f"{value + 1}", lambda at: setattr(at, "value", at.value + 1)
    elif isinstance(value, str) and value and not (value[0].isupper() and " " in value):
        yield "another text", lambda at: setattr(at, "value", at.value + "x")


def mutants_of_definition(definition: dict) -> Iterator[tuple[str, dict]]:
    """Each retrier, Catch, timeout and consistent read changed: where, and the definition then."""
    for path, value in _leaves(definition, ()):
        if not {"Retry", "Catch", "TimeoutSeconds", "ConsistentRead"} & set(path):
            continue
        changed = copy.deepcopy(definition)
        *to, last = path
        place = changed
        for step in to:
            place = place[step]
        place[last] = value + "x" if isinstance(value, str) else not value if value is True else value + 1
        yield " ".join(map(str, path)), changed
    for name, state in definition["States"].items():
        for kind in ("Retry", "Catch"):
            for index in range(len(state.get(kind, []))):
                changed = copy.deepcopy(definition)
                del changed["States"][name][kind][index]
                yield f"{name} without {kind} {index}", changed


def _leaves(value: object, path: tuple) -> Iterator[tuple[tuple, object]]:
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*path, key))
    else:
        yield path, value
