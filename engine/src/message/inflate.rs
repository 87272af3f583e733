//! Decompression in bounded memory, and bounded by the size of what came in
//! (RFC 3274 section 2: zlib, RFC 1950).

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};
use waxseal_verdict::Reason;

use crate::Limits;
use crate::cms::CmsError;
use crate::message::budget::Budget;

const PLACE: &str = "CompressedData.encapContentInfo.eContent";

/// A running decompression.
pub(super) struct Inflate<'a> {
    state: Decompress,
    out: Vec<u8>,
    ended: bool,
    /// Octets put out for each octet taken in, beyond `free`.
    expansion: u64,
    free: u64,
    limit: u64,
    /// What all of the message may put out.
    budget: &'a Budget,
}

impl<'a> Inflate<'a> {
    pub(super) fn new(limits: &Limits, budget: &'a Budget) -> Self {
        Self {
            state: Decompress::new(true),
            out: vec![0; 64 << 10],
            ended: false,
            expansion: limits.expansion,
            free: limits.expansion_free,
            limit: limits.content_octets,
            budget,
        }
    }

    /// Takes in compressed octets, and writes what they hold.
    pub(super) fn update(&mut self, mut octets: &[u8], out: &mut dyn Write) -> io::Result<Result<(), CmsError>> {
        loop {
            if self.ended {
                // zlib ends where it says; what follows is no part of it.
                let surplus = CmsError::new(Reason::BadCompression, PLACE, "octets after the end of the zlib stream");
                return Ok(if octets.is_empty() { Ok(()) } else { Err(surplus) });
            }
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let status = match self.state.decompress(octets, &mut self.out, FlushDecompress::None) {
                Ok(status) => status,
                Err(_) => {
                    // What zlib says of it depends on how the octets came.
                    let at = self.state.total_in();
                    let detail = format!("not zlib (RFC 1950) at octet {at} of the content");
                    return Ok(Err(CmsError::new(Reason::BadCompression, PLACE, detail)));
                }
            };
            let taken = usize::try_from(self.state.total_in() - before_in).unwrap_or(octets.len());
            let made = usize::try_from(self.state.total_out() - before_out).unwrap_or(self.out.len());
            octets = &octets[taken..];
            if (taken, made) == (0, 0) && !octets.is_empty() && status != Status::StreamEnd {
                let detail = format!("not zlib (RFC 1950) at octet {before_in} of the content");
                return Ok(Err(CmsError::new(Reason::BadCompression, PLACE, detail)));
            }
            if let Err(error) = self.check_size(made) {
                return Ok(Err(error));
            }
            out.write_all(&self.out[..made])?;
            self.ended = status == Status::StreamEnd;
            // A full output may hide more; otherwise all that could be made was made.
            if !self.ended && octets.is_empty() && made < self.out.len() {
                return Ok(Ok(()));
            }
        }
    }

    /// The content must have been whole.
    pub(super) fn finish(self) -> Result<(), CmsError> {
        if self.ended {
            return Ok(());
        }
        let detail = "the zlib stream (RFC 1950) ends before its checksum";
        Err(CmsError::new(Reason::BadCompression, PLACE, detail))
    }

    /// A bomb is small and becomes large.
    fn check_size(&self, added: usize) -> Result<(), CmsError> {
        if !self.budget.expand(added as u64) {
            let detail = format!("what is compressed in the message becomes over {} times its size", self.expansion);
            return Err(CmsError::new(Reason::LimitExceeded, PLACE, detail));
        }
        let (taken, made) = (self.state.total_in(), self.state.total_out());
        if made > self.limit {
            let detail = format!("content over {} octets", self.limit);
            return Err(CmsError::new(Reason::LimitExceeded, PLACE, detail));
        }
        if made > self.free.saturating_add(taken.saturating_mul(self.expansion)) {
            let detail =
                format!("{taken} compressed octets become more than {made}: over {} for each one", self.expansion);
            return Err(CmsError::new(Reason::LimitExceeded, PLACE, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::Compression;
    use flate2::read::ZlibEncoder;

    use super::*;

    fn deflate(octets: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        ZlibEncoder::new(octets, Compression::best()).read_to_end(&mut out).unwrap();
        out
    }

    fn inflate(octets: &[u8], piece: usize, limits: &Limits) -> Result<Vec<u8>, CmsError> {
        let budget = Budget::new(limits, octets.len() as u64);
        let mut inflate = Inflate::new(limits, &budget);
        let mut out = Vec::new();
        for piece in octets.chunks(piece) {
            inflate.update(piece, &mut out).unwrap()?;
        }
        inflate.finish().map(|()| out)
    }

    #[test]
    fn whatever_the_pieces_the_content_comes_out() {
        let content: Vec<u8> = (0..300_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let octets = deflate(&content);
        for piece in [1, 1000, octets.len()] {
            assert!(inflate(&octets, piece, &Limits::default()).unwrap() == content, "{piece}");
        }
        assert_eq!(inflate(&deflate(b""), 3, &Limits::default()).unwrap(), b"");
    }

    #[test]
    fn damage_is_named() {
        let octets = deflate(b"hello hello hello");
        let detail = |octets: &[u8]| {
            let error = inflate(octets, 5, &Limits::default()).unwrap_err();
            assert_eq!(error.reason, Reason::BadCompression);
            error.detail
        };
        assert!(detail(&octets[..octets.len() - 1]).contains("before its checksum"));
        assert!(detail(&[&octets[..], b"x"].concat()).contains("after the end"));
        let mut wrong = octets.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert!(detail(&wrong).contains("not zlib"));
        assert!(detail(b"no zlib at all").contains("not zlib"));
        assert!(detail(b"").contains("before its checksum"));
    }

    #[test]
    fn a_bomb_is_stopped_early() {
        let bomb = deflate(&vec![0; 4 << 20]);
        let limits = Limits { expansion: 100, expansion_free: 1 << 20, ..Limits::default() };
        let error = inflate(&bomb, 64, &limits).unwrap_err();
        assert_eq!(error.reason, Reason::LimitExceeded);
        assert!(error.detail.contains("over 100 for each one"), "{error}");
        let limits = Limits { content_octets: 1000, ..Limits::default() };
        assert_eq!(inflate(&bomb, 64, &limits).unwrap_err().reason, Reason::LimitExceeded);
        assert_eq!(inflate(&bomb, 64, &Limits::default()).unwrap().len(), 4 << 20);
    }
}
