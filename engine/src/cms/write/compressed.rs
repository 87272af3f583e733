//! CompressedData (RFC 3274).

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::content::each_chunk;
use super::frame::{Frame, Holder, Lengths, Put};
use super::identifier::algorithm_with;
use super::{Content, Shape, Tamper, WriteError};
use crate::ber::writer;
use crate::cms::oid;

/// A recipe for a CompressedData with zlib.
#[derive(Clone, Copy)]
pub struct CompressedData<'a> {
    /// eContentType, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How hard to try, from 0 (not at all) to 9.
    pub level: u32,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
}

impl CompressedData<'_> {
    /// Writes the object. Definite lengths cost a second compression: only that
    /// tells the length before.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(&self, out: &mut dyn Write, content: &mut dyn Content) -> Result<(), WriteError> {
        let plan = self.shape.segments(0)?;
        let mut head = writer::integer(self.tamper.version.unwrap_or(0));
        // Parameters have to be absent (RFC 3274 section 2).
        head.extend(algorithm_with(oid::ZLIB, &[])?);
        let info = writer::oid(self.content_type)?;
        let frame = Frame { object: oid::COMPRESSED_DATA, head, info, holder: Holder::EContent };
        let lengths = match plan {
            None => {
                let mut length = 0;
                self.compress(content, &mut |octets| {
                    length += octets.len() as u64;
                    Ok(())
                })?;
                Lengths::Definite { content: Some(length), tail: 0 }
            }
            plan => Lengths::Indefinite { content: plan },
        };
        frame.write(out, lengths, |put| {
            self.compress(content, put)?;
            Ok(Vec::new())
        })
    }

    fn compress(&self, content: &mut dyn Content, put: &mut Put<'_>) -> Result<(), WriteError> {
        let mut state = Compress::new(Compression::new(self.level.min(9)), true);
        let mut made = vec![0; super::CHUNK];
        each_chunk(content, |chunk, last| {
            let mut octets = chunk.as_slice();
            let flush = if last { FlushCompress::Finish } else { FlushCompress::None };
            loop {
                let (before_in, before_out) = (state.total_in(), state.total_out());
                let status = state
                    .compress(octets, &mut made, flush)
                    .map_err(|error| WriteError::Read(std::io::Error::other(error)))?;
                octets = &octets[(state.total_in() - before_in) as usize..];
                let len = (state.total_out() - before_out) as usize;
                put(&made[..len])?;
                let done = if last { status == Status::StreamEnd } else { octets.is_empty() && len < made.len() };
                if done {
                    return Ok(());
                }
            }
        })
    }
}
