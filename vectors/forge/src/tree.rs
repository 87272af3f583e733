//! A CMS object as a tree that can be changed and written again.
//!
//! Lengths are as they were: an indefinite one stays indefinite, a definite one
//! is made anew. What was not changed is written as it was read.

use waxseal_engine::ber::writer;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The identifier octet; CMS needs no higher tag numbers.
    pub(crate) tag: u8,
    /// Whether its length is indefinite.
    indefinite: bool,
    /// What is inside.
    pub(crate) inside: Inside,
}

/// What is inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Octets.
    Octets(Vec<u8>),
    /// Elements.
    Nodes(Vec<Node>),
}

impl Node {
    /// Reads one element and everything inside it.
    pub(crate) fn read(input: &[u8]) -> Result<Self, String> {
        let (node, rest) = read(input)?;
        if rest.is_empty() { Ok(node) } else { Err("octets after the object".to_owned()) }
    }

    /// A primitive element.
    pub(crate) fn octets(tag: u8, octets: Vec<u8>) -> Self {
        Self { tag, indefinite: false, inside: Inside::Octets(octets) }
    }

    /// A constructed element of definite length.
    pub(crate) fn nodes(tag: u8, nodes: Vec<Self>) -> Self {
        Self { tag, indefinite: false, inside: Inside::Nodes(nodes) }
    }

    /// The octets of the whole element.
    pub(crate) fn write(&self) -> Vec<u8> {
        let inside = self.write_inside();
        if self.indefinite {
            [&[self.tag, 0x80], inside.as_slice(), &[0, 0]].concat()
        } else {
            writer::element(self.tag, &inside)
        }
    }

    fn write_inside(&self) -> Vec<u8> {
        match &self.inside {
            Inside::Octets(octets) => octets.clone(),
            Inside::Nodes(nodes) => nodes.iter().flat_map(Self::write).collect(),
        }
    }

    /// Octets of tag and length.
    pub(crate) fn header_len(&self) -> usize {
        if self.indefinite { 2 } else { self.write().len() - self.write_inside().len() }
    }

    /// The elements inside.
    pub(crate) fn children(&self) -> &[Self] {
        match &self.inside {
            Inside::Nodes(nodes) => nodes,
            Inside::Octets(_) => &[],
        }
    }

    /// The elements inside, to be changed.
    pub(crate) fn children_mut(&mut self) -> Result<&mut Vec<Self>, String> {
        match &mut self.inside {
            Inside::Nodes(nodes) => Ok(nodes),
            Inside::Octets(_) => Err(format!("the element with tag {:02x} holds no elements", self.tag)),
        }
    }

    /// Every primitive element inside, this one included, in order.
    pub(crate) fn leaves_mut(&mut self) -> Vec<&mut Vec<u8>> {
        match &mut self.inside {
            Inside::Octets(octets) => vec![octets],
            Inside::Nodes(nodes) => nodes.iter_mut().flat_map(Self::leaves_mut).collect(),
        }
    }

    /// The element at a place: which child, of which child, and so on.
    pub(crate) fn at(&self, place: &[usize]) -> Result<&Self, String> {
        place.iter().try_fold(self, |node, index| node.children().get(*index)).ok_or_else(|| no_element(place))
    }

    /// The same, to be changed.
    pub(crate) fn at_mut(&mut self, place: &[usize]) -> Result<&mut Self, String> {
        let mut node = self;
        for index in place {
            node = node.children_mut()?.get_mut(*index).ok_or_else(|| no_element(place))?;
        }
        Ok(node)
    }

    /// Offset of the first octet of the element at a place.
    pub(crate) fn offset(&self, place: &[usize]) -> Result<usize, String> {
        let mut node = self;
        let mut offset = 0;
        for index in place {
            offset += node.header_len();
            offset += node.children().iter().take(*index).map(|sibling| sibling.write().len()).sum::<usize>();
            node = node.children().get(*index).ok_or_else(|| no_element(place))?;
        }
        Ok(offset)
    }
}

fn no_element(place: &[usize]) -> String {
    format!("the object has no element {place:?}")
}

fn read(input: &[u8]) -> Result<(Node, &[u8]), String> {
    let short = || "the object ends inside an element".to_owned();
    let (&tag, rest) = input.split_first().ok_or_else(short)?;
    if tag & 0x1f == 0x1f {
        return Err("a tag number over 30".to_owned());
    }
    let (&first, mut rest) = rest.split_first().ok_or_else(short)?;
    let constructed = tag & 0x20 != 0;
    if first == 0x80 {
        let mut nodes = Vec::new();
        while !rest.starts_with(&[0, 0]) {
            let (node, after) = read(rest)?;
            nodes.push(node);
            rest = after;
        }
        return Ok((Node { tag, indefinite: true, inside: Inside::Nodes(nodes) }, &rest[2..]));
    }
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let count = usize::from(first & 0x7f).min(rest.len());
        let (octets, after) = rest.split_at(count);
        rest = after;
        octets
            .iter()
            .try_fold(0_usize, |length, octet| length.checked_mul(256)?.checked_add(usize::from(*octet)))
            .ok_or_else(short)?
    };
    let (mut content, after) = rest.split_at_checked(length).ok_or_else(short)?;
    if !constructed {
        return Ok((Node::octets(tag, content.to_vec()), after));
    }
    let mut nodes = Vec::new();
    while !content.is_empty() {
        let (node, rest) = read(content)?;
        nodes.push(node);
        content = rest;
    }
    Ok((Node::nodes(tag, nodes), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: [u8; 16] = [0x30, 0x80, 2, 1, 5, 0xa0, 0x80, 4, 2, 7, 8, 0, 0, 0, 0, 0];

    #[test]
    fn what_is_not_changed_is_written_as_it_was() {
        let input = &MIXED[..15];
        let node = Node::read(input).unwrap();
        assert_eq!(node.write(), input);
        assert_eq!(node.offset(&[1, 0]).unwrap(), 7);
        assert_eq!(node.at(&[1, 0]).unwrap().write(), [4, 2, 7, 8]);
    }

    #[test]
    fn lengths_around_a_change_are_corrected() {
        let mut node = Node::read(&[0x30, 4, 4, 2, 7, 8]).unwrap();
        node.at_mut(&[0]).unwrap().inside = Inside::Octets(vec![0; 200]);
        assert_eq!(node.write()[..6], [0x30, 0x81, 203, 4, 0x81, 200]);
        assert_eq!(node.header_len(), 3);
    }

    #[test]
    fn damage_is_an_error() {
        for input in [&[0x30, 5, 2, 1][..], &[0x30, 0x80, 2, 1], &[0x1f, 1, 1, 0], &MIXED[..16], &[]] {
            assert!(Node::read(input).is_err(), "{input:?}");
        }
    }
}
