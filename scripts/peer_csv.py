#!/usr/bin/env python3
"""Compares the whole of a solve, from millions of customers in a CSV to a proven plan, with reading that CSV by pyarrow.

The questions are those of scripts/cordeau.py. Each round runs pyarrow with one thread, then coverplan; the table has the
medians. Ends with an error where coverplan has no proof or takes longer than `ALLOWED` times pyarrow's reading and
`ALLOWED_S` more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from peer_spopt import measure

ALLOWED, ALLOWED_S = 3.0, 5.0
ROUNDS = 3
READ = """\
import sys, time
from pyarrow import csv
begun = time.perf_counter()
csv.read_csv(sys.argv[1], read_options=csv.ReadOptions(use_threads=False))
print(time.perf_counter() - begun)
"""


def reading_s(sites: Path) -> float:
    """Seconds that pyarrow takes to make a table of the file, without Python's start."""
    said, *_ = measure([sys.executable, "-c", READ, str(sites)])
    return float(said)


def solving(coverplan: Path, folder: Path, seed: int) -> tuple[float, float, bool]:
    """Seconds and peak GB of the process, and whether its plan is proven."""
    plan = folder / f"plan-{seed}"
    command = [str(coverplan), "solve", str(folder / "scenario.toml"), "--sites", "none", "--seed", str(seed)]
    _, seconds, megabytes = measure([*command, "--quiet", "--output", str(plan)])
    return seconds, megabytes * 2**20 / 1e9, json.loads((plan / "plan.json").read_text("utf-8"))["status"] == "optimal"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coverplan", type=Path, required=True)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000_000, 20_000_000])
    parser.add_argument("--quick", action="store_true", help="200,000 customers, whose times say little and end nothing")
    options = parser.parse_args()
    print("| customers | pyarrow s | coverplan s | times pyarrow | GB | proven |\n|---|---|---|---|---|---|")
    is_slow = False
    for customers in [200_000] if options.quick else options.customers:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            maker = Path(__file__).with_name("cordeau.py")
            subprocess.run([sys.executable, maker, folder, "--customers", str(customers)], check=True)
            sites = folder / "sites.csv"
            rounds = [(reading_s(sites), *solving(options.coverplan, folder, seed)) for seed in range(ROUNDS)]
        read, solved, memory = (statistics.median(column) for column in list(zip(*rounds))[:3])
        proven = sum(is_proven for *_, is_proven in rounds)
        times = f"{read:.2f} | {solved:.2f} | {solved / read:.2f}"
        print(f"| {customers:,} | {times} | {memory:.2f} | {proven} of {ROUNDS} |", flush=True)
        is_slow |= proven < ROUNDS or (not options.quick and solved > ALLOWED * read + ALLOWED_S)
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
