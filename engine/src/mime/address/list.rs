//! An address list as RFC 5322 section 3.4 writes it, with the obsolete forms
//! of section 4.4 and what mail really holds: nothing is refused, and where a
//! reader could see two addresses there are two.

/// One entry of an address list, encoded words not decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// The words before the address, or all words if there is none.
    pub(super) phrase: String,
    /// What stands in comments (section 3.2.2).
    pub(super) comments: Vec<String>,
    /// The name of the group that the entry stands in.
    pub(super) group: Option<String>,
    /// `local@domain` without route, comments and white space; the local part
    /// is quoted only where it has to be. Two where it is not clear which of
    /// them is meant; none for a name without an address.
    pub(super) addresses: Vec<String>,
}

/// The entries of a list; a group of nobody is an entry with no address.
pub(super) fn parse(value: &str) -> Vec<Entry> {
    let mut parser = Parser::default();
    for placed in (Tokens { rest: value }) {
        parser.take(placed);
    }
    parser.end_entry();
    parser.end_group();
    parser.entries
}

/// A list while it is read.
#[derive(Default)]
struct Parser<'a> {
    entries: Vec<Entry>,
    /// The entry so far.
    entry: Entry,
    /// What stands outside angle brackets so far.
    outside: Vec<Placed<'a>>,
    /// What stands inside them, if they are open.
    inside: Option<Vec<Placed<'a>>>,
    /// Whether the entry had brackets, perhaps around nothing.
    bracketed: bool,
    /// The name of the group, and the number of entries before it.
    group: Option<(String, usize)>,
}

impl<'a> Parser<'a> {
    fn take(&mut self, placed: Placed<'a>) {
        match (placed.token, &mut self.inside) {
            (Token::Comment(text), _) => self.entry.comments.push(text),
            (Token::Special('>'), Some(inside)) => {
                let inside = std::mem::take(inside);
                self.inside = None;
                self.entry.addresses.extend(bracketed(&inside));
            }
            (token, Some(inside)) => inside.push(Placed { token, ..placed }),
            (Token::Special('<'), None) => {
                self.bracketed = true;
                self.inside = Some(Vec::new());
            }
            (Token::Special(','), None) => self.end_entry(),
            (Token::Special(':'), None) => {
                let name = words(&std::mem::take(&mut self.outside));
                self.end_group();
                self.group = Some((name, self.entries.len()));
            }
            (Token::Special(';'), None) => {
                self.end_entry();
                self.end_group();
            }
            (token, None) => self.outside.push(Placed { token, ..placed }),
        }
    }

    fn end_entry(&mut self) {
        let mut entry = std::mem::take(&mut self.entry);
        if let Some(inside) = self.inside.take() {
            // The bracket is not closed.
            entry.addresses.extend(bracketed(&inside));
        }
        let outside = std::mem::take(&mut self.outside);
        let was_bracketed = std::mem::take(&mut self.bracketed);
        if was_bracketed {
            entry.phrase = words(&outside);
        } else {
            let (addresses, rest): (Vec<_>, Vec<_>) = runs(outside).into_iter().partition(|run| has_at(run));
            entry.addresses.extend(addresses.iter().map(|run| spec(run)));
            entry.phrase = rest.iter().map(|run| words(run)).collect::<Vec<_>>().join(" ");
        }
        entry.group = self.group.as_ref().map(|(name, _)| name.clone());
        if was_bracketed || !entry.addresses.is_empty() || !entry.phrase.is_empty() {
            self.entries.push(entry);
        } else if let Some(last) = self.entries.last_mut() {
            last.comments.append(&mut entry.comments);
        }
    }

    fn end_group(&mut self) {
        if let Some((name, before)) = self.group.take()
            && self.entries.len() == before
        {
            self.entries.push(Entry { group: Some(name), ..Entry::default() });
        }
    }
}

/// The address in angle brackets, without its route (section 4.4).
fn bracketed(tokens: &[Placed<'_>]) -> Option<String> {
    let route = tokens.first().is_some_and(|first| first.token == Token::Special('@'));
    let start = tokens.iter().position(|placed| placed.token == Token::Special(':')).filter(|_| route);
    let address = spec(&tokens[start.map_or(0, |colon| colon + 1)..]);
    (!address.is_empty()).then_some(address)
}

/// An address without what may stand between its tokens.
fn spec(tokens: &[Placed<'_>]) -> String {
    let mut text = String::new();
    for placed in tokens {
        match &placed.token {
            Token::Word(word) => text.push_str(word),
            Token::Quoted(content) if is_dot_atom(content) => text.push_str(content),
            Token::Quoted(content) => {
                text.push('"');
                for c in content.chars() {
                    if matches!(c, '"' | '\\') {
                        text.push('\\');
                    }
                    text.push(c);
                }
                text.push('"');
            }
            Token::Special(c) => text.push(*c),
            Token::Comment(_) => {}
        }
    }
    text
}

/// A phrase as a reader shows it.
fn words(tokens: &[Placed<'_>]) -> String {
    let mut text = String::new();
    for placed in tokens {
        if placed.spaced && !text.is_empty() {
            text.push(' ');
        }
        match &placed.token {
            Token::Word(word) => text.push_str(word),
            Token::Quoted(content) | Token::Comment(content) => text.push_str(content),
            Token::Special(c) => text.push(*c),
        }
    }
    text
}

/// Tokens without angle brackets, cut where two words stand beside each other
/// that no dot and no at sign joins.
fn runs(tokens: Vec<Placed<'_>>) -> Vec<Vec<Placed<'_>>> {
    let mut runs: Vec<Vec<Placed<'_>>> = Vec::new();
    let joins = |placed: &Placed<'_>| matches!(placed.token, Token::Special('.' | '@'));
    for placed in tokens {
        match runs.last_mut() {
            Some(run) if joins(&placed) || run.last().is_some_and(joins) => run.push(placed),
            _ => runs.push(vec![placed]),
        }
    }
    runs
}

fn has_at(run: &[Placed<'_>]) -> bool {
    run.iter().any(|placed| placed.token == Token::Special('@'))
}

/// Whether a local part may stand without quotes (RFC 5322 section 3.2.3, RFC 6532 section 3.2).
fn is_dot_atom(text: &str) -> bool {
    let atom = |part: &str| !part.is_empty() && part.chars().all(is_atext);
    text.split('.').all(atom)
}

fn is_atext(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !r#"()<>[]:;@\,.""#.contains(c)
}

/// A token, and whether white space stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed<'a> {
    spaced: bool,
    token: Token<'a>,
}

/// A token of section 3.2.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// An atom, a domain literal with its brackets, or an encoded word, which
    /// some writers do not keep to the characters of an atom (RFC 2047 section 5).
    Word(&'a str),
    /// The content of a quoted string.
    Quoted(String),
    /// The content of a comment, with the comments inside it.
    Comment(String),
    /// One of `<>@,;:.` or what stands nowhere.
    Special(char),
}

/// The tokens of a value.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        let before = self.rest.len();
        self.rest = self.rest.trim_start();
        let spaced = self.rest.len() < before;
        let first = self.rest.chars().next()?;
        let token = match first {
            '"' => Token::Quoted(self.enclosed('"', None)),
            '(' => Token::Comment(self.enclosed(')', Some('('))),
            '[' => {
                let end = self.rest.find(']').map_or(self.rest.len(), |at| at + 1);
                Token::Word(self.cut(end))
            }
            c if is_atext(c) => {
                let atom = self.rest.find(|c| !is_atext(c)).unwrap_or(self.rest.len());
                let end = encoded_word(self.rest).unwrap_or(atom);
                Token::Word(self.cut(end))
            }
            c => {
                self.cut(c.len_utf8());
                Token::Special(c)
            }
        };
        Some(Placed { spaced, token })
    }
}

/// The length of the encoded word (RFC 2047 section 2) that a text begins with.
fn encoded_word(text: &str) -> Option<usize> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding) = (parts.next()?, parts.next()?);
    let is_word = !charset.is_empty() && charset.chars().all(is_atext) && matches!(encoding, "q" | "Q" | "b" | "B");
    let start = text.len() - parts.next().filter(|_| is_word)?.len();
    let end = start + text[start..].find("?=")?;
    (!text[start..end].contains(char::is_whitespace)).then_some(end + 2)
}

impl<'a> Tokens<'a> {
    fn cut(&mut self, at: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }

    /// The content up to a closing character: each backslash stands before a
    /// character that is meant as it is (section 3.2.1). What is not closed
    /// ends with the value.
    fn enclosed(&mut self, close: char, open: Option<char>) -> String {
        let mut text = String::new();
        let mut depth = 0_usize;
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == close && depth == 0 {
                self.rest = &self.rest[at + c.len_utf8()..];
                return text;
            }
            if c == '\\' {
                text.extend(chars.next().map(|(_, meant)| meant));
                continue;
            }
            if Some(c) == open {
                depth += 1;
            } else if c == close {
                depth -= 1;
            }
            text.push(c);
        }
        self.rest = "";
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrase and addresses of every entry, as `phrase|address|address`.
    fn entries(value: &str) -> Vec<String> {
        let line = |entry: &Entry| [std::slice::from_ref(&entry.phrase), &entry.addresses].concat().join("|");
        parse(value).iter().map(line).collect()
    }

    /// RFC 5322 appendix A.1 to A.6.
    #[test]
    fn the_examples_of_the_standard() {
        assert_eq!(entries("John Doe <jdoe@machine.example>"), ["John Doe|jdoe@machine.example"]);
        assert_eq!(
            entries("\"Joe Q. Public\" <john.q.public@example.com>"),
            ["Joe Q. Public|john.q.public@example.com"]
        );
        assert_eq!(
            entries("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
            ["Mary Smith|mary@x.test", "|jdoe@example.org", "Who?|one@y.test"]
        );
        assert_eq!(
            entries("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            ["|boss@nil.test", "Giant; \"Big\" Box|sysservices@example.net"]
        );
        let group = parse("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;");
        assert_eq!(group.len(), 3);
        assert!(group.iter().all(|entry| entry.group.as_deref() == Some("A Group")), "{group:?}");
        assert_eq!(
            parse("Undisclosed recipients:;"),
            [Entry { group: Some("Undisclosed recipients".into()), ..Entry::default() }]
        );
        let comments = "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>";
        assert_eq!(parse(comments)[0].comments, ["A nice ) chap", "his account", "his host"]);
        assert_eq!(entries(comments), ["Pete|pete@silly.test"]);
        assert_eq!(entries("Joe Q. Public <john.q.public@example.com>"), ["Joe Q. Public|john.q.public@example.com"]);
        assert_eq!(
            entries("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
            ["Mary Smith|mary@example.net", "|jdoe@test.example"]
        );
    }

    #[test]
    fn local_parts_are_quoted_where_they_must_be() {
        for (value, address) in [
            ("\"a b\"@example.test", "\"a b\"@example.test"),
            ("\"alice\"@example.test", "alice@example.test"),
            ("<\"ceo@corp.test\"@evil.test>", "\"ceo@corp.test\"@evil.test"),
            ("\"a\\\"b\"@example.test", "\"a\\\"b\"@example.test"),
            ("alice (her) @ (house) example . test", "alice@example.test"),
            ("alice@[192.0.2.1]", "alice@[192.0.2.1]"),
            ("<@a.test,@b.test:alice@example.test>", "alice@example.test"),
            ("Alice <alice@example.test", "Alice|alice@example.test"),
        ] {
            assert_eq!(entries(value).join(" ").trim_start_matches('|'), address, "{value}");
        }
    }

    #[test]
    fn two_addresses_are_two() {
        assert_eq!(entries("Alice <alice@example.test> <m@e.test>"), ["Alice|alice@example.test|m@e.test"]);
        assert_eq!(entries("alice@example.test m@e.test"), ["|alice@example.test|m@e.test"]);
        assert_eq!(entries("a@x.test; b@y.test"), ["|a@x.test", "|b@y.test"]);
        assert_eq!(entries("A: a@x.test;, b@y.test"), ["|a@x.test", "|b@y.test"]);
        // Which of them is the address readers agree on: the one in brackets.
        assert_eq!(entries("ceo@corp.test <m@e.test>"), ["ceo@corp.test|m@e.test"]);
    }

    #[test]
    fn encoded_words_stay_whole() {
        assert_eq!(entries("=?utf-8?Q?Doe,_A.?= B. <a@b.test>"), ["=?utf-8?Q?Doe,_A.?= B.|a@b.test"]);
        assert_eq!(entries("=?utf-8?Q?<c@d.test>?= <a@b.test>"), ["=?utf-8?Q?<c@d.test>?=|a@b.test"]);
        assert_eq!(entries("=?utf-8?Q?a b@c.test"), ["=?utf-8?Q?a|b@c.test"]);
        assert_eq!(entries("=?utf-8?Q?a?=@b.test"), ["|=?utf-8?Q?a?=@b.test"]);
        assert_eq!(entries("=?a@b.test"), ["|=?a@b.test"]);
    }

    #[test]
    fn names_without_an_address() {
        assert_eq!(entries("The CEO, alice@example.test"), ["The CEO", "|alice@example.test"]);
        assert_eq!(entries("CEO <>"), ["CEO"]);
        assert_eq!(entries("<>"), [""]);
        for nothing in ["", " ", ",", ";", "(only a comment)", " , ,"] {
            assert!(parse(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn what_is_not_closed_ends() {
        for value in ["\"a", "(a (b", "<a@b", "a:", "[1", "\\", "\"\\", "<<>>", "a:b:c@d.test;", ":;:;", "@", "<@:>"] {
            assert!(parse(value).len() <= 3, "{value}");
        }
        assert_eq!(parse(&"(".repeat(50_000)).len(), 0);
        assert_eq!(parse(&"a@b,".repeat(10_000)).len(), 10_000);
    }
}
