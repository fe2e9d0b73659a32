"""The rules of the house that a reader can count on, kept by reading the source."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = {".py": 400, ".js": 400, ".css": 400, ".html": 100}
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 5
NAMELESS = {"utils", "helpers", "services", "common", "core"}
# A floor, and what it may not know. Imports point down.
UPPER_FLOORS = {"directory": ("userflows", "identity_portal"), "userflows": ("identity_portal",)}
# A library, and the only places that know it.
SEAMS = {
    "oauth2_provider": ("identity_portal/oidc/", "directory/models/application.py"),
    "oauthlib": ("identity_portal/oidc/",),
    "allauth": ("userflows/federation/", "userflows/passkey.py", "identity_portal/second_factor.py"),
    "fido2": ("userflows/passkey.py", "identity_portal/second_factor.py"),
    "onelogin": ("userflows/federation/",),
}
PRODUCT = ("directory/", "userflows/", "identity_portal/")


def project_files() -> list[str]:
    """Return what is in git, and what is about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    # A released archive has no git in it.
    walked = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.relative_to(ROOT).parts[0][0] != ".")
    return sorted(name for name in (listed if listed[0] else walked) if (ROOT / name).is_file())


PYTHON_FILES = [name for name in project_files() if name.endswith(".py")]


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def upward_imports(name: str, source: str) -> list[str]:
    forbidden = UPPER_FLOORS.get(name.split("/")[0], ())
    modules = imported_modules(ast.parse(source))
    return [module for module in modules if any(is_within(module, floor) for floor in forbidden)]


def imports_past_a_seam(name: str, source: str) -> list[str]:
    if not name.startswith(PRODUCT):
        return []
    forbidden = [library for library, places in SEAMS.items() if not name.startswith(places)]
    modules = imported_modules(ast.parse(source))
    return [module for module in modules if any(is_within(module, library) for library in forbidden)]


def functions(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def hidden_imports(name: str, source: str) -> list[str]:
    return [
        f"{function.name}, line {node.lineno}"
        for function in functions(source)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def long_functions(name: str, source: str) -> list[str]:
    spans = [(function.name, (function.end_lineno or 0) - function.lineno + 1) for function in functions(source)]
    return [f"{function}: {lines} lines" for function, lines in spans if lines > MAX_FUNCTION_LINES]


def functions_with_many_parameters(name: str, source: str) -> list[str]:
    """Those given by name may be more: keyword-only ones, and a test's fixtures. `self` is not given at all."""
    counted = []
    for function in functions(source):
        if name.startswith("tests/") and function.name.startswith("test_"):
            continue
        names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
        count = len(names) - (names[:1] in (["self"], ["cls"]))
        # Hooks of a library are called the way the library calls them.
        if count > MAX_PARAMETERS and function.args.vararg is None:
            counted.append(f"{function.name}: {count} parameters")
    return counted


def signals(name: str, source: str) -> list[str]:
    modules = imported_modules(ast.parse(source))
    return [module for module in modules if is_within(module, "django.dispatch") or "signals" in module.split(".")]


def nameless_modules(name: str, source: str) -> list[str]:
    return sorted(NAMELESS & {Path(part).stem for part in name.split("/")})


def long_files(name: str, source: str) -> list[str]:
    if "/migrations/" in name:
        return []
    lines = source.count("\n")
    return [f"{lines} lines"] if lines > MAX_LINES[Path(name).suffix] else []


Rule = Callable[[str, str], list[str]]
PYTHON_RULES: tuple[Rule, ...] = (
    upward_imports,
    imports_past_a_seam,
    hidden_imports,
    long_functions,
    functions_with_many_parameters,
    signals,
    nameless_modules,
)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: str(rule.__name__))
def test_keeps_the_rule(rule: Rule) -> None:
    broken = {name: rule(name, (ROOT / name).read_text()) for name in PYTHON_FILES}
    assert {name: found for name, found in broken.items() if found} == {}


def test_keeps_files_short() -> None:
    names = [name for name in project_files() if Path(name).suffix in MAX_LINES]
    broken = {name: long_files(name, (ROOT / name).read_text()) for name in names}
    assert {name: found for name, found in broken.items() if found} == {}


def test_finds_the_house_it_guards() -> None:
    for floor in PRODUCT:
        assert len([name for name in PYTHON_FILES if name.startswith(floor)]) > 10


MANY_LINES = "def f():\n" + "    pass\n" * MAX_FUNCTION_LINES
BROKEN: list[tuple[Rule, str, str]] = [
    (upward_imports, "directory/audit.py", "import userflows"),
    (upward_imports, "directory/models/user.py", "from userflows.models import UserFlow"),
    (upward_imports, "directory/models/user.py", "from identity_portal import authority"),
    (upward_imports, "userflows/views.py", "if True:\n    import identity_portal.settings"),
    (imports_past_a_seam, "userflows/views.py", "from oauth2_provider.models import get_grant_model"),
    (imports_past_a_seam, "identity_portal/doctor.py", "import oauthlib.oauth2"),
    (imports_past_a_seam, "directory/models/application.py", "from oauthlib import oauth2"),
    (imports_past_a_seam, "directory/models/user.py", "import allauth"),
    (hidden_imports, "x.py", "def f():\n    if True:\n        import json"),
    (hidden_imports, "x.py", "class A:\n    async def f(self):\n        from a import b"),
    (long_functions, "x.py", MANY_LINES),
    (long_functions, "x.py", "class A:\n" + "".join(f"    {line}\n" for line in MANY_LINES.splitlines())),
    (functions_with_many_parameters, "x.py", "def f(a, b, c, d, e, f): pass"),
    (functions_with_many_parameters, "x.py", "class A:\n    def f(self, a, b, c, /, d, e, f): pass"),
    (signals, "x.py", "from django.dispatch import receiver"),
    (signals, "x.py", "from django.db.models.signals import post_save"),
    (signals, "x.py", "from django.db.models import signals"),
    (nameless_modules, "directory/utils.py", ""),
    (nameless_modules, "directory/core/user.py", ""),
    (long_files, "x.py", "\n" * 401),
    (long_files, "static/portal/portal.css", "\n" * 401),
    (long_files, "templates/base.html", "\n" * 101),
]


@pytest.mark.parametrize(("rule", "name", "source"), BROKEN)
def test_sees_a_broken_rule(rule: Rule, name: str, source: str) -> None:
    assert rule(name, source)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (upward_imports, "userflows/views.py", "from directory.models import User"),
        (upward_imports, "identity_portal/urls.py", "import userflows.urls, directory.audit"),
        (upward_imports, "directory/audit.py", "import userflows_of_others"),
        (imports_past_a_seam, "identity_portal/oidc/tokens.py", "import oauthlib"),
        (imports_past_a_seam, "directory/models/application.py", "import oauth2_provider.models"),
        (long_functions, "x.py", MANY_LINES.removesuffix("    pass\n")),
        (functions_with_many_parameters, "x.py", "class A:\n    def f(self, a, b, c, d, e, *, f, g): pass"),
        (functions_with_many_parameters, "tests/test_x.py", "def test_it(a, b, c, d, e, f): pass"),
        (nameless_modules, "directory/cores.py", ""),
        (long_files, "x.py", "\n" * 400),
        (long_files, "directory/migrations/0001_initial.py", "\n" * 401),
    ],
)
def test_lets_the_rest_pass(rule: Rule, name: str, source: str) -> None:
    assert rule(name, source) == []
