//! The trees as text.

use std::fmt::Write as _;

use super::{Element, Entity, InputKind, Object, Tree};

/// The whole tree.
pub(super) fn tree(tree: &Tree) -> String {
    let mut out = String::new();
    if let Some(mail) = &tree.mail {
        entity(&mut out, mail, 0);
    }
    for bare in &tree.objects {
        let what = match (tree.input, &bare.label) {
            (InputKind::Pem, Some(label)) => format!("PEM {label}"),
            _ => "object".to_owned(),
        };
        object(&mut out, bare, &what, 0);
    }
    out
}

fn entity(out: &mut String, entity: &Entity, depth: usize) {
    let indent = "  ".repeat(depth);
    let default = if entity.default_type { " (by default)" } else { "" };
    let Entity { path, media_type, encoding, line_ends, .. } = entity;
    line(out, format_args!("{indent}{path} {media_type}{default}, {encoding}, {line_ends}"));
    let Entity { offset, line: number, header_octets, body_octets, .. } = entity;
    line(
        out,
        format_args!("{indent}    offset {offset}, line {number}: header {header_octets}, body {body_octets} octets"),
    );
    for parameter in &entity.parameters {
        line(out, format_args!("{indent}    {}={:?}", parameter.name, parameter.value));
    }
    if let Some(name) = &entity.file_name {
        line(out, format_args!("{indent}    file name {name:?}"));
    }
    if entity.unclosed {
        line(out, format_args!("{indent}    not closed: its last delimiter is missing"));
    }
    if let Some(smime) = &entity.smime {
        let mut text = smime.what.clone();
        for (label, paths) in [("covered", &smime.covered), ("uncovered", &smime.uncovered)] {
            if !paths.is_empty() {
                let _ = write!(text, "; {label} {}", paths.join(" "));
            }
        }
        line(out, format_args!("{indent}    S/MIME: {text}"));
        deviations(out, &indent, &smime.deviations);
    }
    if let Some(inside) = &entity.object {
        object(out, inside, "object", depth + 2);
    }
    for child in &entity.children {
        self::entity(out, child, depth + 1);
    }
}

fn object(out: &mut String, object: &Object, what: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    let size = object.octets.map_or("not read to its end".to_owned(), |octets| format!("{octets} octets"));
    line(out, format_args!("{indent}{what} at offset {}: {size}, {}", object.offset, object.encoding));
    deviations(out, &indent, &object.deviations);
    for child in &object.elements {
        element(out, child, depth, 0);
    }
    if object.omitted > 0 {
        line(out, format_args!("{indent}{} more elements are not shown", object.omitted));
    }
    if let Some(error) = &object.error {
        line(out, format_args!("{indent}ERROR: {error}"));
    }
}

fn element(out: &mut String, element: &Element, indent: usize, depth: usize) {
    let length = element.length.map_or("inf".to_owned(), |length| length.to_string());
    let mut text =
        format!("{}{:>6} {}+{length:<6}{}", "  ".repeat(indent), element.offset, element.header, "  ".repeat(depth));
    if let Some(name) = element.name {
        let _ = write!(text, " {name}:");
    }
    let _ = write!(text, " {}", element.kind);
    if let Some(value) = &element.value {
        let _ = write!(text, " {value}");
    }
    if let Some(segments) = &element.segments {
        let _ = write!(text, ", segments {segments}");
    }
    if let Some(name) = element.oid_name {
        let _ = write!(text, " ({name})");
    }
    for note in &element.notes {
        let _ = write!(text, " [{note}]");
    }
    line(out, format_args!("{text}"));
    for child in &element.children {
        self::element(out, child, indent, depth + 1);
    }
    if let Some(content) = &element.content {
        entity(out, content, indent + depth + 8);
    }
}

fn deviations(out: &mut String, indent: &str, deviations: &[waxseal_verdict::Deviation]) {
    if !deviations.is_empty() {
        let codes: Vec<&str> = deviations.iter().map(|deviation| deviation.code()).collect();
        line(out, format_args!("{indent}    deviations: {}", codes.join(", ")));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let start = out.len();
    let _ = out.write_fmt(text);
    out.truncate(start + out[start..].trim_end().len());
    out.push('\n');
}
