//! The shim protocol, and the two shims that are part of this program: the
//! engine and `openssl cms`.

pub mod engine;
pub mod openssl;
pub mod protocol;
pub mod serve;
