//! What the writer writes, the event reader reads.

use proptest::prelude::*;

use super::{SegmentPlan, Segments, Stream, StreamError, constructed, element, tag};
use crate::Limits;
use crate::ber::{Class, Event, Length, OctetStream, Reader, Tag};

#[derive(Debug, Clone)]
enum Node {
    Primitive { number: u8, contents: Vec<u8> },
    Constructed { number: u8, indefinite: bool, children: Vec<Node> },
    Octets { plan: SegmentPlan, contents: Vec<u8> },
}

/// What of a node the reader can tell: the tag, whether the length was
/// indefinite, the contents or the children.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Primitive(Tag, Vec<u8>),
    Constructed(Tag, bool, Vec<Seen>),
}

fn nodes() -> impl Strategy<Value = Node> {
    let contents = || prop::collection::vec(any::<u8>(), 0..300);
    let plan = (prop::collection::vec(1usize..40, 0..3), 1usize..50, 0usize..20)
        .prop_map(|(first, size, apart)| SegmentPlan { first, size, apart });
    let leaf = prop_oneof![
        (0u8..31, contents()).prop_map(|(number, contents)| Node::Primitive { number, contents }),
        (plan, contents()).prop_map(|(plan, contents)| Node::Octets { plan, contents }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        (0u8..31, any::<bool>(), prop::collection::vec(inner, 0..5))
            .prop_map(|(number, indefinite, children)| Node::Constructed { number, indefinite, children })
    })
}

fn write(node: &Node, stream: &mut Stream<Vec<u8>>) -> Result<(), StreamError> {
    match node {
        Node::Primitive { number, contents } => {
            stream.start(tag::context_primitive(*number), contents.len() as u64)?;
            stream.octets(contents)?;
        }
        Node::Constructed { number, indefinite: true, children } => {
            stream.start_indefinite(tag::context(*number))?;
            children.iter().try_for_each(|child| write(child, stream))?;
        }
        Node::Constructed { number, children, .. } => {
            stream.start(tag::context(*number), children.iter().map(length).sum())?;
            children.iter().try_for_each(|child| write(child, stream))?;
        }
        Node::Octets { plan, contents } => {
            stream.start_indefinite(tag::OCTET_STRING)?;
            let mut segments = Segments::new(stream, plan);
            segments.octets(contents)?;
            segments.finish()?;
        }
    }
    stream.end()
}

/// How long a node is when it is written.
fn length(node: &Node) -> u64 {
    let mut stream = Stream::new(Vec::new());
    write(node, &mut stream).unwrap();
    stream.written()
}

/// What the reader ought to see; a string of segments as one primitive.
fn expected(node: &Node) -> Seen {
    match node {
        Node::Primitive { number, contents } => Seen::Primitive(Tag::context(u32::from(*number)), contents.clone()),
        Node::Constructed { number, indefinite, children } => {
            Seen::Constructed(Tag::context(u32::from(*number)), *indefinite, children.iter().map(expected).collect())
        }
        Node::Octets { contents, .. } => Seen::Primitive(Tag::OCTET_STRING, contents.clone()),
    }
}

fn read(reader: &mut Reader<&[u8]>) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(Event::Begin(header)) = reader.next_event().unwrap() {
        seen.push(if header.tag == Tag::OCTET_STRING {
            Seen::Primitive(header.tag, OctetStream::new(header).collect(reader, 1000).unwrap())
        } else if header.constructed {
            let indefinite = header.length == Length::Indefinite;
            Seen::Constructed(header.tag, indefinite, read(reader))
        } else {
            Seen::Primitive(header.tag, reader.content(1000).unwrap())
        });
    }
    seen
}

proptest! {
    #[test]
    fn trees_read_back(node in nodes()) {
        let mut stream = Stream::new(Vec::new());
        write(&node, &mut stream).unwrap();
        let octets = stream.finish().unwrap();
        prop_assert_eq!(read(&mut Reader::new(octets.as_slice(), &Limits::default())), [expected(&node)]);
    }

    #[test]
    fn elements_in_memory_read_back(contents in prop::collection::vec(any::<u8>(), 0..70_000)) {
        let octets = constructed(tag::SEQUENCE, [element(tag::context_primitive(3), &contents)]);
        let mut reader = Reader::new(octets.as_slice(), &Limits::default());
        reader.enter(Tag::SEQUENCE, "a sequence").unwrap();
        reader.expect(Tag::new(Class::Context, 3), "[3]").unwrap();
        prop_assert_eq!(reader.content(contents.len()).unwrap(), contents);
        prop_assert_eq!(reader.next_element().unwrap(), None);
    }
}
