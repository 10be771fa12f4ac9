#!/usr/bin/env python3
"""Draws a plan folder as a map: what each unit reaches, how often each site is covered, who stands where."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

# Okabe and Ito's palette without black, told apart with every common kind of colour vision; as in the QGIS project of a plan.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
# Colour and shape together, so that neither carries the meaning alone; the shapes of the QGIS project, too.
MARKERS = ("^", "s", "D", "p", "P", "*")
# Cover 0, 1, 2, 3 and more: outlined in red, then from dark to light as in cividis.
COVER_COLOURS = ("#FFFFFF", "#2C5D8F", "#7C9A8E", "#F2C53D")
UNCOVERED_EDGE = "#B2182B"
LAND, LAND_EDGE, SEA = "#F6F4EE", "#B9B4A7", "#E9EFF3"
# Areas of the lightest and the heaviest site, in square points.
SMALLEST_SITE, LARGEST_SITE = 9.0, 90.0


def style_of(names: set[str], order: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each name by its place in the order, the same in all maps of a scenario."""
    return {
        name: (OKABE_ITO[place % len(OKABE_ITO)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(order)
        if name in names
    }


def order_of(plan: dict[str, Any], placements: gpd.GeoDataFrame, column: str) -> list[str]:
    """Contributors in the order of the scenario, as the QGIS project has them; unit types by name."""
    if column == "contributor":
        names = dict(zip(placements["contributor_id"], placements["contributor"], strict=True))
        return [names.get(one["id"], "") for one in plan["contributors"]]
    return sorted(placements[column].unique())


def group_column(placements: gpd.GeoDataFrame, wanted: str) -> str:
    """By contributor where several take part, else by unit type."""
    if wanted != "auto":
        return wanted
    return "contributor" if placements["contributor"].nunique() > 1 else "unit_type"


def draw_outline(axes: Axes, outline: gpd.GeoDataFrame) -> None:
    outline.plot(ax=axes, facecolor=LAND, edgecolor="none", zorder=0)
    outline.boundary.plot(ax=axes, color=LAND_EDGE, linewidth=0.5, zorder=1)


def draw_reach(axes: Axes, reach: gpd.GeoDataFrame, styles: dict[str, tuple[str, str]], column: str) -> None:
    for name, discs in reach.groupby(column):
        colour = styles[name][0]
        discs.plot(ax=axes, facecolor=colour, edgecolor="none", alpha=0.13, zorder=2)
        discs.boundary.plot(ax=axes, color=colour, linewidth=0.6, alpha=0.6, zorder=3)


def site_sizes(weights: Any, largest: float) -> Any:
    """Areas between the two limits, by the square root so that one capital does not dwarf the rest."""
    share = (weights.clip(lower=0) / largest) ** 0.5 if largest > 0 else weights * 0
    return SMALLEST_SITE + share * (LARGEST_SITE - SMALLEST_SITE)


def draw_sites(axes: Axes, sites: gpd.GeoDataFrame) -> None:
    """Each site once, by its best cover; largest first, so that small ones stay visible."""
    # Weights of different requirements have different units: each is scaled by its own largest.
    sites = sites.assign(size=0.0)
    for _, rows in sites.groupby("requirement_id"):
        sites.loc[rows.index, "size"] = site_sizes(rows["weight"], float(rows["weight"].max()))
    best = sites.sort_values("cover_count", ascending=False).drop_duplicates("site_id").sort_values("size")[::-1]
    points = best.geometry.representative_point()
    top = len(COVER_COLOURS) - 1
    for level, colour in enumerate(COVER_COLOURS):
        rows = best["cover_count"].clip(upper=top) == level
        edge = UNCOVERED_EDGE if level == 0 else "#333333"
        axes.scatter(
            points.x[rows],
            points.y[rows],
            s=best["size"][rows],
            c=colour,
            edgecolors=edge,
            linewidths=0.9 if level == 0 else 0.4,
            zorder=5 if level == 0 else 4,
        )


def draw_placements(axes: Axes, placements: gpd.GeoDataFrame, styles: dict[str, tuple[str, str]], column: str) -> None:
    for name, rows in placements.groupby(column):
        colour, marker = styles[name]
        axes.scatter(
            rows.geometry.x,
            rows.geometry.y,
            s=95,
            c=colour,
            marker=marker,
            edgecolors="white",
            linewidths=1.1,
            zorder=6,
        )
    for _, row in placements[placements["count"] > 1].iterrows():
        axes.annotate(
            f"×{row['count']}",
            (row.geometry.x, row.geometry.y),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=7,
            fontweight="bold",
            zorder=7,
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )


def legend_entries(placements: gpd.GeoDataFrame, styles: dict[str, tuple[str, str]], column: str) -> list[Line2D]:
    units = placements.groupby(column)["count"].sum()
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            color=colour,
            markeredgecolor="white",
            markersize=9,
            label=f"{name} ({units[name]})",
        )
        for name, (colour, marker) in styles.items()
    ]


def cover_entries() -> list[Line2D]:
    top = len(COVER_COLOURS) - 1
    words = ["not covered", "covered once", *(f"{level} times" for level in range(2, top)), f"{top} times or more"]
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=6.5,
            markerfacecolor=colour,
            markeredgecolor=UNCOVERED_EDGE if level == 0 else "#333333",
            label=word,
        )
        for level, (colour, word) in enumerate(zip(COVER_COLOURS, words, strict=True))
    ]


def draw_legends(axes: Axes, units: list[Line2D], title: str) -> list[Legend]:
    """Beside the map, so that neither legend hides a site."""
    frame = {"loc": "upper left", "frameon": False, "fontsize": 8, "title_fontsize": 9, "alignment": "left"}
    first = axes.legend(handles=units, title=title, bbox_to_anchor=(1.01, 1.0), **frame)
    axes.add_artist(first)
    # Where the first ends is known only once it is drawn.
    axes.figure.canvas.draw()
    bottom = first.get_window_extent().transformed(axes.transAxes.inverted()).y0
    second = axes.legend(handles=cover_entries(), title="Sites", bbox_to_anchor=(1.01, bottom - 0.02), **frame)
    return [first, second]


def share_lines(plan: dict[str, Any]) -> str:
    several = len({one.get("phase_id") for one in plan["requirements"]}) > 1
    labels = [f"{one['id']}, {one['phase_id']}" if several else one["id"] for one in plan["requirements"]]
    width = max(map(len, labels))
    lines = [f"{label:<{width}} {one['share']:7.1%}" for label, one in zip(labels, plan["requirements"], strict=True)]
    gap = plan["objective"]["gap"]
    proof = "proven best" if plan["status"] == "optimal" else f"within {gap:.2%} of the bound"
    return "\n".join([*lines, proof])


def draw_shares(axes: Axes, plan: dict[str, Any]) -> None:
    axes.text(
        0.012,
        0.015,
        share_lines(plan),
        transform=axes.transAxes,
        va="bottom",
        family="monospace",
        fontsize=8,
        zorder=8,
        bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": LAND_EDGE, "alpha": 0.9},
    )


def frame(axes: Axes, layers: list[gpd.GeoDataFrame]) -> None:
    """The extent of all layers and a margin, with a degree of longitude as long as it is in the middle of the map."""
    bounds = [layer.total_bounds for layer in layers]
    west, south = min(one[0] for one in bounds), min(one[1] for one in bounds)
    east, north = max(one[2] for one in bounds), max(one[3] for one in bounds)
    margin = 0.02 * max(east - west, north - south)
    axes.set_xlim(west - margin, east + margin)
    axes.set_ylim(south - margin, north + margin)
    axes.set_aspect(1 / math.cos(math.radians((south + north) / 2)))
    axes.set_facecolor(SEA)
    axes.tick_params(labelsize=7, colors="#777777", length=2)
    axes.xaxis.set_major_formatter(lambda degrees, _: f"{degrees:g}°")
    axes.yaxis.set_major_formatter(lambda degrees, _: f"{degrees:g}°")
    for spine in axes.spines.values():
        spine.set_color(LAND_EDGE)


def draw(plan_folder: Path, out: Path, outline_file: Path | None, by: str, phase: str | None) -> None:
    plan = json.loads((plan_folder / "plan.json").read_text(encoding="utf-8"))
    placements, sites, reach = (
        gpd.read_file(plan_folder / f"{name}.geojson") for name in ("placements", "sites", "reach")
    )
    if phase is not None:
        order = {one["id"]: place for place, one in enumerate(plan["phases"])}
        if phase not in order:
            raise SystemExit(f"no phase {phase}; there are {', '.join(order)}")
        # A unit stands from its arrival to its last phase.
        from_, to = placements["phase_id"].map(order), placements["last_phase_id"].map(order)
        placements = placements[(from_ <= order[phase]) & (order[phase] <= to)]
        sites = sites[sites["phase_id"] == phase]
        plan["requirements"] = [one for one in plan["requirements"] if one["phase_id"] == phase]
    column = group_column(placements, by)
    reach = reach[["placement_id", "geometry"]].merge(placements[["placement_id", column]], on="placement_id")
    styles = style_of(set(placements[column]), order_of(plan, placements, column))

    figure, axes = plt.subplots(figsize=(12, 8))
    layers = [sites, reach, placements]
    if outline_file is not None:
        outline = gpd.read_file(outline_file).to_crs(sites.crs)
        layers.append(outline)
        draw_outline(axes, outline)
    frame(axes, layers)
    draw_reach(axes, reach, styles, column)
    draw_sites(axes, sites)
    draw_placements(axes, placements, styles, column)
    axes.set_title(plan["title"] or plan["name"], loc="left", fontsize=13, fontweight="bold")
    draw_shares(axes, plan)
    title = f"{column.replace('_', ' ').capitalize()} (units)"
    legends = draw_legends(axes, legend_entries(placements, styles, column), title)
    figure.savefig(out, dpi=150, bbox_inches="tight", bbox_extra_artists=legends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path, help="plan folder")
    parser.add_argument("out", type=Path, help="picture to write, such as plan.png or plan.svg")
    parser.add_argument("--outline", type=Path, help="polygons to draw underneath, such as borders")
    parser.add_argument("--by", choices=("auto", "contributor", "unit_type"), default="auto", help="what symbols tell")
    parser.add_argument("--phase", help="draw one phase of a plan that has several")
    options = parser.parse_args()
    draw(options.plan, options.out, options.outline, options.by, options.phase)


if __name__ == "__main__":
    main()
