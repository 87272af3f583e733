//! Header protection on reading: which header fields a message protects, how,
//! and what stands outside against them (RFC 9788 section 4).
//!
//! Two schemes are known. With `hp="clear"` or `hp="cipher"` on the
//! Cryptographic Payload, its own fields are those of the message. Without, a
//! payload that is a whole `message/rfc822` may be the wrapping of RFC 8551
//! section 3.1, or a mail that was forwarded; [`payload`] tells them apart.
//! Fields among the signed attributes (RFC 7508) are compared apart from both.

mod judge;
mod payload;
mod secured;
mod sets;

pub(super) use judge::judge;
pub(super) use payload::{Payload, main_bodies};
pub(super) use secured::judge as judge_secured;
