//! Basic Encoding Rules (X.690): an event reader and a writer.

pub mod reader;
pub mod writer;
