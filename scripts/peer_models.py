#!/usr/bin/env python3
"""Solves one question of scripts/peer_solvers.py as a user of highspy, OR-tools or spopt would; prints JSON.

The value is counted anew from the locations chosen, whatever the solver says of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Question:
    """Who covers whom: a row a site, a column a location; a site counts with `need` units or more."""

    covers: csr_matrix
    weights: np.ndarray
    units: int
    need: int

    def value(self, chosen: np.ndarray) -> float:
        """Weight covered by the locations chosen."""
        return float(self.weights[(self.covers @ chosen.astype(np.int32)) >= self.need].sum())


@dataclass(frozen=True)
class Answer:
    """Locations chosen (None without a plan), the bound (None where the solver tells none), and whether it is proven."""

    chosen: np.ndarray | None
    bound: float | None
    is_proven: bool


def read(folder: Path) -> tuple[dict, np.ndarray, np.ndarray]:
    """case.json, sites (x, y, weight) and locations (x, y)."""
    members = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    load = lambda name, columns: np.loadtxt(folder / name, delimiter=",", skiprows=1, usecols=columns, ndmin=2)
    return members, load("sites.csv", (1, 2, 3)), load("locations.csv", (1, 2))


def question(folder: Path) -> Question:
    """Finds who covers whom the sparse way."""
    members, sites, locations = read(folder)
    if members["metric"] == "matrix":
        pairs = np.loadtxt(folder / "matrix.csv", delimiter=",", skiprows=1)
        rows, columns = pairs[:, 1].astype(np.int64), pairs[:, 0].astype(np.int64)
    elif members["metric"] == "geodesic":
        from pyproj import Geod

        metres = np.array([
            Geod(ellps="WGS84").inv(*(np.full(len(sites), at) for at in place), sites[:, 0], sites[:, 1])[2]
            for place in locations
        ])
        columns, rows = np.nonzero(metres <= members["radius"])
    else:
        from scipy.spatial import cKDTree

        found = cKDTree(locations).query_ball_point(sites[:, :2], members["radius"], return_sorted=True)
        lengths = np.fromiter((len(row) for row in found), dtype=np.int64, count=len(found))
        rows = np.repeat(np.arange(len(sites)), lengths)
        columns = np.concatenate([np.asarray(row, dtype=np.int64) for row in found])
    covers = csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(len(sites), len(locations)))
    return Question(covers, sites[:, 2], members["units"], members["need"])


def by_highspy(asked: Question, limit_s: float, seed: int, threads: int) -> Answer:
    """The plain model: a column a location, a column a site, a row a site, and one for the units."""
    import highspy

    sites, locations = asked.covers.shape
    infinity = highspy.kHighsInf
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = locations + sites, sites + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(locations), asked.weights])
    model.col_lower_, model.col_upper_ = np.zeros(locations + sites), np.ones(locations + sites)
    model.row_lower_ = np.full(sites + 1, -infinity)
    model.row_upper_ = np.concatenate([np.zeros(sites), [asked.units]])
    # need x earned - sum of units <= 0, then the units.
    lengths = np.diff(asked.covers.indptr)
    ends = np.cumsum(lengths + 1)
    is_own = np.zeros(ends[-1], dtype=bool)
    is_own[ends - 1] = True
    index, value = np.empty(ends[-1], dtype=np.int64), np.full(ends[-1], -1.0)
    index[~is_own], index[is_own] = asked.covers.indices, locations + np.arange(sites)
    value[is_own] = asked.need
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], ends, [ends[-1] + locations]]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([index, np.arange(locations)]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([value, np.ones(locations)])
    # With one unit needed whole locations make whole sites.
    sites_kind = highspy.HighsVarType.kContinuous if asked.need == 1 else highspy.HighsVarType.kInteger
    model.integrality_ = [highspy.HighsVarType.kInteger] * locations + [sites_kind] * sites
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("time_limit", limit_s)
    highs.setOptionValue("random_seed", seed)
    highs.setOptionValue("threads", threads)
    # Weights are whole: nothing better lies within less than one.
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.999)
    highs.passModel(model)
    highs.run()
    info = highs.getInfo()
    values = np.array(highs.getSolution().col_value)
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible and len(values) > 0
    bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) and abs(info.mip_dual_bound) < 1e29 else None
    is_proven = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return Answer(values[:locations] > 0.5 if has_plan else None, bound, is_proven)


def by_cp_sat(asked: Question, limit_s: float, seed: int, threads: int) -> Answer:
    """A literal a location and a site; a clause a site."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    units = [model.new_bool_var("") for _ in range(asked.covers.shape[1])]
    sites = [model.new_bool_var("") for _ in range(asked.covers.shape[0])]
    starts, items = asked.covers.indptr.tolist(), asked.covers.indices.tolist()
    for site, earned in enumerate(sites):
        around = [units[place] for place in items[starts[site] : starts[site + 1]]]
        if asked.need == 1:
            model.add_bool_or([earned.negated(), *around])
        else:
            model.add(cp_model.LinearExpr.sum(around) >= asked.need).only_enforce_if(earned)
    model.add(cp_model.LinearExpr.sum(units) <= asked.units)
    model.maximize(cp_model.LinearExpr.weighted_sum(sites, asked.weights.astype(np.int64).tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = threads
    status = solver.solve(model)
    has_plan = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    chosen = np.array([solver.boolean_value(unit) for unit in units]) if has_plan else None
    return Answer(chosen, solver.best_objective_bound if has_plan else None, status == cp_model.OPTIMAL)


def by_spopt(folder: Path, limit_s: float, threads: int) -> Answer:
    """What a user of spopt writes: a matrix of all distances, then CBC as PuLP brings it along; no bound comes back."""
    import pulp
    from spopt.locate import MCLP

    members, sites, locations = read(folder)
    if members["metric"] == "planar":
        from scipy.spatial.distance import cdist

        costs, radius = cdist(sites[:, :2], locations), members["radius"]
    else:
        # Any distance beyond the radius stands for out of reach.
        costs, radius = 1.0 - question(folder).covers.toarray(), 0.5
    model = MCLP.from_cost_matrix(costs, sites[:, 2], radius, p_facilities=members["units"])
    solved = model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=limit_s, threads=threads), results=False)
    status = solved.problem.sol_status
    is_proven = status == pulp.LpSolutionOptimal
    if status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return Answer(None, None, False)
    chosen = np.array([(unit.value() or 0) > 0.5 if hasattr(unit, "value") else bool(unit) for unit in solved.fac_vars])
    return Answer(chosen, None, is_proven)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("solver", choices=("highspy", "cp-sat", "spopt"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.solver == "spopt":
        answer = by_spopt(options.folder, options.limit, options.threads)
        asked = question(options.folder)
    else:
        asked = question(options.folder)
        by = by_highspy if options.solver == "highspy" else by_cp_sat
        answer = by(asked, options.limit, options.seed, options.threads)
    if answer.chosen is not None and answer.chosen.sum() > asked.units:
        sys.exit(f"{options.solver}: {answer.chosen.sum()} units chosen, {asked.units} allowed")
    value = None if answer.chosen is None else asked.value(answer.chosen)
    bound = value if answer.is_proven and answer.bound is None else answer.bound
    print(json.dumps({"value": value, "bound": bound, "is_proven": answer.is_proven}))


if __name__ == "__main__":
    main()
