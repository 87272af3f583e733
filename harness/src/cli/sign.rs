//! `waxseal sign`: a signed mail, as a mail program would send it.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::cms::write::{Encoding, Shape};
use waxseal_engine::message::{self, Boundary, Form, ProtectHeaders, SignRequest};
use waxseal_key::{DigestAlgorithm, Signer, SystemRandom};

use super::open::source;
use super::options::{self, HideOptions, KeyOptions, ProviderOption};
use super::output;
use crate::exit::{Exit, Failed, help};
use crate::keys::load_certificates;

/// Sign a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body are
/// signed, its other fields stay outside; see --protect-headers. `-` is
/// standard input.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal sign mail.eml --key me.key --cert me.pem -o signed.eml",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --form opaque --ber 1000",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --protect-headers cipher | waxseal encrypt - --to alice.pem",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    #[command(flatten)]
    keys: KeyOptions,
    /// A certificate to send along, such as that of an issuing authority
    #[arg(long, value_name = "FILE")]
    extra_cert: Vec<PathBuf>,
    /// clear: readable without S/MIME; opaque: the content stands in the object
    #[arg(long, value_name = "FORM", default_value = "clear")]
    form: FormOption,
    /// The digest
    #[arg(long, value_name = "NAME", default_value = "sha-256", value_parser = digest)]
    digest: DigestAlgorithm,
    /// Write indefinite lengths and cut the content into segments of so many octets
    #[arg(long, value_name = "SEGMENT", value_parser = super::encrypt::segment)]
    ber: Option<usize>,
    /// The From field, instead of that of the mail
    #[arg(long, value_name = "ADDR")]
    from: Option<String>,
    /// The signing time [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    /// Copy the header into what is signed (RFC 9788); clear: to be sent like this, cipher: to be encrypted next, so
    /// that what is to be hidden outside is hidden now
    #[arg(long, value_name = "HP")]
    protect_headers: Option<HpOption>,
    #[command(flatten)]
    hide: HideOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormOption {
    Clear,
    Opaque,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HpOption {
    Clear,
    Cipher,
}

fn digest(name: &str) -> Result<DigestAlgorithm, String> {
    let names = || DigestAlgorithm::ALL.map(DigestAlgorithm::name).join(", ");
    DigestAlgorithm::from_name(name).ok_or_else(|| format!("one of {} is known", names()))
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let arithmetic = arguments.provider.arithmetic();
    let ring = arguments.keys.load(arithmetic)?;
    let mut signers: Vec<(&dyn Signer, _)> = Vec::new();
    for (key, certificate) in ring.pairs() {
        let certificate = certificate.ok_or_else(|| {
            Failed::usage(
                "a key without its certificate: give the certificate with --cert (it is matched by public key)",
            )
        })?;
        signers.push((key, certificate));
    }
    if signers.is_empty() {
        return Err(Failed::usage("nobody signs: give --key and --cert, or --p12"));
    }
    // What came with the keys and is no signer's own is the way to the authority.
    let mut certificates: Vec<_> = ring
        .certificates()
        .iter()
        .filter(|one| signers.iter().all(|(_, own)| own.der() != one.der()))
        .cloned()
        .collect();
    certificates.extend(load_certificates(&arguments.extra_cert)?);

    let at = arguments.at.unwrap_or_else(OffsetDateTime::now_utc);
    if arguments.hide.is_given() && arguments.protect_headers != Some(HpOption::Cipher) {
        return Err(Failed::usage(
            "nothing is hidden outside of what is only signed: --header-policy and --legacy-display need \
             --protect-headers cipher",
        ));
    }
    let mut request = SignRequest::new(&signers, at, Boundary::random(&mut SystemRandom), &arithmetic);
    request.certificates = &certificates;
    request.digest = arguments.digest;
    request.limits = Limits::default();
    request.form = match arguments.form {
        FormOption::Clear => Form::Clear,
        FormOption::Opaque => Form::Opaque,
    };
    request.protect_headers = arguments.protect_headers.map(|hp| match hp {
        HpOption::Clear => ProtectHeaders::Clear,
        HpOption::Cipher => ProtectHeaders::Cipher(arguments.hide.hide()),
    });
    if let Some(segment) = arguments.ber {
        request.shape = Shape::encoded(Encoding::Ber { segment });
    }
    if let Some(from) = &arguments.from {
        request.headers.push(("From".to_owned(), from.clone()));
    }
    let mut input = source(&arguments.file)?;
    let write =
        |out: &mut dyn Write| message::sign(&mut input, out, &request).map_err(Failed::at(arguments.file.display()));
    output::to_file_or_stdout(arguments.out.as_deref(), write)?;
    Ok(Exit::Good)
}
