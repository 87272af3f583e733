//! The `waxseal` command: what stands on its command line, what it prints, and
//! how it ends. Logic is elsewhere; one file a command.

mod address_book;
mod algorithms;
mod authenticate;
mod card;
mod carry;
mod cert;
mod certificates;
mod compress;
mod digest;
mod encrypt;
mod exchange;
mod fingerprint;
mod guard;
mod inspect;
mod list;
mod open;
mod options;
mod output;
mod policy;
mod progress;
mod recipients;
mod record;
mod recordings;
mod run;
mod shaped;
mod shim;
mod show;
mod sign;
mod stamp_text;
mod statements_text;
mod timestamp;
mod transport;
mod verdict_text;
mod writing;

use std::panic::UnwindSafe;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

use crate::exit::{Exit, Failed, help};
use crate::shim::faketime::Leftovers;
use crate::sut::{self, ending};

/// Test vectors and an interoperability conformance harness for S/MIME.
///
/// Without a command it does what `waxseal run` does: every case of the corpus
/// on the reference engine and on every peer found on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "waxseal",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = help!(
    "waxseal                                        every case on every SUT that is here",
    "waxseal run --sut ./my-shim --known known.toml the gate of a build",
    "waxseal open mail.eml --anchor ca.pem          what is wrong with this mail?",
)
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Open(open::Arguments),
    Sign(sign::Arguments),
    Encrypt(encrypt::Arguments),
    Compress(compress::Arguments),
    Authenticate(authenticate::Arguments),
    Digest(digest::Arguments),
    Certificates(certificates::Arguments),
    Inspect(inspect::Arguments),
    Fingerprint(fingerprint::Arguments),
    Run(run::Arguments),
    Exchange(exchange::Arguments),
    Transport(transport::Arguments),
    Carry(carry::Arguments),
    Guard(guard::Arguments),
    List(list::Arguments),
    Algorithms(algorithms::Arguments),
    Show(show::Arguments),
    /// Use smart cards: in this process, and in readers
    #[command(subcommand)]
    Card(card::Command),
    /// Judge a certificate
    #[command(subcommand)]
    Cert(cert::Command),
    /// Show what is known of correspondents, and what follows for mail to them
    #[command(subcommand, name = "addressbook")]
    AddressBook(address_book::Command),
    /// Show what is good enough
    #[command(subcommand)]
    Policy(policy::Command),
    /// Ask for time-stamps, answer, verify and attach them (RFC 3161)
    #[command(subcommand)]
    Timestamp(timestamp::Command),
    /// Make proposals for the catalogue of mails that you captured
    #[command(subcommand)]
    Record(record::Command),
    /// Bring the mails of the catalogue from their public sources, and see which are here
    #[command(subcommand)]
    Recordings(recordings::Command),
    #[command(subcommand)]
    Shim(shim::Command),
}

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    // clap ends the process itself: 0 after --help, 2 after wrong use.
    let cli = Cli::try_parse().unwrap_or_else(|error| without_secrets(error).exit());
    // Where this fails nothing can be started that would need a guard, but a user's own shims.
    if let Ok(program) = std::env::current_exe() {
        sut::guarded_by(program);
    }
    let exit = ended(|| {
        let _leftovers = Leftovers::watch();
        dispatch(cli)
    });
    ending::finish();
    ExitCode::from(exit as u8)
}

/// The options whose values hold a secret.
const SECRET: [&str; 5] = ["--p12", "--kek", "--password", "--key-password", "--pin"];

/// The same error, without the value that somebody gave as a secret: what is
/// printed ends up in logs.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let of_secret = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => SECRET.contains(&argument.split([' ', '=']).next().unwrap_or_default()),
        _ => false,
    };
    if of_secret {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    error
}

/// How a command ends; an error is said. A panic has printed where it happened,
/// and becomes an exit code here.
fn ended(command: impl FnOnce() -> Result<Exit, Failed> + UnwindSafe) -> Exit {
    let fault = |_| Err(Failed::fault("internal fault; please report it with the command and its input"));
    std::panic::catch_unwind(command).unwrap_or_else(fault).unwrap_or_else(|failed| {
        eprint!("error: {}", output::harmless_lines(&failed.message));
        failed.exit
    })
}

fn dispatch(cli: Cli) -> Result<Exit, Failed> {
    match cli.command {
        None => run::run(cli.run),
        Some(Command::Run(arguments)) => run::run(arguments),
        Some(Command::Open(arguments)) => open::run(&arguments),
        Some(Command::Sign(arguments)) => sign::run(&arguments),
        Some(Command::Encrypt(arguments)) => encrypt::run(&arguments),
        Some(Command::Compress(arguments)) => compress::run(&arguments),
        Some(Command::Authenticate(arguments)) => authenticate::run(&arguments),
        Some(Command::Digest(arguments)) => digest::run(&arguments),
        Some(Command::Certificates(arguments)) => certificates::run(&arguments),
        Some(Command::Inspect(arguments)) => inspect::run(&arguments),
        Some(Command::Fingerprint(arguments)) => fingerprint::run(&arguments),
        Some(Command::Exchange(arguments)) => exchange::run(&arguments),
        Some(Command::Transport(arguments)) => transport::run(arguments),
        Some(Command::Carry(arguments)) => carry::run(&arguments),
        Some(Command::Guard(arguments)) => guard::run(&arguments),
        Some(Command::List(arguments)) => list::run(&arguments),
        Some(Command::Algorithms(arguments)) => algorithms::run(&arguments),
        Some(Command::Show(arguments)) => show::run(&arguments),
        Some(Command::Card(command)) => card::run(&command),
        Some(Command::Cert(command)) => cert::run(&command),
        Some(Command::AddressBook(command)) => address_book::run(&command),
        Some(Command::Policy(command)) => policy::run(&command),
        Some(Command::Timestamp(command)) => timestamp::run(&command),
        Some(Command::Record(command)) => record::run(&command),
        Some(Command::Recordings(command)) => recordings::run(&command),
        Some(Command::Shim(command)) => shim::run(&command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_fault_and_an_error_what_it_says() {
        for (command, code) in [
            ((|| Ok(Exit::Good)) as fn() -> Result<Exit, Failed>, 0),
            (|| Ok(Exit::Bad), 1),
            (|| Err(Failed::bad("x")), 1),
            (|| Err(Failed::usage("x")), 2),
            (|| Ok(Exit::NotAMessage), 3),
            (|| Err(Failed::fault("x")), 70),
            (|| panic!("a fault of the program"), 70),
            (|| Vec::<Result<Exit, Failed>>::new().remove(0), 70),
        ] {
            assert_eq!(ended(command) as u8, code);
        }
    }
}
