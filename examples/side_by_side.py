"""One engine, two families: a Turing pattern grows while noise turns into new images.

Both columns are local rules that see only a small neighbourhood, run by the same engine and measured with the same
rulers. Look at film.gif: a uniform state breaks up into spots and stripes; noise settles into boots that nobody
designed. In figure.png look at the last row: from which training image the patch at each pixel of a new boot comes.
index.html holds it all, and answers clicks.
"""

import argparse
from pathlib import Path

import turingdiff as td

BOOT = 9  # Fashion-MNIST's label


def main(out="out", images=200, patch="fashion-resnet-zeros", samples=4, shape=(128, 128), frames=150, seed=0):
    pictures, labels = td.data.fashion()
    boots = pictures[labels == BOOT][:images]
    turing, denoiser = "Turing: Schnakenberg", f"ELS: {len(boots)} boots"
    rules = {
        turing: td.morphogenesis.schnakenberg(),
        denoiser: td.denoising.equivariant_local(boots, patch=patch, boundary="zero"),
    }
    result = td.compare(rules, samples=samples, shapes={turing: shape}, rng=seed, frames=frames)
    print(result.table)
    for path in result.save(Path(out) / "side_by_side"):  # film, figures, tables, page
        print(path)
    return result


QUICK = {"images": 24, "patch": 5, "samples": 2, "shape": (48, 48), "frames": 30}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
