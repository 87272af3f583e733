//! How a command writes the mail that it makes.

use std::path::{Path, PathBuf};

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::cms::write::{Encoding, Shape};
use waxseal_engine::io::{Sink, Source};
use waxseal_engine::message::{self, ComposeError, EncloseRequest, Enclosure, SignError, WrapError};
use waxseal_key::{Arithmetic, SystemRandom};

use super::options::LimitOptions;
use super::output;
use crate::exit::{Exit, Failed};
use crate::workspace;

/// Octets of a segment where nothing is said: what is read and encrypted at once.
const SEGMENT: usize = 64 << 10;

/// Why no mail was made of another one.
pub(super) trait Refused: std::fmt::Display {
    /// What is wrong with the mail that went in, if that is why.
    fn composing(&self) -> Option<&ComposeError>;
}

impl Refused for SignError {
    fn composing(&self) -> Option<&ComposeError> {
        if let Self::Compose(error) = self { Some(error) } else { None }
    }
}

impl Refused for WrapError {
    fn composing(&self) -> Option<&ComposeError> {
        if let Self::Compose(error) = self { Some(error) } else { None }
    }
}

/// How the object is encoded, and where the mail goes.
#[derive(Debug, Args)]
pub(super) struct WritingOptions {
    /// Write indefinite lengths and cut the content into segments of so many octets
    #[arg(long, value_name = "SEGMENT", value_parser = segment)]
    ber: Option<usize>,
    /// Write definite lengths, which means to read the content twice [default: --der for a file; for content that
    /// comes from a pipe and goes into the object --ber 65536]
    #[arg(long, conflicts_with = "ber")]
    der: bool,
    #[command(flatten)]
    pub(super) limits: LimitOptions,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

fn segment(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(segment @ 1..) => Ok(segment),
        _ => Err("a number of octets, 1 or more".to_owned()),
    }
}

impl WritingOptions {
    /// The encoding of an object that holds what is in this file.
    pub(super) fn encoding(&self, file: &Path) -> Encoding {
        match self.ber {
            Some(segment) => Encoding::Ber { segment },
            None if !self.der && workspace::is_pipe(file) => Encoding::Ber { segment: SEGMENT },
            None => Encoding::Der,
        }
    }

    /// The encoding of an object that stands beside the content.
    pub(super) fn encoding_apart(&self) -> Encoding {
        self.ber.map_or(Encoding::Der, |segment| Encoding::Ber { segment })
    }

    /// Puts a mail into an object; `adjust` says what is special of its shape.
    pub(super) fn enclose(
        &self,
        file: &Path,
        into: Enclosure<'_>,
        arithmetic: &Arithmetic,
        adjust: impl FnOnce(&mut Shape),
    ) -> Result<(), Failed> {
        let mut request = EncloseRequest::new(into, arithmetic);
        request.shape.encoding = self.encoding(file);
        adjust(&mut request.shape);
        request.date = Some(OffsetDateTime::now_utc());
        request.limits = self.limits.limits();
        self.write(file, request.reads_once(), |input, out| message::enclose(input, out, &request, &mut SystemRandom))
    }

    /// Reads one mail and writes another. What is read once need not be stored
    /// when it comes from a pipe.
    pub(super) fn write<E: Refused>(
        &self,
        file: &Path,
        reads_once: bool,
        make: impl FnOnce(&mut dyn Source, &mut dyn Sink) -> Result<(), E>,
    ) -> Result<(), Failed> {
        let limits = self.limits.limits();
        let mut input = match reads_once {
            true => workspace::source_read_once(file, limits.header_octets),
            false => workspace::source(file, limits.piped_octets),
        }
        .map_err(Failed::at(file.display()))?;
        let refused = |error: E| {
            let is_no_mail = error.composing().is_some_and(ComposeError::is_no_mail);
            let exit = if is_no_mail { Exit::NotAMessage } else { Exit::Usage };
            Failed { exit, message: format!("{}: {error}", file.display()) }
        };
        let write = |out: &mut dyn Sink| make(&mut *input, out).map_err(refused);
        output::to_file_or_stdout(self.out.as_deref(), write)
    }
}
