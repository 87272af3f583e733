//! What a mail program does: open, sign, encrypt.

mod encrypt;
mod sign;
