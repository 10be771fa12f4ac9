#!/usr/bin/python3
"""Opens plan.gpkg of a plan folder in QGIS without a screen: layers, styles, project, dates; renders the map."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sqlite3
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

# Before QGIS is loaded: no screen, and no files outside a folder of our own.
SCRATCH = tempfile.mkdtemp(prefix="coverplan-qgis-")
os.chmod(SCRATCH, 0o700)
os.environ.update(QT_QPA_PLATFORM="offscreen", XDG_RUNTIME_DIR=SCRATCH, HOME=SCRATCH, QGIS_CUSTOM_CONFIG_PATH=SCRATCH)

from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsDateTimeRange,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsSimpleMarkerSymbolLayerBase,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime, QSize, Qt  # noqa: E402

LAYERS = {"placements": "Point", "sites": "Point", "links": "MultiLineString", "reach": "MultiPolygon", "outlines": "MultiPolygon"}
CATEGORIES = {"placements", "sites", "reach", "outlines"}
GROUPS = ["Plan", "Sites", "Links", "Reach", "Base map"]


class Fault(Exception):
    """What QGIS makes of the file and should not."""


def expect(holds: bool, message: str) -> None:
    if not holds:
        raise Fault(message)


def check_documents(package: Path) -> None:
    """Every style and the project are XML, and the styles are complete: QGIS forgives what other programs do not. QGIS knows the
    shapes of all markers: for others it draws a circle and says nothing."""
    with contextlib.closing(sqlite3.connect(f"file:{package}?mode=ro", uri=True)) as database:
        styles = database.execute("SELECT f_table_name, styleQML, styleSLD FROM layer_styles").fetchall()
        content = database.execute("SELECT content FROM qgis_projects").fetchone()[0]
    expect({name for name, _, _ in styles} == set(LAYERS), f"styles of {[name for name, _, _ in styles]}")
    archive = zipfile.ZipFile(io.BytesIO(bytes.fromhex(content.decode("ascii"))))
    documents = [("project", archive.read("plan.qgs").decode("utf-8"))]
    documents += [(name, text) for name, *texts in styles for text in texts]
    shapes = []
    for name, text in documents:
        try:
            document = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise Fault(f"{name}: {error}: {text[:200]}") from None
        options = document.iterfind(".//layer[@class='SimpleMarker']/Option/Option[@name='name']")
        shapes += [option.get("value") for option in options]
    unknown = {shape for shape in shapes if not QgsSimpleMarkerSymbolLayerBase.decodeShape(shape)[1]}
    expect(bool(shapes) and not unknown, f"unknown shapes of markers: {unknown or 'all'}")


def check_layers(package: Path, plan: Path) -> None:
    """Each layer by itself: valid, as many features as its GeoJSON, its style applied."""
    for name, kind in LAYERS.items():
        layer = QgsVectorLayer(f"{package}|layername={name}", name, "ogr")
        expect(layer.isValid(), f"{name}: not valid")
        expect(layer.crs().authid() == "EPSG:4326", f"{name}: CRS {layer.crs().authid()}")
        expect(QgsWkbTypes.displayString(layer.wkbType()) == kind, f"{name}: {QgsWkbTypes.displayString(layer.wkbType())}")
        if name != "outlines":
            features = json.loads((plan / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
            expect(layer.featureCount() == len(features), f"{name}: {layer.featureCount()} features, not {len(features)}")
            columns = [field.name() for field in layer.fields()]
            expect(not features or columns == ["fid", *features[0]["properties"]], f"{name}: columns {columns}")
        text, is_default = layer.loadDefaultStyle()
        expect(is_default, f"{name}: no default style: {text}")
        renderer = layer.renderer()
        is_by_category = isinstance(renderer, QgsCategorizedSymbolRenderer)
        expect(is_by_category == (name in CATEGORIES), f"{name}: renderer {renderer.type()}")
        check_classes(name, layer)
    limits = QgsVectorLayer(f"{package}|layername=limits", "limits", "ogr")
    expect(limits.isValid() and limits.featureCount() > 0, "limits: no rows")


def check_classes(name: str, layer: QgsVectorLayer) -> None:
    """Every feature has a symbol."""
    from qgis.core import QgsExpressionContext, QgsExpressionContextUtils, QgsRenderContext

    renderer = layer.renderer().clone()
    context = QgsRenderContext()
    expressions = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setExpressionContext(expressions)
    renderer.startRender(context, layer.fields())
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        expect(renderer.symbolForFeature(feature, context) is not None, f"{name}: feature {feature.id()} has no symbol")
    renderer.stopRender(context)


def check_project(package: Path, plan: Path) -> QgsProject:
    """The project inside: title, system, groups in order, every layer valid, dated layers active."""
    result = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    project = QgsProject.instance()
    expect(project.read(f"geopackage:{package}?projectName={result['name']}"), f"project: {project.error()}")
    expect(project.title() == result["title"], f"project: title {project.title()}")
    expect(project.crs().authid() == "EPSG:3857", f"project: CRS {project.crs().authid()}")
    groups = [group.name() for group in project.layerTreeRoot().findGroups()]
    expect([name for name in groups if name in GROUPS] == GROUPS, f"project: groups {groups}")
    layers = project.mapLayers().values()
    expect(len(layers) >= len(LAYERS) + 1, f"project: {len(layers)} layers")
    for layer in layers:
        expect(layer.isValid(), f"project: {layer.name()} is not valid")
        if layer.isSpatial():
            expect(layer.crs().authid() == "EPSG:4326", f"project: {layer.name()}: CRS {layer.crs().authid()}")
            # Links and reach of a plan may be empty, and so may the sea around it.
            is_filled = layer.featureCount() > 0 or layer.id() in ("coverplan_links", "coverplan_reach", "coverplan_outlines")
            expect(is_filled, f"project: {layer.name()} has no features")
    has_dates = result["phases"][0]["starts"] is not None
    for layer in layers:
        is_dated = has_dates and layer.isSpatial() and not layer.name().startswith("Outlines")
        expect(layer.temporalProperties().isActive() == is_dated, f"project: dates of {layer.name()}")
    if has_dates:
        span = project.timeSettings().temporalRange()
        expect(span.begin().isValid() and span.begin() < span.end(), "project: no span of time")
        mode, is_set = project.readNumEntry("TemporalControllerWidget", "/NavigationMode")
        expect(is_set and mode == 1, f"project: temporal controller {mode}")
    return project


def check_frames(project: QgsProject, plan: Path) -> None:
    """Filtered to a phase, the project shows the rows of that phase and no others."""
    phases = json.loads((plan / "plan.json").read_text(encoding="utf-8"))["phases"]
    if phases[0]["starts"] is None:
        return
    sites = json.loads((plan / "sites.geojson").read_text(encoding="utf-8"))["features"]
    layer = next(layer for layer in project.mapLayers().values() if layer.id() == "coverplan_sites")
    from qgis.core import QgsVectorLayerTemporalContext

    context = QgsVectorLayerTemporalContext()
    context.setLayer(layer)
    for phase in phases:
        text = layer.temporalProperties().createFilterString(context, day(phase["starts"]))
        shown = sum(1 for _ in layer.getFeatures(text))
        expected = sum(one["properties"]["phase_id"] == phase["id"] for one in sites)
        expect(shown == expected, f"phase {phase['id']}: {shown} sites, not {expected}")


def day(text: str) -> QgsDateTimeRange:
    """The day that starts at 00:00 UTC."""
    start = QDateTime.fromString(f"{text}T00:00:00Z", Qt.DateFormat.ISODate)
    return QgsDateTimeRange(start, start.addDays(1), True, False)


def render(project: QgsProject, picture: Path | None, phase: str | None, plan: Path) -> None:
    """Renders what QGIS shows when the project is opened, and expects a map."""
    result = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    settings = QgsMapSettings()
    tree = project.layerTreeRoot()
    settings.setLayers([layer for layer in tree.layerOrder() if tree.findLayer(layer).isVisible()])
    settings.setDestinationCrs(project.crs())
    settings.setTransformContext(project.transformContext())
    settings.setBackgroundColor(project.backgroundColor())
    settings.setOutputSize(QSize(1600, 1050))
    settings.setOutputDpi(110)
    view = project.viewSettings().defaultViewExtent()
    expect(not view.isEmpty(), "project: no extent to begin with")
    settings.setExtent(QgsRectangle(view))
    starts = {one["id"]: one["starts"] for one in result["phases"]}
    start = starts[phase] if phase else result["phases"][0]["starts"]
    if start is not None:
        settings.setIsTemporal(True)
        settings.setTemporalRange(day(start))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    expect(not job.errors(), f"rendering: {[error.message for error in job.errors()]}")
    image = job.renderedImage()
    colours = {image.pixel(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)}
    expect(len(colours) > 50, f"rendering: only {len(colours)} colours")
    if picture is not None:
        expect(image.save(str(picture)), f"cannot write {picture}")


def finish(status: int) -> NoReturn:
    """Ends without the teardown of QGIS, which may crash after all is done."""
    import shutil

    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path, help="plan folder")
    parser.add_argument("--picture", type=Path, help="picture of the map to write, such as map.png")
    parser.add_argument("--phase", help="phase to draw; the first unless given")
    options = parser.parse_args()
    plan = options.plan.resolve()
    application = QgsApplication([], False)
    application.initQgis()
    try:
        check_documents(plan / "plan.gpkg")
        check_layers(plan / "plan.gpkg", plan)
        project = check_project(plan / "plan.gpkg", plan)
        check_frames(project, plan)
        render(project, options.picture, options.phase, plan)
    except Fault as fault:
        print(f"QGIS: {fault}", file=sys.stderr)
        finish(1)
    finish(0)


if __name__ == "__main__":
    main()
