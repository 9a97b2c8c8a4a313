"""Who names a sampler wants it tried, and who names a trainer wants it to train."""

from __future__ import annotations

from collections.abc import Sequence

from curriculum.core.names import RECOMMENDED

# What a run gets of the other group where one of them is named; nothing is trained where none is.
BESIDE = {"sampler": f"sampler={RECOMMENDED}", "trainer": "trainer=dry_run"}
NAMES = {*BESIDE, "seed"}  # the seed is theirs alone
CONFIG_NAME = ("-cn", "--config-name")


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments; where they name a sampler or a trainer, with the other one behind it.

    A key of theirs names them too (`sampler.floor=0.1`), but not beside a preset, which has chosen
    already; another primary configuration has chosen whatever is named.
    """
    if any(argument.startswith(CONFIG_NAME) for argument in arguments):
        return list(arguments)
    own = {
        place: argument.lstrip("+").partition("=")
        for place, argument in enumerate(arguments)
        if "=" in argument and not argument.startswith("-")
    }
    chosen = {key: option for key, _, option in own.values() if key in BESIDE}
    by_key = not any(key == "preset" for key, _, _ in own.values())
    named = set(chosen) or (
        by_key and {key.partition(".")[0] for key, _, _ in own.values()} & NAMES
    )
    if not named or "none" in chosen.values():
        return list(arguments)
    beside = [choice for group, choice in BESIDE.items() if group not in chosen]
    behind = max(own) + 1
    return [*arguments[:behind], *beside, *arguments[behind:]]
