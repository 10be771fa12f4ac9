//! A plan turned into how its layers are drawn: colors that the color-blind tell apart, shapes that survive a grey print.

use super::outlines::OF_COUNTRIES;
use super::tables;
use crate::export::Report;

/// How a layer is drawn.
pub(super) struct Style {
    pub(super) table: &'static str,
    /// For people.
    pub(super) title: String,
    pub(super) kind: Kind,
    /// What decides between the classes, as an expression of QGIS; `None` for a single class.
    pub(super) decides: Option<String>,
    /// At least one.
    pub(super) classes: Vec<Class>,
    /// A column by which features are drawn, the greatest first, so that the least lie on top.
    pub(super) order: Option<&'static str>,
    /// An expression of QGIS.
    pub(super) label: Option<String>,
    /// True where features come and go with the phases.
    pub(super) is_dated: bool,
}

/// What the features of a layer are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Marker,
    Line,
    Fill,
}

/// Features that are drawn alike.
pub(super) struct Class {
    /// What `decides` gives for them.
    pub(super) value: String,
    pub(super) label: String,
    pub(super) test: Test,
    pub(super) symbol: Symbol,
}

/// The same as `value` for programs that do not know the expressions of QGIS.
pub(super) enum Test {
    Always,
    Is(&'static str, String),
    AtLeast(&'static str, usize),
}

/// Red, green, blue and opacity.
pub(super) type Color = [u8; 4];

/// How a feature is drawn; lengths are millimetres.
#[derive(Clone, Default)]
pub(super) struct Symbol {
    pub(super) shape: &'static str,
    pub(super) fill: Color,
    pub(super) line: Color,
    pub(super) line_mm: f64,
    pub(super) size_mm: f64,
    /// An expression of QGIS for the size, where it varies.
    pub(super) size: Option<String>,
}

/// Told apart with every common kind of color vision.
///
/// # Source
/// Okabe and Ito 2008, Color Universal Design; black is left to texts.
const PALETTE: [[u8; 3]; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [240, 228, 66]];

/// Told apart without color; as many as have no common divisor with the colors, so that pairs repeat late. QGIS draws a circle,
/// as of a site, where it does not know a shape.
const SHAPES: [&str; 6] = ["triangle", "square", "diamond", "pentagon", "cross_fill", "star"];

/// Cover 0, 1, 2, 3 and more: hollow and red, then ever lighter, as in the scale cividis.
const COVER: [[u8; 3]; 4] = [[255, 255, 255], [34, 80, 130], [124, 154, 142], [248, 205, 70]];
const UNCOVERED_EDGE: [u8; 3] = [178, 24, 43];
const DARK: [u8; 3] = [40, 40, 40];
const WHITE: [u8; 3] = [255, 255, 255];
const LAND: [u8; 3] = [250, 248, 243];
const COAST: [u8; 3] = [172, 166, 156];
const INNER: [u8; 3] = [196, 190, 180];

/// What lies beneath everything.
pub(super) const SEA: [u8; 3] = [226, 234, 240];

/// The styles of all layers, the topmost first.
pub(super) fn of_plan(report: &Report<'_>) -> Vec<Style> {
    let is_dated = report.scenario.phases.iter().any(|phase| phase.starts.is_some());
    vec![placements(report, is_dated), sites(report, is_dated), links(is_dated), reach(report, is_dated), outlines()]
}

fn opaque([red, green, blue]: [u8; 3]) -> Color {
    [red, green, blue, 255]
}

fn faint([red, green, blue]: [u8; 3], opacity: u8) -> Color {
    [red, green, blue, opacity]
}

/// A text of QGIS's expressions, and of SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// One class for each contributor that gives units, in the order of the scenario.
fn by_contributor(report: &Report<'_>, symbol: impl Fn(usize) -> Symbol) -> Vec<Class> {
    let contributors = report.scenario.contributors.iter().enumerate();
    contributors
        .filter(|(place, _)| report.plan.placements.iter().any(|placement| placement.contributor == *place))
        .map(|(place, contributor)| Class {
            value: contributor.id.clone(),
            label: contributor.name.clone(),
            test: Test::Is("contributor_id", contributor.id.clone()),
            symbol: symbol(place),
        })
        .collect()
}

fn placements(report: &Report<'_>, is_dated: bool) -> Style {
    let symbol = |place: usize| Symbol {
        shape: SHAPES[place % SHAPES.len()],
        fill: opaque(PALETTE[place % PALETTE.len()]),
        line: opaque(DARK),
        line_mm: 0.25,
        size_mm: 4.2,
        size: None,
    };
    Style {
        table: tables::PLACEMENTS.name,
        title: "Placements by contributor".to_owned(),
        kind: Kind::Marker,
        decides: Some("\"contributor_id\"".to_owned()),
        classes: by_contributor(report, symbol),
        order: None,
        label: Some("\"unit_type_id\" || if(\"count\" > 1, ' \u{d7}' || \"count\", '')".to_owned()),
        is_dated,
    }
}

fn sites(report: &Report<'_>, is_dated: bool) -> Style {
    let top = COVER.len() - 1;
    let size = site_size(report);
    let class = |(count, color): (usize, &[u8; 3])| {
        let label = match count {
            0 => "not covered".to_owned(),
            1 => "covered once".to_owned(),
            count if count < top => format!("backed up, {count} times"),
            count => format!("backed up, {count} times or more"),
        };
        Class {
            value: count.to_string(),
            label,
            test: if count < top {
                Test::Is("cover_count", count.to_string())
            } else {
                Test::AtLeast("cover_count", count)
            },
            symbol: Symbol {
                shape: "circle",
                fill: opaque(*color),
                line: opaque(if count == 0 { UNCOVERED_EDGE } else { DARK }),
                line_mm: if count == 0 { 0.4 } else { 0.15 },
                size_mm: LEAST_MM + 0.5,
                size: Some(size.clone()),
            },
        }
    };
    Style {
        table: tables::SITES.name,
        title: "Sites, the least covered on top".to_owned(),
        kind: Kind::Marker,
        decides: Some(format!("min(\"cover_count\", {top})")),
        classes: COVER.iter().enumerate().map(class).collect(),
        order: Some("cover_count"),
        label: None,
        is_dated,
    }
}

/// Diameter of the lightest site, and how much wider the heaviest of its requirement is.
const LEAST_MM: f64 = 1.3;
const MORE_MM: f64 = 2.4;

/// The area of a site grows with its weight; weights of different requirements have different units, so each has its
/// own scale.
fn site_size(report: &Report<'_>) -> String {
    let heaviest = |requirement: &crate::scenario::Requirement| {
        let most = requirement.weights.iter().copied().fold(0.0, f64::max);
        format!("WHEN \"requirement_id\" = {} THEN {}", literal(&requirement.id), if most > 0.0 { most } else { 1.0 })
    };
    let scales: Vec<String> = report.scenario.requirements.iter().map(heaviest).collect();
    format!("{LEAST_MM} + {MORE_MM} * sqrt(max(0, \"weight\") / (CASE {} ELSE 1 END))", scales.join(" "))
}

fn links(is_dated: bool) -> Style {
    Style {
        table: tables::LINKS.name,
        title: "Links from units to sites".to_owned(),
        kind: Kind::Line,
        decides: None,
        classes: vec![Class {
            value: String::new(),
            label: "covers".to_owned(),
            test: Test::Always,
            symbol: Symbol { line: faint(DARK, 45), line_mm: 0.1, ..Symbol::default() },
        }],
        order: None,
        label: None,
        is_dated,
    }
}

fn reach(report: &Report<'_>, is_dated: bool) -> Style {
    let symbol = |place: usize| {
        let color = PALETTE[place % PALETTE.len()];
        Symbol { fill: faint(color, 26), line: faint(color, 150), line_mm: 0.2, ..Symbol::default() }
    };
    Style {
        table: tables::REACH.name,
        title: "Reach by contributor".to_owned(),
        kind: Kind::Fill,
        decides: Some("\"contributor_id\"".to_owned()),
        classes: by_contributor(report, symbol),
        order: None,
        label: None,
        is_dated,
    }
}

fn outlines() -> Style {
    let class = |value: &str, label: &str, symbol: Symbol| Class {
        value: value.to_owned(),
        label: label.to_owned(),
        test: Test::Is("source", value.to_owned()),
        symbol,
    };
    let countries = Symbol { fill: opaque(LAND), line: opaque(COAST), line_mm: 0.25, ..Symbol::default() };
    let inner = Symbol { fill: opaque(WHITE), line: opaque(INNER), line_mm: 0.2, ..Symbol::default() };
    Style {
        table: tables::OUTLINES.name,
        title: "Outlines".to_owned(),
        kind: Kind::Fill,
        decides: Some("\"source\"".to_owned()),
        classes: vec![class(OF_COUNTRIES, "countries", countries), class("scenario", "of the scenario", inner)],
        order: None,
        label: None,
        is_dated: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Matrix = [[f64; 3]; 3];

    fn times(matrix: Matrix, [a, b, c]: [f64; 3]) -> [f64; 3] {
        matrix.map(|[x, y, z]| x * a + y * b + z * c)
    }

    /// Lightness and the two opponents, as seen through a filter of linear sRGB.
    ///
    /// # Source
    /// IEC 61966-2-1 for sRGB, CIE 15 for L*a*b* with the white D65.
    fn lab(color: [u8; 3], vision: Matrix) -> [f64; 3] {
        const TO_XYZ: Matrix = [[0.412_4, 0.357_6, 0.180_5], [0.212_6, 0.715_2, 0.072_2], [0.019_3, 0.119_2, 0.950_5]];
        const WHITE_POINT: [f64; 3] = [0.950_5, 1.0, 1.089];
        let linear = color.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        let seen = times(vision, linear).map(|part| part.clamp(0.0, 1.0));
        let xyz = times(TO_XYZ, seen);
        let [x, y, z] = [0, 1, 2].map(|axis| {
            let part: f64 = xyz[axis] / WHITE_POINT[axis];
            if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 }
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// Common vision, and that without the cones for long and for middle waves.
    ///
    /// # Source
    /// Viénot, Brettel and Mollon 1999, for the primaries of sRGB.
    const VISIONS: [Matrix; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.112_38, 0.887_62, 0.0], [0.112_38, 0.887_62, 0.0], [0.004_01, -0.004_01, 1.0]],
        [[0.292_75, 0.707_25, 0.0], [0.292_75, 0.707_25, 0.0], [-0.022_34, 0.022_34, 1.0]],
    ];

    /// Distance of 1 is just seen side by side; markers on a map need many times that.
    fn least_distance(colors: &[[u8; 3]], vision: Matrix) -> f64 {
        let mut least = f64::INFINITY;
        for (place, one) in colors.iter().enumerate() {
            for other in &colors[place + 1..] {
                let (one, other) = (lab(*one, vision), lab(*other, vision));
                let squares = (0..3).map(|axis| (one[axis] - other[axis]).powi(2));
                least = least.min(squares.sum::<f64>().sqrt());
            }
        }
        least
    }

    #[test]
    fn classes_are_told_apart_without_red_or_green() {
        for vision in VISIONS {
            let (cover, contributors) = (least_distance(&COVER, vision), least_distance(&PALETTE, vision));
            assert!(cover >= 15.0, "cover: {cover}, {vision:?}");
            assert!(contributors >= 10.0, "contributors: {contributors}, {vision:?}");
            // What is not covered stands out from land and sea by its edge.
            for ground in [LAND, SEA] {
                let edge = least_distance(&[UNCOVERED_EDGE, ground], vision);
                assert!(edge >= 30.0, "edge on {ground:?}: {edge}, {vision:?}");
            }
        }
    }

    #[test]
    fn classes_are_told_apart_in_grey() {
        let mut lightness = COVER.map(|color| lab(color, VISIONS[0])[0]);
        lightness.sort_by(f64::total_cmp);
        assert!(lightness.windows(2).all(|pair| pair[1] - pair[0] >= 10.0), "{lightness:?}");
        // Contributors differ by shape: no two of the first 42 share both shape and color.
        let pairs: BTreeSet<_> =
            (0..42).map(|place| (SHAPES[place % SHAPES.len()], PALETTE[place % PALETTE.len()])).collect();
        assert_eq!(pairs.len(), 42);
        assert_eq!(SHAPES.iter().collect::<BTreeSet<_>>().len(), SHAPES.len());
    }
}
