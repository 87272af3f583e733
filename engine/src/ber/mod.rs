//! Basic Encoding Rules (X.690): an event reader and a writer.

pub mod cursor;
pub mod definite;
mod error;
mod event;
pub mod identifier;
pub mod oid;
pub mod reader;
pub mod string;
pub mod tag;
pub mod time;
pub mod writer;

pub use cursor::{Cursor, Element};
pub use definite::to_definite;
pub use error::{BerError, BerErrorKind};
pub use event::{Event, Header, Length};
pub use reader::Reader;
pub use string::OctetStream;
pub use tag::{Class, Form, Tag};
pub use time::{TimeType, TimeValue};
