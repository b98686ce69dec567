"""One engine, two families: a Turing pattern grows while noise turns into new images.

Both columns are local rules that see only a small neighbourhood, run by the same engine and measured with the same
rulers. Look at film.gif: a uniform state breaks up into spots; noise settles into shoes that nobody designed. Then
look at figure.png: for every pixel of a new shoe it shows from which training image its patch comes.
"""

import sys
from pathlib import Path

import turingdiff as td

SNEAKER = 7


def main(out="out", images=200, patch="fashion-resnet-zeros", samples=4, shape=(128, 128), frames=150, seed=0):
    pictures, labels = td.data.fashion()
    shoes = pictures[labels == SNEAKER][:images]
    turing, shoemaker = "Turing: Schnakenberg", f"ELS: {len(shoes)} shoes"
    rules = {
        turing: td.morphogenesis.schnakenberg(),
        shoemaker: td.denoising.equivariant_local(shoes, patch=patch, boundary="zero"),
    }
    result = td.compare(rules, samples=samples, shapes={turing: shape}, rng=seed, frames=frames)
    print(result.table)
    folder = Path(out) / "side_by_side"
    for path in result.save(folder):  # film.gif, figure.png, table.csv
        print(path)
    return result


QUICK = {"images": 24, "patch": 5, "samples": 2, "shape": (48, 48), "frames": 30}

if __name__ == "__main__":
    folder = sys.argv[sys.argv.index("--out") + 1] if "--out" in sys.argv else "out"
    main(folder, **(QUICK if "--quick" in sys.argv else {}))
