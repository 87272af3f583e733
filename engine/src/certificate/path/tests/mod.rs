//! Tests of paths against certificates and verdicts that were made elsewhere.

mod pkits;
