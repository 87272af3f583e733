//! Parameters of structured fields (RFC 2045 section 5.1, RFC 2231), read as
//! mail programs read them: a value that should be quoted and is not runs to
//! the next semicolon.

/// Parameters that are read of one field; nobody writes more honestly, and
/// joining continuations costs time with the square of their number.
const MOST: usize = 256;

/// Parameter names in lower case, with their values.
pub(super) type Params = Vec<(String, String)>;

/// Splits a field value into what stands before the first semicolon (without
/// comments) and the parameters.
///
/// Where a name occurs twice both stay, in their order: readers differ in which
/// they take, and the caller's `get` takes the first.
pub(super) fn parse(value: &str) -> (String, Params) {
    let mut pieces = split(value).into_iter();
    let first = pieces.next().map(|piece| piece.text).unwrap_or_default();
    let raw: Vec<(String, Piece)> = pieces.filter_map(Piece::into_parameter).take(MOST).collect();
    (first, resolve(raw))
}

/// What stands between two semicolons, quotes and comments resolved.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    /// Index in `text` of the first `=` outside quotes.
    equals: Option<usize>,
    /// Whether anything but white space stands after that `=`.
    value_begun: bool,
    /// Where in `text` the quoted string ends that is the value; 0 when it is not quoted.
    quoted_until: usize,
}

impl Piece {
    /// Name in lower case, and the value in `text`.
    fn into_parameter(self) -> Option<(String, Self)> {
        let equals = self.equals?;
        let name = self.text[..equals].trim().to_ascii_lowercase();
        // What follows a quoted string up to the semicolon belongs to nothing.
        let text = match self.quoted_until {
            0 => self.text[equals + 1..].trim().to_owned(),
            end => self.text[equals + 1..end].to_owned(),
        };
        (!name.is_empty()).then(|| (name, Self { text, ..Self::default() }))
    }
}

/// Splits at semicolons outside quoted strings and comments.
fn split(value: &str) -> Vec<Piece> {
    let mut pieces = vec![];
    let mut piece = Piece::default();
    let mut chars = value.chars().peekable();
    // A parenthesis opens a comment only where a token could end: `name=a(1).p7m` is a value.
    let mut after_space = true;
    while let Some(c) = chars.next() {
        match c {
            ';' => pieces.push(std::mem::take(&mut piece).finish()),
            '(' if after_space => skip_comment(&mut chars),
            '"' if piece.at_value_start() => {
                piece.text.truncate(piece.equals.map_or(0, |equals| equals + 1));
                take_quoted(&mut chars, &mut piece.text);
                piece.quoted_until = piece.text.len();
            }
            '=' if piece.equals.is_none() && !pieces.is_empty() => {
                piece.equals = Some(piece.text.len());
                piece.text.push(c);
            }
            _ => piece.push(c),
        }
        after_space = c.is_ascii_whitespace() || matches!(c, ';' | '=' | '(' | '"');
    }
    pieces.push(piece.finish());
    pieces
}

impl Piece {
    fn push(&mut self, c: char) {
        self.value_begun |= self.equals.is_some() && !c.is_whitespace();
        self.text.push(c);
    }

    /// Whether only white space stands between the `=` and here.
    const fn at_value_start(&self) -> bool {
        self.equals.is_some() && self.quoted_until == 0 && !self.value_begun
    }

    fn finish(mut self) -> Self {
        if self.equals.is_none() {
            self.text = self.text.trim().to_owned();
        }
        self
    }
}

/// Passes a comment with its nested comments (RFC 5322 section 3.2.2); the opening parenthesis is consumed.
fn skip_comment(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut depth = 1_usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// Takes a quoted string; the opening quote is consumed. One that never ends
/// runs to the end of the field.
fn take_quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            // A backslash before anything but a quote or itself is one of the
            // file names that Windows programs put there unescaped.
            '\\' if matches!(chars.peek(), Some('"' | '\\')) => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
}

/// Resolves the continuations and charsets of RFC 2231. The resolved form of a
/// name stands at the place of its first piece, before a plain one of the same name.
fn resolve(raw: Vec<(String, Piece)>) -> Params {
    let mut plain: Params = Vec::new();
    let mut extended: Vec<(String, usize, Vec<Section>)> = Vec::new();
    for (name, piece) in raw {
        match Section::parse(&name, &piece.text) {
            None => plain.push((name, piece.text)),
            Some((base, section)) => match extended.iter_mut().find(|(known, ..)| *known == base) {
                // Twice the same piece is twice the parameter.
                Some((_, _, sections)) if sections.iter().any(|known| known.number == section.number) => {
                    plain.push((base, section.value));
                }
                Some((_, _, sections)) => sections.push(section),
                None => extended.push((base, plain.len(), vec![section])),
            },
        }
    }
    for (moved, (name, at, sections)) in extended.into_iter().enumerate() {
        let first_plain = plain.iter().position(|(known, _)| *known == name);
        let at = first_plain.map_or(at + moved, |plain| plain.min(at + moved));
        plain.insert(at.min(plain.len()), (name, join(sections)));
    }
    plain
}

/// One piece of an RFC 2231 parameter.
#[derive(Debug)]
struct Section {
    number: u32,
    encoded: bool,
    value: String,
}

impl Section {
    /// `name*`, `name*0` or `name*0*`; `None` for an ordinary name.
    fn parse(name: &str, value: &str) -> Option<(String, Self)> {
        let (base, rest) = name.split_once('*')?;
        let encoded = rest.is_empty() || rest.ends_with('*');
        let digits = rest.strip_suffix('*').unwrap_or(rest);
        let number = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        Some((base.to_owned(), Self { number, encoded, value: value.to_owned() }))
    }
}

/// Joins sections in the order of their numbers and undoes percent and charset.
fn join(mut sections: Vec<Section>) -> String {
    sections.sort_by_key(|section| section.number);
    let mut octets = Vec::new();
    let mut charset = String::new();
    for (index, section) in sections.iter().enumerate() {
        let mut value = section.value.as_str();
        if section.encoded && index == 0 {
            let mut parts = value.splitn(3, '\'');
            if let (Some(name), Some(_language), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                charset = name.to_ascii_lowercase();
                value = rest;
            }
        }
        if section.encoded { percent_decode(value, &mut octets) } else { octets.extend_from_slice(value.as_bytes()) }
    }
    match String::from_utf8(octets) {
        Ok(text) if !charset.starts_with("iso-8859") && !charset.starts_with("windows-125") => text,
        Ok(text) => text.bytes().map(char::from).collect(),
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    }
}

fn percent_decode(value: &str, out: &mut Vec<u8>) {
    let octets = value.as_bytes();
    let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16));
    let mut at = 0;
    while let Some(octet) = octets.get(at) {
        match (octet, hex(octets.get(at + 1)), hex(octets.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*octet);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: &str) -> Params {
        parse(value).1
    }

    fn one(value: &str) -> String {
        let mut all = params(value);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0).1
    }

    #[test]
    fn quoted_and_unquoted_values() {
        assert_eq!(one(r#"x/y; a="b;c=d""#), "b;c=d");
        assert_eq!(one(r#"x/y; a = "b \"c\" \\d""#), r#"b "c" \d"#);
        assert_eq!(one(r#"x/y; a="C:\dir\file.p7m""#), r"C:\dir\file.p7m");
        assert_eq!(one("x/y; boundary=----=_Part_1"), "----=_Part_1");
        assert_eq!(one("x/y; name=my file.p7m "), "my file.p7m");
        assert_eq!(one(r#"x/y; a="never closed; b=c"#), "never closed; b=c");
        assert_eq!(one(r#"x/y; a=" inside ""#), " inside ");
        assert_eq!(one("x/y; a="), "");
        assert_eq!(params("x/y;;; a=b;").len(), 1);
        assert_eq!(params("x/y; novalue"), []);
        assert_eq!(one(r#"x/y; a="b" c=d"#), "b");
    }

    #[test]
    fn many_quotes_after_much_white_space_are_one_value() {
        let quotes = "\"".repeat(1 << 19);
        let value = format!("text/plain; c={}x{quotes}", " ".repeat(1 << 19));
        assert_eq!(one(&value), format!("x{quotes}"));
    }

    #[test]
    fn comments_are_no_values() {
        assert_eq!(one("text/plain; charset=us-ascii (Plain (nested) text)"), "us-ascii");
        assert_eq!(one("text/plain (a; b=c); charset=us-ascii"), "us-ascii");
        assert_eq!(one("x/y; name=smime(1).p7m"), "smime(1).p7m");
        assert_eq!(parse("text/plain (why)").0, "text/plain");
    }

    #[test]
    fn duplicates_stay_in_order() {
        assert_eq!(params("x/y; a=1; A=2"), [("a".into(), "1".into()), ("a".into(), "2".into())]);
    }

    #[test]
    fn continuations_and_charsets() {
        let long = r#"x/y; name*0="smi"; other=1; name*1="me.p7m""#;
        assert_eq!(params(long), [("name".into(), "smime.p7m".into()), ("other".into(), "1".into())]);
        assert_eq!(one("x/y; name*1=.p7m; name*0=a"), "a.p7m");
        assert_eq!(one("x/y; name*=utf-8'de'Gr%C3%BC%C3%9Fe.p7m"), "Grüße.p7m");
        assert_eq!(one("x/y; name*=iso-8859-1''Gr%FC%DFe"), "Grüße");
        assert_eq!(one("x/y; name*0*=us-ascii'en'This%20is; name*1*=%20it; name*2=%20"), "This is it%20");
        assert_eq!(one("x/y; name*=nothing%2"), "nothing%2");
    }

    #[test]
    fn the_extended_form_wins_over_the_plain_one() {
        let both = params("x/y; name=plain.p7m; name*=utf-8''ext.p7m");
        assert_eq!(both[0], ("name".into(), "ext.p7m".into()));
        let twice = params("x/y; name*0=a; name*1=b; name*0=c");
        assert_eq!(twice, [("name".into(), "ab".into()), ("name".into(), "c".into())]);
    }
}
