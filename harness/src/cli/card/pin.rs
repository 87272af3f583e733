//! `waxseal card pin`: changes the PIN of a card, or sets a new one.

use clap::{ArgGroup, Args};
use waxseal_card::host::{HostError, NoPin, PivClient};
use waxseal_card::piv::reference_data;
use zeroize::Zeroizing;

use crate::card::{self, open_reader};
use crate::cli::output;
use crate::exit::{Exit, Failed, help};
use crate::keys::Secret;

/// Change the PIN of a card, or set a new one with the PUK
///
/// What is not given is asked for on the terminal. Every wrong entry takes one
/// try; nothing is tried twice.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("what").required(true).args(["change", "unblock"])),
    after_help = help!(
        "waxseal card pin --change",
        "waxseal card pin 'Virtual PCD 00 00' --unblock --puk env:PUK --new env:PIN",
    )
)]
pub(in crate::cli) struct Arguments {
    /// The reader, see `waxseal card list` [default: the only one of PC/SC with a card]
    #[arg(default_value = "", hide_default_value = true)]
    reader: String,
    /// Change the PIN; the old one must be known
    #[arg(long)]
    change: bool,
    /// Set a new PIN with the PUK: the way back from a blocked PIN
    #[arg(long)]
    unblock: bool,
    /// The old PIN: the word, env:NAME or file:PATH
    #[arg(long, value_name = "PIN", conflicts_with = "unblock")]
    old: Option<Secret>,
    /// The PUK: the word, env:NAME or file:PATH
    #[arg(long, value_name = "PUK", conflicts_with = "change")]
    puk: Option<Secret>,
    /// The new PIN, six to eight digits: the word, env:NAME or file:PATH
    #[arg(long, value_name = "PIN")]
    new: Option<Secret>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let client = PivClient::new(open_reader(&arguments.reader)?, Box::new(NoPin)).map_err(card::failed)?;
    let result = if arguments.change {
        let old = secret(arguments.old.as_ref(), "Old PIN: ")?;
        is_pin("the old PIN", &old)?;
        client.change_pin(&old, &new_pin(arguments.new.as_ref())?)
    } else {
        let puk = secret(arguments.puk.as_ref(), "PUK: ")?;
        client.unblock_pin(&puk, &new_pin(arguments.new.as_ref())?)
    };
    match result {
        Ok(()) => {
            output::print("the card has a new PIN\n")?;
            Ok(Exit::Good)
        }
        Err(error) => Err(card::failed(error)),
    }
}

fn secret(given: Option<&Secret>, question: &str) -> Result<Zeroizing<String>, Failed> {
    match given {
        Some(secret) => secret.reveal(),
        None => rpassword::prompt_password(question).map(Zeroizing::new).map_err(|_| {
            let what = question.trim_end_matches(": ");
            Failed::usage(format!("{what}: there is no terminal to ask at; give it as an option, see --help"))
        }),
    }
}

/// The new PIN, which is typed twice: nobody sees what was typed.
fn new_pin(given: Option<&Secret>) -> Result<Zeroizing<String>, Failed> {
    let new = secret(given, "New PIN: ")?;
    if given.is_none() && *secret(None, "New PIN again: ")? != *new {
        return Err(Failed::usage("the two entries of the new PIN differ; nothing was changed"));
    }
    is_pin("the new PIN", &new)?;
    Ok(new)
}

/// Which of two PINs is none, must be said before either is sent.
fn is_pin(what: &str, pin: &str) -> Result<(), Failed> {
    match reference_data::padded(pin) {
        Some(_) => Ok(()),
        None => Err(Failed::usage(format!("{what}: {}", HostError::NotAPin))),
    }
}
