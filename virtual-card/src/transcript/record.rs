//! Writing a transcript while a session goes on.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use super::{Failure, Line, Transcript, blank::Blanker};
use crate::{
    Card, Lost,
    host::{Reader, ReaderError},
};

/// What a transcript is written on. Clones write on the same one, so that
/// several cards and readers can share it.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    transcript: Transcript,
    blanker: Blanker,
}

impl Tape {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written so far.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.with(|written| written.transcript.clone())
    }

    /// Writes a note.
    pub fn note(&self, text: &str) {
        self.write(Line::Note(text.to_owned()));
    }

    pub(super) fn write(&self, line: Line) {
        self.with(|written| {
            if matches!(line, Line::Reset | Line::Reconnect) {
                written.blanker.reset();
            }
            written.transcript.lines.push(line);
        });
    }

    /// Writes a command without its secrets; returns what `send` brings, and
    /// writes that.
    pub(super) fn exchange<E>(
        &self,
        command: &[u8],
        failure: impl FnOnce(&E) -> Failure,
        send: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Zeroizing<Vec<u8>>, E> {
        self.with(|Written { transcript, blanker }| transcript.lines.push(Line::Command(blanker.command(command))));
        let answer = send();
        self.with(|Written { transcript, blanker }| {
            transcript.lines.push(match &answer {
                Ok(response) => Line::Response(blanker.response(response)),
                Err(error) => Line::Failed(failure(error)),
            });
        });
        answer
    }

    fn with<T>(&self, then: impl FnOnce(&mut Written) -> T) -> T {
        // Whoever panicked while writing left whole lines.
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("lines", &self.with(|written| written.transcript.lines.len())).finish()
    }
}

/// A card whose sessions are written down.
#[derive(Debug)]
pub struct RecordedCard<C> {
    card: C,
    tape: Tape,
}

impl<C: Card> RecordedCard<C> {
    /// Writes what happens at the card on the tape.
    pub fn new(card: C, tape: Tape) -> Self {
        Self { card, tape }
    }

    /// The card.
    pub fn card_mut(&mut self) -> &mut C {
        &mut self.card
    }
}

impl<C: Card> Card for RecordedCard<C> {
    fn atr(&self) -> Vec<u8> {
        let atr = self.card.atr();
        self.tape.write(Line::Atr(atr.clone()));
        atr
    }

    fn reset(&mut self) -> Result<(), Lost> {
        self.tape.write(Line::Reset);
        self.card.reset().inspect_err(|lost| self.tape.write(Line::Failed((*lost).into())))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        self.tape.exchange(command, |lost: &Lost| (*lost).into(), || self.card.transmit(command))
    }
}

/// A reader whose sessions are written down.
#[derive(Debug)]
pub struct RecordedReader<R> {
    reader: R,
    tape: Tape,
}

impl<R: Reader> RecordedReader<R> {
    /// Writes what happens in the reader on the tape, its name first.
    pub fn new(reader: R, tape: Tape) -> Self {
        tape.note(&format!("reader {}", reader.name()));
        Self { reader, tape }
    }

    /// The reader.
    pub fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    fn event(&mut self, line: Line, then: impl FnOnce(&mut R) -> Result<(), ReaderError>) -> Result<(), ReaderError> {
        self.tape.write(line);
        then(&mut self.reader).inspect_err(|error| self.tape.write(Line::Failed(error.into())))
    }
}

impl<R: Reader> Reader for RecordedReader<R> {
    fn name(&self) -> &str {
        self.reader.name()
    }

    fn atr(&self) -> Vec<u8> {
        let atr = self.reader.atr();
        self.tape.write(Line::Atr(atr.clone()));
        atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        self.tape.exchange(command, |error: &ReaderError| error.into(), || self.reader.transmit(command))
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        self.event(Line::Begin, Reader::begin)
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        self.event(Line::End, Reader::end)
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        self.event(Line::Reconnect, Reader::reconnect)
    }
}

impl From<&ReaderError> for Failure {
    fn from(error: &ReaderError) -> Self {
        match error {
            ReaderError::NoReader(_) => Self::NoReader,
            ReaderError::NoCard => Self::NoCard,
            ReaderError::Removed => Self::Removed,
            ReaderError::Reset => Self::Reset,
            ReaderError::Busy => Self::Busy,
            ReaderError::Timeout => Self::Mute,
            ReaderError::Service(_) => Self::Service,
        }
    }
}
