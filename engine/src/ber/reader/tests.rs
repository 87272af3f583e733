//! Events, errors and limits of the reader.

use super::*;

fn events(input: &[u8]) -> Result<Vec<Event>, BerError> {
    let mut reader = Reader::new(input, &Limits::default());
    let mut list = Vec::new();
    while let Some(event) = reader.next_event()? {
        list.push(event);
    }
    Ok(list)
}

fn kind(input: &[u8]) -> BerErrorKind {
    events(input).unwrap_err().kind
}

#[test]
fn definite_and_indefinite_give_the_same_elements() {
    let definite = events(&[0x30, 5, 4, 3, 1, 2, 3]).unwrap();
    let indefinite = events(&[0x30, 0x80, 4, 3, 1, 2, 3, 0, 0]).unwrap();
    assert_eq!(definite.len(), 3);
    assert_eq!(definite[1], indefinite[1]);
    assert_eq!(indefinite[2], Event::End { offset: 9 });
}

#[test]
fn malformed_encodings_are_named() {
    assert_eq!(kind(&[0x30, 5, 4, 3, 1]), BerErrorKind::Truncated);
    assert_eq!(kind(&[0x30, 0x80, 4, 1, 1]), BerErrorKind::Truncated);
    assert!(matches!(kind(&[4, 0x80, 0, 0]), BerErrorKind::Malformed(_)));
    assert!(matches!(kind(&[0x30, 3, 4, 3, 1, 2, 3]), BerErrorKind::Malformed(_)));
    assert!(matches!(kind(&[0x30, 2, 0, 0]), BerErrorKind::Malformed(_)));
    assert!(matches!(kind(&[0x30, 0xff]), BerErrorKind::Malformed(_)));
    assert!(matches!(kind(&[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]), BerErrorKind::Malformed(_)));
}

#[test]
fn errors_name_offset_and_path() {
    let error = events(&[0x30, 6, 2, 1, 0, 0x31, 1, 4]).unwrap_err();
    assert_eq!(error.offset, 8);
    assert_eq!(error.path, "SEQUENCE[0]/SET[1]");
    assert!(error.to_string().contains("at offset 8 in SEQUENCE[0]/SET[1]"), "{error}");
}

#[test]
fn depth_is_limited() {
    let mut deep = [0x30, 0x80].repeat(100_000);
    deep.extend([0, 0].repeat(100_000));
    assert_eq!(kind(&deep), BerErrorKind::Limit("depth of nested elements"));
}

#[test]
fn a_lying_length_costs_no_memory() {
    let mut reader = Reader::new([4, 0x84, 0x7f, 0xff, 0xff, 0xff, 1].as_slice(), &Limits::default());
    let header = reader.next_element().unwrap().unwrap();
    assert_eq!(header.length, Length::Definite(0x7fff_ffff));
    assert_eq!(reader.content(usize::MAX).unwrap_err().kind, BerErrorKind::Truncated);
}

#[test]
fn raw_gives_back_the_input() {
    for input in [
        [0x30, 0x80, 0x24, 0x80, 4, 1, 7, 0, 0, 0, 0].as_slice(),
        &[0x30, 0x81, 3, 4, 1, 7],
        &[0x30, 0x84, 0, 0, 0, 3, 4, 1, 7],
        &[4, 0],
        &[0x9f, 0x1f, 1, 9],
    ] {
        let mut reader = Reader::new(input, &Limits::default());
        let header = reader.next_element().unwrap().unwrap();
        assert_eq!(reader.raw(&header, 100).unwrap(), input);
        assert_eq!(reader.next_event().unwrap(), None);
    }
}

#[test]
fn raw_is_limited() {
    let mut reader = Reader::new([0x30, 0x80, 4, 1, 7, 4, 1, 8, 0, 0].as_slice(), &Limits::default());
    let header = reader.next_element().unwrap().unwrap();
    assert_eq!(reader.raw(&header, 5).unwrap_err().kind, BerErrorKind::Limit("octets of one element"));
}
