//! Walks the elements of an object and names them.

use std::io::Read;

use waxseal_key::algorithm::oid_name;

use super::schema::{Field, Shape};
use super::value::{self, universal};
use super::{Element, Segments, mail};
use crate::Limits;
use crate::ber::{BerError, BerErrorKind, Class, Event, Header, Length, Reader, Tag};

/// Elements and entities of one input that are shown.
const SHOWN: usize = 20_000;
/// Octets of a string that are looked into, when another encoding is inside.
const INSIDE: usize = 64 << 10;
/// Octets of a content that are looked into, when it is a MIME entity.
const CONTENT: usize = 1 << 20;
/// Runs of segment lengths that are shown.
const RUNS: usize = 16;

/// What may still be shown of one input.
#[derive(Debug)]
pub(super) struct Budget {
    shown: usize,
    /// Contents inside contents that may still be opened.
    layers: usize,
}

impl Budget {
    pub(super) const fn new(layers: usize) -> Self {
        Self { shown: 0, layers }
    }

    /// Counts something that is shown.
    pub(super) const fn show(&mut self) {
        self.shown += 1;
    }

    const fn is_spent(&self) -> bool {
        self.shown >= SHOWN
    }
}

/// Walks one encoding.
pub(super) struct Walk<'w, R> {
    pub(super) reader: Reader<R>,
    budget: &'w mut Budget,
    limits: &'w Limits,
    fault: Option<BerError>,
    /// Elements that are not shown.
    pub(super) omitted: u64,
    /// Whether anything was seen that DER forbids.
    pub(super) ber: bool,
}

/// What the elements read so far say about the next.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The nearest object identifier before it.
    oid: Option<String>,
}

impl<'w, R: Read> Walk<'w, R> {
    pub(super) const fn new(reader: Reader<R>, budget: &'w mut Budget, limits: &'w Limits) -> Self {
        Self { reader, budget, limits, fault: None, omitted: 0, ber: false }
    }

    /// Everything up to the end of the input or an error. The first element has
    /// this shape; what follows it is noted.
    pub(super) fn all(&mut self, shape: &'static Shape) -> (Vec<Element>, Option<BerError>) {
        let mut elements: Vec<Element> = Vec::new();
        loop {
            match self.reader.next_element() {
                Ok(Some(header)) => {
                    let shape = if elements.is_empty() { shape } else { &Shape::Any };
                    let mut element = self.element(&header, None, shape, &mut Known::default());
                    if !elements.is_empty() {
                        element.notes.push("stands after the end of the object".to_owned());
                    }
                    elements.push(element);
                }
                Ok(None) => break,
                Err(error) => self.fault = Some(error),
            }
            if self.fault.is_some() || self.budget.is_spent() {
                break;
            }
        }
        (elements, self.fault.take())
    }

    /// The element that `header` began. `known` says what stood before it, and
    /// is told what an AlgorithmIdentifier says about what comes after it.
    fn element(
        &mut self,
        header: &Header,
        name: Option<&'static str>,
        shape: &'static Shape,
        known: &mut Known,
    ) -> Element {
        self.budget.show();
        let (own_name, shape) = shape.resolve(header.tag, known.oid.as_deref());
        let kind = kind_of(header.tag, shape);
        let mut element = Element::new(header, own_name.or(name), kind);
        if !header.minimal && header.length != Length::Indefinite {
            element.notes.push("the identifier or length is longer than it needs to be".to_owned());
        }
        self.ber |= !header.minimal || header.length == Length::Indefinite;
        if header.constructed && !kind.is_some_and(is_string) {
            self.children(&mut element, shape, known);
        } else {
            self.string(&mut element, header, kind, shape);
        }
        element
    }

    fn children(&mut self, element: &mut Element, shape: &'static Shape, known: &mut Known) {
        let mut inside = known.clone();
        let mut shape = shape;
        let mut next = 0;
        loop {
            let header = match self.reader.next_element() {
                Ok(Some(header)) => header,
                Ok(None) => break,
                Err(error) => {
                    self.fault = Some(error);
                    break;
                }
            };
            if matches!(shape, Shape::Root) {
                (element.name, shape) = Shape::of_root(header.tag);
            }
            if self.budget.is_spent() {
                self.omitted += 1;
                self.fault = self.reader.skip(&header).err();
            } else {
                let (name, child_shape) = match shape {
                    Shape::Name => (None, &Shape::Any),
                    shape => place(shape.field(header.tag, &mut next)),
                };
                let mut after = inside.clone();
                let child = self.element(&header, name, child_shape, &mut after);
                if header.tag == Tag::OBJECT_IDENTIFIER {
                    inside.oid.clone_from(&child.value);
                } else if matches!(child_shape, Shape::Algorithm(_)) {
                    inside = after;
                }
                element.children.push(child);
            }
            if self.fault.is_some() {
                break;
            }
        }
        match shape {
            Shape::Algorithm(_) => *known = inside,
            Shape::Name => element.value = Some(name_text(element)),
            _ => {}
        }
    }

    /// A primitive element, or a string in segments.
    fn string(&mut self, element: &mut Element, header: &Header, kind: Option<u32>, shape: &'static Shape) {
        let keep = match shape {
            Shape::Inside(_) => INSIDE,
            Shape::Mime if self.budget.layers > 0 && !self.budget.is_spent() => CONTENT,
            _ => value::KEPT,
        };
        let mut content = Content { keep, ..Content::default() };
        let result = if header.constructed {
            self.ber = true;
            self.segments(header, kind, &mut content, element)
        } else {
            self.segment(&mut content, false)
        };
        self.fault = result.err();
        if header.constructed {
            element.segments = Some(std::mem::take(&mut content.segments));
        }
        let Content { kept, total, .. } = content;
        if self.fault.is_some() {
            element.value = (total > 0).then(|| value::hex(&kept, total));
            element.notes.push("cut off".to_owned());
            return;
        }
        let whole = kept.len() as u64 == total;
        match shape {
            Shape::Inside(inner) if whole => {
                let start = kind.map_or(0, |kind| usize::from(kind == universal::BIT_STRING)).min(kept.len());
                self.inside(element, header, &kept[start..], start as u64, inner);
            }
            Shape::Mime if whole && total > 0 => self.mime(element, &kept),
            Shape::Opaque | Shape::Mime => element.value = Some(format!("{total} octets")),
            Shape::Bits(names) => element.value = Some(value::named_bits(&kept, names)),
            _ => {
                let shown = &kept[..kept.len().min(value::KEPT)];
                element.value = value::preview(kind.or_else(|| text_behind(header.tag, shown)), shown, total);
                if kind == Some(universal::OID) {
                    element.oid_name = element.value.as_deref().and_then(oid_name);
                }
            }
        }
    }

    /// The segments of a constructed string, and segments in segments.
    fn segments(
        &mut self,
        header: &Header,
        kind: Option<u32>,
        content: &mut Content,
        element: &mut Element,
    ) -> Result<(), BerError> {
        while self.reader.depth() > header.depth {
            match self.reader.next_event()? {
                Some(Event::Begin(inner)) => {
                    let expected = kind.map_or(Tag::OCTET_STRING, Tag::universal);
                    if inner.tag != expected && inner.tag != Tag::OCTET_STRING && element.notes.is_empty() {
                        element.notes.push(format!("a segment at offset {} is a {}", inner.offset, inner.tag));
                    }
                    if !inner.constructed {
                        self.segment(content, kind == Some(universal::BIT_STRING) && content.total > 0)?;
                    }
                }
                Some(Event::End { .. }) => {}
                None => return Err(self.reader.error(BerErrorKind::Truncated)),
            }
        }
        Ok(())
    }

    /// One primitive segment. The octet that counts unused bits stands in each
    /// segment of a BIT STRING, and is dropped in all but the first.
    fn segment(&mut self, content: &mut Content, drop_first: bool) -> Result<(), BerError> {
        let mut block = [0; 8 << 10];
        let mut octets = 0;
        let mut skip = usize::from(drop_first);
        loop {
            let read = self.reader.read_content(&mut block)?;
            if read == 0 {
                content.end_segment(octets);
                return Ok(());
            }
            octets += read as u64;
            content.push(&block[skip.min(read)..read]);
            skip = 0;
        }
    }

    /// The encoding inside a string. That it is none is a note, not an error.
    fn inside(&mut self, element: &mut Element, header: &Header, octets: &[u8], start: u64, shape: &'static Shape) {
        let base = if header.constructed {
            element.notes.push("offsets inside count from its first octet".to_owned());
            start
        } else {
            header.content_offset() + start
        };
        let mut walk = Walk::new(Reader::at_offset(octets, self.limits, base), self.budget, self.limits);
        let (children, fault) = walk.all(shape);
        let (omitted, ber) = (walk.omitted, walk.ber);
        self.omitted += omitted;
        self.ber |= ber;
        match fault {
            None => element.children = children,
            Some(error) => {
                element.value = Some(value::hex(octets, octets.len() as u64));
                element.notes.push(format!("not the encoding that is due inside: {}", super::fault(&error)));
            }
        }
    }

    /// The MIME entity that is a content.
    fn mime(&mut self, element: &mut Element, octets: &[u8]) {
        let mut source = std::io::Cursor::new(octets);
        let layers = self.budget.layers;
        self.budget.layers = layers.saturating_sub(1);
        let content = if layers > 0 { mail::content(&mut source, self.limits, self.budget) } else { None };
        self.budget.layers = layers;
        match content {
            Some(entity) => element.content = Some(Box::new(entity)),
            None => {
                let shown = &octets[..octets.len().min(value::KEPT)];
                let printable = shown.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace());
                let kind = if printable { universal::UTF8 } else { universal::OCTET_STRING };
                element.value = value::preview(Some(kind), shown, octets.len() as u64);
            }
        }
    }
}

/// What is kept of a string.
#[derive(Debug, Default)]
struct Content {
    keep: usize,
    kept: Vec<u8>,
    total: u64,
    segments: Segments,
}

impl Content {
    fn push(&mut self, octets: &[u8]) {
        self.total += octets.len() as u64;
        let room = self.keep - self.kept.len();
        self.kept.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn end_segment(&mut self, octets: u64) {
        let Segments { runs, more } = &mut self.segments;
        let full = runs.len() >= RUNS;
        match runs.last_mut() {
            Some((length, count)) if *length == octets && !*more => *count += 1,
            _ if full => *more = true,
            _ => runs.push((octets, 1)),
        }
    }
}

impl Element {
    fn new(header: &Header, name: Option<&'static str>, kind: Option<u32>) -> Self {
        let behind = match header.tag.class {
            Class::Universal => None,
            _ => kind.map(Tag::universal),
        };
        Self {
            offset: header.offset,
            header: header.header_len,
            length: match header.length {
                Length::Definite(length) => Some(length),
                Length::Indefinite => None,
            },
            name,
            kind: behind.map_or_else(|| header.tag.to_string(), |behind| format!("{} {behind}", header.tag)),
            value: None,
            oid_name: None,
            segments: None,
            notes: Vec::new(),
            children: Vec::new(),
            content: None,
        }
    }
}

fn place(field: Option<&'static Field>) -> (Option<&'static str>, &'static Shape) {
    field.map_or((None, &Shape::Any), |field| (Some(field.name), field.shape))
}

/// The universal type of an element, or the one its tag stands for.
fn kind_of(tag: Tag, shape: &'static Shape) -> Option<u32> {
    match (tag.class, shape) {
        (Class::Universal, _) => Some(tag.number),
        (_, Shape::As(kind)) => Some(*kind),
        (_, Shape::Opaque) => Some(universal::OCTET_STRING),
        _ => None,
    }
}

const fn is_string(kind: u32) -> bool {
    Tag::universal(kind).is_string()
}

/// An unknown context-specific element whose octets are printable is shown as text.
fn text_behind(tag: Tag, octets: &[u8]) -> Option<u32> {
    let text = tag.class != Class::Universal && octets.len() > 3 && octets.iter().all(u8::is_ascii_graphic);
    text.then_some(universal::UTF8)
}

/// Short names of the parts of a distinguished name (RFC 4514 section 3).
const SHORT: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.4", "SN"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// A distinguished name in the order of its encoding: `C=DE, O=Example, CN=Alice`.
fn name_text(name: &Element) -> String {
    let attributes = name.children.iter().flat_map(|set| &set.children);
    let shown: Vec<String> = attributes
        .filter_map(|attribute| {
            let [kind, value, ..] = attribute.children.as_slice() else { return None };
            let oid = kind.value.as_deref().unwrap_or_default();
            let short = SHORT.iter().find(|(known, _)| *known == oid).map(|(_, short)| *short);
            let label = short.or(kind.oid_name).unwrap_or(oid);
            Some(format!("{label}={}", value.value.as_deref().unwrap_or_default().trim_matches('"')))
        })
        .collect();
    shown.join(", ")
}
