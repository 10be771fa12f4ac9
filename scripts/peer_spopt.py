#!/usr/bin/env python3
"""Compares coverplan with spopt's MCLP on the same random instances: optimum, wall time and peak memory.

Both run as whole processes, from the same CSV files to the answer.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Keep this file free of numpy and spopt outside of `solve_with_spopt`: Linux counts the memory of the process that
# starts a child as a floor of the child's peak, so the one that measures has to be small. The header tells the floor.

SCENARIO = """\
name = "bench"
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
max_units = {units}

[[offers]]
contributor = "all"
unit_type = "unit"
count = {units}

[[requirements]]
id = "cover"
unit_types = ["unit"]
"""

TIME_LIMIT_S = 3600


@dataclass(frozen=True)
class Size:
    """Points to cover, candidates, radius in metres of a 100 m x 100 m plane, and units to place."""

    demand: int
    candidates: int
    radius_m: int
    units: int

    @property
    def label(self) -> str:
        return f"{self.demand:,} x {self.candidates:,} R{self.radius_m} p{self.units}"


SIZES = (Size(3_000, 300, 12, 15), Size(5_000, 500, 4, 30), Size(10_000, 1_000, 3, 50))
DEFAULT_SEEDS = "3,3,2"


@dataclass(frozen=True)
class Run:
    """One whole process: its optimum, wall time and the peak of its largest process."""

    optimum: float
    seconds: float
    megabytes: float
    import_seconds: float = 0.0


@dataclass(frozen=True)
class Pair:
    """Both programs on one instance."""

    spopt: Run
    coverplan: Run

    @property
    def time_ratio(self) -> float:
        return self.spopt.seconds / self.coverplan.seconds

    @property
    def memory_ratio(self) -> float:
        return self.spopt.megabytes / self.coverplan.megabytes


def write_points(path: Path, count: int, rng: random.Random, *, weighted: bool) -> None:
    """Writes uniform points; both programs read the same six decimals."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "x", "y", "weight"] if weighted else ["id", "x", "y"])
        for number in range(count):
            point = [f"{number}", f"{rng.uniform(0, 100):.6f}", f"{rng.uniform(0, 100):.6f}"]
            rows.writerow([*point, rng.randint(1, 100)] if weighted else point)


def write_instance(folder: Path, size: Size, seed: int) -> None:
    """Writes sites.csv, locations.csv, scenario.toml for coverplan and size.json for spopt."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    write_points(folder / "sites.csv", size.demand, rng, weighted=True)
    write_points(folder / "locations.csv", size.candidates, rng, weighted=False)
    scenario = SCENARIO.format(km=f"{size.radius_m / 1000:.3f}", units=size.units)
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
    parameters = {"radius": size.radius_m, "units": size.units}
    (folder / "size.json").write_text(json.dumps(parameters), encoding="utf-8")


def solve_with_spopt(folder: Path) -> None:
    """What a user of spopt writes; prints the optimum and the time its imports took as JSON."""
    start = time.perf_counter()
    import numpy as np
    import pulp
    from scipy.spatial.distance import cdist
    from spopt.locate import MCLP

    import_seconds = time.perf_counter() - start
    size = json.loads((folder / "size.json").read_text(encoding="utf-8"))
    demand = np.loadtxt(folder / "sites.csv", delimiter=",", skiprows=1)
    candidates = np.loadtxt(folder / "locations.csv", delimiter=",", skiprows=1)
    costs = cdist(demand[:, 1:3], candidates[:, 1:3])
    model = MCLP.from_cost_matrix(costs, demand[:, 3], size["radius"], p_facilities=size["units"])
    model.solve(pulp.PULP_CBC_CMD(msg=False), results=False)
    # The status alone also says "Optimal" for a plan that a limit cut short.
    if model.problem.sol_status != pulp.LpSolutionOptimal:
        sys.exit("spopt: not proven optimal")
    print(json.dumps({"optimum": pulp.value(model.problem.objective), "import_seconds": import_seconds}))


def measure(command: list[str]) -> tuple[str, float, float]:
    """Runs a command; returns its stdout, wall seconds and peak megabytes."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            err.seek(0)
            sys.exit(f"exit {process.returncode}: {' '.join(command)}\n{err.read()}")
        out.seek(0)
        # Linux gives kilobytes; a child of the command that was waited for (CBC) is within the maximum.
        return out.read(), seconds, usage.ru_maxrss / 1024


def run_spopt(folder: Path) -> Run:
    """Measures spopt, with CBC as PuLP brings it along."""
    output, seconds, megabytes = measure([sys.executable, __file__, "spopt", str(folder)])
    answer = json.loads(output)
    return Run(answer["optimum"], seconds, megabytes, answer["import_seconds"])


def run_coverplan(binary: Path, folder: Path) -> Run:
    """Measures `coverplan solve`, its own judging and writing of the plan included."""
    plan_folder = folder / "bench.plan"
    limit = ["--time-limit", str(TIME_LIMIT_S)]
    command = [str(binary), "solve", str(folder / "scenario.toml"), "--output", str(plan_folder), "--quiet", *limit]
    _, seconds, megabytes = measure(command)
    plan = json.loads((plan_folder / "plan.json").read_text(encoding="utf-8"))
    if plan["status"] != "optimal":
        sys.exit(f"coverplan: {folder.name} ended as {plan['status']}, not optimal")
    return Run(plan["requirements"][0]["covered_weight"], seconds, megabytes)


def compare(binary: Path, size: Size, seed: int, work: Path) -> Pair:
    """Runs both on one instance; ends the script when they disagree."""
    folder = work / f"{size.demand}-{size.candidates}-{seed}"
    write_instance(folder, size, seed)
    pair = Pair(spopt=run_spopt(folder), coverplan=run_coverplan(binary, folder))
    # Weights are integers, so two optima that differ do so by at least 1.
    if abs(pair.spopt.optimum - pair.coverplan.optimum) > 0.5:
        sys.exit(
            f"optimum differs on {size.label}, seed {seed}: "
            f"spopt {pair.spopt.optimum}, coverplan {pair.coverplan.optimum}"
        )
    return pair


def print_header() -> None:
    _, _, floor = measure(["true"])
    print(
        f"whole processes, {os.cpu_count()} cores; ratio = spopt / coverplan; "
        f"peak memory of the largest process, which reads {floor:.0f} MB or more for any"
    )
    print(
        f"{'instance':<26}{'seed':>5}{'optimum':>10}{'spopt s':>10}{'(imports)':>11}{'coverplan s':>13}"
        f"{'ratio':>9}{'spopt MB':>10}{'coverplan MB':>14}{'ratio':>8}"
    )


def print_row(label: str, seed: int, pair: Pair) -> None:
    spopt, ours = pair.spopt, pair.coverplan
    print(
        f"{label:<26}{seed:>5}{spopt.optimum:>10.0f}{spopt.seconds:>10.2f}{f'({spopt.import_seconds:.2f})':>11}"
        f"{ours.seconds:>13.3f}{pair.time_ratio:>9.1f}{spopt.megabytes:>10.0f}{ours.megabytes:>14.0f}"
        f"{pair.memory_ratio:>8.1f}",
        flush=True,
    )


def print_medians(label: str, pairs: list[Pair]) -> None:
    time_ratio = statistics.median(pair.time_ratio for pair in pairs)
    memory_ratio = statistics.median(pair.memory_ratio for pair in pairs)
    print(f"median  {label:<26} time {time_ratio:8.1f} x   memory {memory_ratio:6.1f} x   ({len(pairs)} seeds)")


def compare_all(binary: Path, seeds: list[int]) -> None:
    """Every size with its number of seeds; a row each, then the medians."""
    results: dict[Size, list[Pair]] = {}
    print_header()
    with tempfile.TemporaryDirectory() as work:
        for size, count in zip(SIZES, seeds, strict=False):
            for seed in range(1, count + 1):
                pair = compare(binary, size, seed, Path(work))
                print_row(size.label, seed, pair)
                results.setdefault(size, []).append(pair)
    print()
    for size, pairs in results.items():
        print_medians(size.label, pairs)
    print_medians("all", [pair for pairs in results.values() for pair in pairs])
    print("every optimum is equal")


def seed_counts(text: str) -> list[int]:
    """Reads "3,3,2": seeds for each size, smallest first; sizes left out do not run."""
    counts = [int(part) for part in text.split(",")]
    if len(counts) > len(SIZES) or min(counts) < 0 or not any(counts):
        raise argparse.ArgumentTypeError(f"up to {len(SIZES)} counts, not all 0, expected")
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    both = verbs.add_parser("compare", help="run both programs and print a table")
    both.add_argument("--coverplan", type=Path, required=True, help="the binary")
    both.add_argument("--seeds", type=seed_counts, default=DEFAULT_SEEDS, help="seeds per size [%(default)s]")
    both.add_argument("--quick", action="store_true", help="only the smallest size, one seed")
    one = verbs.add_parser("spopt", help="solve one instance with spopt (used by compare)")
    one.add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.verb == "spopt":
        solve_with_spopt(options.folder)
    else:
        compare_all(options.coverplan, [1] if options.quick else options.seeds)


if __name__ == "__main__":
    main()
