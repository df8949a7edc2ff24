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
    print(*(f"{package}/{name}" for name in names), sep="\\n")
"""


def data_files() -> set[str]:
    listed = subprocess.run([sys.executable, "-c", LIST_DATA_FILES], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return set(listed.split())


def test_genre_profiles_and_rubrics_are_packed_beside_the_code_that_reads_them():
    assert {"domain.prompting/genre_profiles.toml", "domain.assessing.judging/rubrics.toml"} <= data_files()


def test_the_data_of_the_metrics_is_packed_beside_the_code_that_reads_it():
    folder = CHECKOUT / "domain" / "assessing" / "metrics"
    expected = {f"domain.assessing.metrics/{path.name}" for path in folder.iterdir() if path.suffix in {".toml", ".txt"}}
    assert expected
    assert expected <= data_files()
