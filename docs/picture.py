"""Draw what a command shows in a terminal: `python docs/picture.py docs/run.svg python run.py`."""

import io
import os
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 92

path, *command = sys.argv[1:]
environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
console = Console(record=True, width=WIDTH, file=io.StringIO())
console.print(Text.from_ansi(shown.stdout.strip("\n")))
console.save_svg(path, title=" ".join(command))
