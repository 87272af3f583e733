//! `waxseal certificates`: a mail that carries certificates and nothing else.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::io::Sink;
use waxseal_engine::message::{CertificatesRequest, send_certificates};

use super::output;
use crate::exit::{Exit, Failed, help};
use crate::keys::{load_certificates, load_crls};

/// Send certificates
///
/// Makes a mail that carries certificates and CRLs, and nothing else: a
/// SignedData without signers (RFC 8551 section 3.8), as authorities and
/// correspondents send it.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal certificates me.pem ca.pem --from me@example.test --recipient you@example.test -o certificates.eml",
    "waxseal certificates ca.pem --crl ca.crl -o certificates.eml",
))]
pub(super) struct Arguments {
    /// The certificates; all of a file that holds several
    #[arg(value_name = "CERT", required_unless_present = "crl")]
    certificates: Vec<PathBuf>,
    /// A CRL
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// The From field
    #[arg(long, value_name = "ADDR")]
    from: Option<String>,
    /// The To field
    #[arg(long, value_name = "ADDR")]
    recipient: Option<String>,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let certificates = load_certificates(&arguments.certificates)?;
    let crls = load_crls(&arguments.crl)?;
    let mut request = CertificatesRequest::new(&certificates, &crls);
    request.date = Some(OffsetDateTime::now_utc());
    for (name, value) in [("From", &arguments.from), ("To", &arguments.recipient)] {
        request.headers.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    let write = |out: &mut dyn Sink| send_certificates(out, &request).map_err(Failed::usage);
    output::to_file_or_stdout(arguments.out.as_deref(), write)?;
    Ok(Exit::Good)
}
