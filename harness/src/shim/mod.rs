//! The shim protocol, and the shims that are part of this program: the engine,
//! `openssl cms` and Bouncy Castle.

pub mod bouncycastle;
pub mod engine;
pub mod openssl;
pub mod protocol;
pub mod serve;
