"""Compares reach by road with networkx and scipy: every node of Andorra against every other within 30 minutes.

Reads what `cargo bench --bench roads` measured in the same run, so both ran on the same machine in the same minutes.
All times are those of the searches on a graph that is already read; coverplan's includes the contraction of the graph.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import networkx
import numpy
import scipy.sparse
import scipy.sparse.csgraph

LIMIT_S = 1800.0


def edges(folder: Path) -> tuple[list[str], dict[tuple[int, int], float]]:
    """Nodes, and the least seconds of each arc."""
    with (folder / "road_nodes.csv").open(encoding="utf-8") as file:
        nodes = [row["node_id"] for row in csv.DictReader(file)]
    number = {node: place for place, node in enumerate(nodes)}
    arcs: dict[tuple[int, int], float] = {}
    with (folder / "road_edges.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            a, b, seconds = number[row["from"]], number[row["to"]], float(row["time_s"])
            for arc, way in (((a, b), row["oneway"] != "-1"), ((b, a), row["oneway"] != "1")):
                if way and a != b:
                    arcs[arc] = min(seconds, arcs.get(arc, seconds))
    return nodes, arcs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with road_nodes.csv and road_edges.csv")
    parser.add_argument("criterion", type=Path, help="target/criterion")
    options = parser.parse_args()
    nodes, arcs = edges(options.folder)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(nodes)))
    graph.add_weighted_edges_from((a, b, seconds) for (a, b), seconds in arcs.items())
    began = time.perf_counter()
    pairs = sum(
        len(networkx.single_source_dijkstra_path_length(graph, node, cutoff=LIMIT_S)) for node in range(len(nodes))
    )
    of_networkx = time.perf_counter() - began
    tails, heads = numpy.array(list(arcs)).T
    matrix = scipy.sparse.csr_matrix((list(arcs.values()), (tails, heads)), shape=(len(nodes), len(nodes)))
    began = time.perf_counter()
    costs = scipy.sparse.csgraph.dijkstra(matrix, limit=LIMIT_S)
    of_scipy = time.perf_counter() - began
    if int(numpy.isfinite(costs).sum()) != pairs:
        print("networkx and scipy do not agree on the pairs", file=sys.stderr)
        return 1
    estimates = json.loads((options.criterion / "roads" / "all pairs, searches alone" / "new" / "estimates.json").read_text("utf-8"))
    ours = estimates["median"]["point_estimate"] / 1e9
    print(f"Andorra, {len(nodes)} nodes, all {pairs} pairs within 30 minutes:")
    for name, seconds in (("coverplan", ours), ("scipy", of_scipy), ("networkx", of_networkx)):
        print(f"  {name:10} {seconds:8.3f} s  {seconds / ours:6.1f} times coverplan's")
    return 0


if __name__ == "__main__":
    sys.exit(main())
