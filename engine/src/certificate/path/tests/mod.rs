//! Tests of paths against certificates and verdicts that were made elsewhere.

mod fetched;
mod hostile;
mod made;
mod pkits;
mod revoked;
mod rfc9216;
mod scenarios;
