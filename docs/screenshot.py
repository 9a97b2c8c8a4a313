"""Photograph a page: `python docs/screenshot.py docs/report.png RUN/report.html 1500`."""

import subprocess
import sys
import tempfile
from pathlib import Path

picture, page, height = sys.argv[1:]
with tempfile.TemporaryDirectory() as profile:
    subprocess.run(
        [
            *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--disable-background-networking", "--force-device-scale-factor=1.25"),
            *(f"--user-data-dir={profile}", f"--window-size=1180,{height}"),
            *("--virtual-time-budget=5000", f"--screenshot={Path(picture).resolve()}"),
            Path(page).resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
    )
