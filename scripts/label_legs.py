"""Measure the leg counter against labels by eye, and write docs/results/legs.* and docs/images/legs-labelled.png.

    python scripts/label_legs.py make            the pictures, shuffled, without labels (minutes)
    python scripts/label_legs.py sheet FOLDER    sheets to label from: numbers and pictures, nothing else
    python scripts/label_legs.py label FILE      a pass of labels, "number label" a line; 1st and 2nd pass in turn
    python scripts/label_legs.py score           errors of the counter, and the labelled sheet

The question to the eye: how many separate pieces stand at the height of the shins, the first rows of the last quarter
(beside every picture a tick)? 0: nothing there, -1: cannot tell. The first pass is the one that is scored; the second,
in another order, says how well the eye agrees with itself. It was one eye. It knew what kinds there are but not which
picture is of which, it looked at doubtful pictures enlarged, and no count was made before both passes. The counter was
tuned before, on other samples and on the training images below TUNED, and not changed since.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.files import atomic_path
from turingdiff.show import save_figure

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples"))
from claim_extra_fingers import CONDITIONS, TROUSERS, legs, share  # noqa: E402

DATA, REPORT = ROOT / "docs" / "results" / "legs.npz", ROOT / "docs" / "results" / "legs.json"
PICTURE = ROOT / "docs" / "images" / "legs-labelled.png"
EACH, SEED, KNOWN = 12, 4000, 60  # pictures of a kind; the pictures of the example have other seeds
TUNED = 120  # training images up to here were looked at while the counter was tuned
SHEET = 14  # pictures of a sheet


def make(options):
    """Samples of every condition and training images, shuffled, as bytes; those of 28 columns padded to 56."""
    pictures, labels = td.data.fashion()
    trousers = pictures[labels == TROUSERS]
    made = [trousers[TUNED::6][:EACH], *(legs(name, trousers[:KNOWN], EACH, seed=SEED) for name in CONDITIONS)]
    names = np.repeat(["training", *CONDITIONS], [len(batch) for batch in made])
    widths = np.repeat([batch.shape[3] for batch in made], [len(batch) for batch in made])
    images = np.zeros((len(names), 28, widths.max()), np.uint8)
    for n, picture in enumerate(picture for batch in made for picture in batch):
        images[n, :, : widths[n]] = np.rint((np.clip(picture[0], -1, 1) + 1) * 127.5)
    order = np.random.default_rng(SEED).permutation(len(names))
    save(images=images[order], width=widths[order], kind=names[order], labels=np.empty((0, len(names)), np.int8))


def sheet(options):
    """Sheets of the pictures, in another order for the second pass."""
    data = load()
    passes = len(data["labels"])
    order = np.random.default_rng(passes).permutation(len(data["images"])) if passes else np.arange(len(data["images"]))
    for page, start in enumerate(range(0, len(order), SHEET)):
        chosen = order[start : start + SHEET]
        figure = draw(data, chosen, [str(n) for n in chosen], columns=14, inches=1.9)
        save_figure(figure, Path(options.argument) / f"pass-{passes + 1}-{page}.png", dpi=100)


def label(options):
    """Add a pass of labels."""
    data = load()
    told = dict(map(int, line.split()) for line in Path(options.argument).read_text().splitlines() if line.strip())
    if sorted(told) != list(range(len(data["images"]))):
        raise SystemExit(f"expected a label for each of 0 to {len(data['images']) - 1}, once")
    data["labels"] = np.vstack([data["labels"], [told[n] for n in sorted(told)]]).astype(np.int8)
    save(**data)


def score(options):
    """Count, compare, write the report and draw the sheet."""
    data = load()
    first, second = data["labels"]
    counts = np.array([td.measure.count_legs(picture) for picture in unit(data)])
    told = first >= 0
    wrong = told & (counts != first)
    both = told & (second >= 0)
    narrow = told & (data["width"] == 28)
    report = {
        "pictures": len(counts),
        "cannot tell": int((~told).sum()),
        "wrong": rate(wrong[told]),
        "off by more than one": rate(np.abs(counts - first)[told] > 1),
        "28 columns: more than two counted, two or fewer seen": rate((counts > 2)[narrow & (first <= 2)]),
        "28 columns: two or fewer counted, more seen": rate((counts <= 2)[narrow & (first > 2)]),
        "mean count less mean label": {
            f"{width} columns": round(float((counts - first)[told & (data["width"] == width)].mean()), 3)
            for width in np.unique(data["width"])
        },
        "the eye against itself": rate((first != second)[both]),
        "wrong by kind": {str(kind): rate(wrong[told & (data["kind"] == kind)]) for kind in np.unique(data["kind"])},
        "label: {count: pictures}": {
            str(a): {str(b): int(n) for b, n in zip(*np.unique(counts[first == a], return_counts=True), strict=True)}
            for a in np.unique(first)
        },
    }
    with atomic_path(REPORT) as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))
    order = np.lexsort((data["kind"], data["width"]))
    captions = [f"{n}: {'?' if first[n] < 0 else first[n]} | {counts[n]}" for n in order]
    figure = draw(data, order, captions, columns=24, inches=0.8, marked=wrong[order], head=0.45)
    legend = (
        "number: label by eye | count (red: they differ; ?: cannot tell). Ticks: the middle of the rows counted.\n"
        f"Row by row: {', '.join(dict.fromkeys(data['kind'][order].tolist()))}"
    )
    figure.text(0.005, 0.995, legend, va="top", fontsize=9)
    save_figure(figure, PICTURE, dpi=100)


def rate(wrong):
    """How many of how many, and the share with its interval."""
    found, hits = share(wrong), int(wrong.sum())
    ends = [round(found.low, 3), round(found.high, 3)]
    return {"hits": hits, "of": found.runs, "share": round(found.value, 3), "95%": ends}


def unit(data):
    """The pictures as they were, from -1 to 1."""
    pairs = zip(data["images"], data["width"], strict=True)
    return [image[:, :width] / 127.5 - 1 for image, width in pairs]


def draw(data, chosen, captions, columns, inches, marked=None, head=0.0):
    """Pictures in rows of as many columns, a wide one taking two."""
    places, column, row = [], 0, 0
    for n in chosen:
        wide = int(data["width"][n] // 28)
        if column + wide > columns // 2:
            column, row = 0, row + 1
        places.append((row, column, wide))
        column += wide
    rows, tall = row + 1, inches + 0.22
    figure = Figure(figsize=(columns // 2 * (inches + 0.1), rows * tall + head), facecolor="0.85")
    width, height = figure.get_size_inches()
    for k, (n, (row, column, wide)) in enumerate(zip(chosen, places, strict=True)):
        left, bottom = column * (inches + 0.1) + 0.05, height - head - (row + 1) * tall + 0.02
        size = (wide * (inches + 0.1) - 0.1) / width, inches / height
        ax = figure.add_axes((left / width, bottom / height, *size))
        ax.imshow(data["images"][n, :, : data["width"][n]], cmap="gray", vmin=0, vmax=255, aspect="auto")
        ax.set(xticks=[], yticks=[23])
        ax.tick_params(left=False, labelleft=False, right=True, direction="in", length=3, color="tab:orange")
        bad = marked is not None and marked[k]
        ax.set_title(captions[k], fontsize=8, pad=2, color="tab:red" if bad else "black", loc="left")
        ax.spines[:].set(color="tab:red" if bad else "0.85", linewidth=2 if bad else 0.5)
    return figure


def load():
    with np.load(DATA) as file:
        return dict(file)


def save(**arrays):
    with atomic_path(DATA) as path:
        np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("make", "sheet", "label", "score"))
    parser.add_argument("argument", nargs="?", help="the folder of the sheets; the file of the labels")
    options = parser.parse_args()
    if options.stage in ("sheet", "label") and options.argument is None:
        parser.error(f"{options.stage} takes one more argument, see --help")
    {"make": make, "sheet": sheet, "label": label, "score": score}[options.stage](options)
