"""Theory against experiment: a trained network, and the formula that predicts its pictures from the same noise.

The network (a small convolutional ResNet that comes with the package) was trained on the 2,000 bundled images to remove
noise. Nobody told it to be local, but its convolutions are. The equivariant local score machine (ELS) is a formula over
the same images with no training at all. From the same noise they make the same picture, and it is in no training set:
the ideal denoiser, which knows whole images, makes another one. Look at the columns of the figure, then at the curves.

    network: a trained network, or `turingdiff train --out mine.npz` for one of your own
"""

import argparse
from pathlib import Path

import turingdiff as td


def main(out="out", network="resnet-zeros", seeds=5, images=2000):
    known = td.data.fashion()[0][:images]
    trained = td.denoising.network(network)
    result = td.compare(
        {
            "network": trained,
            # Patch sizes calibrated to this network, level by level: docs/theory-and-experiment.md
            "ELS": td.denoising.equivariant_local(known, patch="resnet-zeros"),
            "LS": td.denoising.local(known, patch="resnet-zeros-local"),
            "ideal": td.denoising.ideal(known),
        },
        reference="network",
        seeds=seeds,
        samples=min(seeds, 5),
        rng=0,
    )
    print(result.table)
    result.save(Path(out) / "theory_and_network")
    return result


QUICK = {"seeds": 2, "images": 300}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
