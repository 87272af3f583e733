//! The shim protocol, and the two shims that are part of this program: the
//! engine and `openssl cms`.

pub mod protocol;
pub mod serve;
