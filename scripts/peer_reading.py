"""Compares reading 200,000 points with serde_json alone (GeoJSON) and pyogrio (GeoPackage), on the files of `cargo bench --bench loading`."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import pyogrio

COLUMNS = ["id", "kind", "weight"]
ROUNDS = 11


def seconds(path: Path) -> float:
    """Geometries as well-known bytes and columns as arrays: the least that pyogrio makes of a layer."""
    began = time.perf_counter()
    pyogrio.raw.read(path, columns=COLUMNS)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="points.gpkg, as the bench leaves it")
    parser.add_argument("criterion", type=Path, help="target/criterion")
    options = parser.parse_args()

    def estimate(name: str) -> float:
        path = options.criterion / "loading" / name / "new" / "estimates.json"
        return json.loads(path.read_text("utf-8"))["median"]["point_estimate"] / 1e9

    ours = estimate("GeoJSON")
    print(f"GeoJSON, 200,000 points: coverplan {ours:.3f} s")
    for kind in ("values", "structures"):
        alone = estimate(f"GeoJSON by serde_json as {kind}")
        print(f"  {ours / alone:.2f} times as long as serde_json alone, which reads {kind} in {alone:.3f} s")
    seconds(options.package)
    theirs = statistics.median(seconds(options.package) for _ in range(ROUNDS))
    ours = estimate("GeoPackage")
    print(f"GeoPackage, 200,000 points: coverplan {ours:.3f} s, pyogrio {theirs:.3f} s")
    print(f"  coverplan takes {ours / theirs:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
