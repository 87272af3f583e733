//! Event reader.
