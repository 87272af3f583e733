//! `waxseal transport`: what becomes of mail between its writer and its reader.

use clap::Args;
use waxseal_model::Corpus;
use waxseal_reports::read_run;
use waxseal_reports::transport::Ways;

use super::output;
use super::run::{TransportArguments, run_transport};
use crate::exit::{Exit, Failed, help};

/// Send mail through what happens to it on its way, and say what survives
///
/// Letters of the corpus, in all forms that S/MIME has, go through what software
/// is known to do to mail, and through real servers on loopback (Postfix,
/// Dovecot), where they are installed. The reference engine reads what arrives,
/// and so does every SUT that is named. Exit code 1 means that one of them says
/// something else than the clauses do; what servers do that no clause foresees
/// is in the table as a finding.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal transport",
    "waxseal transport --sut openssl --manglings",
    "waxseal transport --recordings recordings --json",
))]
pub(super) struct Arguments {
    #[command(flatten)]
    run: TransportArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failed> {
    let corpus = Corpus::embedded().map_err(Failed::fault)?;
    let ran = run_transport(arguments.run, &corpus, arguments.json)?;
    let file = std::fs::File::open(&ran.record).map_err(Failed::at(ran.record.display()))?;
    let run = read_run(std::io::BufReader::new(file)).map_err(Failed::at(ran.record.display()))?;
    let ways = Ways::of(&run);
    if arguments.json {
        output::print_json(&ways)?;
    } else {
        output::print(&format!("{}\n{}", ways.text(), ran.text))?;
    }
    ran.exit
}
