"""Run the claims, and write docs/claims.md from what they found.

    python scripts/claims.py [CLAIM ...]

Each claim is one example, examples/claim_*.py, run at full size in a process of its own; its numbers go to
docs/results/ and its figure to docs/images/. Without names all are run (about half an hour on two quiet cores). The
page is written from all results that are there.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pages import about, filled
from PIL import Image

ROOT = Path(__file__).parent.parent
RESULTS, IMAGES, PAGE = ROOT / "docs" / "results", ROOT / "docs" / "images", ROOT / "docs" / "claims.md"
CLAIMS = (
    "claim_creativity",
    "claim_determinism",
    "claim_mosaic",
    "claim_local_order",
    "claim_extra_fingers",
    "claim_healing",
    "claim_limits",
)
WIDTH = 1400  # pixels of a figure on the page


def run(claim):
    """One example at full size: its numbers with how they were made, and its figure."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(ROOT / "examples" / f"{claim}.py"), "--out", folder], check=True)
        found = json.loads((Path(folder) / claim / "numbers.json").read_text())
        with Image.open(Path(folder) / claim / "figure.png") as picture:
            picture.thumbnail((WIDTH, 10 * WIDTH))
            picture.convert("RGB").save(IMAGES / f"{claim}.png", optimize=True)
    made = about(began) | {"command": f"python examples/{claim}.py"}
    (RESULTS / f"{claim}.json").write_text(json.dumps(made | found, indent=1) + "\n")


def page():
    """Write the table and the sections between the marks of the page."""
    text = PAGE.read_text()
    results = {claim: RESULTS / f"{claim}.json" for claim in CLAIMS}
    saved = {claim: json.loads(path.read_text()) for claim, path in results.items() if path.exists()}
    lines = ["| | claim | what was found | repeat it |", "|---|---|---|---|"]
    for claim, found in saved.items():
        number = CLAIMS.index(claim) + 1
        lines.append(f"| {number} | {found['claim']} | {found['verdict']} | `{found['command']}` |")
    text = filled(text, "table", "\n".join(lines))
    for claim in CLAIMS:
        text = filled(text, claim, section(claim, saved[claim]) if claim in saved else "Not run yet.")
    PAGE.write_text(text)


def digits(value):
    """Three, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def section(claim, found):
    """A table of numbers with their intervals, and the figure."""
    lines = ["| | number | 95% interval | runs |", "|---|---|---|---|"]
    for row in found["rows"]:
        value, low, high = (digits(row[name]) for name in ("value", "low", "high"))
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        lines.append(f"| {row['what']} | **{value}**{unit} | {low} to {high} | {row['runs']} |")
    return "\n".join([*lines, "", f"![{found['claim']}](images/{claim}.png)"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    options = parser.parse_args()
    if unknown := set(options.claims) - set(CLAIMS):
        parser.error(f"unknown claims {sorted(unknown)}; there are {', '.join(CLAIMS)}")
    for claim in options.claims or CLAIMS:
        run(claim)
        page()
