"""The compiled part of the package; everything else stands in pyproject.toml."""

from engine import BuildEngine, extensions
from setuptools import setup

setup(ext_modules=extensions(), cmdclass={"build_ext": BuildEngine})
