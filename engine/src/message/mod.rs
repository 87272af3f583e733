//! What a mail program does: open, sign, encrypt.

mod compose;
mod context;
mod encrypt;
mod enveloped;
mod headers;
mod input;
mod object;
mod open;
mod peel;
mod request;
mod sign;
mod signed;
mod signer;

pub use compose::{Boundary, ComposeError, MimeShape};
pub use encrypt::{EncryptError, EncryptRequest, encrypt};
pub use input::InputKind;
pub use open::open;
pub use request::{Credential, OpenError, OpenRequest, Opened};
pub use sign::{SignError, SignRequest, sign};
pub use waxseal_verdict::Form;
