//! `waxseal timestamp query`: ask for a token.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use waxseal_engine::timestamp::{MessageImprint, TimeStampReq};
use waxseal_key::{Arithmetic, DigestAlgorithm, Hasher, Random as _, SystemRandom};

use super::super::options::{self, LimitOptions, ProviderOption, oid};
use crate::exit::{Exit, Failed, help};
use crate::keys::hexadecimal;
use crate::workspace;

/// Make a request for a time-stamp
///
/// FILE is what shall be stamped, or with --mail a signed mail whose signature
/// value shall be stamped. The request is DER, as an authority wants it over
/// HTTP with the type application/timestamp-query.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal timestamp query contract.pdf -o contract.tsq",
    "waxseal timestamp query signed.eml --mail -o signed.tsq",
    "waxseal timestamp query contract.pdf --digest sha-512 --no-certificates -o contract.tsq",
))]
pub(in crate::cli) struct Arguments {
    /// What shall be stamped
    file: PathBuf,
    /// FILE is a signed mail: stamp the value of its signature
    #[arg(long)]
    mail: bool,
    /// Which signer of the mail, counted from 1
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    signer: u32,
    /// The digest of the imprint
    #[arg(long, value_name = "NAME", default_value = "sha-256", value_parser = options::digest)]
    digest: DigestAlgorithm,
    /// The policy under which the authority shall work, dotted [default: its own choice]
    #[arg(long, value_name = "OID", value_parser = oid)]
    policy_oid: Option<String>,
    /// A number that the token shall repeat, hexadecimal [default: 16 random digits]
    #[arg(long, value_name = "HEX", conflicts_with = "no_nonce")]
    nonce: Option<String>,
    /// Ask without a nonce
    #[arg(long)]
    no_nonce: bool,
    /// Do not ask for certificates: the token becomes small, and its reader needs the chain from elsewhere
    #[arg(long)]
    no_certificates: bool,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let arithmetic = arguments.provider.arithmetic();
    let imprint = if arguments.mail {
        let value = super::signature(&arguments.file, arguments.signer, &arguments.limits.limits())?;
        MessageImprint::of(&value, arguments.digest, &arithmetic).map_err(Failed::usage)?
    } else {
        MessageImprint::new(arguments.digest, digest_of(&arguments.file, arguments.digest, &arithmetic)?)
    };
    let mut request = TimeStampReq::new(imprint);
    request.policy.clone_from(&arguments.policy_oid);
    request.certificates = !arguments.no_certificates;
    if !arguments.no_nonce {
        let octets = match &arguments.nonce {
            Some(text) => hexadecimal(text).map_err(|_| Failed::usage("--nonce: not hexadecimal"))?.to_vec(),
            None => {
                let mut octets = vec![0; 8];
                SystemRandom.fill(&mut octets);
                octets
            }
        };
        request = request.with_nonce(&octets);
    }
    super::write(arguments.out.as_deref(), &request.to_der().map_err(Failed::usage)?)?;
    Ok(Exit::Good)
}

/// The digest of a file of any size.
pub(super) fn digest_of(file: &Path, digest: DigestAlgorithm, arithmetic: &Arithmetic) -> Result<Vec<u8>, Failed> {
    let mut hasher = arithmetic.hasher(digest).map_err(Failed::usage)?;
    let mut input = workspace::source_read_once(file, 0).map_err(Failed::at(file.display()))?;
    io::copy(&mut input, &mut Hashing(&mut *hasher)).map_err(Failed::at(file.display()))?;
    Ok(hasher.finish())
}

struct Hashing<'a>(&'a mut dyn Hasher);

impl io::Write for Hashing<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
