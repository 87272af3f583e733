//! The shim protocol, and the shims that are part of this program: the engine,
//! `openssl cms`, Bouncy Castle and GmSSL.

pub mod bouncycastle;
pub mod engine;
pub mod gmssl;
pub mod openssl;
pub mod protocol;
pub mod serve;
