//! The cases of the corpus a second time, with their keys on a smart card: what
//! is signed must be the same octets where the algorithm leaves no choice, what
//! is opened must get the same verdict, and the card must have done exactly the
//! private-key operations that this takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::card_cases::{Place, Question};
use waxseal_card::VirtualCard;
use waxseal_card::host::{InProcess, Reader};
use waxseal_model::Corpus;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus: &'static Corpus = Box::leak(Box::new(Corpus::embedded().unwrap()));
    let trials = Question::all(corpus)
        .into_iter()
        .map(|question| Trial::test(question.name(), move || question.ask(corpus, &Here).map_err(Into::into)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// In this process.
#[derive(Debug)]
struct Here;

impl Place for Here {
    fn insert(&self, card: VirtualCard) -> Box<dyn Reader> {
        Box::new(InProcess::new("the card of a case", card).unwrap())
    }
}
