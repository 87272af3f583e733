//! GmSSL on every case that is in its dialect: what it accepts and refuses is
//! what the cases say of it. In a run it is the SUT `gmssl`.
//!
//! With `WAXSEAL_UPDATE` set the cases that it answers as expected are made to
//! name it as a witness. A failure is never written: somebody must look into it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::witness;
use waxseal_model::Corpus;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let Some((sut, hello)) = witness::admitted("gmssl", env!("CARGO_BIN_EXE_waxseal")) else {
        return ExitCode::SUCCESS;
    };
    let mut trials =
        vec![Trial::test("every algorithm that it declares has a row in the table", move || witness::names(&hello))];
    if !arguments.list {
        trials.extend(witness::trials(&corpus, sut));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
