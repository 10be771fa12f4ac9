#!/usr/bin/env python3
"""Turns numbers of customers and locations into a scenario folder of the family of Cordeau, Furini and Ljubic (2019).

Customers and locations lie uniformly at random in a square of 30 x 30, customers weigh whole numbers from 1 to 100.
A unit of the square is a kilometre here, coordinates are metres. Same arguments, same bytes.

Source: J.-F. Cordeau, F. Furini, I. Ljubic, Benders decomposition for very large scale partial set covering and
maximal covering location problems, European Journal of Operational Research 275 (2019), section 5.1.

    python3 scripts/cordeau.py FOLDER --customers 1000000 --locations 100 --km 5.5 --units 15
"""

import argparse
import pathlib
import random

SIDE_M = 30_000
LINES = 100_000

SCENARIO = """name = "cordeau-{customers}-{locations}"
distance = "planar"

[sites]
source = "sites.csv"
x = "x"
y = "y"

[locations]
source = "locations.csv"
x = "x"
y = "y"
max_units = 1

[[unit_types]]
id = "unit"
reach = {{ kind = "range", km = {km} }}

[[contributors]]
id = "all"

[[offers]]
contributor = "all"
unit_type = "unit"
count = {units}

[[requirements]]
id = "cover"
unit_types = ["unit"]
"""


def points(path, count, seed, is_weighted):
    """Writes a CSV of `count` points in metres, a millimetre exact."""
    source = random.Random(seed).random
    with path.open("w", encoding="ascii") as out:
        out.write("id,x,y,weight\n" if is_weighted else "id,x,y\n")
        for first in range(0, count, LINES):
            rows = range(first + 1, min(first + LINES, count) + 1)
            if is_weighted:
                text = [f"{i},{source() * SIDE_M:.3f},{source() * SIDE_M:.3f},{1 + int(source() * 100)}\n" for i in rows]
            else:
                text = [f"{i},{source() * SIDE_M:.3f},{source() * SIDE_M:.3f}\n" for i in rows]
            out.writelines(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--locations", type=int, default=100)
    parser.add_argument("--km", type=float, default=5.5, help="range of a unit")
    parser.add_argument("--units", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    points(wanted.folder / "sites.csv", wanted.customers, wanted.seed, is_weighted=True)
    points(wanted.folder / "locations.csv", wanted.locations, wanted.seed + 1_000_000, is_weighted=False)
    text = SCENARIO.format(**vars(wanted))
    (wanted.folder / "scenario.toml").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
