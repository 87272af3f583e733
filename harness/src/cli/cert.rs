//! `waxseal cert`: what becomes of a certificate.

mod profile;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use time::OffsetDateTime;
use waxseal_engine::certificate::identity::{self, Author};
use waxseal_engine::certificate::path::{self, PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs};
use waxseal_engine::certificate::{Certificate, Fetched, Fetching};
use waxseal_verdict::Aspect;

use super::options::{self, FetchOptions, LimitOptions, ProviderOption};
use super::output::{self, Paint};
use crate::exit::{Exit, Failed, help};
use crate::keys::{load_certificates, load_crls, load_ocsp_responses};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Path(Box<PathArguments>),
    Profile(profile::ProfileArguments),
}

/// Look for a path from a certificate to an anchor, and judge it
///
/// Paths are validated as RFC 5280 section 6 says. What is not given is not
/// known, unless it may be fetched. Once a CRL or an OCSP response is given, every
/// certificate of the path has to have a status.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal cert path alice.pem --anchor root.pem --extra intermediate.pem",
    "waxseal cert path alice.pem --anchor root.pem --extra ca.pem --crl root.crl --crl ca.crl --purpose email-protection",
    "waxseal cert path alice.pem --anchor root.pem --extra ca.pem --crl root.crl --ocsp response.der",
    "waxseal cert path alice.pem --anchor root.pem --fetch --cache ~/.cache/waxseal",
    "waxseal cert path alice.pem --anchor root.pem --email alice@example.test --policy default --json",
))]
pub(super) struct PathArguments {
    /// The certificate; the first of a file that holds several, and the others are candidates
    leaf: PathBuf,
    /// A certificate to trust; any certificate can be an anchor
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// A certificate that may stand between
    #[arg(long, value_name = "FILE")]
    extra: Vec<PathBuf>,
    /// A CRL
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An OCSP response
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    #[command(flatten)]
    fetch: FetchOptions,
    /// The time at which to judge [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    /// A certificate policy that is acceptable, dotted [default: any]
    #[arg(long, value_name = "OID", value_parser = options::oid)]
    policy_oid: Vec<String>,
    /// A certificate policy has to be valid for the path
    #[arg(long)]
    explicit_policy: bool,
    /// Policies are not mapped
    #[arg(long)]
    inhibit_policy_mapping: bool,
    /// anyPolicy in a certificate means nothing
    #[arg(long)]
    inhibit_any_policy: bool,
    /// What the key is for
    #[arg(long, value_name = "PURPOSE", default_value = "any")]
    purpose: PurposeOption,
    /// The address that the certificate should have
    #[arg(long, value_name = "ADDR")]
    email: Option<String>,
    /// Judge the algorithms and keys of the path too: the name of a built-in policy, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeOption {
    /// keyUsage and extendedKeyUsage of the certificate are not looked at
    Any,
    /// To sign mail, or to encrypt it
    EmailProtection,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    chain: &'a Aspect,
    identity: &'a Aspect,
    policy: &'a Aspect,
    /// The certificate first, the anchor last.
    path: Vec<Step>,
    findings: Vec<Found<'a>>,
    /// Certificate policies for which the path is valid, dotted.
    policies: Vec<&'a str>,
    /// Signatures that were checked.
    signatures: usize,
    /// What was asked of the network.
    fetched: Vec<Asked<'a>>,
}

#[derive(Serialize)]
struct Asked<'a> {
    uri: &'a str,
    wanted: &'a str,
    /// How many octets came.
    #[serde(skip_serializing_if = "Option::is_none")]
    octets: Option<usize>,
    /// Why nothing came that can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a str>,
}

#[derive(Serialize)]
struct Step {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    /// Every check that was done on it, whatever came of it.
    checks: Vec<String>,
}

#[derive(Serialize)]
struct Found<'a> {
    /// Place in the path, from 0.
    position: usize,
    reason: &'a str,
    detail: &'a str,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Path(arguments) => run_path(arguments),
        Command::Profile(arguments) => profile::run(arguments),
    }
}

fn run_path(arguments: &PathArguments) -> Result<Exit, Failed> {
    let mut given = load_certificates(std::slice::from_ref(&arguments.leaf))?;
    let leaf = given.remove(0);
    given.extend(load_certificates(&arguments.extra)?);
    let anchors = load_certificates(&arguments.anchor)?;
    let crls = load_crls(&arguments.crl)?;
    let policy = arguments.policy.as_deref().map(options::policy).transpose()?;
    let responses = load_ocsp_responses(&arguments.ocsp)?;
    let revocation = match (crls.as_slice(), responses.as_slice()) {
        ([], []) => RevocationInputs::default(),
        (crls, responses) => RevocationInputs::required(crls).with_responses(responses),
    };
    let network = arguments.fetch.network()?;
    let limits = arguments.limits.limits();
    let fetching = network.as_ref().map(|network| Fetching::new(network, &limits));
    let result = arguments.validate(&leaf, &given, &anchors, revocation, fetching.as_ref());
    let fetched = fetching.map(|fetching| fetching.log()).unwrap_or_default();
    let identity =
        arguments.email.as_deref().map_or(Aspect::Absent, |address| identity::check(&Author::expected(address), &leaf));
    let strength = policy.map_or(Aspect::Absent, |policy| policy.judge_path(&result.path));
    let report = Report {
        chain: &result.aspect,
        identity: &identity,
        policy: &strength,
        path: result.path.iter().enumerate().map(|(position, one)| Step::of(position, one, &result)).collect(),
        findings: result.findings.iter().map(Found::of).collect(),
        policies: result.policies.iter().map(String::as_str).collect(),
        signatures: result.work,
        fetched: fetched.iter().map(Asked::of).collect(),
    };
    if arguments.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, Paint::stdout()))?;
    }
    let bad = [&result.aspect, &identity, &strength].into_iter().any(Aspect::is_bad);
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

impl PathArguments {
    fn validate(
        &self,
        leaf: &Certificate,
        candidates: &[Certificate],
        anchors: &[Certificate],
        revocation: RevocationInputs<'_>,
        fetching: Option<&Fetching<'_>>,
    ) -> PathResult {
        let judge = |purpose| {
            let request = PathRequest {
                leaf,
                candidates,
                anchors,
                at: self.at.unwrap_or_else(OffsetDateTime::now_utc),
                policies: PolicyInputs {
                    acceptable: &self.policy_oid,
                    explicit: self.explicit_policy,
                    inhibit_mapping: self.inhibit_policy_mapping,
                    inhibit_any: self.inhibit_any_policy,
                },
                revocation,
                purpose,
                arithmetic: &self.provider.arithmetic(),
                limits: &self.limits.limits(),
            };
            match fetching {
                Some(fetching) => path::fetch_and_validate(&request, fetching),
                None => path::validate(&request),
            }
        };
        match self.purpose {
            PurposeOption::Any => judge(Purpose::Any),
            PurposeOption::EmailProtection => {
                let signing = judge(Purpose::Sign);
                if signing.aspect.is_bad() {
                    // A certificate for encryption only is one for mail, too.
                    let encryption = judge(Purpose::Encrypt);
                    if !encryption.aspect.is_bad() {
                        return encryption;
                    }
                }
                signing
            }
        }
    }
}

impl Step {
    fn of(position: usize, certificate: &Certificate, result: &PathResult) -> Self {
        let mut checks: Vec<String> = Vec::new();
        for checked in result.checks.iter().filter(|checked| checked.position == position) {
            let name = checked.check.name();
            if !checks.contains(&name) {
                checks.push(name);
            }
        }
        Self {
            checks,
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            serial: certificate.serial_hex(),
            not_before: options::show_time(certificate.not_before()),
            not_after: options::show_time(certificate.not_after()),
        }
    }
}

impl<'a> Asked<'a> {
    fn of(fetched: &'a Fetched) -> Self {
        let Fetched { uri, wanted, result } = fetched;
        Self { uri, wanted, octets: result.as_ref().ok().copied(), failed: result.as_ref().err().map(String::as_str) }
    }
}

impl<'a> Found<'a> {
    fn of(finding: &'a path::Finding) -> Self {
        Self { position: finding.position, reason: finding.reason.code(), detail: &finding.detail }
    }
}

/// The report for a person.
fn text(report: &Report<'_>, paint: Paint) -> String {
    let mut lines = vec![format!("chain    {}", paint.aspect(report.chain))];
    for (name, aspect) in [("identity", report.identity), ("policy  ", report.policy)] {
        if *aspect != Aspect::Absent {
            lines.push(format!("{name} {}", paint.aspect(aspect)));
        }
    }
    for (position, step) in report.path.iter().enumerate() {
        let Step { subject, serial, not_before, not_after, .. } = step;
        lines
            .push(output::harmless(&format!("{position:>3}  {subject}, serial {serial}, {not_before} to {not_after}")));
        for found in report.findings.iter().filter(|found| found.position == position) {
            lines.push(output::harmless(&format!("     {}: {}", found.reason, found.detail)));
        }
    }
    for Asked { uri, wanted, octets, failed } in &report.fetched {
        let came = match (octets, failed) {
            (Some(octets), _) => format!("{octets} octets"),
            (None, why) => format!("failed: {}", why.unwrap_or_default()),
        };
        lines.push(output::harmless(&format!("fetched  {wanted} at {uri}: {came}")));
    }
    if !report.policies.is_empty() {
        lines.push(format!("valid for the policies {}", report.policies.join(", ")));
    }
    lines.join("\n") + "\n"
}
