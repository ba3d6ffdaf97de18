"""The packages of the wheel. Everything else about it is in pyproject.toml.

static/ lies at the top of the checkout and becomes dino_core/static/ in the wheel: one copy.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["dino_core*", "app*"]), "dino_core.static"],
    package_dir={"dino_core.static": "static"},
)
