#!/usr/bin/env python3
"""Asks the same question through every format and several coordinate systems, and expects the same plan each time."""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SYSTEMS = ("EPSG:4326", "EPSG:3857", "EPSG:32636", "EPSG:3035")
# Ending of the file, driver of GDAL, options of ogr2ogr; then whether the build needs GDAL.
FORMATS = {
    "geojson": ("GeoJSON", [], False),
    "csv": ("CSV", ["-lco", "GEOMETRY=AS_XY"], False),
    "gpkg": ("GPKG", [], False),
    "shp": ("ESRI Shapefile", ["-lco", "ENCODING=UTF-8"], True),
    # With its index a FlatGeobuf is in another order, and of several best plans the order of the locations decides.
    "fgb": ("FlatGeobuf", ["-lco", "SPATIAL_INDEX=NO"], True),
    "gml": ("GML", [], True),
}
QUESTION = """name = "doors"
[sites]
{sites}
[locations]
{locations}
[[unit_types]]
id = "unit"
reach = {{ kind = "range", km = 60 }}
[[contributors]]
id = "A"
[[offers]]
contributor = "A"
unit_type = "unit"
count = 8
[[requirements]]
id = "towns"
unit_types = ["unit"]
sites = {{ kind = ["town"] }}
levels = [1.0, 0.25]
"""


class Fault(Exception):
    """A door that gives another answer."""


def run(*command: str | Path, **more: str) -> str:
    environment = {**os.environ, **more}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Fault(f"{command[0]} {command[1]} exited {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def convert(source: Path, target: str, driver: str, options: list[str], system: str, layer: str) -> None:
    run("ogr2ogr", "-f", driver, *options, "-t_srs", system, "-nln", layer, target, source)


def answer(coverplan: Path, folder: Path, sites: list[str], locations: list[str]) -> dict[str, object]:
    scenario = folder / "scenario.toml"
    scenario.write_text(QUESTION.format(sites="\n".join(sites), locations="\n".join(locations)), encoding="utf-8")
    plan = folder / "plan"
    run(coverplan, "solve", "--quiet", scenario, "--output", plan, "--overwrite")
    run(coverplan, "verify", "--quiet", plan)
    result = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    features = json.loads((plan / "placements.geojson").read_text(encoding="utf-8"))["features"]
    columns = ("contributor_id", "unit_type_id", "location_id", "count", "sites_covered", "weight_covered")
    placements = [{column: one["properties"][column] for column in columns} for one in features]
    positions = [one["geometry"]["coordinates"] for one in features]
    return {"objective": result["objective"], "placements": placements, "positions": positions}


def compare(title: str, expected: dict[str, object], found: dict[str, object]) -> None:
    for part in ("objective", "placements"):
        if found[part] != expected[part]:
            raise Fault(f"{title}: another {part}: {found[part]}, not {expected[part]}")
    pairs = zip(expected["positions"], found["positions"], strict=True)  # type: ignore[call-overload]
    off = max(max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in pairs)
    if off > 2e-7:
        raise Fault(f"{title}: a position is {off} degrees off")
    print(f"    {title}", flush=True)


def files(coverplan: Path, data: Path, has_gdal: bool, expected: dict[str, object]) -> None:
    for ending, (driver, options, needs_gdal) in FORMATS.items():
        if needs_gdal and not has_gdal:
            continue
        for system in SYSTEMS:
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                tables = []
                for name in ("sites", "locations"):
                    convert(data / f"{name}.geojson", str(folder / f"{name}.{ending}"), driver, options, system, name)
                    table = [f'source = "{name}.{ending}"']
                    if ending == "csv":
                        table += ['x = "X"', 'y = "Y"', f'crs = "{system}"']
                    tables.append(table)
                compare(f"{driver}, {system}", expected, answer(coverplan, folder, *tables))


def layers_of_one_file(coverplan: Path, data: Path, expected: dict[str, object]) -> None:
    """Two layers in one GeoPackage, named in two ways."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("sites", "locations"):
            convert(data / f"{name}.geojson", str(folder / "all.gpkg"), "GPKG", ["-update"][: name != "sites"], "EPSG:3035", name)
        tables = ['source = "all.gpkg|layername=sites"'], ['source = "all.gpkg"', 'layer = "locations"']
        compare("GPKG, two layers of a file", expected, answer(coverplan, folder, *map(list, tables)))


# --- PostGIS


@contextlib.contextmanager
def cluster() -> Iterator[tuple[str, str]]:
    """A private PostgreSQL on loopback: the words of a connection, and its password; gone afterwards."""
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not binaries:
        raise Fault("no PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="coverplan-postgis-"))
    password = secrets.token_hex(8) + " \\' x"
    written = password.replace("\\'", "'")
    secret = folder / "password"
    secret.write_text(written, encoding="utf-8")
    as_user: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres")
        shutil.chown(secret, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = Path(binaries[-1])
    data = folder / "data"
    run(*as_user, binary / "initdb", "-D", data, "-U", "cover", f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    try:
        run(*as_user, binary / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        words = f"host=127.0.0.1 port={port} user=cover"
        sql = ["CREATE DATABASE plans", "\\c plans", "CREATE EXTENSION postgis", "CREATE SCHEMA own"]
        arguments = [word for line in sql for word in ("-c", line)]
        run("psql", "-v", "ON_ERROR_STOP=1", f"{words} dbname=postgres", *arguments, PGPASSWORD=written)
        yield f"PG:{words} dbname=plans", written
    finally:
        subprocess.run([*as_user, str(binary / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def databases(coverplan: Path, data: Path, expected: dict[str, object]) -> None:
    with cluster() as (words, password):
        os.environ["PGPASSWORD"] = password
        for system in SYSTEMS:
            for name in ("sites", "locations"):
                convert(data / f"{name}.geojson", words, "PostgreSQL", ["-overwrite"], system, f"own.{name}")
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                tables = [
                    [f'source = "{words}"', 'layer = "own.sites"'],
                    [f'source = "{words}|layername=own.locations"'],
                ]
                compare(f"PostGIS, {system}", expected, answer(coverplan, folder, *tables))
        password_stays_secret(coverplan, words, password, expected)


def password_stays_secret(coverplan: Path, words: str, password: str, expected: dict[str, object]) -> None:
    """A password in the source is used and then left out of every file and message; verify takes it from elsewhere."""
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    source = f"{words} password='{quoted}'".replace("\\", "\\\\")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tables = [[f'source = "{source}"', f'layer = "own.{name}"'] for name in ("sites", "locations")]
        compare("PostGIS, password in the source", expected, answer(coverplan, folder, *tables))
        for path in (folder / "plan").iterdir():
            if password.split()[0].encode() in path.read_bytes():
                raise Fault(f"the password stands in {path.name}")
        scenario = folder / "scenario.toml"
        scenario.write_text(scenario.read_text(encoding="utf-8").replace("own.sites", "own.nothing"), encoding="utf-8")
        done = subprocess.run([coverplan, "check", scenario], capture_output=True, text=True, check=False)
        if done.returncode != 2 or password.split()[0] in done.stdout + done.stderr or "unknown-layer" not in done.stderr:
            raise Fault(f"a missing table: exit {done.returncode}: {done.stderr}")
        run("psql", words.removeprefix("PG:"), "-c", "UPDATE own.sites SET weight = weight + 1 WHERE id = (SELECT min(id) FROM own.sites)")
        done = subprocess.run([coverplan, "verify", folder / "plan"], capture_output=True, text=True, check=False)
        if done.returncode != 2 or "input-changed" not in done.stderr:
            raise Fault(f"a changed table: exit {done.returncode}: {done.stderr}")
        print("    PostGIS: the password is nowhere, a changed row is seen", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with sites.geojson and locations.geojson")
    parser.add_argument("--coverplan", type=Path, required=True, help="the binary")
    parser.add_argument("--gdal", action="store_true", help="the binary has the feature gdal")
    parser.add_argument("--postgis", action="store_true", help="start a private PostGIS, too; needs --gdal")
    options = parser.parse_args()
    coverplan, data = options.coverplan.resolve(), options.data.resolve()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            tables = [[f'source = "{data / name}.geojson"'] for name in ("sites", "locations")]
            expected = answer(coverplan, Path(scratch), *tables)
        files(coverplan, data, options.gdal, expected)
        layers_of_one_file(coverplan, data, expected)
        if options.postgis:
            databases(coverplan, data, expected)
    except Fault as fault:
        sys.exit(f"doors: {fault}")


if __name__ == "__main__":
    main()
