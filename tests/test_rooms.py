"""The house: every room imports rooms of the floors below it, and no other."""

import ast
import re
from collections import Counter
from itertools import chain
from pathlib import Path

import curriculum
from curriculum.config.conf import conf_dir

PACKAGE = Path(curriculum.__file__).parent
STRATEGIES = (
    *("data", "generators", "rewards", "metrics", "bucketers", "budgets"),
    *("trainers", "trackers", "layouts"),
)
# From the ground up. Rooms of one floor don't import each other.
FLOORS = (
    ("core",),
    ("samplers",),  # the online half: a trainer's process needs nothing above it
    ("integrations",),
    ("config", "store", "formats"),
    STRATEGIES,
    ("demo",),
    ("report",),
    ("sweep",),
    ("compare",),
    ("watch",),
    ("run",),
    ("testing",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports(path: Path) -> set[str]:
    """Rooms of this package that a file imports, inside functions too."""
    tree = ast.parse(path.read_text())
    modules = chain.from_iterable(
        [node.module or ""]
        if isinstance(node, ast.ImportFrom) and node.module != "curriculum"
        else [f"curriculum.{alias.name}" for alias in node.names]
        if isinstance(node, ast.ImportFrom)
        else [alias.name for alias in node.names]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    return {each.split(".")[1] for each in modules if each.startswith("curriculum.")}


def test_every_folder_has_its_floor():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(FLOOR)
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py"}


def test_rooms_import_only_what_lies_below_them():
    upward = [
        f"{path.relative_to(PACKAGE)} imports {imported}"
        for room in FLOOR
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for imported in sorted(imports(path) - {room})
        if FLOOR[imported] >= FLOOR[room]
    ]
    assert not upward, "\n".join(upward)


def strategies() -> dict[str, tuple[str, str]]:
    """Class and option of every built-in strategy: {group/option: (room, class)}."""
    found = {}
    for path in sorted(conf_dir().glob("*/*.yaml")):
        target = re.search(r"^_target_: curriculum\.(\w+)[\w.]*\.(\w+)$", path.read_text(), re.M)
        if target:
            found[f"{path.parent.name}/{path.stem}"] = (target[1], target[2])
    return found


def test_no_room_asks_which_strategy_it_has():
    """No isinstance of a strategy, and no comparison with its option's name, outside its room."""
    classes = {name: room for room, name in strategies().values()}
    # Metrics are columns too, whose names tables and pages may use; so are words like "recorded".
    # A word of several groups, like "verl", may be that of another.
    groups = ("bucketer", "sampler", "budget", "generator", "trainer", "tracker")
    words = Counter(option.split("/")[1] for option in strategies())
    options = {
        option.split("/")[1]: room
        for option, (room, _) in strategies().items()
        if option.split("/")[0] in groups
        and option.split("/")[1] not in METRICS
        and words[option.split("/")[1]] == 1
    }
    asked = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0]
        nodes = ast.walk(ast.parse(path.read_text()))
        for node in (node for node in nodes if isinstance(node, ast.expr)):
            for word, home in (*_classes_tested(node, classes), *_words_compared(node, options)):
                if home != room:
                    asked.append(f"{path.relative_to(PACKAGE)}:{node.lineno} asks for {word}")
    assert not asked, "\n".join(asked)


METRICS = {path.stem for path in (conf_dir() / "metric").glob("*.yaml")}


def _classes_tested(node: ast.AST, classes: dict[str, str]) -> list[tuple[str, str]]:
    if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"):
        return []
    names = {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node.args[1])}
    return [(name, classes[name]) for name in names & set(classes)]


def _words_compared(node: ast.AST, options: dict[str, str]) -> list[tuple[str, str]]:
    if not isinstance(node, ast.Compare):
        return []
    sides = [inner for side in (node.left, *node.comparators) for inner in ast.walk(side)]
    values = {each.value for each in sides if isinstance(each, ast.Constant)}
    return [(word, home) for word, home in options.items() if word in values]
