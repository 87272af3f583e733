//! `waxseal timestamp reply`: answer as an authority of one's own.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::cms::write::Tamper;
use waxseal_engine::timestamp::{Accuracy, Authority};
use waxseal_key::{DigestAlgorithm, Random as _, Signer, SystemRandom};

use super::super::options::{self, KeyOptions, ProviderOption, oid};
use crate::exit::{Exit, Failed, help};
use crate::keys::{hexadecimal, load_certificates};

/// Answer a request as a local time-stamping authority
///
/// For tests, and for whoever trusts an authority of their own: it keeps no
/// list of serial numbers, which are random. A request that it does not stamp
/// gets a response with the reason, and exit code 1.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal timestamp reply contract.tsq --key tsa.key --cert tsa.pem --chain ca.pem --policy-oid 1.2.3 -o contract.tsr",
    "waxseal timestamp reply contract.tsq --p12 tsa.p12:env:PASSWORD --policy-oid 1.2.3 --compact -o contract.tsr",
))]
pub(in crate::cli) struct Arguments {
    /// The request
    query: PathBuf,
    #[command(flatten)]
    keys: KeyOptions,
    /// A certificate to send along where certificates are asked for
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// A policy under which the authority works, dotted; the first where the request names none
    #[arg(long, value_name = "OID", value_parser = oid, required = true)]
    policy_oid: Vec<String>,
    /// The digest of the signature
    #[arg(long, value_name = "NAME", default_value = "sha-256", value_parser = options::digest)]
    digest: DigestAlgorithm,
    /// How far the clock may be off, in milliseconds [default: nothing is said]
    #[arg(long, value_name = "MS")]
    accuracy: Option<u64>,
    /// Say that the tokens of this authority are in the order of their times
    #[arg(long)]
    ordering: bool,
    /// Send no certificates, whatever is asked for, and name the certificate by its digest alone
    #[arg(long)]
    compact: bool,
    /// The serial number, hexadecimal [default: random]
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
    /// The time to stamp [default: now, in seconds]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    #[command(flatten)]
    provider: ProviderOption,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let arithmetic = arguments.provider.arithmetic();
    let ring = arguments.keys.load(arithmetic)?;
    let pair = ring.pairs().into_iter().find_map(|(key, certificate)| Some((key, certificate?)));
    let (key, certificate) = pair.ok_or_else(|| {
        Failed::usage("nobody stamps: give --key and --cert, or --p12; they are matched by public key")
    })?;
    let mut chain: Vec<_> = ring.certificates().iter().filter(|one| one.der() != certificate.der()).cloned().collect();
    chain.extend(load_certificates(&arguments.chain)?);
    let serial = match &arguments.serial {
        Some(text) => hexadecimal(text).map_err(|_| Failed::usage("--serial: not hexadecimal"))?.to_vec(),
        None => {
            let mut octets = vec![0; 16];
            SystemRandom.fill(&mut octets);
            octets
        }
    };
    let accuracy = arguments.accuracy.map(|ms| Accuracy { seconds: ms / 1000, millis: (ms % 1000) as u16, micros: 0 });
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).map_err(Failed::fault)?;
    let signer: &dyn Signer = key;
    let tamper = Tamper::default();
    let authority = Authority {
        chain: &chain,
        digest: arguments.digest,
        accuracy,
        ordering: arguments.ordering,
        compact: arguments.compact,
        ..Authority::new(signer, certificate, &arguments.policy_oid, &tamper, &arithmetic)
    };
    let response = authority.reply(&super::read(&arguments.query)?, arguments.at.unwrap_or(now), &serial);
    super::write(arguments.out.as_deref(), &response.to_der().map_err(Failed::fault)?)?;
    if response.status.is_granted() {
        return Ok(Exit::Good);
    }
    Err(Failed::bad(format!("{}: not stamped: {}", arguments.query.display(), response.refusal())))
}
