"""Compares sweeps for line of sight with gdal_viewshed: time a cell, 500 observers on the terrain of `cargo bench --bench sight`.

Both on one core: a sweep is one thread's work, and gdal_viewshed has one. GDAL's time is that of its process less that
of starting it (a viewshed of a few cells), so that reading and writing the raster count for it alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RANGE_M = 28_000


def seconds(terrain: Path, place: list[float], range_m: float, out: Path) -> float:
    """CPU time would leave out what GDAL waits for; the machine should do nothing else."""
    arguments = ["gdal_viewshed", "-q", "-om", "GROUND", "-ox", str(place[0]), "-oy", str(place[1]), "-oz", "10", "-tz", "0"]
    began = time.perf_counter()
    subprocess.run([*arguments, "-md", str(range_m), "-cc", "0.85714", str(terrain), str(out)], check=True)
    return time.perf_counter() - began


def cells(raster: Path) -> int:
    done = subprocess.run(["gdalinfo", "-json", str(raster)], capture_output=True, check=True)
    width, height = json.loads(done.stdout)["size"]
    return width * height


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("terrain", type=Path, help="hills.tif, as the bench leaves it beside observers.json")
    options = parser.parse_args()
    ours = json.loads(options.terrain.with_name("observers.json").read_text("utf-8"))
    whole, of_gdal = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "viewshed.tif"
        start = statistics.median(seconds(options.terrain, ours["observers"][0], 90, out) for _ in range(5))
        for place in ours["observers"]:
            whole += seconds(options.terrain, place, RANGE_M, out) - start
            of_gdal += cells(out)
    own, theirs = ours["seconds"] / ours["cells"] * 1e9, whole / of_gdal * 1e9
    print(
        f"line of sight, {len(ours['observers'])} observers over 2,000 x 2,000 cells: coverplan {own:.0f} ns a cell, "
        f"gdal_viewshed {theirs:.0f} ns a cell"
    )
    print(f"  coverplan takes {own / theirs:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
