//! Thunderbird, driven from here: it signs, encrypts, decrypts and verifies
//! with its own code, without a screen and without a person.
//!
//! It has no other interface for this than its own scripts: [`marionette`]
//! carries ours into it, and back comes what it says. Only a folder of its own
//! ([`profile`]) is read and written; the person's profile is never touched.

pub mod clock;
pub mod marionette;
pub mod process;
pub mod profile;
