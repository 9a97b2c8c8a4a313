"""Who names a sampler wants it tried, and who names a trainer wants it to train."""

from __future__ import annotations

from collections.abc import Sequence

# What a run gets of the other group where one of them is named; nothing is trained where none is.
BESIDE = {"sampler": "sampler=thompson", "trainer": "trainer=dry_run"}
NAMES = {*BESIDE, "seed"}  # the seed is theirs alone
CONFIG_NAME = ("-cn", "--config-name")


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments; where they name a sampler or a trainer, with the other one behind them.

    A key of theirs names them too (`sampler.floor=0.1`), unless the primary configuration is
    another, which may have chosen already.
    """
    own = [argument.lstrip("+").partition("=") for argument in arguments if "=" in argument]
    chosen = {key: option for key, _, option in own if key in BESIDE}
    elsewhere = any(argument.startswith(CONFIG_NAME) for argument in arguments)
    named = set(chosen) or (not elsewhere and {key.partition(".")[0] for key, _, _ in own} & NAMES)
    if not named or "none" in chosen.values():
        return list(arguments)
    return [*arguments, *(beside for group, beside in BESIDE.items() if group not in chosen)]
