"""The shape of the code, checked where ruff has no rule for it (it has some for docstrings and TODOs)."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("tallystick", "workflows", "activities", "api")

MODULE_LINES_MAX = 350  # more has two subjects
SUPPORT_LINES_MAX = 400  # what tests stand on, such as a whole site
FUNCTION_LINES_MAX = 30  # of its body, without the docstring
MOST_FUNCTIONS_LINES_MAX = 16  # nine of ten, from `def` to the last line, docstring included
FOLDER_MODULES_MAX = 15  # a prefix in a file's name is a folder that was not made

# Where the world begins, and with it the clock. Everywhere else an instant is a parameter named `at`.
CLOCKS = {
    "activities/": "activities tell workflows what time it is outside",
    "api/": "a request arrives now",
    "tallystick/cli/": "the demonstration waits for what it started",
    "tallystick/desk/": "a person signs now",
    "tallystick/receiver/": "a receipt is signed now",
    "tallystick/site.py": "a letter key is published now",
    "tallystick/stack/": "child processes are waited for",
}
CLOCK_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}

# What a user names, or others may have put there, is opened by tallystick/regular.py. These read their own.
READ_THEIR_OWN = {
    "tallystick/bag/unpack.py": "what it has written a moment ago",
    "tallystick/cli/demo/narrator.py": "a file of the demonstration's own folder",
    "tallystick/cli/surroundings.py": "its own streams",
    "tallystick/stack/processes.py": "logs of its own children",
    "tallystick/stack/stack.py": "logs of its own children",
}

# Words that name a pattern, not a thing of the agreement.
BANNED_ANYWHERE = {"manager", "helper", "helpers", "util", "utils", "misc", "common"}
BANNED_ALONE = {"process", "handle", "data", "info", "core", "services"}
BANNED_FIRST = {"process", "handle"}  # of a function: `handle_claim` says nothing
NAMED_BY_OTHERS = {  # what SQLAlchemy calls in a TypeDecorator, and Starlette in a Route
    "process_bind_param",
    "process_result_value",
    "handle",
}

Breach = str
Check = Callable[[str, ast.Module], Iterator[Breach]]


@cache
def modules(*folders: str) -> dict[str, ast.Module]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


def breaches(check: Check, *folders: str) -> list[Breach]:
    return [breach for file, tree in modules(*folders).items() for breach in check(file, tree)]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long_functions(file: str, tree: ast.Module) -> Iterator[Breach]:
    for function in functions(tree):
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if lines > FUNCTION_LINES_MAX:
            yield f"{file}:{function.lineno} {function.name} has {lines} lines"


def lines_of_most(*trees: ast.Module) -> int:
    """Return the length that nine functions of ten do not exceed."""
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for tree in trees for f in functions(tree))
    return lengths[len(lengths) * 9 // 10]


def clocks(file: str, tree: ast.Module) -> Iterator[Breach]:
    if file.startswith(tuple(CLOCKS)):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (name, node.func.attr) in CLOCK_CALLS:
                yield f"{file}:{node.lineno} asks {name}.{node.func.attr}()"


def swallowed_errors(file: str, tree: ast.Module) -> Iterator[Breach]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else "BaseException"
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        # Code that must continue all the same reports the defect with its traceback.
        told = any(ast.unparse(inner).startswith("_log.exception('defect'") for inner in ast.walk(node))
        if re.search(r"\b(Base)?Exception\b", caught) and not raises and not told:
            yield f"{file}:{node.lineno} catches {caught} and goes on"


def empty_names(file: str, tree: ast.Module) -> Iterator[Breach]:
    stem = Path(file).stem
    if says_nothing(stem) or any(says_nothing(part) for part in Path(file).parts[:-1]):
        yield f"{file} is named after a pattern"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and says_nothing(node.name):
            yield f"{file}:{node.lineno} class {node.name}"
    for function in functions(tree):
        if function.name in NAMED_BY_OTHERS:
            continue
        if says_nothing(function.name) or words(function.name)[0] in BANNED_FIRST:
            yield f"{file}:{function.lineno} def {function.name}"


def words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)] or [name]


def says_nothing(name: str) -> bool:
    return bool(BANNED_ANYWHERE & set(words(name))) or name.strip("_").lower() in BANNED_ALONE


def durable_by_hand(file: str, tree: ast.Module) -> Iterator[Breach]:
    if file == "tallystick/durable.py":
        return
    for node in ast.walk(tree):
        # `fsync=os.fsync` as a default is no call: tests give another there.
        if isinstance(node, ast.Call) and re.search(r"fsync$|fdatasync$|os\.sync$", ast.unparse(node.func)):
            yield f"{file}:{node.lineno} calls {ast.unparse(node.func)}"


def opened_by_hand(file: str, tree: ast.Module) -> Iterator[Breach]:
    if file in READ_THEIR_OWN:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        reads = name == "open" and any(ast.unparse(mode) in {"'r'", "'rb'", "'w'"} for mode in node.args)
        if reads or name in {"read_bytes", "read_text"}:
            yield f"{file}:{node.lineno} opens {ast.unparse(node)}"


def modes_for_tests(file: str, tree: ast.Module) -> Iterator[Breach]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.upper() == "TESTING":
            yield f"{file}:{node.lineno} behaves otherwise under test"


def sleeps_and_mocks(file: str, tree: ast.Module) -> Iterator[Breach]:
    if file.startswith("tests/support/"):
        return  # waiting for a server that starts
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import) and "mock" in ast.unparse(node):
            yield f"{file}:{node.lineno} {ast.unparse(node)}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "monkeypatch.setattr"}:
            yield f"{file}:{node.lineno} {ast.unparse(node)}"


PRODUCT_CHECKS: list[tuple[Check, str]] = [
    (long_functions, "def f():\n    'long'\n" + "    x = 1\n" * (FUNCTION_LINES_MAX + 1)),
    (clocks, "import datetime as d\nat = d.datetime.now()"),
    (clocks, "at = datetime.now(UTC)"),
    (clocks, "at = time.time()"),
    (swallowed_errors, "try:\n    f()\nexcept Exception:\n    pass"),
    (swallowed_errors, "try:\n    f()\nexcept (OSError, BaseException) as e:\n    log(e)"),
    (swallowed_errors, "try:\n    f()\nexcept:\n    pass"),
    (swallowed_errors, "try:\n    f()\nexcept Exception:\n    _log.error('defect')"),
    (empty_names, "class ClaimManager: ..."),
    (empty_names, "def handle_claim(): ..."),
    (empty_names, "async def data(): ..."),
    (durable_by_hand, "os.fsync(out.fileno())"),
    (durable_by_hand, "self._fsync(descriptor)"),
    (opened_by_hand, "path.open('rb')"),
    (opened_by_hand, "open(path, 'r')"),
    (opened_by_hand, "lock.open('w')"),
    (opened_by_hand, "(folder / name).read_bytes()"),
    (modes_for_tests, "os.environ.get('TESTING')"),
]


@pytest.mark.parametrize(
    "check", dict.fromkeys(check for check, _ in PRODUCT_CHECKS), ids=lambda c: c.__name__
)
def test_product_is_free_of(check: Check) -> None:
    assert breaches(check, *PRODUCT) == []


@pytest.mark.parametrize(("check", "source"), PRODUCT_CHECKS)
def test_check_sees_what_it_is_for(check: Check, source: str) -> None:
    assert list(check("tallystick/domain/example.py", ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    '''" + "long\n" * 60 + "    '''\n    return 1",
        "at = workflow.now()",
        "try:\n    f()\nexcept Exception as error:\n    raise ValueError from error",
        "class ClaimHandled: ...",
    ],
)
def test_checks_let_good_code_pass(source: str) -> None:
    tree = ast.parse(source)
    assert [b for check, _ in PRODUCT_CHECKS for b in check("tallystick/domain/example.py", tree)] == []


@pytest.mark.parametrize("file", ["tallystick/utils.py", "api/services/claims.py", "tallystick/data.py"])
def test_file_named_after_a_pattern_is_seen(file: str) -> None:
    assert list(empty_names(file, ast.parse("")))


@pytest.mark.parametrize(
    ("folders", "lines_max"), [(PRODUCT, MODULE_LINES_MAX), (("tests/support",), SUPPORT_LINES_MAX)]
)
def test_no_module_has_two_subjects(folders: tuple[str, ...], lines_max: int) -> None:
    lengths = {file: len((ROOT / file).read_text().splitlines()) for file in modules(*folders)}
    assert {file: lines for file, lines in lengths.items() if lines > lines_max} == {}
    assert len(lengths) > len(folders)  # the search finds our files at all


def test_nine_functions_of_ten_are_short() -> None:
    assert lines_of_most(*modules(*PRODUCT).values()) <= MOST_FUNCTIONS_LINES_MAX


@pytest.mark.parametrize(("long", "length"), [(1, 2), (2, 18)])
def test_length_of_most_functions_sees_the_second_long_one_of_twenty(long: int, length: int) -> None:
    sources = ["@cached\ndef f():\n    'short'\n"] * (20 - long) + ["def f():\n" + "    x = 1\n" * 17] * long
    assert lines_of_most(*map(ast.parse, sources)) == length


def test_no_two_classes_share_a_name() -> None:
    classes = [
        node.name
        for tree in modules(*PRODUCT).values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [name for name, count in Counter(classes).items() if count > 1] == []


def test_no_folder_is_a_heap() -> None:
    files = [Path(file) for file in modules(*PRODUCT, "tests/support") if not file.endswith("__init__.py")]
    held = Counter(file.parent.as_posix() for file in files)
    assert {folder: count for folder, count in held.items() if count > FOLDER_MODULES_MAX} == {}


def test_tests_neither_sleep_nor_patch() -> None:
    assert breaches(sleeps_and_mocks, "tests") == []


@pytest.mark.parametrize(
    "source", ["import unittest.mock", "time.sleep(1)", "monkeypatch.setattr(a, 'b', c)"]
)
def test_sleeping_or_patching_is_seen(source: str) -> None:
    assert list(sleeps_and_mocks("tests/example.py", ast.parse(source)))
