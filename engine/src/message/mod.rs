//! What a mail program does: open, sign, encrypt.

mod authenticated;
mod binding;
mod budget;
mod cipher;
mod compose;
mod content;
mod context;
mod countersignature;
mod enclose;
mod enclosed;
mod encrypt;
mod enveloped;
mod headers;
mod inflate;
mod input;
mod object;
mod open;
mod peel;
mod recipient;
mod request;
mod sign;
mod signed;
mod signer;
mod statements;
mod wrap;

pub use compose::{Boundary, ComposeError, HeaderPolicy, HideHeaders, MimeShape, ProtectHeaders};
pub use enclose::{EncloseRequest, Enclosure, enclose};
pub use encrypt::{EncryptRequest, encrypt};
pub use input::InputKind;
pub use open::open;
pub use request::{Credential, OpenError, OpenRequest, Opened, Secrets, SymmetricKey};
pub use sign::{SignError, SignRequest, sign};
pub use waxseal_verdict::Form;
pub use wrap::WrapError;
