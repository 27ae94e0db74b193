"""The shape of the project itself: sizes, direction of knowledge, nothing from outside."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from functools import cache
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path

import pytest

from geodata.read import read_facts

ROOT = Path(__file__).parent.parent
PACKAGES = ("geodata", "layers", "webmap", "scripts")
MODULES = sorted(chain.from_iterable((ROOT / package).rglob("*.py") for package in PACKAGES))
BROWSER_MODULES = sorted(ROOT.glob("webmap/static/**/*.js"))
PAGE_FILES = sorted(
    path
    for folder in ("templates", "static")
    for path in (ROOT / "webmap" / folder).rglob("*")
    if path.is_file()
)
TEXT_SUFFIXES = {
    ".py",
    ".yaml",
    ".json",
    ".geojson",
    ".toml",
    ".md",
    ".js",
    ".css",
    ".html",
    ".in",
    ".lock",
    ".svg",
}
NOT_OURS = {".venv", ".git", "var", "build", "tests", "node_modules"}
MAX_MODULE_LINES = 700
MIN_MODULE_LINES = 80
MAX_FUNCTION_LINES = 60
# Small modules that one other imports and that stand alone for a reason: each adapts something outside.
ADAPTERS: dict[str, str] = {}
MOST_ANY = 100  # places without a type; only ever fewer
COMMAND_INTERFACE = {"add_arguments", "main", "run"}  # what every command has, and every program
# What breaks a rule today in parts that are still being rebuilt. Only ever shorter: a line that breaks
# nothing any more fails too.
LONG_MODULE_DEBTS: set[str] = set()
SMALL_MODULE_DEBTS: set[str] = set()
SHARED_NAME_DEBTS: set[str] = set()
SHARED_MODULE_NAME_DEBTS = {"boundaries", "tasks"}  # a script keeps the name that documents give it
CIRCLE_DEBTS: set[tuple[str, ...]] = set()
OUTSIDE = re.compile(
    r"""https?://(?!www\.w3\.org/)[^\s"'<>{}]+|(?:src|href|url)\s*[=(]\s*["']?//[^\s"'<>]+"""
)
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|work|tmp|home)/[a-z]\w*")
REGISTRY = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian|mirrors?\.[a-z]+\.(?:com|cn|edu)")
TEMPLATE_CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
METHOD_TAKEN = re.compile(rf"\.({'|'.join(name for name in dir(dict) if name[0] != '_')})\b(?!\()")
SKIP = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def text_files() -> list[Path]:
    return [
        path
        for path in ROOT.rglob("*")
        if path.suffix in TEXT_SUFFIXES
        and not NOT_OURS & set(path.relative_to(ROOT).parts)
        and not any(part.endswith((".egg-info", "_cache")) for part in path.relative_to(ROOT).parts)
    ]


def strings_of(module: ast.Module) -> set[str]:
    """Return every string constant that is no docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = (
        node for node in ast.walk(module) if isinstance(node, ast.Constant) and id(node) not in docstrings
    )
    return {node.value for node in found if isinstance(node.value, str)}


def count_lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """Return the product's modules that one of them imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if to_path(name).exists() else node.module for name in modules}
    return frozenset({to_path(name) for name in names} & set(MODULES) - {path})


def to_path(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def list_circles() -> set[tuple[str, ...]]:
    """Return every group of modules that import each other, however many files lie between."""
    reached = {path: set(imports_of(path)) for path in MODULES}
    for middle in MODULES:
        for targets in reached.values():
            if middle in targets:
                targets.update(reached[middle])
    return {
        tuple(sorted(relative(other) for other in reached[path] if path in reached[other]))
        for path in MODULES
        if path in reached[path]
    }


def test_no_module_is_long():
    long = {relative(path) for path in (*MODULES, *BROWSER_MODULES) if count_lines(path) > MAX_MODULE_LINES}
    assert long == LONG_MODULE_DEBTS


def test_a_small_module_that_one_other_imports_belongs_into_it():
    importers: dict[Path, list[Path]] = {}
    for path in MODULES:
        for imported in imports_of(path):
            importers.setdefault(imported, []).append(path)
    small = {
        relative(path)
        for path, users in importers.items()
        if len(users) == 1 and count_lines(path) < MIN_MODULE_LINES and path.stem != "__init__"
    }
    assert all(ADAPTERS.values())
    assert small == SMALL_MODULE_DEBTS | set(ADAPTERS)


def test_a_class_or_public_function_has_a_name_of_its_own():
    places: dict[str, set[str]] = {}
    for path in MODULES:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_":
                places.setdefault(node.name, set()).add(relative(path))
    shared = {name for name, paths in places.items() if len(paths) > 1 and name not in COMMAND_INTERFACE}
    assert shared == SHARED_NAME_DEBTS, {name: places[name] for name in shared - SHARED_NAME_DEBTS}


def test_a_module_has_a_name_of_its_own():
    """Who looks for a subject finds one file."""
    counts = Counter(path.stem for path in MODULES if path.stem != "__init__")
    assert {name for name, count in counts.items() if count > 1} == SHARED_MODULE_NAME_DEBTS


def list_untyped(aliases: dict[str, set[str]], path: Path) -> list[str]:
    """Return each use of ``Any``, and of a name that stands for a type with it, here or in another module."""
    known = aliases.setdefault(relative(path), set())
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            theirs = (
                {"Any"} if node.module == "typing" else aliases.get(relative(to_path(node.module)), set())
            )
            known |= {alias.asname or alias.name for alias in node.names if alias.name in theirs}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node in tree_of(path).body and node.value:
            names = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
            made_of_types = isinstance(node.value, ast.Subscript | ast.BinOp | ast.Name)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if made_of_types and names & known:
                known |= {target.id for target in targets if isinstance(target, ast.Name)}
    loaded = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name))
    return [node.id for node in loaded if isinstance(node.ctx, ast.Load) and node.id in known]


def test_few_places_have_no_type():
    aliases: dict[str, set[str]] = {}
    while True:  # until no module takes another alias from a module that is read after it
        before = sum(map(len, aliases.values()))
        found = {relative(path): list_untyped(aliases, path) for path in MODULES}
        if sum(map(len, aliases.values())) == before:
            break
    assert sum(map(len, found.values())) <= MOST_ANY, found


def test_files_import_each_other_in_no_circle():
    assert list_circles() == CIRCLE_DEBTS


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_function_is_long(path):
    functions = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES]
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(tree_of(path))


def test_no_constant_of_the_geometry_is_written_twice():
    """What two modules must agree on stands in one of them."""
    places: dict[tuple[str, str], list[str]] = {}
    for path in MODULES:
        for node in tree_of(path).body if relative(path).startswith("geodata/") else ():
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                key = node.target.id.strip("_"), ast.unparse(node.value)
                places.setdefault(key, []).append(relative(path))
    twice = {key: paths for key, paths in places.items() if key[0].isupper() and len(paths) > 1}
    assert twice == {}


def test_only_one_module_of_the_product_imports_folium():
    importers = [
        relative(path)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] == "folium" for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "folium")
    ]
    assert set(importers) == {"webmap/folium_map.py", "scripts/bench/map.py"}  # the latter as a peer


@pytest.fixture(scope="module")
def ids():
    """Every id of a place or cluster."""
    facts = read_facts()
    return {*facts.zones, *facts.areas, *facts.clusters, *facts.platforms, *facts.gateways, *facts.towns}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_facts_of_the_city_are_not_in_code(path, ids):
    words = set(chain.from_iterable(re.split(r"[^a-z0-9-]+", string) for string in strings_of(tree_of(path))))
    assert not ids & words


@pytest.mark.parametrize("path", PAGE_FILES, ids=relative)
def test_pages_name_no_outside_host(path):
    assert not OUTSIDE.findall(path.read_text(encoding="utf-8", errors="replace"))


def test_no_template_takes_the_method_of_a_mapping_for_its_member():
    """``row.items`` is a method wherever ``row`` is a mapping, and shows as nothing or worse."""
    found = [
        f"{relative(path)}: {code[0]}"
        for path in PAGE_FILES
        if path.suffix in {".html", ".svg"}
        for code in TEMPLATE_CODE.finditer(path.read_text(encoding="utf-8"))
        if METHOD_TAKEN.search(re.sub(r'"[^"]*"', "", code[0]))
    ]
    assert not found


def test_no_file_names_a_path_of_one_machine_or_a_registry():
    found = {
        f"{relative(path)}: {match[0]}"
        for path in text_files()
        for pattern in (MACHINE_PATH, REGISTRY)
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_only_the_audit_may_be_skipped():
    files = (path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))
    skipping = {path.name for path in files if SKIP.search(path.read_text(encoding="utf-8"))}
    assert skipping <= {"test_audit.py"}


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_every_locked_package_has_a_hash(name):
    lock = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    packages = re.split(r"\n(?=\S)", lock.strip())
    assert packages
    assert all("--hash=sha256:" in package for package in packages)


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_everything_required_is_locked(name):
    lines = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    required = {match[0].lower() for line in lines if (match := re.match(r"[A-Za-z][\w.-]*", line))}
    locked = set(
        re.findall(r"^([\w.-]+)==", (ROOT / f"{name}.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert required <= locked


def test_both_locks_agree():
    pins = [
        set(
            re.findall(r"^[\w.-]+==\S+.*$", (ROOT / f"{name}.lock").read_text(encoding="utf-8"), re.MULTILINE)
        )
        for name in ("requirements", "requirements-test")
    ]
    assert pins[0] <= pins[1]


def test_the_command_is_installed_from_this_checkout():
    (command,) = entry_points(group="console_scripts", name="weihai-layout")
    assert command.value == "scripts.cli:main"


def test_every_message_is_in_both_languages():
    messages = json.loads((ROOT / "scripts/messages.json").read_text(encoding="utf-8"))
    for key, message in messages.items():
        assert set(message) == {"zh", "en"}, key
        fields = [set(re.findall(r"\{(\w+)\}", message[language])) for language in ("zh", "en")]
        assert fields[0] - {"name"} == fields[1] - {"name"}, key


# What a browser is told, what is waited for, and what is read as it is at that moment.
ACTS = {
    *("check", "click", "fill", "go_back", "press", "press_sequentially", "select_option"),
    *("set_input_files", "tap", "type", "uncheck", "up"),
}
AT_ONCE = {
    *("all_inner_texts", "count", "get_attribute", "inner_text", "input_value", "is_checked", "is_disabled"),
    *("is_enabled", "is_hidden", "is_visible", "text_content", "url"),
}
READS = AT_ONCE | {"bounding_box", "eval_on_selector", "eval_on_selector_all", "evaluate", "evaluate_all"}
MOVES_FOCUS = re.compile("'(Tab|Arrow|Home|End|Control)")  # which needs no time
WAITS = {"expect", "goto", "reload", "set_content"}


def names_in(node: ast.AST) -> set[str]:
    """Return the functions and methods that something calls, and ``url`` where it reads a page's address."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = getattr(one.func, "attr", getattr(one.func, "id", ""))
            given = ast.unparse(one.args[0]) if one.args else ""
            no_time = MOVES_FOCUS.match(given) if name == "press" else name == "count" and given
            found |= set() if no_time else {name}
        elif isinstance(one, ast.Attribute) and ast.unparse(one) in {"page.url", "reader.url"}:
            found.add("url")
    return found


def list_hasty(function: ast.FunctionDef) -> list[int]:
    """Return the lines that read from a page what nothing was waited for: right on a quick machine only."""
    found, acted = [], False
    simple = (ast.Assert, ast.Assign, ast.AnnAssign, ast.Expr, ast.Return)
    lines = [one for one in ast.walk(function) if isinstance(one, simple)]
    for line in sorted(lines, key=lambda one: one.lineno):
        names = names_in(line)
        if (acted and names & READS) or (isinstance(line, ast.Assert) and names & AT_ONCE):
            found.append(line.lineno)
        waits = names & WAITS or any(name.startswith(("wait_for", "_open", "open_map")) for name in names)
        acted = bool(names & ACTS) or (acted and not waits)
    return found


BROWSER_TESTS = sorted(
    path
    for path in (ROOT / "tests").rglob("test_*.py")
    if "playwright.sync_api" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", BROWSER_TESTS, ids=relative)
def test_what_a_page_shows_is_waited_for(path):
    """``expect`` waits; ``count()`` and their like say what is there now, which may be too early."""
    functions = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))
    assert [f"{relative(path)}:{line}" for one in functions for line in list_hasty(one)] == []
