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

/// What a transcript is written on. Clones write on the same one: one for what
/// records, one for who reads it. Cards that are used at the same time need one
/// each, or their sessions mix.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    transcript: Transcript,
    /// What the last answer to reset was that stands there.
    atr: Option<Vec<u8>>,
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

    fn write(&self, line: Line) {
        self.with(|written| written.transcript.lines.push(line));
    }

    /// Writes an answer to reset, unless it is the last one again: whoever looks
    /// whether a card is there asks for it all the time.
    fn write_atr(&self, atr: &[u8]) {
        self.with(|written| {
            if written.atr.as_deref() != Some(atr) {
                written.atr = Some(atr.to_vec());
                written.transcript.lines.push(Line::Atr(atr.to_vec()));
            }
        });
    }

    /// Writes a command without its secrets, and what `send` brings, which it
    /// returns. Both are written at once: nothing comes between them.
    fn exchange<E>(
        &self,
        blanker: &mut Blanker,
        command: &[u8],
        failure: impl FnOnce(&E) -> Failure,
        send: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Zeroizing<Vec<u8>>, E> {
        let command = Line::Command(blanker.command(command));
        let answer = send();
        let answered = match &answer {
            Ok(response) => Line::Response(blanker.response(response)),
            Err(error) => Line::Failed(failure(error)),
        };
        self.with(|written| written.transcript.lines.extend([command, answered]));
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
    blanker: Blanker,
}

impl<C: Card> RecordedCard<C> {
    /// Writes what happens at the card on the tape.
    pub fn new(card: C, tape: Tape) -> Self {
        Self { card, tape, blanker: Blanker::default() }
    }

    /// The card.
    pub fn card_mut(&mut self) -> &mut C {
        &mut self.card
    }
}

impl<C: Card> Card for RecordedCard<C> {
    fn atr(&self) -> Vec<u8> {
        let atr = self.card.atr();
        self.tape.write_atr(&atr);
        atr
    }

    fn reset(&mut self) -> Result<(), Lost> {
        self.blanker.reset();
        self.tape.write(Line::Reset);
        self.card.reset().inspect_err(|lost| self.tape.write(Line::Failed((*lost).into())))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        let Self { card, tape, blanker } = self;
        tape.exchange(blanker, command, |lost: &Lost| (*lost).into(), || card.transmit(command))
    }
}

/// A reader whose sessions are written down.
#[derive(Debug)]
pub struct RecordedReader<R> {
    reader: R,
    tape: Tape,
    blanker: Blanker,
}

impl<R: Reader> RecordedReader<R> {
    /// Writes what happens in the reader on the tape, its name first.
    pub fn new(reader: R, tape: Tape) -> Self {
        tape.note(&format!("reader {}", reader.name()));
        Self { reader, tape, blanker: Blanker::default() }
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
        self.tape.write_atr(&atr);
        atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        let Self { reader, tape, blanker } = self;
        tape.exchange(blanker, command, |error: &ReaderError| error.into(), || reader.transmit(command))
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        self.event(Line::Begin, Reader::begin)
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        self.event(Line::End, Reader::end)
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        self.blanker.reset();
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
