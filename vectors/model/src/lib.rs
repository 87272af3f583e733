//! The corpus of Waxseal as types: cases, the PKI they use, the catalogue of
//! recordings, the requirements; the table of clients and
//! their shapes.
//!
//! [`Corpus`] reads and checks it: from the binary itself
//! ([`Corpus::embedded`]) or from a directory ([`Corpus::load`]). Whoever holds
//! a [`Corpus`] needs no further check: ids are unique and match their files,
//! twins, entities and requirements exist, reasons fit their aspects.
//!
//! *Invariant of this floor:* this crate reads and checks; it makes no message,
//! knows no cryptography but SHA-256, and runs nothing.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod case;
mod catalogue;
mod check;
mod client;
mod code;
mod corpus;
mod exchange;
mod files;
mod instant;
mod matrix;
mod peers;
mod pki;
mod problem;
mod proposal;
mod published;
mod recipe;
mod recorded;
mod recordings;
mod requirement;
mod revocation;
pub mod schema;
mod select;
mod shape;
mod transport;

pub use case::{Case, Disagreement, Flag, Given, Input, Level, Needs, Role, SharedKey, Source, Witness};
pub use catalogue::{Client, Entry, KeyFile, Origin, PinnedFile};
pub use client::{
    Candidate, ClientHabits, Clients, Description, Guess, LayerClass, LayerGuess, Pattern, Seen, Trait, Value,
    VersionHabits,
};
pub use corpus::Corpus;
pub use exchange::{CardState, Exchange, ExchangeStep, LookStep, Participant, ReadStep, WriteStep, Written};
pub use instant::Instant;
pub use matrix::{
    CipherValue, ContentValue, Feature, KnownWriter, Matrix, MatrixStep, Protection, RecipientValue, Scenario,
    SignatureValue, WriterFinding,
};
pub use peers::{Cause, Peer, PeerNote, Peers};
pub use pki::{Entity, ExtendedUse, KeyType, KeyUse, NameConstraints, Pki};
pub use problem::{CorpusError, Problem};
pub use proposal::{Capture, CaptureForm, Observed, Proposal};
pub use published::{FileOrigin, NotPublished, PublishedFile, RecordingFiles, WantedFile};
pub use recipe::{
    Attribute, AttributeChange, Attributes, AuthenticateStep, Base, Border, CompressStep, DigestStep, EncryptStep,
    EncryptWithKeyStep, HeaderPolicy, Hp, Identifier, KeyManagement, LineEnds, Nothing, Oaep, ProtectHeaders, Pss,
    Recipe, ReplaceStep, SignStep, Sm2, Spelling, StampStep, Stamped, Step, TamperStep, Tampering, WrapStep,
};
pub use recorded::{
    NotRecorded, Provenance, Recorded, RecordedMail, Script, ScriptedEncryption, ScriptedLetter, ScriptedMail,
    ScriptedSignature, folder_of,
};
pub use recordings::{Recordings, RecordingsError};
pub use requirement::{Obligation, Party, Requirement};
pub use revocation::{CrlDescription, CrlScope, OcspAnswer, OcspDescription, RevocationReason, RevokedEntity};
pub use select::{Selection, SelectionError};
pub use shape::{
    Answer, CertificateRole, ClientShape, FeatureReading, FormShape, Habit, KnownAnswer, KnownBy, MailFeatures,
    Overrides, Reading, Replica, ReplicaForm, Shapes, Table, Topic,
};
pub use transport::{
    Change, Damage, Effect, Effects, Encoding, Exception, Fate, Fetch, FetchBy, Letter, Mangling, Route, Security,
    Submit, SubmitBy, Transport,
};
