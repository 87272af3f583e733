//! Time-stamps (RFC 3161, with ESSCertIDv2 of RFC 5816): somebody who is
//! trusted says that octets were there at a time.
//!
//! A *request* holds the digest of the octets, a *token* is a SignedData over a
//! [`TstInfo`] that repeats the digest and adds the time, and a *response* is a
//! token or the reasons why there is none. This module reads and writes the
//! three, and has an [`Authority`] that answers; whether a token is to be
//! believed is judged where every other signature is, by
//! [`crate::message::verify_token`], and by [`crate::message::open`] for tokens
//! that stand on the signatures of a mail.
//!
//! *A compact token* has no certificates in it (certReq false), names its
//! authority by digest alone, and is signed with an elliptic curve; what leads
//! to an anchor is kept once for all tokens of an authority in a
//! [`ChainArchive`].

mod archive;
mod authority;
mod imprint;
mod info;
mod request;
mod response;
mod token;

pub use archive::ChainArchive;
pub use authority::{Authority, Refusal};
pub use imprint::MessageImprint;
pub use info::{Accuracy, GenTime, TstInfo};
pub use request::{Difference, TimeStampReq};
pub use response::{Failure, PkiStatus, TimeStampResp};
pub use token::Token;

use crate::ber::{Cursor, Element};
use crate::cms::CmsError;
use crate::cms::error::Within as _;

/// The single element that these octets are.
fn whole<'a>(octets: &'a [u8], context: &str) -> Result<Element<'a>, CmsError> {
    let mut input = Cursor::new(octets, 0);
    let element = crate::cms::read::one(octets, 0, context)?;
    input.take().within(context)?;
    input.end().within(context)?;
    Ok(element)
}
