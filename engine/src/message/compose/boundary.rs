//! The boundary of a multipart.

use std::io;

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError, Random};

use super::ComposeError;
use crate::cms::write::Content;
use crate::message::content;
use crate::overlap;

/// Where the boundary of a multipart/signed comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boundary {
    /// Made after the pattern of the shape from random octets; another one is
    /// made if it occurs in the content.
    Random([u8; 16]),
    /// Given; an error if it occurs in the content.
    Given(String),
}

impl Boundary {
    /// Draws a boundary.
    pub fn random(random: &mut dyn Random) -> Self {
        let mut seed = [0; 16];
        random.fill(&mut seed);
        Self::Random(seed)
    }
}

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn digit(octet: u8, radix: u32) -> char {
    char::from_digit(u32::from(octet) % radix, radix).unwrap_or('0')
}

/// Fills a pattern: `#` a decimal digit, `@` a hexadecimal one in lower case,
/// `%` one in upper case, `*` a letter or digit; everything else stands for itself.
pub(in crate::message) fn expand(
    pattern: &str,
    seed: &[u8; 16],
    attempt: u8,
    arithmetic: &Arithmetic,
) -> Result<String, KeyError> {
    let mut octets = Vec::new();
    for block in 0..=(pattern.len() / 32) as u8 {
        let input = [seed.as_slice(), &[attempt, block]].concat();
        octets.extend(arithmetic.digest(DigestAlgorithm::Sha256, &input)?);
    }
    let mut octets = octets.into_iter();
    let mut next = || octets.next().unwrap_or(0);
    let filled = pattern.chars().map(|place| match place {
        '#' => digit(next(), 10),
        '@' => digit(next(), 16),
        '%' => digit(next(), 16).to_ascii_uppercase(),
        '*' => char::from(ALPHANUMERIC[usize::from(next()) % ALPHANUMERIC.len()]),
        other => other,
    });
    Ok(filled.collect())
}

/// Whether a boundary can stand in a mail: 1 to 70 characters of a certain set,
/// no space at the end (RFC 2046 section 5.1.1).
pub(in crate::message) fn check_boundary(boundary: &str) -> Result<(), ComposeError> {
    let wrong = |why| Err(ComposeError::Boundary { boundary: boundary.to_owned(), why });
    if !(1..=70).contains(&boundary.len()) {
        return wrong("it has to have 1 to 70 characters");
    }
    if !boundary.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&octet)) {
        return wrong("it has a character that RFC 2046 section 5.1.1 does not allow");
    }
    if boundary.ends_with(' ') {
        return wrong("it ends with a space");
    }
    Ok(())
}

/// What a look through the content found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::message) struct Scan {
    /// The boundary occurs, with its two hyphens.
    pub(in crate::message) boundary: bool,
    /// There are octets above 127.
    pub(in crate::message) eight_bit: bool,
}

/// Looks through the content for a boundary and for octets above 127, and
/// gives what it read to `hash`.
pub(in crate::message) fn scan(
    content: &mut dyn Content,
    boundary: &str,
    mut hash: impl FnMut(&[u8]) + Send,
) -> io::Result<Scan> {
    let delimiter = format!("--{boundary}");
    let mut search = Search {
        finder: memchr::memmem::Finder::new(&delimiter),
        overlap: delimiter.len() - 1,
        last: Vec::new(),
        found: Scan { boundary: false, eight_bit: false },
    };
    content.rewind()?;
    let read = |block: &mut [u8]| {
        let read = content::read(content, block)?;
        search.look(&block[..read]);
        io::Result::Ok(read)
    };
    let work = |block: &mut [u8]| {
        hash(block);
        Ok(())
    };
    overlap::each_block(read, work)??;
    Ok(search.found)
}

struct Search<'a> {
    finder: memchr::memmem::Finder<'a>,
    /// One octet less than the delimiter has.
    overlap: usize,
    /// The last octets that were looked at, at most so many.
    last: Vec<u8>,
    found: Scan,
}

impl Search<'_> {
    fn look(&mut self, octets: &[u8]) {
        self.found.eight_bit |= !octets.is_ascii();
        self.found.boundary |= self.finder.find(octets).is_some();
        // A delimiter may lie across two reads.
        self.last.extend_from_slice(&octets[..octets.len().min(self.overlap)]);
        self.found.boundary |= self.finder.find(&self.last).is_some();
        if octets.len() >= self.overlap {
            self.last.clear();
            self.last.extend_from_slice(&octets[octets.len() - self.overlap..]);
        } else {
            self.last.drain(..self.last.len().saturating_sub(self.overlap));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use waxseal_key::ProviderChoice;

    use super::*;
    use crate::overlap::BLOCK;

    #[test]
    fn patterns() {
        let arithmetic = Arithmetic::new(ProviderChoice::Auto);
        let pattern = "ms##_@@%%=#@%#@%#@%#@%#@%#@%#@%#@%#@%#@%#@%#@%#@%";
        let one = expand(pattern, &[7; 16], 0, &arithmetic).unwrap();
        assert_eq!(one.len(), pattern.len());
        assert!(one.starts_with("ms") && one[2..4].bytes().all(|octet| octet.is_ascii_digit()));
        assert_eq!(one, expand(pattern, &[7; 16], 0, &arithmetic).unwrap());
        assert_ne!(one, expand(pattern, &[7; 16], 1, &arithmetic).unwrap());
        assert_ne!(one, expand(pattern, &[8; 16], 0, &arithmetic).unwrap());
        check_boundary(&one).unwrap();
        let letters = expand("=-********************", &[7; 16], 0, &arithmetic).unwrap();
        assert!(letters[2..].bytes().all(|octet| octet.is_ascii_alphanumeric()), "{letters}");
        check_boundary(&letters).unwrap();
    }

    #[test]
    fn boundaries_that_cannot_be() {
        for wrong in ["", "a ", "a\"b", "a\r\nb", "é", &"a".repeat(71)] {
            assert!(check_boundary(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_delimiter_is_found_across_reads() {
        for at in (0..9).chain(BLOCK - 9..BLOCK + 9) {
            let mut content = vec![b'x'; BLOCK + 4000];
            content[at..at + 5].copy_from_slice(b"--abc");
            let mut hashed = Vec::new();
            let found = scan(&mut Cursor::new(&content), "abc", |octets| hashed.extend_from_slice(octets)).unwrap();
            assert_eq!(found, Scan { boundary: true, eight_bit: false }, "{at}");
            assert!(hashed == content, "{at}");
            content[at] = 0xff;
            let found = scan(&mut Cursor::new(&content), "abc", |_| ()).unwrap();
            assert_eq!(found, Scan { boundary: false, eight_bit: true }, "{at}");
        }
    }

    #[test]
    fn a_delimiter_is_found_across_many_small_reads() {
        for step in 1..9 {
            let mut search = Search {
                finder: memchr::memmem::Finder::new("--abc"),
                overlap: 4,
                last: Vec::new(),
                found: Scan { boundary: false, eight_bit: false },
            };
            b"xx-x--ab--abcx".chunks(step).for_each(|octets| search.look(octets));
            assert!(search.found.boundary, "{step}");
        }
    }
}
