"""Print the oldest versions of the dependencies that pyproject.toml declares, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
for dependency in project["dependencies"]:
    name, oldest = re.match(r"([\w-]+)>=([\d.]+)", dependency).groups()
    print(f"{name}=={oldest}.0" if oldest.count(".") < 2 else f"{name}=={oldest}")
