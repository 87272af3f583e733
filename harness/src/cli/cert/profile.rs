//! `waxseal cert profile`: certificates against the rules of a standard.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::certificate::gm_profile::{self, Answer, Edition, Level, Outcome, Role, Subject};

use crate::cli::options::ProviderOption;
use crate::cli::output::{self, Paint};
use crate::exit::{Exit, Failed, help};
use crate::keys::load_certificates;

/// Hold certificates with keys of SM2 against the rules of GM/T 0015 or GB/T 20518
///
/// The texts of these standards were not at hand: each rule says what it was taken
/// from, and whether somebody has held it against the text.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal cert profile alice.pem --issuer intermediate.pem",
    "waxseal cert profile alice-sign.pem alice-encrypt.pem --pair --profile gmt0015-2023 --json",
    "waxseal cert profile old.pem --profile gmt0015-2012 --role encryption",
))]
pub(in crate::cli) struct ProfileArguments {
    /// Certificates
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The standard, and its edition
    #[arg(long, value_name = "NAME", default_value = Edition::Gmt2023.name(), value_parser = profile_parser())]
    profile: Edition,
    /// A certificate that issued one of them
    #[arg(long, value_name = "FILE")]
    issuer: Vec<PathBuf>,
    /// What the certificates are meant for [default: what they say themselves]
    #[arg(long, value_name = "ROLE", value_parser = role_parser())]
    role: Option<Role>,
    /// The two certificates belong to one holder: the one for signatures, and the one for encryption
    #[arg(long, conflicts_with = "role")]
    pair: bool,
    #[command(flatten)]
    provider: ProviderOption,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn profile_parser() -> impl TypedValueParser<Value = Edition> {
    PossibleValuesParser::new(Edition::ALL.map(Edition::name))
        .try_map(|name| Edition::from_name(&name).ok_or("no such profile"))
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name))
        .try_map(|name| Role::ALL.into_iter().find(|role| role.name() == name).ok_or("no such role"))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    profile: &'static str,
    /// Whether every rule was held against the text of the standard.
    confirmed: bool,
    certificates: Vec<Judged>,
    /// The rules about two certificates of one holder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pair: Vec<Answer>,
}

#[derive(Serialize)]
struct Judged {
    subject: String,
    serial: String,
    /// What it was judged as; nothing if it says nothing, or several things.
    role: Option<Role>,
    rules: Vec<Answer>,
}

pub(super) fn run(arguments: &ProfileArguments) -> Result<Exit, Failed> {
    let certificates = load_certificates(&arguments.files)?;
    let issuers = load_certificates(&arguments.issuer)?;
    let pair = match (arguments.pair, certificates.as_slice()) {
        (false, _) => Vec::new(),
        (true, [signature, encryption]) => gm_profile::check_pair(signature, encryption, arguments.profile),
        (true, all) => {
            return Err(Failed::usage(format!("--pair wants two certificates, and {} were given", all.len())));
        }
    };
    let judged = certificates.iter().enumerate().map(|(at, certificate)| {
        let role = match at {
            0 if arguments.pair => Some(Role::Signature),
            _ if arguments.pair => Some(Role::Encryption),
            _ => arguments.role.or_else(|| Role::of(certificate)),
        };
        arguments.judge(certificate, role, issuers.iter().chain(&certificates))
    });
    let certificates: Vec<_> = judged.collect();
    let answers = || certificates.iter().flat_map(|judged| &judged.rules).chain(&pair);
    let (confirmed, bad) = (answers().all(|answer| answer.rule.confirmed), answers().any(Answer::is_bad));
    let report = Report { profile: arguments.profile.name(), confirmed, certificates, pair };
    if arguments.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, Paint::stdout()))?;
    }
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

impl ProfileArguments {
    fn judge<'a>(
        &self,
        certificate: &'a Certificate,
        role: Option<Role>,
        mut known: impl Iterator<Item = &'a Certificate>,
    ) -> Judged {
        let issuer = known.find(|known| known.subject_name() == certificate.issuer_name());
        let arithmetic = &self.provider.arithmetic();
        let rules = gm_profile::check(&Subject { certificate, role, issuer, edition: self.profile, arithmetic });
        Judged { subject: certificate.subject(), serial: certificate.serial_hex(), role, rules }
    }
}

/// The report for a person: what is kept is only counted.
fn text(report: &Report, paint: Paint) -> String {
    let mut lines = vec![format!("{}: rules that nobody has held against the text of the standard", report.profile)];
    if report.confirmed {
        lines = vec![report.profile.to_owned()];
    }
    for Judged { subject, serial, role, rules } in &report.certificates {
        let role = role.map_or("no certain role", Role::name);
        lines.push(output::harmless(&format!("{subject}, serial {serial}, {role}: {}", kept(rules))));
        lines.extend(rules.iter().filter_map(|answer| line(answer, paint)));
    }
    if !report.pair.is_empty() {
        lines.push(format!("both together: {}", kept(&report.pair)));
        lines.extend(report.pair.iter().filter_map(|answer| line(answer, paint)));
    }
    lines.join("\n") + "\n"
}

fn kept(answers: &[Answer]) -> String {
    let kept = answers.iter().filter(|answer| answer.outcome == Outcome::Kept).count();
    format!("{kept} of {} rules kept", answers.iter().filter(|it| it.outcome != Outcome::NotApplicable).count())
}

fn line(answer: &Answer, paint: Paint) -> Option<String> {
    let Answer { rule, outcome } = answer;
    let level = match rule.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Seen => "seen",
    };
    let (word, detail) = match outcome {
        Outcome::Broken(detail) if answer.is_bad() => (paint.bad("broken"), detail.as_str()),
        Outcome::Broken(detail) => ("differs".to_owned(), detail.as_str()),
        Outcome::NotChecked(why) => ("not checked".to_owned(), *why),
        Outcome::Kept | Outcome::NotApplicable => return None,
    };
    let text = output::harmless(&format!("{} ({level}; {}): {}: {detail}", rule.id, rule.basis, rule.asks));
    Some(format!("  {word} {text}"))
}
