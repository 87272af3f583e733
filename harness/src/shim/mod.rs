//! The shim protocol, and the shims that are part of this program; [`shipped`] lists them.

pub mod bouncycastle;
pub mod engine;
pub(crate) mod entity;
pub mod faketime;
pub mod gmssl;
pub mod gpgsm;
mod kept;
pub(crate) mod mail;
pub(crate) mod memory;
pub(crate) mod newer;
pub mod nss;
pub mod openssl;
pub(crate) mod peel;
pub(crate) mod program;
pub mod protocol;
pub mod schema;
pub mod script;
pub mod serve;
pub mod shipped;
pub mod snail;
pub mod thunderbird;
mod words;
pub(crate) mod writing;
