#!/usr/bin/env python3
"""Reads a plan folder with GeoPandas, recomputes its distances with pyproj, and checks that tampering is caught."""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyproj import Geod
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

LAYERS = ("placements", "sites", "reach", "links")
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
WGS84 = Geod(ellps="WGS84")
LINKS_RECOMPUTED = 2_000
TOLERANCE_KM = 0.001

Layers = dict[str, gpd.GeoDataFrame]


class Fault(Exception):
    """What a file says and should not."""


def expect(holds: bool, message: str) -> None:
    if not holds:
        raise Fault(message)


# --- Each file by itself


def numbers(coordinates: Any) -> Iterator[Decimal | int]:
    if isinstance(coordinates, list):
        for part in coordinates:
            yield from numbers(part)
    else:
        yield coordinates


def json_type(value: Any) -> str:
    """The type of a JSON value; 1 and 1.5 are of one type, as in JSON itself."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | Decimal) else type(value).__name__


def check_text(path: Path) -> None:
    """What a reader hides: members, decimals and the types of the values as they stand in the file."""
    collection = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    expect("crs" not in collection, f"{path.name}: has a crs member")
    types: dict[str, set[str]] = {}
    for feature in collection["features"]:
        for number in numbers(feature["geometry"]["coordinates"]):
            decimals = -Decimal(number).as_tuple().exponent
            expect(decimals <= 7, f"{path.name}: {number} has more than 7 decimals")
        for column, value in feature["properties"].items():
            if value is not None:
                types.setdefault(column, set()).add(json_type(value))
    for column, found in types.items():
        expect(COLUMN_NAME.fullmatch(column) is not None, f"{path.name}: {column} is no snake_case name of at most 31")
        expect(len(found) == 1, f"{path.name}: {column} mixes {sorted(found)}")


def polygons(geometry: BaseGeometry) -> Iterator[Polygon]:
    for part in getattr(geometry, "geoms", [geometry]):
        if isinstance(part, Polygon):
            yield part


def is_wound_right(polygon: Polygon) -> bool:
    """Exterior rings counter-clockwise, holes clockwise (RFC 7946, 3.1.6)."""
    return polygon.exterior.is_ccw and not any(hole.is_ccw for hole in polygon.interiors)


def read_layer(path: Path) -> gpd.GeoDataFrame:
    layer = gpd.read_file(path)
    expect(len(layer) > 0, f"{path.name}: no features")
    epsg = layer.crs.to_epsg() if layer.crs else None
    expect(epsg == 4326, f"{path.name}: CRS {layer.crs}, not EPSG:4326")
    kinds = sorted(layer.geom_type.unique())
    expect(len(kinds) == 1, f"{path.name}: mixes {kinds}")
    # A unit that stands at the very site it covers has a link without length, which GEOS calls not valid.
    is_valid = layer.geometry.is_valid | ((layer.geom_type == "LineString") & (layer.geometry.count_coordinates() == 2))
    expect(bool(is_valid.all()), f"{path.name}: {int((~is_valid).sum())} geometries not valid")
    wound = all(is_wound_right(polygon) for geometry in layer.geometry for polygon in polygons(geometry))
    expect(wound, f"{path.name}: an exterior ring is clockwise or a hole is not")
    return layer


def read_layers(plan: Path) -> Layers:
    for name in LAYERS:
        check_text(plan / f"{name}.geojson")
    return {name: read_layer(plan / f"{name}.geojson") for name in LAYERS}


# --- The files with each other


def check_ids(layers: Layers) -> None:
    placements, sites, links = layers["placements"], layers["sites"], layers["links"]
    expect(bool(placements["placement_id"].is_unique), "placements.geojson: a placement_id stands twice")
    known = set(placements["placement_id"])
    for name in ("reach", "links"):
        strangers = set(layers[name]["placement_id"]) - known
        expect(not strangers, f"{name}.geojson: unknown placements {sorted(strangers)[:5]}")
    strangers = set(links["site_id"]) - set(sites["site_id"])
    expect(not strangers, f"links.geojson: unknown sites {sorted(strangers)[:5]}")
    covering = {one for text in sites["covered_by"].dropna() for one in text.split(";") if one}
    expect(covering <= known, f"sites.geojson: unknown placements in covered_by {sorted(covering - known)[:5]}")


def check_sites(sites: gpd.GeoDataFrame) -> None:
    is_covered = sites["cover_count"] > 0
    for column, expected in (
        ("covered", sites["covered"].astype(bool)),
        ("covered_by", sites["covered_by"].fillna("") != ""),
        ("reason", sites["reason"].fillna("") == ""),
    ):
        wrong = sites.loc[is_covered != expected, "site_id"]
        expect(wrong.empty, f"sites.geojson: {column} contradicts cover_count at {list(wrong[:5])}")


def check_totals(sites: gpd.GeoDataFrame, plan: dict[str, Any]) -> None:
    """One feature per site, requirement and phase, and the sums that plan.json claims."""
    expect(len(sites) == sum(one["sites"] for one in plan["requirements"]), "sites.geojson: not the sites of plan.json")
    for one in plan["requirements"]:
        rows = sites[sites["requirement_id"] == one["id"]]
        if one.get("phase_id"):
            rows = rows[rows["phase_id"] == one["phase_id"]]
        covered = rows[rows["cover_count"] > 0]
        place = f"requirement {one['id']}"
        expect(bool(rows["site_id"].is_unique), f"{place}: a site stands twice in sites.geojson")
        expect(len(rows) == one["sites"], f"{place}: {len(rows)} features, {one['sites']} sites")
        expect(len(covered) == one["sites_covered"], f"{place}: {len(covered)} covered, not {one['sites_covered']}")
        weight = float(covered["weight"].sum())
        near = abs(weight - one["covered_weight"]) <= 1e-9 * max(1.0, abs(weight))
        expect(near, f"{place}: covered weight {weight}, not {one['covered_weight']}")


def farthest_km(scenario: dict[str, Any]) -> dict[str, float]:
    """The reach of each unit type whose reach is a distance."""
    reach: dict[str, float] = {}
    for unit_type in scenario["unit_types"]:
        match unit_type["reach"]:
            case {"kind": "range" | "line-of-sight", "km": km}:
                reach[unit_type["id"]] = float(km)
            case {"kind": "bands", "bands": bands}:
                reach[unit_type["id"]] = max(float(km) for km, _ in bands)
    return reach


def check_links(layers: Layers, scenario: dict[str, Any]) -> None:
    """Lengths by GeographicLib from the points of the other two files, and none beyond its unit's reach."""
    placements = layers["placements"].set_index("placement_id")
    links = layers["links"]
    reach = links["placement_id"].map(placements["unit_type_id"]).map(farthest_km(scenario))
    beyond = links[links["km"] > reach + 1e-9]
    expect(beyond.empty, f"links.geojson: {len(beyond)} beyond reach, first {beyond['placement_id'].head(1).tolist()}")

    points = layers["sites"][layers["sites"].geom_type == "Point"].drop_duplicates("site_id").set_index("site_id")
    links = links[links["site_id"].isin(points.index)]
    links = links.sample(n=min(LINKS_RECOMPUTED, len(links)), random_state=0)
    starts, ends = placements.geometry.loc[links["placement_id"]], points.geometry.loc[links["site_id"]]
    _, _, metres = WGS84.inv(starts.x.values, starts.y.values, ends.x.values, ends.y.values)
    error = abs(pd.Series(metres, index=links.index) / 1000 - links["km"]).max()
    expect(not error >= TOLERANCE_KM, f"links.geojson: a length differs by {error:.4f} km from the geodesic")


# --- Tampering


def verify(coverplan: Path, plan: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run([coverplan, "verify", plan, "--json"], capture_output=True, text=True, check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Fault(f"verify exited {done.returncode} without a verdict: {done.stderr.strip()}") from None


def shift(placement: dict[str, Any]) -> None:
    longitude, latitude = placement["geometry"]["coordinates"]
    placement["geometry"]["coordinates"] = [round(longitude + 0.01, 7), round(latitude + 0.01, 7)]


def multiply(placement: dict[str, Any]) -> None:
    placement["properties"]["count"] += 1_000


def check_tampering(coverplan: Path, plan: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edits one placement of a copy; the judge has to name what is wrong and exit 1."""
    # Beside the original, because the paths of its scenario are relative to its folder.
    copy = plan.with_name(f"{plan.name}-{edit.__name__}")
    shutil.copytree(plan, copy)
    try:
        path = copy / "placements.geojson"
        collection = json.loads(path.read_text(encoding="utf-8"))
        edit(random.Random(0).choice(collection["features"]))
        path.write_text(json.dumps(collection), encoding="utf-8")
        status, verdict = verify(coverplan, copy)
    finally:
        shutil.rmtree(copy)
    expect(status == 1 and not verdict["accepted"], f"verify accepted the edit {edit.__name__} (exit {status})")
    named = [violation for violation in verdict["violations"] if violation["code"] and violation["text"]]
    expect(bool(named), f"verify named no violation for the edit {edit.__name__}")


# --- The whole


def timed(title: str, check: Callable[..., Any], *arguments: Any) -> Any:
    start = time.perf_counter()
    result = check(*arguments)
    print(f"    {title:<44}{time.perf_counter() - start:8.2f} s", flush=True)
    return result


def check_plan(plan: Path, coverplan: Path) -> None:
    layers = timed("four layers, as RFC 7946 has them", read_layers, plan)
    result = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    scenario = tomllib.loads((plan / "scenario.toml").read_text(encoding="utf-8"))
    timed("ids refer to each other", check_ids, layers)
    timed("cover of the sites adds up", check_sites, layers["sites"])
    timed("totals of plan.json", check_totals, layers["sites"], result)
    if scenario.get("distance", "geodesic") == "geodesic":
        timed("link lengths by pyproj", check_links, layers, scenario)
    status, verdict = timed("verify accepts the plan as written", verify, coverplan, plan)
    expect(status == 0 and verdict["accepted"], f"verify rejects the plan: {verdict['violations'][:3]}")
    timed("verify rejects a moved placement", check_tampering, coverplan, plan, shift)
    timed("verify rejects a changed count", check_tampering, coverplan, plan, multiply)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path, help="plan folder")
    parser.add_argument("--coverplan", type=Path, required=True, help="the binary")
    options = parser.parse_args()
    try:
        check_plan(options.plan.resolve(), options.coverplan.resolve())
    except Fault as fault:
        sys.exit(f"foreign readers: {fault}")


if __name__ == "__main__":
    main()
