//! A style turned into the XML of QGIS: a file of its own, or the part of a layer in a project.

use super::styles::{Class, Color, Kind, Style, Symbol};

/// The document of a style.
pub(super) fn text(style: &Style) -> String {
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22.0\" labelsEnabled=\"{}\">\n{}</qgis>\n",
        u8::from(style.label.is_some()),
        body(style)
    )
}

/// What stands in the document of a style as in a layer of a project.
pub(super) fn body(style: &Style) -> String {
    let mut text = String::new();
    if style.is_dated {
        // Mode 2: start and end from attributes; an end that is null is open.
        text += "<temporal enabled=\"1\" mode=\"2\" limitMode=\"0\" startField=\"valid_from\" endField=\"valid_to\" \
                 durationField=\"\" fixedDuration=\"0\" durationUnit=\"min\" accumulate=\"0\" startExpression=\"\" \
                 endExpression=\"\"><fixedRange><start></start><end></end></fixedRange></temporal>\n";
    }
    text += &renderer(style);
    text += &style.label.as_deref().map(labels).unwrap_or_default();
    text
}

/// Text as XML writes it between and within tags.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            // XML 1.0 has no way to say other control characters.
            '\t' | '\n' | '\r' => escaped += &format!("&#{};", u32::from(character)),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

fn renderer(style: &Style) -> String {
    let order = style.order.map(|column| {
        format!("<orderby><orderByClause asc=\"0\" nullsFirst=\"0\">\"{column}\"</orderByClause></orderby>\n")
    });
    let symbols: String =
        style.classes.iter().enumerate().map(|(place, class)| symbol(style.kind, place, class)).collect();
    let (kind, categories) = match &style.decides {
        None => ("singleSymbol".to_owned(), String::new()),
        Some(decides) => {
            let category = |(place, class): (usize, &Class)| {
                let (value, label) = (escaped(&class.value), escaped(&class.label));
                format!("<category symbol=\"{place}\" render=\"true\" value=\"{value}\" label=\"{label}\"/>\n")
            };
            let categories: String = style.classes.iter().enumerate().map(category).collect();
            let kind = format!("categorizedSymbol\" attr=\"{}", escaped(decides));
            (kind, format!("<categories>\n{categories}</categories>\n"))
        }
    };
    format!(
        "<renderer-v2 type=\"{kind}\" enableorderby=\"{}\" forceraster=\"0\" symbollevels=\"0\">\n{categories}\
         <symbols>\n{symbols}</symbols>\n{}</renderer-v2>\n",
        u8::from(order.is_some()),
        order.unwrap_or_default()
    )
}

fn rgba([red, green, blue, opacity]: Color) -> String {
    format!("{red},{green},{blue},{opacity}")
}

fn symbol(kind: Kind, place: usize, class: &Class) -> String {
    let Symbol { shape, fill, line, line_mm, size_mm, size } = &class.symbol;
    let (word, layer, options) = match kind {
        Kind::Marker => (
            "marker",
            "SimpleMarker",
            vec![
                ("name", (*shape).to_owned()),
                ("color", rgba(*fill)),
                ("outline_color", rgba(*line)),
                ("outline_style", "solid".to_owned()),
                ("outline_width", line_mm.to_string()),
                ("outline_width_unit", "MM".to_owned()),
                ("size", size_mm.to_string()),
                ("size_unit", "MM".to_owned()),
                ("joinstyle", "miter".to_owned()),
            ],
        ),
        Kind::Line => (
            "line",
            "SimpleLine",
            vec![
                ("line_color", rgba(*line)),
                ("line_style", "solid".to_owned()),
                ("line_width", line_mm.to_string()),
                ("line_width_unit", "MM".to_owned()),
            ],
        ),
        Kind::Fill => (
            "fill",
            "SimpleFill",
            vec![
                ("color", rgba(*fill)),
                ("style", "solid".to_owned()),
                ("outline_color", rgba(*line)),
                ("outline_style", "solid".to_owned()),
                ("outline_width", line_mm.to_string()),
                ("outline_width_unit", "MM".to_owned()),
                ("joinstyle", "round".to_owned()),
            ],
        ),
    };
    let options = options
        .iter()
        .map(|(name, value)| format!("<Option name=\"{name}\" type=\"QString\" value=\"{value}\"/>\n"))
        .collect::<Vec<_>>()
        .concat();
    let size = size.as_deref().map(data_defined_size).unwrap_or_default();
    format!(
        "<symbol type=\"{word}\" name=\"{place}\" alpha=\"1\" clip_to_extent=\"1\" force_rhr=\"0\">\n\
         <layer class=\"{layer}\" enabled=\"1\" pass=\"0\" locked=\"0\">\n<Option type=\"Map\">\n{options}</Option>\n\
         {size}</layer>\n</symbol>\n"
    )
}

fn data_defined_size(expression: &str) -> String {
    format!(
        "<data_defined_properties><Option type=\"Map\"><Option name=\"name\" type=\"QString\" value=\"\"/>\
         <Option name=\"properties\" type=\"Map\"><Option name=\"size\" type=\"Map\">\
         <Option name=\"active\" type=\"bool\" value=\"true\"/>\
         <Option name=\"expression\" type=\"QString\" value=\"{}\"/><Option name=\"type\" type=\"int\" value=\"3\"/>\
         </Option></Option><Option name=\"type\" type=\"QString\" value=\"collection\"/></Option>\
         </data_defined_properties>\n",
        escaped(expression)
    )
}

/// Labels around the points that have room, with a light edge.
fn labels(expression: &str) -> String {
    format!(
        "<labeling type=\"simple\"><settings calloutType=\"simple\">\n\
         <text-style fieldName=\"{}\" isExpression=\"1\" fontSize=\"7\" fontSizeUnit=\"Point\" fontWeight=\"63\" \
         textColor=\"30,30,30,255\" textOpacity=\"1\">\
         <text-buffer bufferDraw=\"1\" bufferSize=\"0.7\" bufferSizeUnits=\"MM\" bufferColor=\"255,255,255,230\" \
         bufferOpacity=\"1\" bufferNoFill=\"1\" bufferJoinStyle=\"128\"/></text-style>\n\
         <placement placement=\"6\" dist=\"0.6\" distUnits=\"MM\" offsetType=\"1\" \
         predefinedPositionOrder=\"R,L,TR,BR,TL,BL,T,B\" priority=\"5\"/>\n\
         <rendering obstacle=\"1\" displayAll=\"0\" scaleVisibility=\"0\"/>\n\
         </settings></labeling>\n",
        escaped(expression)
    )
}
