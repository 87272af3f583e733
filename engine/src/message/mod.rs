//! What a mail program does: open, sign, encrypt.

mod compose;
mod encrypt;
mod sign;

pub use compose::{Boundary, ComposeError, MimeShape};
pub use encrypt::{EncryptError, EncryptRequest, encrypt};
pub use sign::{Form, SignError, SignRequest, sign};
