//! `waxseal timestamp show`: what stands in a request, a response or a token.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use waxseal_engine::Limits;
use waxseal_engine::timestamp::{TimeStampReq, TimeStampResp, Token, TstInfo};

use super::super::options::show_time;
use super::super::output::{self, harmless};
use crate::exit::{Exit, Failed, help};

/// Print what stands in a request, a response or a token
///
/// Nothing is judged; see `waxseal timestamp verify`.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal timestamp show contract.tsq", "waxseal timestamp show contract.tsr --json"))]
pub(in crate::cli) struct Arguments {
    /// The file, in DER
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints; what does not apply is left out.
#[derive(Default, Serialize)]
struct Shown {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_micros: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
    /// Whether a request asks for certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates_wanted: Option<bool>,
    /// How many certificates a token holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates: Option<usize>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let octets = super::read(&arguments.file)?;
    let shown = shown(&octets).map_err(|message| Failed {
        exit: Exit::NotAMessage,
        message: format!("{}: {message}", arguments.file.display()),
    })?;
    if arguments.json {
        output::print_json(&shown)?;
    } else {
        output::print(&text(&shown)?)?;
    }
    Ok(Exit::Good)
}

fn shown(octets: &[u8]) -> Result<Shown, String> {
    if let Ok(request) = TimeStampReq::parse(octets) {
        return Ok(Shown {
            kind: "request",
            digest: Some(request.imprint.algorithm.name()),
            imprint: Some(hex(&request.imprint.hash)),
            policy: request.policy,
            nonce: request.nonce.as_deref().map(hex),
            certificates_wanted: Some(request.certificates),
            ..Shown::default()
        });
    }
    let response = TimeStampResp::parse(octets).ok();
    let (kind, status) = match &response {
        Some(response) => ("response", Some(response.refusal())),
        None => ("token", None),
    };
    let token = response.as_ref().map_or(Some(octets), |response| response.token.as_deref());
    let Some(token) = token else { return Ok(Shown { kind, status, ..Shown::default() }) };
    let token = Token::parse(token, &Limits::default())
        .map_err(|error| format!("neither request, response nor token: {error}"))?;
    Ok(Shown { kind, status, certificates: Some(token.certificates().len()), ..of_info(token.info()) })
}

fn of_info(info: &TstInfo) -> Shown {
    let accuracy = info.accuracy.map(|accuracy| accuracy.duration().whole_microseconds());
    Shown {
        time: Some(show_time(info.gen_time.at)),
        digest: Some(info.imprint.algorithm.name()),
        imprint: Some(hex(&info.imprint.hash)),
        policy: Some(info.policy.clone()),
        serial: Some(hex(&info.serial)),
        accuracy_micros: accuracy.and_then(|micros| u64::try_from(micros).ok()),
        nonce: info.nonce.as_deref().map(hex),
        authority: info.authority_name(),
        ..Shown::default()
    }
}

/// The fields that are there, one a line.
fn text(shown: &Shown) -> Result<String, Failed> {
    let value = serde_json::to_value(shown).map_err(Failed::fault)?;
    let fields = value.as_object().into_iter().flatten();
    let line = |(name, value): (&String, &serde_json::Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:20} {}\n", name.replace('_', " "), harmless(&value))
    };
    Ok(fields.map(line).collect())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
