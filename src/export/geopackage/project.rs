//! Styles and extent of a plan turned into a QGIS project: layers in order, groups, system, dates, background.

use std::io::{Cursor, Write as _};

use jiff::civil::Date;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::blob::Extent;
use super::qml::{body, escaped};
use super::styles::{Kind, SEA, Style, literal};
use super::{schema, tables};
use crate::export::Report;
use crate::reproject::definition;
use crate::scenario::Distance;

/// Metadata and content of a row of `qgis_projects`: JSON, and a zipped project as hexadecimal digits.
pub(super) fn row(report: &Report<'_>, styles: &[Style], extent: &Extent) -> (String, String) {
    let metadata = json!({"last_modified_time": schema::EPOCH, "last_modified_user": "coverplan"});
    let zipped = zipped(&document(report, styles, extent));
    let content =
        zipped.iter().fold(String::with_capacity(2 * zipped.len()), |text, byte| text + &format!("{byte:02x}"));
    (metadata.to_string(), content)
}

/// The project as the only member of an archive, stored as it is: packing may differ from machine to machine.
fn zipped(project: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644);
    let written = archive
        .start_file("plan.qgs", options)
        .and_then(|()| archive.write_all(project.as_bytes()).map_err(Into::into))
        .and_then(|()| archive.finish());
    written.expect("memory takes every byte, and a project is far below the limits of an archive").into_inner()
}

/// A layer of the project.
struct Layer<'a> {
    id: String,
    title: String,
    style: Option<&'a Style>,
    table: &'static str,
    subset: Option<String>,
    is_shown: bool,
}

/// Layers of a group, the topmost first.
struct Group<'a> {
    title: &'static str,
    layers: Vec<Layer<'a>>,
    is_open: bool,
}

fn groups<'a>(report: &Report<'_>, styles: &'a [Style]) -> Vec<Group<'a>> {
    let whole = |table: &'static str, is_shown: bool| {
        let style = styles.iter().find(|style| style.table == table);
        let title = style.map_or_else(|| "Limits of contributors".to_owned(), |style| style.title.clone());
        // QGIS gives an id of ten characters or fewer a name of its own.
        Layer { id: format!("coverplan_{table}"), title, style, table, subset: None, is_shown }
    };
    let group = |title, layers, is_open| Group { title, layers, is_open };
    let sites = whole(tables::SITES.name, true);
    let requirements = report.scenario.requirements.iter().enumerate();
    let by_requirement = requirements.map(|(place, requirement)| Layer {
        id: format!("coverplan_sites_{place}"),
        title: format!("Sites for {}", requirement.id),
        subset: Some(format!("\"requirement_id\" = {}", literal(&requirement.id))),
        is_shown: false,
        ..whole(tables::SITES.name, false)
    });
    let mut groups = vec![
        group("Plan", vec![whole(tables::PLACEMENTS.name, true), whole(tables::LIMITS.name, true)], true),
        group("Sites", vec![sites], true),
        group("Links", vec![whole(tables::LINKS.name, true)], false),
        group("Reach", vec![whole(tables::REACH.name, true)], false),
        group("Base map", vec![whole(tables::OUTLINES.name, true)], false),
    ];
    if report.scenario.requirements.len() > 1 {
        groups.insert(2, group("Sites by requirement", by_requirement.collect(), false));
    }
    groups
}

fn document(report: &Report<'_>, styles: &[Style], extent: &Extent) -> String {
    let groups = groups(report, styles);
    let layers = || groups.iter().flat_map(|group| &group.layers);
    let system = report.scenario.crs.as_deref();
    let on_map = map_system(report, extent);
    let title = escaped(&report.scenario.title);
    let tree: String = groups.iter().map(tree_group).collect();
    let order = layers().map(|layer| format!("<layer id=\"{}\"/>", layer.id)).collect::<Vec<_>>().concat();
    let maps: String = layers().map(|layer| map_layer(layer, system)).collect();
    let view = view(extent, system, on_map);
    let [red, green, blue] = SEA;
    let (dates, navigation) = dates(report).unwrap_or_default();
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n\
         <qgis projectname=\"{title}\" version=\"3.22.0\">\n<homePath path=\"\"/>\n<title>{title}</title>\n\
         <projectCrs>{crs}</projectCrs>\n\
         <layer-tree-group>\n{tree}</layer-tree-group>\n\
         <mapcanvas name=\"theMapCanvas\" annotationsVisible=\"1\"><units>{units}</units>{canvas}\
         <rotation>0</rotation><destinationsrs>{crs}</destinationsrs></mapcanvas>\n\
         <projectlayers>\n{maps}</projectlayers>\n<layerorder>{order}</layerorder>\n\
         <properties>\n<Gui><CanvasColorRedPart type=\"int\">{red}</CanvasColorRedPart>\
         <CanvasColorGreenPart type=\"int\">{green}</CanvasColorGreenPart>\
         <CanvasColorBluePart type=\"int\">{blue}</CanvasColorBluePart></Gui>\n\
         <Paths><Absolute type=\"bool\">false</Absolute></Paths>\n\
         <SpatialRefSys><ProjectionsEnabled type=\"int\">{is_known}</ProjectionsEnabled></SpatialRefSys>\n\
         {navigation}</properties>\n\
         <projectMetadata><title>{title}</title><author>coverplan {version}</author></projectMetadata>\n\
         <ProjectViewSettings UseProjectScales=\"0\" rotation=\"0\"><Scales/>{default_view}</ProjectViewSettings>\n\
         {dates}</qgis>\n",
        crs = on_map.map(reference).unwrap_or_default(),
        units = if on_map == Some("EPSG:4326") { "degrees" } else { "meters" },
        is_known = u8::from(on_map.is_some()),
        version = escaped(report.version),
        canvas = view.map(|[west, south, east, north]| format!(
            "<extent><xmin>{west}</xmin><ymin>{south}</ymin><xmax>{east}</xmax><ymax>{north}</ymax></extent>"
        ))
        .unwrap_or_default(),
        default_view = view.map(|[west, south, east, north]| format!(
            "<DefaultViewExtent xmin=\"{west}\" ymin=\"{south}\" xmax=\"{east}\" ymax=\"{north}\">{}</DefaultViewExtent>",
            on_map.map(reference).unwrap_or_default()
        ))
        .unwrap_or_default(),
    )
}

/// The system of the map: on the earth that of the web's maps, which keeps shapes, unless it goes too near a pole.
fn map_system<'a>(report: &Report<'a>, extent: &Extent) -> Option<&'a str> {
    const FARTHEST: f64 = 84.0;
    match report.scenario.distance {
        Distance::Planar => report.scenario.crs.as_deref().filter(|crs| definition(crs).is_some()),
        Distance::Geodesic if extent.least[1] < -FARTHEST || extent.most[1] > FARTHEST => Some("EPSG:4326"),
        Distance::Geodesic => Some("EPSG:3857"),
    }
}

/// The extent with a margin in the system of the map: west, south, east, north.
fn view(extent: &Extent, system: Option<&str>, on_map: Option<&str>) -> Option<[f64; 4]> {
    const MARGIN: f64 = 0.05;
    if extent.is_empty() {
        return None;
    }
    let (mut least, mut most) = (extent.least, extent.most);
    if system == Some("EPSG:4326") && on_map == Some("EPSG:3857") {
        (least, most) = (mercator(least), mercator(most));
    }
    for axis in 0..2 {
        let margin = MARGIN * (most[axis] - least[axis]).max(1e-3);
        least[axis] -= margin;
        most[axis] += margin;
    }
    Some([least[0], least[1], most[0], most[1]])
}

/// Metres of EPSG:3857.
///
/// # Source
/// EPSG method 1024, on a sphere of the semi-major axis of WGS 84.
fn mercator([longitude, latitude]: [f64; 2]) -> [f64; 2] {
    const RADIUS_M: f64 = 6_378_137.0;
    let angle = std::f64::consts::FRAC_PI_4 + latitude.to_radians() / 2.0;
    [RADIUS_M * longitude.to_radians(), RADIUS_M * angle.tan().ln()]
}

/// A system as QGIS writes it; the number is that of its own list, without which it takes none.
fn reference(crs: &str) -> String {
    let Some([wkt, proj4]) = definition(crs) else { return String::new() };
    let srsid = match crs {
        "EPSG:4326" => "3452",
        "EPSG:3857" => "3857",
        _ => "0",
    };
    format!(
        "<spatialrefsys><wkt>{}</wkt><proj4>{}</proj4><srsid>{srsid}</srsid><srid>{}</srid><authid>{crs}</authid>\
         </spatialrefsys>",
        escaped(wkt),
        escaped(proj4),
        crs.trim_start_matches("EPSG:")
    )
}

fn source(layer: &Layer<'_>) -> String {
    let subset = layer.subset.as_deref().map(|subset| format!("|subset={subset}")).unwrap_or_default();
    escaped(&format!("./plan.gpkg|layername={}{subset}", layer.table))
}

fn checked(is_checked: bool) -> &'static str {
    if is_checked { "Qt::Checked" } else { "Qt::Unchecked" }
}

fn tree_group(group: &Group<'_>) -> String {
    let layer = |layer: &Layer<'_>| {
        format!(
            "<layer-tree-layer id=\"{}\" name=\"{}\" source=\"{}\" providerKey=\"ogr\" checked=\"{}\" expanded=\"{}\"/>\n",
            layer.id,
            escaped(&layer.title),
            source(layer),
            checked(layer.is_shown),
            u8::from(group.is_open)
        )
    };
    let layers: String = group.layers.iter().map(layer).collect();
    let is_shown = group.layers.iter().any(|layer| layer.is_shown);
    format!(
        "<layer-tree-group name=\"{}\" checked=\"{}\" expanded=\"{}\">\n{layers}</layer-tree-group>\n",
        group.title,
        checked(is_shown),
        u8::from(group.is_open)
    )
}

fn map_layer(layer: &Layer<'_>, system: Option<&str>) -> String {
    let geometry = match layer.style.map(|style| style.kind) {
        Some(Kind::Marker) => "Point",
        Some(Kind::Line) => "Line",
        Some(Kind::Fill) => "Polygon",
        None => "No geometry",
    };
    let has_labels = layer.style.is_some_and(|style| style.label.is_some());
    let crs = system.filter(|_| layer.style.is_some()).map(reference).unwrap_or_default();
    format!(
        "<maplayer type=\"vector\" geometry=\"{geometry}\" labelsEnabled=\"{}\" hasScaleBasedVisibilityFlag=\"0\">\n\
         <id>{}</id>\n<datasource>{}</datasource>\n<layername>{}</layername>\n<srs>{crs}</srs>\n\
         <provider encoding=\"UTF-8\">ogr</provider>\n{}</maplayer>\n",
        u8::from(has_labels),
        layer.id,
        source(layer),
        escaped(&layer.title),
        layer.style.map(body).unwrap_or_default()
    )
}

/// The span of the phases, and the controller of time stepping through it; `None` without dates.
fn dates(report: &Report<'_>) -> Option<(String, String)> {
    let starts: Vec<Date> =
        report.scenario.phases.iter().filter_map(|phase| phase.starts.as_ref()?.parse().ok()).collect();
    let (first, last) = (*starts.first()?, *starts.last()?);
    let (step, unit, end) = step(&starts, last)?;
    let instant = |day: Date| format!("{day}T00:00:00Z");
    let (start, end) = (instant(first), instant(end));
    Some((
        format!(
            "<ProjectTimeSettings timeStep=\"{step}\" timeStepUnit=\"{unit}\" frameRate=\"1\" cumulativeTemporalRange=\"0\">\
             <TemporalRange><start>{start}</start><end>{end}</end></TemporalRange></ProjectTimeSettings>\n"
        ),
        // Mode 1 steps through the frames; the first is the first phase.
        format!(
            "<TemporalControllerWidget><NavigationMode type=\"int\">1</NavigationMode>\
             <StartDateTime type=\"QString\">{start}</StartDateTime><EndDateTime type=\"QString\">{end}</EndDateTime>\
             </TemporalControllerWidget>\n"
        ),
    ))
}

/// The longest step that meets every start, in months where it can be, and where a last phase of one step ends.
fn step(starts: &[Date], last: Date) -> Option<(i64, &'static str, Date)> {
    let gcd = |of: &dyn Fn(&Date) -> i64| {
        starts.windows(2).fold(0, |common, pair| divisor(common, of(&pair[1]) - of(&pair[0]))).max(1)
    };
    let is_monthly = starts.iter().all(|day| day.day() == last.day()) && last.day() <= 28;
    if is_monthly {
        let step = gcd(&|day| 12 * i64::from(day.year()) + i64::from(day.month()));
        let end = last.checked_add(jiff::Span::new().try_months(step).ok()?).ok()?;
        return Some((step, "mon", end));
    }
    let zero = Date::constant(1970, 1, 1);
    let step = gcd(&|day| zero.until(*day).map_or(0, |span| i64::from(span.get_days())));
    let end = last.checked_add(jiff::Span::new().try_days(step).ok()?).ok()?;
    Some((step, "d", end))
}

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}
