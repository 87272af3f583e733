//! What a boundary is made of: its fixed text, and classes for what is random.

use std::fmt::Write as _;

/// From how many decimal digits on their number is part of the pattern: fewer
/// are counters and times, whose length changes.
const COUNTED: usize = 16;
/// Octal, decimal or hexadecimal zeros at the start that are no accident.
const ZEROS: usize = 8;
/// Letters and digits without order from which on they are taken for random.
const RANDOM: usize = 10;
/// Decimal digits after a word that count something.
const COUNTER: usize = 4;
/// Letters from A to F beside hexadecimal numbers that are one without digits.
const LETTERS: usize = 4;

/// The pattern of a boundary. Random are: UUIDs (`{UUID}`, `{uuid}`), decimal
/// digits (`{digits}`, from 16 on with their number), hexadecimal digits
/// (`{HEX:8}`, `{hex:16}`), and other characters of base64 (`{random:22}`).
/// Zeros at the start of a long number are `{zeros:12}`.
pub(super) fn pattern(boundary: &str) -> String {
    let words = words(boundary);
    // A number between hexadecimal ones is hexadecimal without its letters, and so is a word without its digits.
    let case = words.iter().find_map(|word| match word {
        Word::Text(_) => None,
        Word::Token(token) => hexadecimal(token).filter(|_| token.len() < COUNTED),
    });
    let mut out = String::new();
    let mut rest = words.as_slice();
    while let Some((word, after)) = rest.split_first() {
        if let Some(case) = uuid(rest) {
            out.push_str(case);
            rest = &rest[9..];
            continue;
        }
        match word {
            Word::Text(text) => out.push_str(text),
            Word::Token(token) => push_token(&mut out, token, case),
        }
        rest = after;
    }
    out
}

#[derive(Debug, PartialEq, Eq)]
enum Word<'a> {
    /// Letters, digits, and what else base64 has.
    Token(&'a str),
    /// What is neither.
    Text(&'a str),
}

fn words(boundary: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = boundary;
    while let Some(first) = rest.chars().next() {
        let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        let is_token = in_token(first);
        let end = rest.find(|c: char| in_token(c) != is_token).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(if is_token { Word::Token(word) } else { Word::Text(word) });
        rest = after;
    }
    words
}

/// The letter case of a hexadecimal number that has letters and digits.
fn hexadecimal(token: &str) -> Option<&'static str> {
    let has_digit = token.bytes().any(|octet| octet.is_ascii_digit());
    let is = |letters: std::ops::RangeInclusive<u8>| {
        has_digit
            && token.bytes().any(|octet| letters.contains(&octet))
            && token.bytes().all(|octet| octet.is_ascii_digit() || letters.contains(&octet))
    };
    if is(b'A'..=b'F') {
        Some("HEX")
    } else if is(b'a'..=b'f') {
        Some("hex")
    } else {
        None
    }
}

/// Whether these words begin with 8-4-4-4-12 hexadecimal digits (RFC 9562 section 4).
fn uuid(words: &[Word<'_>]) -> Option<&'static str> {
    let mut all = String::new();
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 && words.get(2 * index - 1) != Some(&Word::Text("-")) {
            return None;
        }
        match words.get(2 * index) {
            Some(Word::Token(token)) if token.len() == length => all.push_str(token),
            _ => return None,
        }
    }
    hexadecimal(&all).map(|case| if case == "HEX" { "{UUID}" } else { "{uuid}" })
}

fn push_token(out: &mut String, token: &str, case: Option<&'static str>) {
    if token.bytes().all(|octet| octet.is_ascii_digit()) {
        match case {
            Some(case) => drop(write!(out, "{{{case}:{}}}", token.len())),
            None if token.len() >= COUNTED => push_number(out, token, "digits"),
            None => out.push_str("{digits}"),
        }
        return;
    }
    if let Some(case) = hexadecimal(token) {
        return push_number(out, token, case);
    }
    let letters = if case == Some("HEX") { b'A'..=b'F' } else { b'a'..=b'f' };
    if let Some(case) = case
        && token.len() >= LETTERS
        && token.bytes().all(|octet| letters.contains(&octet))
    {
        return push_number(out, token, case);
    }
    // A word before the number: the shortest one that leaves a long number.
    for at in 1..token.len() {
        let (word, number) = token.split_at(at);
        if number.len() < COUNTED || !word.bytes().all(|octet| octet.is_ascii_alphabetic()) {
            break;
        }
        let digits = number.bytes().all(|octet| octet.is_ascii_digit());
        if let Some(kind) = hexadecimal(number).or(digits.then_some("digits")) {
            out.push_str(word);
            return push_number(out, number, kind);
        }
    }
    let word = token.trim_end_matches(|c: char| c.is_ascii_digit());
    if token.len() - word.len() >= COUNTER && word.bytes().all(|octet| octet.is_ascii_alphabetic()) {
        out.push_str(word);
        return out.push_str("{digits}");
    }
    let kinds: [fn(&u8) -> bool; 3] = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
    let mixed = kinds.iter().filter(|is| token.as_bytes().iter().any(is)).count() >= 2;
    match mixed && token.len() >= RANDOM {
        true => drop(write!(out, "{{random:{}}}", token.len())),
        false => out.push_str(token),
    }
}

/// A number, the zeros at its start apart. Their count is rounded down to a
/// multiple of four: a random digit after them can be zero too.
fn push_number(out: &mut String, number: &str, kind: &str) {
    let zeros = number.bytes().take_while(|octet| *octet == b'0').count() / 4 * 4;
    match zeros >= ZEROS {
        true => drop(write!(out, "{{zeros:{zeros}}}{{{kind}:{}}}", number.len() - zeros)),
        false => drop(write!(out, "{{{kind}:{}}}", number.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_is_named_by_what_it_consists_of() {
        for (boundary, expected) in [
            ("----=_NextPart_000_0008_01DB4BD6.3C9F50C0", "----=_NextPart_{HEX:3}_{HEX:4}_{HEX:8}.{HEX:8}"),
            ("----=_NextPart_000_006B_01D6869B.77777777", "----=_NextPart_{HEX:3}_{HEX:4}_{HEX:8}.{HEX:8}"),
            ("----=_NextPart_000_DEEC_0178D503.9AF086C0", "----=_NextPart_{HEX:3}_{HEX:4}_{HEX:8}.{HEX:8}"),
            ("----=_NextPart_000_00E1_FACADE", "----=_NextPart_{HEX:3}_{HEX:4}_{HEX:6}"),
            ("B_face_1F", "B_face_{HEX:2}"),
            ("Apple-Mail=_5B5B54CF-09FD-4BC5-9DCF-62752A49CD87", "Apple-Mail=_{UUID}"),
            ("Apple-Mail-140229FA-7C1D-4798-ACBB-6DCD11D8CBDD", "Apple-Mail-{UUID}"),
            ("Apple-Mail-1-230432833", "Apple-Mail-{digits}-{digits}"),
            ("------------ms060704060509070601050206", "------------ms{digits:24}"),
            ("------------msCE8F135A2783C3DEA0C9DB5B", "------------ms{HEX:24}"),
            ("0000000000006d05ce05bf330047", "{zeros:12}{hex:16}"),
            ("00000000000000a1c80632ccee36", "{zeros:12}{hex:16}"),
            ("----F439FEDC23FA084281EC7880F017B061", "----{HEX:32}"),
            ("----=_Part_4126719_253852368.1752426808021", "----=_Part_{digits}_{digits}.{digits}"),
            ("=-0zNPaCF1kEDLKbOWMWmq", "=-{random:20}"),
            ("------------oR4ancdmTOKdTacBRwh8Mipg", "------------{random:24}"),
            ("B_3508900603_18998010", "B_{digits}_{digits}"),
            ("{EAD5F12C-E5A7-421A-AD27-CF4EF58E43B5}", "{{UUID}}"),
            ("nextPart1450127.F8ExFiWdNG", "nextPart{digits}.{random:10}"),
            ("simple boundary", "simple boundary"),
            ("", ""),
            ("grün-1", "grün-{digits}"),
        ] {
            assert_eq!(pattern(boundary), expected, "{boundary}");
        }
    }
}
