"""Every file gets its name when it is whole: nothing else writes under a final name."""

import ast
from pathlib import Path

import curriculum

PACKAGE = Path(curriculum.__file__).parent
WRITERS = {
    *("write_text", "write_bytes", "write_table", "ParquetWriter", "to_parquet", "to_csv"),
    *("savez_compressed", "savez", "savefig", "copyfile", "dump", "save_pretrained"),
}
# Places whose folder is put in place as a whole, or file by file with `settle`.
ASIDE = {
    "layouts": "run/layouts.py has them written aside",
    "run/reading.py": "an entry of the store",
    "report/library.py": "an entry of the store",
    "demo/make_rollouts.py": "made by hand, once",
    "demo/stored.py": "an entry of the store",
    "demo/small_model.py": "an entry of the store",
    "testing": "files of a check, in a folder of its own",
    "compare/change/files.py": "save() has them written aside",
    "run/flat.py": "a writer of a partial file, opened when the first rows are there",
}
LINES = {  # files that grow by a line at a time; what reads them takes the whole lines
    ("trackers/local.py", "open"),
    ("integrations/verl/log.py", "open"),
}
OTHERS = {
    ("core/atomic.py", "open"): "whole itself",
    ("trackers/parts/delivery.py", "open"): "a log of a process of its own",
    ("generators/parts/vllm_server.py", "fdopen"): "a temporary file",
}


def partial_names(function):
    """Names that `with whole(...) as name` binds, and what is opened or written of them."""
    names = set()
    for node in ast.walk(function):
        for item in getattr(node, "items", []):
            call, bound = item.context_expr, item.optional_vars
            called = getattr(getattr(call, "func", None), "id", "")
            if called in ("whole", "whole_folder") and isinstance(bound, ast.Name):
                names.add(bound.id)
            if isinstance(bound, ast.Name) and names & names_in(call):
                names.add(bound.id)  # with partial.open() as file
    return names


def names_in(node):
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def writes(call):
    """What a call is named, if it writes a file."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in WRITERS:
        return name
    if name in ("open", "fdopen"):
        modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
        modes += [each.value.value for each in call.keywords if each.arg == "mode"]
        return name if any(isinstance(m, str) and set(m) & set("wax+") for m in modes) else None
    return None


def found():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        for function in functions:
            partial = partial_names(function)
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                written = writes(call)
                if written and not partial & names_in(call):
                    yield name, function.name, written


def test_nothing_but_whole_writes_under_a_final_name():
    strange = [
        f"{file}: {function} ({written})"
        for file, function, written in found()
        if not any(file == each or file.startswith(f"{each}/") for each in ASIDE)
        and (file, written) not in LINES | OTHERS.keys()
        and "partial" not in function
    ]
    assert not strange, "\n".join(strange)
