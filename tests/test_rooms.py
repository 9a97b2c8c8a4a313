"""The house: every room imports rooms of the floors below it, and no other."""

import ast
from itertools import chain
from pathlib import Path

import curriculum

PACKAGE = Path(curriculum.__file__).parent
STRATEGIES = (
    *("data", "generators", "rewards", "metrics", "bucketers", "budgets"),
    *("samplers", "trainers", "trackers", "layouts"),
)
# From the ground up. Rooms of one floor don't import each other.
FLOORS = (
    ("core",),
    ("integrations",),
    ("config", "store", "formats"),
    STRATEGIES,
    ("demo",),
    ("report",),
    ("sweep",),
    ("compare",),
    ("run",),
    ("testing",),
)
# Where a strategy is made of those of another room, and nothing simpler would do.
ALLOWED = {
    ("trainers", "samplers"),  # a trainer drives a curriculum
}
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
        if FLOOR[imported] >= FLOOR[room] and (room, imported) not in ALLOWED
    ]
    assert not upward, "\n".join(upward)
