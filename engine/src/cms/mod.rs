//! Cryptographic Message Syntax (RFC 5652).

pub mod write;
