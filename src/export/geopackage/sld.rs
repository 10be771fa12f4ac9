//! A style turned into a Styled Layer Descriptor, for programs other than QGIS.

use super::qml::escaped;
use super::styles::{Color, Kind, Style, Symbol, Test};

/// Pixels of SLD are 0.28 mm wide.
///
/// # Source
/// OGC 05-077r4 (Symbology Encoding 1.1), clause 11.
const PIXEL_MM: f64 = 0.28;

/// The document of a style.
pub(super) fn text(style: &Style) -> String {
    let rule = |class: &super::styles::Class| {
        let title = escaped(&class.label);
        format!(
            "<Rule><Name>{title}</Name><Title>{title}</Title>{}{}</Rule>\n",
            filter(&class.test),
            symbolizer(style.kind, &class.symbol)
        )
    };
    let rules: String = style.classes.iter().map(rule).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<StyledLayerDescriptor version=\"1.0.0\" \
         xmlns=\"http://www.opengis.net/sld\" xmlns:ogc=\"http://www.opengis.net/ogc\">\n\
         <NamedLayer><Name>{table}</Name><UserStyle><Name>{table}</Name><Title>{}</Title><FeatureTypeStyle>\n{rules}\
         </FeatureTypeStyle></UserStyle></NamedLayer>\n</StyledLayerDescriptor>\n",
        escaped(&style.title),
        table = style.table
    )
}

fn filter(test: &Test) -> String {
    let comparison = |word: &str, column: &str, value: &str| {
        format!(
            "<ogc:Filter><ogc:{word}><ogc:PropertyName>{column}</ogc:PropertyName><ogc:Literal>{}</ogc:Literal>\
             </ogc:{word}></ogc:Filter>",
            escaped(value)
        )
    };
    match test {
        Test::Always => String::new(),
        Test::Is(column, value) => comparison("PropertyIsEqualTo", column, value),
        Test::AtLeast(column, least) => comparison("PropertyIsGreaterThanOrEqualTo", column, &least.to_string()),
    }
}

fn hex([red, green, blue, _]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn parameter(name: &str, value: &str) -> String {
    format!("<CssParameter name=\"{name}\">{value}</CssParameter>")
}

fn opacity(color: Color) -> String {
    format!("{:.2}", f64::from(color[3]) / 255.0)
}

fn symbolizer(kind: Kind, symbol: &Symbol) -> String {
    let stroke = format!(
        "<Stroke>{}{}{}</Stroke>",
        parameter("stroke", &hex(symbol.line)),
        parameter("stroke-opacity", &opacity(symbol.line)),
        parameter("stroke-width", &format!("{:.2}", symbol.line_mm / PIXEL_MM))
    );
    let fill = format!(
        "<Fill>{}{}</Fill>",
        parameter("fill", &hex(symbol.fill)),
        parameter("fill-opacity", &opacity(symbol.fill))
    );
    match kind {
        Kind::Line => format!("<LineSymbolizer>{stroke}</LineSymbolizer>"),
        Kind::Fill => format!("<PolygonSymbolizer>{fill}{stroke}</PolygonSymbolizer>"),
        Kind::Marker => format!(
            "<PointSymbolizer><Graphic><Mark><WellKnownName>{}</WellKnownName>{fill}{stroke}</Mark>\
             <Size>{:.1}</Size></Graphic></PointSymbolizer>",
            known_shape(symbol.shape),
            symbol.size_mm / PIXEL_MM
        ),
    }
}

/// SLD knows few shapes; colors tell the others apart.
fn known_shape(shape: &str) -> &str {
    match shape {
        "triangle" | "square" | "circle" | "star" => shape,
        "cross_fill" => "cross",
        "diamond" => "square",
        _ => "circle",
    }
}
