"""A package that is installed has what the code reads beside itself."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
LIST_DATA_FILES = """
from setuptools import Distribution
distribution = Distribution()
distribution.parse_config_files()
command = distribution.get_command_obj("build_py")
command.finalize_options()
for package, _, _, names in command.get_data_files_without_manifest():
    print(*(f"{package}/{name}" for name in names), sep="\\n", end="")
"""


def test_the_genre_profiles_are_packed_beside_the_code_that_reads_them():
    listed = subprocess.run([sys.executable, "-c", LIST_DATA_FILES], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    assert "domain.prompting/genre_profiles.toml" in listed.split()
