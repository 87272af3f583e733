use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::mime::testing::{Huge, Trickle};

fn cut(text: &str) -> Part {
    parse(&mut Cursor::new(text), &Limits::default()).unwrap()
}

/// Paths and the exact octets of every entity.
fn entities(text: &str) -> Vec<(String, &str)> {
    cut(text)
        .walk()
        .map(|part| (part.path.clone(), &text[part.entity().start as usize..part.entity().end as usize]))
        .collect()
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let found = entities(text);
    let found: Vec<_> = found.iter().map(|(path, octets)| (path.as_str(), *octets)).collect();
    assert_eq!(found[1..], *expected, "{text:?}");
    let crlf = text.replace('\n', "\r\n");
    let found = entities(&crlf);
    let found: Vec<_> = found.iter().map(|(path, octets)| (path.clone(), octets.replace("\r\n", "\n"))).collect();
    let found: Vec<_> = found.iter().map(|(path, octets)| (path.as_str(), octets.as_str())).collect();
    assert_eq!(found[1..], *expected, "{crlf:?}");
}

fn mixed(boundary: &str, body: &str) -> String {
    format!("Subject: x\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n\n{body}")
}

#[test]
fn the_line_end_before_a_delimiter_belongs_to_the_delimiter() {
    check(
        &mixed("b", "pre\n--b\n\none\n\n--b\nA: b\n\ntwo\n--b--\nepi\n"),
        &[("1.1", "\none\n"), ("1.2", "A: b\n\ntwo")],
    );
    let text = mixed("b", "pre\n--b\n\none\n--b--\nepi\n");
    let part = cut(&text);
    let of = |range: &std::ops::Range<u64>| &text[range.start as usize..range.end as usize];
    assert_eq!((of(&part.preamble), of(&part.epilogue)), ("pre", "epi\n"));
    assert!(part.closed);
}

#[test]
fn an_entity_without_body_loses_the_line_end_of_its_empty_line() {
    check(&mixed("b", "--b\nA: b\n\n--b\nC: d\n--b\n--b--\n"), &[("1.1", "A: b\n"), ("1.2", "C: d"), ("1.3", "")]);
}

#[test]
fn white_space_after_a_delimiter_is_padding() {
    check(&mixed("b", "--b \t\n\none\n--b--  \nepi"), &[("1.1", "\none")]);
    let long = " ".repeat(2000);
    check(&mixed("b", &format!("--b{long}\n\none\n--b--{long}\n")), &[("1.1", "\none")]);
}

#[test]
fn a_boundary_that_begins_another_is_not_taken_for_it() {
    let inner = "Content-Type: multipart/mixed; boundary=bc\n\n--bc\n\none\n--bc\n\ntwo\n--bc--\n";
    check(
        &mixed("b", &format!("--b\n{inner}--b\n\nthree\n--bcd\n--b--x\n--b--\n")),
        &[
            ("1.1", inner.trim_end_matches('\n')),
            ("1.1.1", "\none"),
            ("1.1.2", "\ntwo"),
            ("1.2", "\nthree\n--bcd\n--b--x"),
        ],
    );
}

#[test]
fn an_outer_delimiter_ends_an_inner_multipart_that_is_not_closed() {
    let text = mixed(
        "out",
        "--out\nContent-Type: multipart/alternative; boundary=in\n\n--in\n\none\n--in\n\ntwo\n--out\n\nthree\n--out--\n",
    );
    check(
        &text,
        &[
            ("1.1", "Content-Type: multipart/alternative; boundary=in\n\n--in\n\none\n--in\n\ntwo"),
            ("1.1.1", "\none"),
            ("1.1.2", "\ntwo"),
            ("1.2", "\nthree"),
        ],
    );
    let part = cut(&text);
    assert!(part.closed && !part.children[0].closed);
    let missing = cut(&mixed("b", "--b\n\none\n"));
    assert!(!missing.closed && missing.children.len() == 1);
    assert_eq!(missing.children[0].body.end, missing.body.end);
}

#[test]
fn after_its_last_delimiter_a_boundary_means_nothing() {
    check(&mixed("b", "--b\n\none\n--b--\n--b\n\nhidden\n--b--\n"), &[("1.1", "\none")]);
}

#[test]
fn a_multipart_without_boundary_or_delimiter_is_a_leaf() {
    let part = cut("Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n");
    assert!(part.is_leaf() && !part.closed);
    let part = cut(&mixed("b", "nothing\n"));
    assert!(part.is_leaf() && !part.closed);
    assert_eq!(part.preamble, part.body);
    assert!(cut(&mixed("", "--\n\none\n----\n")).is_leaf());
}

#[test]
fn a_message_inside_is_a_child() {
    let inner = "Subject: in\nContent-Type: multipart/mixed; boundary=in\n\n--in\n\none\n--in--\n";
    check(
        &mixed("b", &format!("--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n")),
        &[("1.1", &format!("Content-Type: message/rfc822\n\n{inner}")), ("1.1.1", inner), ("1.1.1.1", "\none")],
    );
    let text = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\nbody\n--b--\n";
    check(text, &[("1.1", "\nSubject: in\n\nbody"), ("1.1.1", "Subject: in\n\nbody")]);
    let encoded = cut("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==\n");
    assert!(encoded.is_leaf());
}

#[test]
fn odd_boundaries_are_found() {
    for boundary in ["----=_Next(Part)", "=_a'b+c,d/e.f:g?", "a b  c", "--", "x\u{fc}y"] {
        check(&mixed(boundary, &format!("--{boundary}\n\none\n--{boundary}--\n")), &[("1.1", "\none")]);
    }
}

#[test]
fn a_from_line_is_passed_over_and_offsets_stay_those_of_the_source() {
    let text = "From a@b Mon Jan  1 10:00:00 2024\nSubject: x\n\nbody\n";
    let part = cut(text);
    assert_eq!(part.headers.get("subject").unwrap().offset(), 34);
    assert_eq!(part.entity(), 34..text.len() as u64);
}

#[test]
fn lines_and_line_ends_are_those_of_the_opening_line() {
    let part = cut("A: b\nContent-Type: multipart/mixed; boundary=b\n\n--b\r\nC: d\n\none\n--b\nC: d\r\n\r\n--b--\n");
    assert_eq!(part.line_ends, LineEnds::Lf);
    assert_eq!(part.children[0].line_ends, LineEnds::Crlf);
    assert_eq!(part.children[1].line_ends, LineEnds::Lf);
    assert_eq!((part.children[0].line, part.children[1].line), (5, 9));
    assert_eq!(part.children[1].headers.get("c").unwrap().line(), 9);
}

#[test]
fn a_message_without_any_structure_is_one_part() {
    for text in ["", "\n", "x", "Subject: x", "Subject: x\n\n"] {
        let part = cut(text);
        assert_eq!((part.entity(), part.children.len()), (0..text.len() as u64, 0), "{text:?}");
    }
}

#[test]
fn limits_say_what_and_where() {
    let limits = Limits { mime_parts: 3, mime_depth: 4, header_octets: 200, ..Limits::default() };
    let parts = mixed("b", &"--b\n\nx\n".repeat(5));
    let error = parse(&mut Cursor::new(&parts), &limits).unwrap_err().to_string();
    assert!(error.starts_with("more than 3 MIME parts at offset "), "{error}");
    let limits = Limits { mime_parts: 100, ..limits };
    let deep: String = (0..9).map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n")).collect();
    let error = parse(&mut Cursor::new(&deep), &limits).unwrap_err().to_string();
    assert!(error.starts_with("more than 4 nested MIME entities at offset "), "{error}");
    let messages = "Content-Type: message/rfc822\n\n".repeat(9);
    assert!(parse(&mut Cursor::new(&messages), &limits).is_err());
    let headers = mixed("b", &format!("--b\nA: {}\n\nx\n", "y".repeat(180)).repeat(6));
    let error = parse(&mut Cursor::new(&headers), &limits).unwrap_err().to_string();
    assert!(error.starts_with("more than 800 octets in all header sections"), "{error}");
}

#[test]
fn two_gibibytes_are_cut_through_a_small_buffer() {
    let line = format!("{}\r\n", "A".repeat(76)).repeat(800);
    let lines = (2 << 30) / line.len() as u64;
    let head = mixed("b", "--b\nContent-Type: application/x\n\n").replace('\n', "\r\n");
    let mut source = Huge::new(&head, &line, lines, "--b\r\n\r\nlast\r\n--b--\r\n");
    let part = parse(&mut source, &Limits::default()).unwrap();
    assert_eq!(part.children.len(), 2);
    assert_eq!(part.children[0].body.end - part.children[0].body.start, lines * line.len() as u64 - 2);
    assert_eq!(part.children[1].line, 8 + lines * 800);
    assert!(source.largest_read <= 256 << 10, "a read of {} octets", source.largest_read);
}

/// The rule again, on lines in memory and by recursion.
mod naive {
    pub(super) struct Lines<'a> {
        pub(super) text: &'a [u8],
        /// Start, end of content, end.
        pub(super) lines: Vec<(usize, usize, usize)>,
    }

    pub(super) fn lines(text: &[u8]) -> Lines<'_> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            let end = start + line.len();
            let content = match line {
                [.., b'\r', b'\n'] => end - 2,
                [.., b'\n'] => end - 1,
                _ => end,
            };
            lines.push((start, content, end));
            start = end;
        }
        Lines { text, lines }
    }

    impl Lines<'_> {
        fn content_end(&self, line: usize, floor: usize) -> usize {
            let end = if line == 0 { 0 } else { self.lines[line - 1].1 };
            if line == self.lines.len() { self.text.len() } else { end.max(floor) }
        }

        /// Index of the first line from `from` on that is a delimiter of one of
        /// `open`, with the index in `open` and whether it is the last one.
        fn delimiter(&self, from: usize, open: &[Option<String>]) -> (usize, Option<(usize, bool)>) {
            for index in from..self.lines.len() {
                let (start, end, _) = self.lines[index];
                let line = self.text[start..end].trim_ascii_end();
                for (depth, boundary) in open.iter().enumerate().rev() {
                    let Some(boundary) = boundary else { continue };
                    if line == format!("--{boundary}").as_bytes() {
                        return (index, Some((depth, false)));
                    }
                    if line == format!("--{boundary}--").as_bytes() {
                        return (index, Some((depth, true)));
                    }
                }
            }
            (self.lines.len(), None)
        }

        /// Cuts the entity that starts at line `from`; returns the line that
        /// ended it.
        pub(super) fn entity(
            &self,
            from: usize,
            path: &str,
            open: &[Option<String>],
            out: &mut Vec<(String, usize, usize, bool)>,
        ) -> usize {
            let start = self.lines.get(from).map_or(self.text.len(), |line| line.0);
            let (limit, _) = self.delimiter(from, open);
            let empty = (from..limit).find(|index| self.lines[*index].0 == self.lines[*index].1);
            let header = &self.text[start..empty.map_or(self.content_end(limit, start), |line| self.lines[line].0)];
            let header = String::from_utf8_lossy(header);
            let boundary =
                header.lines().find_map(|line| line.strip_prefix("Content-Type: multipart/mixed; boundary="));
            let slot = out.len();
            out.push((path.to_owned(), start, 0, boundary.is_none()));
            let mut ended = limit;
            if let (Some(boundary), Some(empty)) = (boundary, empty) {
                let mut open: Vec<_> = open.iter().cloned().chain([Some(boundary.to_owned())]).collect();
                let depth = open.len() - 1;
                let mut children = 0;
                let mut at = empty + 1;
                loop {
                    let (line, found) = self.delimiter(at, &open);
                    ended = line;
                    match found {
                        Some((found, true)) if found == depth => {
                            out[slot].3 = true;
                            open[depth] = None;
                            at = line + 1;
                        }
                        Some((found, false)) if found == depth => {
                            children += 1;
                            at = self.entity(line + 1, &format!("{path}.{children}"), &open, out);
                        }
                        _ => break,
                    }
                }
            }
            out[slot].2 = self.content_end(ended, start);
            ended
        }
    }
}

fn arbitrary_line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop_oneof![Just("--b"), Just("--b--"), Just("--bc"), Just("--bc--"), Just("--b \t"), Just("--x")]
            .prop_map(str::to_owned),
        2 => prop_oneof![Just("b"), Just("bc"), Just("x")]
            .prop_map(|boundary| format!("Content-Type: multipart/mixed; boundary={boundary}")),
        3 => Just(String::new()),
        3 => "[-a-z\r][-a-z\r ]{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_scan_equals_a_naive_one_in_any_pieces(
        lines in proptest::collection::vec((arbitrary_line(), prop_oneof![Just("\n"), Just("\r\n")]), 0..40),
        unfinished in any::<bool>(),
        piece in 1_usize..50,
    ) {
        let mut text: String = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
        text.extend(lines.into_iter().map(|(line, eol)| line + eol));
        if unfinished {
            text.pop();
        }
        let mut expected = Vec::new();
        naive::lines(text.as_bytes()).entity(0, "1", &[], &mut expected);
        let limits = Limits { mime_depth: 100, ..Limits::default() };
        let root = parse(&mut Trickle::new(text.clone().into_bytes(), piece), &limits).unwrap();
        let found: Vec<_> = root
            .walk()
            .map(|part| (part.path.clone(), part.entity().start as usize, part.entity().end as usize, part.closed))
            .collect();
        prop_assert_eq!(found, expected, "{:?}", text);
    }

    #[test]
    fn no_input_panics_and_ranges_are_in_order(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let root = parse(&mut Cursor::new(&octets), &Limits::default()).unwrap();
        for part in root.walk() {
            prop_assert!(part.header.start <= part.header.end && part.header.end == part.body.start);
            prop_assert!(part.body.start <= part.body.end && part.body.end <= octets.len() as u64);
        }
    }
}
