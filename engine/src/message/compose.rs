//! What signing and encrypting share: taking a mail apart into what goes
//! outside and what is protected, and putting the parts of a new mail together.

mod armor;
mod boundary;
mod confidentiality;
mod entity;
mod error;
mod header;
mod legacy;
mod protect;
mod shape;

pub use boundary::Boundary;
pub use confidentiality::HeaderPolicy;
pub use error::ComposeError;
pub use protect::{HideHeaders, ProtectHeaders};
pub use shape::MimeShape;

pub(super) use armor::armored;
pub(super) use boundary::{check_boundary, expand, scan};
pub(super) use entity::Entity;
pub(super) use header::Head;
pub(super) use legacy::Inserted;
pub(super) use shape::fields;
