"""`-cn NAME`: the sweeps that come with this project are found by their names, wherever it is."""

from __future__ import annotations

from collections.abc import Sequence

from curriculum.config.conf import conf_dir, sweeps_dir
from curriculum.integrations.hydra import parsed


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments; where they name a ready-made sweep and no folder, with its folder."""
    command_line = parsed(arguments)
    file = f"{str(command_line.config_name).removesuffix('.yaml')}.yaml"
    found = (sweeps_dir() / file).is_file() and not (conf_dir() / file).exists()
    if not found or command_line.config_dir is not None or command_line.config_path is not None:
        return list(arguments)
    return [*arguments, "--config-dir", str(sweeps_dir())]
