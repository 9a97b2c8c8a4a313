"""A wheel has what the checkout has."""

import subprocess
import sys
import zipfile

import pytest

from curriculum.config.conf import conf_dir


@pytest.mark.slow
def test_a_wheel_carries_the_configuration_and_the_demo(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), "."]
    subprocess.run(build, check=True, cwd=conf_dir().parent)
    (wheel,) = tmp_path.glob("curriculum-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "from curriculum.config.conf import conf_dir\n"
        "from curriculum.config.plugins import options\n"
        "from curriculum.data.demo import FILE\n"
        "print(conf_dir(), FILE, FILE.is_file(), len(options()) > 20)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site", capture_output=True, text=True
    )
    package = tmp_path / "site" / "curriculum"
    demo = package / "demo" / "rollouts.parquet"
    assert done.stdout.split() == [str(package / "conf"), str(demo), "True", "True"]
    templates = conf_dir().parent / "curriculum" / "report" / "templates"
    of_pages = {path.name for path in templates.iterdir()}
    assert of_pages == {path.name for path in (package / "report" / "templates").iterdir()}
