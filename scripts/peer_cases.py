#!/usr/bin/env python3
"""Writes the questions of scripts/peer_solvers.py: a folder each, with a scenario and, for the peers, case.json."""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
UKRAINE = ROOT / "data" / "ukraine"

SCENARIO = """\
name = "{name}"
distance = "{distance}"
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
reach = {reach}
[[contributors]]
id = "all"
[[offers]]
contributor = "all"
unit_type = "unit"
count = {units}
[[requirements]]
id = "cover"
unit_types = ["unit"]
levels = {levels}
"""

Point = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """One question; `kind` and the numbers say how it is made."""

    name: str
    kind: str
    units: int = 0
    radius: float = 0.0
    source: str = ""
    sites: int = 0
    locations: int = 0
    step_km: float = 0.0
    optimum: int | None = None
    best_known: int | None = None
    is_quick: bool = False
    is_larger: bool = False

    @property
    def is_random(self) -> bool:
        """True where a seed makes a question of its own; elsewhere it is the solvers' seed."""
        return self.kind == "uniform"

    @property
    def family(self) -> tuple[str, str, int]:
        """What like questions share: they differ in units and radius alone."""
        return self.kind, self.source, self.sites

    @property
    def has_peers(self) -> bool:
        """False where the rules are those of coalitions, which no model of the peers knows."""
        return self.kind not in ("coalition", "coalition-grid")

    @property
    def needs(self) -> Path:
        """What has to be there to make it."""
        shared = {
            "city": "instances/maximo",
            "sjc": "instances/sjc",
            "coalition-grid": "data/worldpop_10km",
            "GeoNames": "data/geonames",
        }
        named = [shared[word] for word in (self.kind, self.source) if word in shared]
        return SHARED / named[0] if named else UKRAINE


def rows_of(path: str) -> list[dict[str, str]]:
    """Rows of a table beside the instances; none where it is not there."""
    file = SHARED / path
    if not file.exists():
        return []
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def cases() -> Iterator[Case]:
    """All questions, in the order of the table."""
    for units in (20, 50):
        yield Case(f"uniform-20k-p{units}", "uniform", units, 2.0, sites=20_000, locations=300, is_quick=units == 20)
    for units in (20, 50):
        yield Case(f"uniform-1m-p{units}", "uniform", units, 2.0, sites=1_000_000, locations=1_000)
    yield Case("uniform-100k-p40", "uniform", 40, 2.5, sites=100_000, locations=500)
    best_known = {
        (row["instance"], int(row["p"])): int(row["best_known"]) for row in rows_of("instances/maximo/best_known.csv")
    }
    for source, radius in (("NewYork", 400), ("SanFrancisco", 600)):
        for units in range(50, 101, 10):
            key = (source, units)
            name, quick = f"{source.lower()}-p{units}", key == ("NewYork", 50)
            yield Case(name, "city", units, radius, source, best_known=best_known.get(key), is_quick=quick)
    yield Case("sanfrancisco-400m-p80", "city", 80, 400, "SanFrancisco")
    for row in rows_of("instances/sjc/optima.csv"):
        nodes, radius, units = row["n"], int(row["S"]), int(row["p"])
        name = f"sjc{nodes}-{radius}m-p{units}"
        quick = name == "sjc324-150m-p60"
        yield Case(name, "sjc", units, radius, f"SJC{nodes}", optimum=int(row["opt"]), is_quick=quick)
    for km in (50, 75, 100, 150):
        for units in (5, 10, 20, 40):
            yield Case(f"twice-{km}km-p{units}", "twice", units, 1000.0 * km, is_quick=(km, units) == (100, 10))
    yield Case("ukraine-781", "coalition")
    yield Case("ukraine-grid", "coalition-grid", step_km=15.0)
    yield Case("ukraine-grid-10km", "coalition-grid", step_km=10.0)
    yield from larger_cases()


def larger_cases() -> Iterator[Case]:
    """Questions that are no part of the table: larger ones of the same kinds, on which nothing was tuned."""
    for sites, locations, units, radius in ((2, 1, 50, 2.0), (2, 2, 20, 2.0), (2, 2, 50, 2.0), (2, 2, 80, 1.5), (5, 1, 20, 2.0)):
        name, millions, thousands = f"uniform-{sites}m-{locations}k-p{units}", 1_000_000 * sites, 1_000 * locations
        yield Case(name, "uniform", units, radius, sites=millions, locations=thousands, is_larger=True)
    yield Case("newyork-600m-p40", "city", 40, 600, "NewYork", is_larger=True)
    yield Case("sanfrancisco-800m-p60", "city", 60, 800, "SanFrancisco", is_larger=True)
    for km, units in ((75, 40), (100, 20), (100, 40), (150, 20)):
        yield Case(f"towns-{km}km-p{units}", "twice", units, 1000.0 * km, "GeoNames", is_larger=True)


def write(case: Case, folder: Path, seed: int) -> None:
    """Writes the question; nothing where it is written already."""
    if (folder / "case.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if case.kind == "coalition":
        settings = ['locations={ generate = "sites", max_units = 4, max_headcount = 2500 }']
        settings += [f"fixed.{unit}.location=oa-UKLL" for unit in (0, 1)]
        finish(folder, {"scenario": str(UKRAINE / "scenario.toml"), "settings": settings})
    elif case.kind == "coalition-grid":
        write_wide(folder, case.step_km)
    else:
        write_plain(case, folder, seed)


def write_plain(case: Case, folder: Path, seed: int) -> None:
    """One type of unit, at most one a location: what the peers know, too."""
    sites, weights, locations = points(case, seed)
    weighted = enumerate(zip(sites, weights, strict=True))
    table(folder / "sites.csv", ["id", "x", "y", "weight"], ([n, *at, weight] for n, (at, weight) in weighted))
    table(folder / "locations.csv", ["id", "x", "y"], ([n, *at] for n, at in enumerate(locations)))
    metric = {"city": "matrix", "twice": "geodesic"}.get(case.kind, "planar")
    if metric == "matrix":
        write_matrix(folder / "matrix.csv", sites, case.radius)
        reach = f'{{ kind = "matrix", source = "matrix.csv", max = {case.radius} }}'
    else:
        reach = f'{{ kind = "range", km = {case.radius / 1000} }}'
    need = 2 if case.kind == "twice" else 1
    scenario = SCENARIO.format(
        name=case.name,
        distance="planar" if metric == "planar" else "geodesic",
        reach=reach,
        units=case.units,
        levels=[0.0] * (need - 1) + [1.0],
    )
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
    finish(folder, {"metric": metric, "radius": case.radius, "units": case.units, "need": need, "weight": sum(weights)})


def points(case: Case, seed: int) -> tuple[list[Point], list[float], list[Point]]:
    """Sites, their weights, and locations."""
    if case.kind == "uniform":
        rng = random.Random(seed)
        one = lambda: (round(rng.uniform(0, 30), 6), round(rng.uniform(0, 30), 6))
        sites = [one() for _ in range(case.sites)]
        return sites, [rng.randint(1, 100) for _ in sites], [one() for _ in range(case.locations)]
    if case.source == "GeoNames":
        with gzip.open(SHARED / "data/geonames/cities500.csv.gz", "rt", encoding="utf-8") as file:
            places = list(csv.DictReader(file))
        towns = [place for place in places if place["country_code"] == "UA" and int(place["population"]) >= 2_000]
        at = [(float(town["longitude"]), float(town["latitude"])) for town in towns]
        return at, [int(town["population"]) for town in towns], at
    if case.kind == "twice":
        features = json.loads((UKRAINE / "sites.geojson").read_text(encoding="utf-8"))["features"]
        towns = [feature for feature in features if feature["properties"]["kind"] == "town"]
        places = lambda features: [tuple(feature["geometry"]["coordinates"]) for feature in features]
        return places(towns), [town["properties"]["weight"] for town in towns], places(features)
    folder, x, y = ("maximo", "lon", "lat") if case.kind == "city" else ("sjc", "x_m", "y_m")
    rows = list(csv.DictReader((SHARED / "instances" / folder / f"{case.source}.csv").open(encoding="utf-8")))
    nodes = [(float(row[x]), float(row[y])) for row in rows]
    return nodes, [int(row["demand"]) for row in rows], nodes


def write_matrix(path: Path, nodes: list[Point], radius: float) -> None:
    """Great circles by arc cosine in single precision, the rule of the published city instances."""
    import numpy as np

    lon, lat = np.radians(np.array(nodes)).T
    rows = []
    for node in range(len(nodes)):
        cosine = np.sin(lat[node]) * np.sin(lat) + np.cos(lat[node]) * np.cos(lat) * np.cos(lon - lon[node])
        metres = (6_378_100.0 * np.arccos(np.clip(cosine, -1, 1))).astype(np.float32)
        metres[node] = 0
        rows += [[node, site, metres[site]] for site in np.flatnonzero(metres <= radius)]
    table(path, ["location_id", "site_id", "value"], rows)


def write_wide(folder: Path, step_km: float) -> None:
    """data/ukraine with the cells of a population grid as towns, and a grid of locations beside its own."""
    import shapely

    features = json.loads((UKRAINE / "sites.geojson").read_text(encoding="utf-8"))["features"]
    entries = [(f["properties"], f["geometry"]["coordinates"]) for f in features]
    rows = [[e["id"], *at, e["kind"], e["weight"]] for e, at in entries if e["kind"] != "town"]
    cells = csv.DictReader((SHARED / "data/worldpop_10km/worldpop_2020_10km_ukraine.csv").open(encoding="utf-8"))
    people = lambda cell: round(float(cell["pop2020"]))
    rows += [[f"cell-{n}", cell["lon"], cell["lat"], "town", people(cell)] for n, cell in enumerate(cells)]
    table(folder / "sites.csv", ["id", "lon", "lat", "kind", "weight"], [row for row in rows if row[-1]])
    oblasts = json.loads((UKRAINE / "oblasts.geojson").read_text(encoding="utf-8"))["features"]
    land = shapely.union_all([shapely.geometry.shape(oblast["geometry"]) for oblast in oblasts])
    grid, lat = [], 44.0
    while lat < 53.0:
        shift = len(grid) % 2 / 2
        width = step_km / (111.32 * math.cos(math.radians(lat)))
        row = [(22.0 + (n + shift) * width, lat) for n in range(int(19.0 / width))]
        grid += [at for at in row if shapely.contains_xy(land, *at)]
        lat += step_km * math.sqrt(0.75) / 110.57
    known = json.loads((UKRAINE / "locations.geojson").read_text(encoding="utf-8"))["features"]
    keys = ("domains", "max_units", "max_headcount")
    own = lambda feature: [feature["properties"][key] for key in ("id", *keys)]
    rows = [[own(feature)[0], *feature["geometry"]["coordinates"], *own(feature)[1:]] for feature in known]
    rows += [[f"grid-{n}", f"{x:.5f}", f"{y:.5f}", "land;air", 4, 2500] for n, (x, y) in enumerate(grid)]
    table(folder / "locations.csv", ["id", "lon", "lat", *keys], rows)
    settings = [f'sites.source="{folder.resolve()}/sites.csv"', f'locations.source="{folder.resolve()}/locations.csv"']
    finish(folder, {"scenario": str(UKRAINE / "scenario.toml"), "settings": settings, "size": [len(rows)]})


def table(path: Path, columns: list[str], rows: Iterator[list] | list[list]) -> None:
    """Writes a CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def finish(folder: Path, members: dict) -> None:
    """Writes case.json last, so that it says that the folder is whole."""
    (folder / "case.json").write_text(json.dumps(members), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = [case for case in cases() if case.name == options.case]
    if not found:
        sys.exit(f"no case {options.case}")
    write(found[0], options.folder, options.seed)


if __name__ == "__main__":
    main()
