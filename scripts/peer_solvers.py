#!/usr/bin/env python3
"""Compares coverplan with itself (one model) and with highspy, OR-tools CP-SAT and spopt: value, bound, gap and time.

Every solver is a process of its own, from the same files to the answer, with the same limits of time, memory, threads.
Values and bounds are held against each other: one that contradicts another ends the script.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import importlib.metadata
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from peer_cases import Case, cases

# Keep this file free of numpy: Linux counts the memory of the process that starts a child as a floor of its peak.

HERE = Path(__file__).resolve().parent
OURS = ("auto", "compact")
# Questions of one kind beyond which the table has them together.
MANY = 20
PEERS = ("highspy", "cp-sat", "spopt")


@dataclass(frozen=True)
class Run:
    """One solver on one question."""

    solver: str
    seconds: float
    megabytes: float
    value: float | None = None
    bound: float | None = None
    is_proven: bool = False
    note: str = ""

    @property
    def gap(self) -> float | None:
        """As a fraction of the larger of the two."""
        if self.value is None or self.bound is None:
            return None
        return abs(self.bound - self.value) / max(abs(self.value), abs(self.bound), 1e-12)


@dataclass(frozen=True)
class Limits:
    """What every solver is given."""

    seconds: float
    threads: int
    gigabytes: float

    @property
    def patience_s(self) -> float:
        """A process that has no answer by then is ended: reading and building come on top of solving."""
        return 3 * self.seconds + 60


def measure(command: list[str], limits: Limits) -> tuple[str, str, float, float]:
    """Runs a command within the limits; returns stdout, what went wrong, wall seconds and peak megabytes."""
    most = int(limits.gigabytes * 2**30)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        start = time.perf_counter()
        limit_memory = lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))
        process = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=limit_memory, start_new_session=True)
        is_late = False
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if not is_late and time.perf_counter() - start > limits.patience_s:
                is_late = True
                os.killpg(process.pid, 9)
            time.sleep(0.005)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        for file in (out, err):
            file.seek(0)
        words = err.read().strip().splitlines()
        fault = ""
        if is_late:
            fault = f"no answer in {limits.patience_s:.0f} s"
        elif process.returncode:
            fault = f"exit {process.returncode}: {words[-1] if words else 'no words'}"
        return out.read(), fault, seconds, ended[2].ru_maxrss / 1024


def run_ours(binary: Path, method: str, folder: Path, seed: int, limits: Limits) -> Run:
    """`coverplan solve`, with its own judging and writing of the plan."""
    members = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    scenario = members.get("scenario", str(folder / "scenario.toml"))
    plan_folder = folder / f"{method}.plan"
    command = [str(binary), "solve", scenario, "--output", str(plan_folder), "--overwrite", "--quiet", "--sites=none"]
    command += ["--method", method, "--time-limit", str(limits.seconds)]
    command += ["--seed", str(seed), "--threads", str(limits.threads)]
    for setting in members.get("settings", []):
        command += ["--set", setting]
    _, fault, seconds, megabytes = measure(command, limits)
    if fault:
        return Run(method, seconds, megabytes, note=fault)
    plan = json.loads((plan_folder / "plan.json").read_text(encoding="utf-8"))
    # Shares become weights, as the peers count.
    scale = members.get("weight", 1)
    value, bound = plan["objective"]["value"] * scale, plan["objective"]["bound"] * scale
    return Run(method, seconds, megabytes, value, bound, plan["status"] == "optimal")


def run_peer(solver: str, folder: Path, seed: int, limits: Limits) -> Run:
    """A model of a peer's, built and solved."""
    need = json.loads((folder / "case.json").read_text(encoding="utf-8"))["need"]
    if solver == "spopt" and need > 1:
        return Run(solver, 0, 0, note="skipped: no model for cover twice")
    command = [sys.executable, str(HERE / "peer_models.py"), solver, str(folder), "--limit", str(limits.seconds)]
    command += ["--seed", str(seed), "--threads", str(limits.threads)]
    output, fault, seconds, megabytes = measure(command, limits)
    if fault:
        return Run(solver, seconds, megabytes, note=fault)
    answer = json.loads(output.splitlines()[-1])
    note = "no plan" if answer["value"] is None else ""
    return Run(solver, seconds, megabytes, answer["value"], answer["bound"], answer["is_proven"], note)


def contradictions(case: Case, seed: int, runs: list[Run]) -> list[str]:
    """Values above a bound of another solver or off a published optimum."""
    found = []
    values = [(run.solver, run.value) for run in runs if run.value is not None]
    bounds = [(run.solver, run.bound) for run in runs if run.bound is not None]
    if case.optimum is not None:
        values.append(("published", case.optimum))
        bounds.append(("published", case.optimum))
    for who, value in values:
        for prover, bound in bounds:
            if bound < value - 1e-6 * max(1.0, abs(value)):
                found.append(f"{case.name}, seed {seed}: {prover} proves {bound}, {who} has {value}")
    return found


def ratio(run: Run, auto: Run) -> str:
    """Time as a multiple of that of `auto`; `>` where the run ended without a proof."""
    if run.note and run.value is None and run.seconds == 0:
        return "-"
    return multiple(run.seconds / auto.seconds, run.is_proven, auto.is_proven)


def multiple(factor: float, is_proven: bool, auto_is_proven: bool) -> str:
    """A multiple of the time of `auto`, where one of the two has a proof."""
    if not (auto_is_proven or is_proven):
        return "-"
    sign = "<" if not auto_is_proven else "" if is_proven else ">"
    return f"{sign}{factor:,.0f}" if factor >= 99.5 else f"{sign}{factor:.3g}"


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) > 10 else f"{value:.6f}"


def percent(gap: float | None) -> str:
    return "-" if gap is None else f"{100 * gap:.4f}"


def print_row(case: Case, seed: int, run: Run, auto: Run, best: float | None) -> None:
    """A row of the table on stdout."""
    below = None if run.value is None or not best else (best - run.value) / best
    print(
        f"{case.name:<20}{seed:>5} {run.solver:<9}{number(run.value):>14}{percent(below):>10}{number(run.bound):>14}"
        f"{percent(run.gap):>10}{run.seconds:>9.2f}{run.megabytes:>8.0f}{ratio(run, auto):>10}"
        f"  {'proven' if run.is_proven else run.note}",
        flush=True,
    )


HEADER = (
    f"{'case':<20}{'seed':>5} {'solver':<9}{'value':>14}{'below %':>10}{'bound':>14}{'gap %':>10}{'s':>9}{'MB':>8}"
    f"{'x auto':>10}"
)


@dataclass(frozen=True)
class Result:
    """Solvers on one question; the best value that any of them has, or that was published."""

    case: Case
    seed: int
    runs: list[Run]

    @property
    def best(self) -> float | None:
        values = [run.value for run in self.runs if run.value is not None]
        return max([*values, *filter(None, [self.case.best_known])], default=None)

    @property
    def auto(self) -> Run:
        return self.runs[0]


def solve_all(binary: Path, case: Case, seed: int, limits: Limits, work: Path, others: list[str]) -> Result:
    """Coverplan and others on one question, one after the other."""
    folder = work / (f"{case.name}-{seed}" if case.is_random else case.name)
    writer = [sys.executable, str(HERE / "peer_cases.py"), case.name, str(folder), "--seed", str(seed)]
    subprocess.run(writer, check=True)
    runs = []
    for solver in (OURS[0], *others):
        if solver in OURS:
            runs.append(run_ours(binary, solver, folder, seed, limits))
        elif case.has_peers:
            runs.append(run_peer(solver, folder, seed, limits))
    return Result(case, seed, runs)


def print_totals(results: list[Result]) -> None:
    """Seconds of all questions of a kind together, by solver, and in multiples of `auto`."""
    kinds: dict[str, dict[str, list[tuple[Run, Run]]]] = {}
    for result in results:
        for run in result.runs:
            kinds.setdefault(result.case.kind, {}).setdefault(run.solver, []).append((run, result.auto))
    for kind, solvers in kinds.items():
        for solver, runs in solvers.items():
            first = sum(auto.seconds for _, auto in runs)
            total, proven = sum(run.seconds for run, _ in runs), sum(run.is_proven for run, _ in runs)
            print(f"all of {kind:<14}{solver:<9}{total:>9.1f} s {total / first:>6.2f} x auto  {proven} of {len(runs)} proven")


def cell(below: float | None, gap: float | None, seconds: float, times: str, proven: str) -> str:
    """What a solver has to say of a question, in the table of docs/compare.md."""
    gaps = "no bound" if gap is None else f"{100 * gap:.3f} %"
    found = [proven] if proven == "proven" else [part for part in (proven, gaps) if part]
    if below is not None and below > 5e-6:
        found.append(f"{100 * below:.3f} % below")
    found.append(f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s")
    return ", ".join([*found, f"{times} x"] if times != "-" else found)


def cell_of_case(pairs: list[tuple[Result, Run]], best_of_all: float | None) -> str:
    """One solver on one question: medians over its seeds."""
    runs = [run for _, run in pairs]
    seconds = statistics.median(run.seconds for run in runs)
    values = [run.value for run in runs if run.value is not None]
    if not values:
        return "no model" if runs[0].note.startswith("skipped") else f"{runs[0].note or 'no plan'}, {seconds:.0f} s"
    below = [
        (best - run.value) / best
        for result, run in pairs
        if (best := result.best if result.case.is_random else best_of_all) and run.value is not None
    ]
    gaps = [run.gap for run in runs if run.gap is not None]
    ratios = sorted((run.seconds / result.auto.seconds, ratio(run, result.auto)) for result, run in pairs)
    proven = sum(run.is_proven for run in runs)
    partly = [f"{proven} of {len(runs)} proven"] if proven else []
    partly += [f"plan in {len(values)} of {len(runs)}"] if len(values) < len(runs) else []
    return cell(
        statistics.median(below) if below else None,
        statistics.median(gaps) if gaps else None,
        seconds,
        ratios[len(ratios) // 2][1] if runs[0].solver != OURS[0] else "-",
        "proven" if proven == len(runs) else ", ".join(partly),
    )


def cell_of_kind(pairs: list[tuple[Result, Run]], count: int) -> str:
    """One solver on many small questions: the worst plan and gap, and the seconds of all for a seed."""
    runs = [run for _, run in pairs]
    autos = [result.auto for result, _ in pairs]
    if all(run.value is None for run in runs):
        return runs[0].note or "no plan"
    below = [(result.best - run.value) / result.best for result, run in pairs if result.best and run.value is not None]
    seconds, proven = sum(run.seconds for run in runs), sum(run.is_proven for run in runs)
    factor = seconds / sum(auto.seconds for auto in autos)
    asked = len({result.case.name for result, _ in pairs})
    said = cell(
        max(below, default=None),
        max((run.gap for run in runs if run.gap is not None), default=None),
        seconds / len({result.seed for result, _ in pairs}),
        multiple(factor, proven == len(runs), all(auto.is_proven for auto in autos)) if runs[0].solver != OURS[0] else "-",
        "proven" if proven == len(runs) else f"{proven} of {len(runs)} proven",
    )
    return said if asked == count else f"{asked} of them: {said}"


def markdown(results: list[Result], limits: Limits, binary: Path) -> str:
    """The table of docs/compare.md: a row for each question, or for many small ones together, and a column for each solver."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("highspy", "ortools", "spopt"))
    ours = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    seeds = {
        solver: len({result.seed for result in results if any(run.solver == solver for run in result.runs)})
        for solver in (*OURS, *PEERS)
    }
    solvers = [solver for solver, count in seeds.items() if count]
    lines = [
        f"{datetime.date.today()}, {machine()}, {limits.threads} threads, {limits.seconds:.0f} s and {limits.gigabytes:.0f} GB a "
        f"solver; {ours}, {versions}. Proven, or the gap; how far the plan is below the best of all, if it is; seconds of the "
        "whole process, and these as a multiple of those of `auto` (`>`: ended without a proof). Medians over the seeds, whose "
        "number stands beside the solver; of many small questions together the worst plan and gap and the seconds of all. "
        "Empty: not asked.",
        "",
        "| case | " + " | ".join(f"{solver} ({seeds[solver]})" for solver in solvers) + " |",
        "|---" * (1 + len(solvers)) + "|",
    ]
    kinds = collections.Counter({result.case.name: result.case.kind for result in results}.values())
    small = [kind for kind, count in kinds.items() if count > MANY]
    rows: dict[str, list[Result]] = {}
    for result in results:
        kind = result.case.kind
        rows.setdefault(f"{kind}: all {kinds[kind]}" if kind in small else result.case.name, []).append(result)
    for name, group in rows.items():
        cells = [name]
        best = max((result.best for result in group if result.best is not None), default=None)
        for solver in solvers:
            pairs = [(result, run) for result in group for run in result.runs if run.solver == solver]
            if not pairs:
                cells.append("" if group[0].case.has_peers else "no model")
            elif group[0].case.kind in small:
                cells.append(cell_of_kind(pairs, kinds[group[0].case.kind]))
            else:
                cells.append(cell_of_case(pairs, best))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Processor and cores."""
    try:
        models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        models = []
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverplan", type=Path, required=True, help="the binary")
    work = HERE.parent / "target/peer-solvers"
    parser.add_argument("--work", type=Path, default=work, help="folder for the questions [%(default)s]")
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="cases whose name matches")
    parser.add_argument("--limit", type=float, help="seconds for each solver [60, with --quick 10]")
    parser.add_argument("--seeds", type=int, help="seeds for each case [3, with --quick 1]")
    parser.add_argument("--peer-seeds", type=int, help="those of the seeds that others than auto have, too [all]")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for each solver [%(default)s]")
    memory = round(0.8 * memory_gb)
    parser.add_argument("--memory", type=float, default=memory, help="GB for each solver [%(default)s]")
    parser.add_argument("--peers", default=",".join(PEERS), help="those to compare with; empty for none [%(default)s]")
    parser.add_argument("--few", default="", help="those of the peers that have the first of like questions alone [none]")
    parser.add_argument("--markdown", type=Path, help="write the table of medians there")
    parser.add_argument("--quick", action="store_true", help="four small cases")
    parser.add_argument("--larger", action="store_true", help="larger questions of the same kinds instead of the table's")
    options = parser.parse_args()
    peers = [peer for peer in options.peers.split(",") if peer]
    if not set(peers) <= set(PEERS):
        parser.error(f"--peers takes some of {', '.join(PEERS)}, not {options.peers}")
    few = {peer for peer in options.few.split(",") if peer}
    if not few <= set(peers):
        parser.error(f"--few takes some of the peers {options.peers}, not {options.few}")
    limits = Limits(options.limit or (10 if options.quick else 60), options.threads, options.memory)
    seeds = range(1, 1 + (options.seeds or (1 if options.quick else 3)))
    print(f"{machine()}; {limits.threads} threads, {limits.seconds:.0f} s and {limits.gigabytes:.0f} GB a solver")
    print("whole processes; below: below the best value of all or published; x auto: time in multiples of coverplan --method auto")
    print(HEADER)
    results, faults = [], []
    begun: set[tuple[str, str, int]] = set()
    for case in cases():
        is_asked = case.is_larger == options.larger and (case.is_quick or not options.quick)
        if not is_asked or not options.only.search(case.name):
            continue
        if not case.needs.exists():
            print(f"{case.name:<20} skipped: {case.needs} is not here")
            continue
        present = [peer for peer in peers if peer not in few or case.family not in begun]
        begun.add(case.family)
        for seed in seeds:
            is_for_all = options.peer_seeds is None or seed <= options.peer_seeds
            others = [*OURS[1:], *present] if is_for_all else []
            result = solve_all(options.coverplan, case, seed, limits, options.work, others)
            results.append(result)
            for run in result.runs:
                print_row(case, seed, run, result.auto, result.best)
            if peers and not case.has_peers:
                print(f"{case.name:<20} skipped: {', '.join(PEERS)}: the rules of a coalition are no model of theirs")
            faults += contradictions(case, seed, result.runs)
    print_totals(results)
    if options.markdown and results:
        options.markdown.write_text(markdown(results, limits, options.coverplan), encoding="utf-8")
    if faults:
        sys.exit("answers contradict each other:\n" + "\n".join(faults))
    print("no answer contradicts another")


if __name__ == "__main__":
    main()
