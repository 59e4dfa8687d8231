"""Refuse a Python that cannot run Duijie, with the way out, before anything is downloaded."""

import importlib.util
import sys

if sys.version_info < (3, 11):
    sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
if importlib.util.find_spec("ensurepip") is None:
    sys.exit("The venv module cannot install pip here. On Debian or Ubuntu: apt-get install python3-venv")
