"""Compares sweeps for line of sight with gdal_viewshed: time a cell over the terrain of `cargo bench --bench sight`.

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


def seconds(terrain: Path, range_m: float, out: Path) -> float:
    """CPU time would leave out what GDAL waits for; the machine should do nothing else."""
    arguments = ["gdal_viewshed", "-q", "-om", "GROUND", "-ox", "29985", "-oy", "30015", "-oz", "10", "-tz", "0"]
    began = time.perf_counter()
    subprocess.run([*arguments, "-md", str(range_m), "-cc", "0.85714", str(terrain), str(out)], check=True)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("terrain", type=Path, help="hills.tif, as the bench leaves it")
    parser.add_argument("criterion", type=Path, help="target/criterion")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "viewshed.tif"
        rounds = [(seconds(options.terrain, RANGE_M, out), seconds(options.terrain, 90, out)) for _ in range(5)]
    of_gdal = statistics.median(whole - start for whole, start in rounds)
    cells = (2 * RANGE_M // 30 + 1) ** 2
    folder = options.criterion / "sight" / "sweep of one location" / "new"
    estimate = json.loads((folder / "estimates.json").read_text("utf-8"))["median"]["point_estimate"]
    benchmark = json.loads((folder / "benchmark.json").read_text("utf-8"))
    ours = estimate / benchmark["throughput"]["Elements"]
    theirs = of_gdal / cells * 1e9
    print(f"line of sight over 2,000 x 2,000 cells: coverplan {ours:.0f} ns a cell, gdal_viewshed {theirs:.0f} ns a cell")
    print(f"  coverplan takes {ours / theirs:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
