"""Run the claims, and write docs/claims.md from what they found.

    python scripts/claims.py [CLAIM ...] [--out DIR]

Each claim is one example, examples/claim_*.py, run at full size in a process of its own; its numbers go to
docs/results/ and its figure to docs/images/. Without names all are run (about an hour). What lies in the folder already
is not run again: remove it after a change. The page is written from all results that are there.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from pages import filled, versions
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


def run(claim, folder):
    """One example at full size, if it is not there: its numbers with how they were made, and its figure."""
    made = folder / claim
    if not (made / "numbers.json").exists():
        subprocess.run([sys.executable, str(ROOT / "examples" / f"{claim}.py"), "--out", str(folder)], check=True)
    found = json.loads((made / "numbers.json").read_text())
    with Image.open(made / "figure.png") as picture:
        picture.thumbnail((WIDTH, 10 * WIDTH))
        colours = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        colours.save(IMAGES / f"{claim}.png", optimize=True)
    about = {"command": f"python examples/{claim}.py", "versions": versions()}
    (RESULTS / f"{claim}.json").write_text(json.dumps(about | found, indent=1) + "\n")


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


def section(claim, found):
    """A table of numbers with their intervals, and the figure."""
    lines = ["| | number | 95% interval or quartiles, as the row says | runs |", "|---|---|---|---|"]
    for row in found["rows"]:
        unit = f" {row['unit']}" if row["unit"] else ""
        interval = "" if row["low"] is None else f"{row['low']:.3g} to {row['high']:.3g}"
        lines.append(f"| {row['what']} | **{row['value']:.3g}**{unit} | {interval} | {row['runs']} |")
    return "\n".join([*lines, "", f"![{found['claim']}](images/{claim}.png)"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    options = parser.parse_args()
    if unknown := set(options.claims) - set(CLAIMS):
        parser.error(f"unknown claims {sorted(unknown)}; there are {', '.join(CLAIMS)}")
    for claim in options.claims or CLAIMS:
        run(claim, options.out)
    page()
