//! `waxseal timestamp verify`: is a token to be believed, and what for?

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;
use waxseal_engine::message::{self, OpenRequest};
use waxseal_engine::timestamp::{TimeStampReq, Token};
use waxseal_key::DigestAlgorithm;
use waxseal_verdict::{Aspect, Timestamp};

use super::super::options::{self, LimitOptions, ProviderOption};
use super::super::output::{self, Paint, harmless};
use super::super::stamp_text;
use super::query::digest_of;
use crate::exit::{Exit, Failed, help};
use crate::keys::{load_certificates, load_crls};

/// Verify a time-stamp
///
/// FILE is a token or a response in DER. What it should cover is a file, the
/// signature of a mail, or what a request asks for; nonce and policy of the
/// request have to come back. (A time-stamp that stands on the signature of a
/// mail is judged by `waxseal open`.)
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal timestamp verify contract.tsr --data contract.pdf --anchor tsa-root.pem",
    "waxseal timestamp verify contract.tsr --query contract.tsq --anchor tsa-root.pem --json",
    "waxseal timestamp verify compact.tst --data contract.pdf --anchor tsa-root.pem --extra-cert archive.pem",
    "waxseal timestamp verify signed.tsr --mail signed.eml --anchor tsa-root.pem",
))]
pub(in crate::cli) struct Arguments {
    /// The token, or the response with it
    file: PathBuf,
    /// The file that was stamped
    #[arg(long, value_name = "FILE", conflicts_with = "mail")]
    data: Option<PathBuf>,
    /// The mail whose signature was stamped
    #[arg(long, value_name = "FILE")]
    mail: Option<PathBuf>,
    /// Which signer of the mail, counted from 1
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    signer: u32,
    /// The request that it answers
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    /// A certificate to trust; any certificate can be an anchor
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// A certificate that may be needed beside those in the token, such as an archive of them
    #[arg(long, value_name = "FILE")]
    extra_cert: Vec<PathBuf>,
    /// A CRL
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// The time at which to judge [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    /// What is good enough: the name of a built-in policy, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    policy: String,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Whether the token is to be believed.
    time: Aspect,
    /// What it does not repeat of the request.
    differences: Vec<String>,
    /// Everything that was found.
    stamp: Timestamp,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let report = arguments.verify()?;
    if arguments.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, Paint::stdout()))?;
    }
    let bad = report.time.is_bad() || !report.differences.is_empty();
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

impl Arguments {
    fn verify(&self) -> Result<Report, Failed> {
        let token = super::read_token(&self.file)?;
        let (arithmetic, limits) = (self.provider.arithmetic(), self.limits.limits());
        let query = self
            .query
            .as_deref()
            .map(|path| TimeStampReq::parse(&super::read(path)?).map_err(Failed::at(path.display())));
        let query = query.transpose()?;
        let value = self.mail.as_deref().map(|mail| super::signature(mail, self.signer, &limits)).transpose()?;
        // The digest of a large file is made once, by the algorithm of the token.
        let used = Token::parse(&token, &limits).ok().and_then(|token| token.info().imprint.digest());
        let data = match (&self.data, used) {
            (Some(file), Some(digest)) => Some(digest_of(file, digest, &arithmetic)?),
            _ => None,
        };
        let mut covered = |digest: DigestAlgorithm| match (&data, &value, &query) {
            (Some(hash), _, _) => Some(hash.clone()),
            (_, Some(value), _) => arithmetic.digest(digest, value).ok(),
            (_, _, Some(query)) if query.imprint.digest() == Some(digest) => Some(query.imprint.hash.clone()),
            (_, _, Some(_)) => Some(Vec::new()),
            _ => None,
        };
        let policy = options::policy(&self.policy)?;
        let request = OpenRequest {
            anchors: &load_certificates(&self.anchor)?,
            extra_certificates: &load_certificates(&self.extra_cert)?,
            crls: &load_crls(&self.crl)?,
            ..OpenRequest::new(self.at.unwrap_or_else(OffsetDateTime::now_utc), &policy, &arithmetic, &limits)
        };
        let found = message::verify_token(&token, &mut covered, &request);
        let differences = match (&query, &found.info) {
            (Some(query), Some(info)) => query.differences(info).iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        Ok(Report { time: found.time, differences, stamp: found.stamp })
    }
}

fn text(report: &Report, paint: Paint) -> String {
    let stamp = &report.stamp;
    let mut out = format!("{} {}\n", paint.bold("time-stamp"), paint.aspect(&report.time));
    for difference in &report.differences {
        let _ = writeln!(out, "  {}", harmless(difference));
    }
    stamp_text::write(&mut out, stamp, paint);
    let word = |value: &Option<String>| harmless(value.as_deref().unwrap_or("unknown"));
    let _ = writeln!(out, "  imprint {} {}", word(&stamp.digest), word(&stamp.imprint_hash));
    out
}
