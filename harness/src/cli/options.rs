//! Options that several commands share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_card::host::{PinSource, PivClient};
use waxseal_card::piv::Slot;
use waxseal_engine::Limits;
use waxseal_engine::cms::write::{IdentifierForm, Shape};
use waxseal_engine::message::{HeaderPolicy, HideHeaders};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice, PublicKeyAlgorithm, SM2_MAX_ID_LEN, SignatureScheme};
use waxseal_model::{Corpus, Recordings};
use waxseal_verdict::Dialect;

use crate::card::{self, Entered, Prompt, Written, open_reader};
use crate::exit::Failed;
use crate::fetch::Network;
use crate::keys::{KeyRing, Pkcs12File, Secret};
use crate::workspace;

/// Keys and their certificates.
#[derive(Debug, Args)]
pub(super) struct KeyOptions {
    /// A PKCS#12 file with keys and certificates; PASSWORD can be env:NAME or
    /// file:PATH. FILE ends at the first colon
    #[arg(long, value_name = "FILE:PASSWORD")]
    p12: Vec<Pkcs12File>,
    /// A private key in PEM; or an SM2EnvelopedKey in DER, which another key opens
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The password of keys that are encrypted: the word, env:NAME or file:PATH
    #[arg(long, value_name = "PASSWORD", requires = "key")]
    key_password: Option<Secret>,
    /// A certificate of one of the keys; they are matched by public key
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,
}

impl KeyOptions {
    /// Loads them, to work with this arithmetic.
    pub(super) fn load(&self, arithmetic: Arithmetic) -> Result<KeyRing, Failed> {
        Ok(KeyRing::load(&self.p12, &self.key, self.key_password.as_ref(), &self.cert)?.with_arithmetic(arithmetic))
    }
}

/// A smart card.
#[derive(Debug, Args)]
pub(super) struct CardOptions {
    /// A smart card: a part of the name of its reader, virtual:MODEL for a card in this process, or virtual:MODEL+FAULT
    /// for one that fails; without a name the only reader of PC/SC with a card. See `waxseal card list`
    #[arg(long, value_name = "READER", num_args = 0..=1, default_missing_value = "")]
    card: Option<String>,
    /// The PIN of the card: the word, env:NAME or file:PATH [default: asked for on the terminal]
    #[arg(long, value_name = "PIN", requires = "card")]
    pin: Option<Secret>,
    /// Write what goes between program and card to this file, without secrets; see `waxseal card explain`
    #[arg(long, value_name = "FILE", requires = "card")]
    card_transcript: Option<PathBuf>,
}

impl CardOptions {
    /// The card, if one is asked for.
    pub(super) fn client(&self) -> Result<Option<PivClient>, Failed> {
        let Some(name) = &self.card else { return Ok(None) };
        let pins: Box<dyn PinSource> = match &self.pin {
            Some(pin) => Box::new(Entered(pin.reveal()?)),
            None => Box::new(Prompt),
        };
        let reader = open_reader(name)?;
        let reader = match &self.card_transcript {
            Some(file) => Box::new(Written::new(reader, file)),
            None => reader,
        };
        PivClient::new(reader, pins).map(Some).map_err(card::failed)
    }
}

/// Who computes.
#[derive(Debug, Args)]
pub(super) struct ProviderOption {
    /// Which library does the arithmetic
    #[arg(long, value_name = "PROVIDER", default_value = "auto", value_parser = provider_parser())]
    provider: ProviderChoice,
}

fn provider_parser() -> impl clap::builder::TypedValueParser<Value = ProviderChoice> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(ProviderChoice::ALL.map(ProviderChoice::name))
        .try_map(|name| name.parse::<ProviderChoice>())
}

impl ProviderOption {
    pub(super) const fn choice(&self) -> ProviderChoice {
        self.provider
    }

    pub(super) fn arithmetic(&self) -> Arithmetic {
        Arithmetic::new(self.provider)
    }
}

/// A key of a PIV card by its key reference.
pub(super) fn slot(text: &str) -> Result<Slot, String> {
    Slot::by_name(text).ok_or_else(|| "PIV has 9A, 9C, 9D, 9E, and 82 to 95 for retired keys".to_owned())
}

/// Whether the network is asked for what is missing.
#[derive(Debug, Args)]
pub(super) struct FetchOptions {
    /// Fetch issuers, CRLs and OCSP responses that certificates name, by http and ldap
    #[arg(long)]
    fetch: bool,
    /// A folder that keeps what was fetched, as long as it holds
    #[arg(long, value_name = "DIR", requires = "fetch")]
    cache: Option<PathBuf>,
}

impl FetchOptions {
    pub(super) fn network(&self) -> Result<Option<Network>, Failed> {
        self.fetch.then(|| Network::new(self.cache.as_deref())).transpose()
    }
}

/// What of a protected header stays readable outside (RFC 9788 section 3).
#[derive(Debug, Args)]
pub(super) struct HideOptions {
    /// What encryption hides of the header: baseline (Subject, Keywords, Comments), shy (also display names and time
    /// zone), none [default: baseline]
    #[arg(long, value_name = "POLICY", requires = "protect_headers", value_parser = policy_parser())]
    header_policy: Option<HeaderPolicy>,
    /// Repeat hidden fields in the text, for readers that do not know header protection
    #[arg(long, requires = "protect_headers")]
    legacy_display: bool,
}

fn policy_parser() -> impl clap::builder::TypedValueParser<Value = HeaderPolicy> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(HeaderPolicy::ALL.map(HeaderPolicy::name))
        .try_map(|name| name.parse::<HeaderPolicy>())
}

impl HideOptions {
    pub(super) fn hide(&self) -> HideHeaders {
        HideHeaders { policy: self.header_policy.unwrap_or_default(), legacy_display: self.legacy_display }
    }

    /// Whether anything was said of hiding.
    pub(super) const fn is_given(&self) -> bool {
        self.header_policy.is_some() || self.legacy_display
    }
}

/// How much of anything is read.
#[derive(Debug, Args)]
pub(super) struct LimitOptions {
    /// Read more or less of something than by default before giving up; an unknown NAME lists all of them
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<(String, u64)>,
}

fn limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=N, such as mime-parts=100")?;
    let value = value.parse().map_err(|_| format!("{value:?} is no number"))?;
    Limits::default().set(name, value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value))
}

impl LimitOptions {
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            // The names were looked at when the command line was read.
            let _ = limits.set(name, *value);
        }
        limits
    }
}

/// How a certificate is named in an object.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum IdOption {
    IssuerAndSerial,
    SubjectKeyId,
}

impl From<IdOption> for IdentifierForm {
    fn from(option: IdOption) -> Self {
        match option {
            IdOption::IssuerAndSerial => Self::IssuerAndSerial,
            IdOption::SubjectKeyId => Self::SubjectKeyId,
        }
    }
}

/// A signature scheme by its name.
pub(super) fn signature(name: &str) -> Result<SignatureScheme, String> {
    named(name, &SignatureScheme::ALL, SignatureScheme::name)
}

/// Whether a SubjectPublicKeyInfo holds a key of SM2.
pub(super) fn is_sm2(spki: &[u8]) -> bool {
    waxseal_key::describe_public_key(spki).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Sm2)
}

/// A digest of the command line.
pub(super) fn digest(name: &str) -> Result<DigestAlgorithm, String> {
    named(name, &DigestAlgorithm::ALL, DigestAlgorithm::name)
}

/// The algorithm of this name.
pub(super) fn named<T: Copy>(name: &str, all: &[T], name_of: fn(T) -> &'static str) -> Result<T, String> {
    let names = || all.iter().map(|one| name_of(*one)).collect::<Vec<_>>().join(", ");
    all.iter().copied().find(|one| name_of(*one) == name).ok_or_else(|| format!("one of {} is known", names()))
}

/// A dotted object identifier of the command line.
pub(super) fn oid(text: &str) -> Result<String, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    match text.split('.').count() {
        2.. if text.split('.').all(is_number) => Ok(text.to_owned()),
        _ => Err("write it as 2.5.29.32.0".to_owned()),
    }
}

/// Where the cases come from.
#[derive(Debug, Default, Args)]
pub(super) struct CorpusOptions {
    /// Only these cases: a glob over ids, such as `signed/clear/*`
    #[arg(long, value_name = "GLOB")]
    pub(super) case: Vec<String>,
    /// Read the corpus from a directory instead of the one inside this program
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
}

impl CorpusOptions {
    pub(super) fn load(&self) -> Result<Corpus, Failed> {
        load_corpus(self.vectors.as_deref())
    }
}

/// Reads the embedded corpus, or one from a directory.
pub(super) fn load_corpus(dir: Option<&Path>) -> Result<Corpus, Failed> {
    match dir {
        Some(dir) if !dir.is_dir() => Err(Failed::usage(format!("--vectors {}: no such directory", dir.display()))),
        Some(dir) => Corpus::load(dir).map_err(Failed::usage),
        None => Corpus::embedded().map_err(Failed::fault),
    }
}

/// Where the recordings of real clients, and the published examples, lie.
#[derive(Debug, Args)]
pub(super) struct RecordingsOption {
    /// A directory with mails of the catalogue; may be given several times, or
    /// as a list with ':' between
    #[arg(long, value_name = "DIR", env = "WAXSEAL_RECORDINGS", hide_env_values = true, value_delimiter = ':')]
    recordings: Vec<PathBuf>,
}

impl RecordingsOption {
    pub(super) fn load(&self) -> Result<Option<Recordings>, Failed> {
        // An empty variable is how a shell says that there is none.
        let mut dirs = self.recordings.iter().filter(|dir| !dir.as_os_str().is_empty()).cloned().peekable();
        if dirs.peek().is_none() {
            return Ok(None);
        }
        let recordings = Recordings::open_all(dirs).map(Some);
        recordings.map_err(|error| Failed::usage(format!("--recordings or WAXSEAL_RECORDINGS: {error}")))
    }
}

/// A time of the command line.
pub(super) fn rfc3339(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| format!("{error}; write it as 2025-06-15T12:00:00Z"))
}

/// A time as the command line takes it.
pub(super) fn show_time(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// A built-in policy, or one from a file.
pub(super) fn policy(name_or_file: &str) -> Result<Policy, Failed> {
    if Policy::names().contains(&name_or_file) {
        return Policy::named(name_or_file).map_err(Failed::usage);
    }
    match workspace::read_small_text(name_or_file.as_ref()) {
        Ok(text) => Policy::from_toml(&text).map_err(Failed::at(name_or_file)),
        Err(error) => Err(Failed::usage(format!(
            "--policy {name_or_file}: neither a built-in policy ({}) nor a file that can be read: {error}",
            Policy::names().join(", ")
        ))),
    }
}

/// The dialect of an SM2 message, and the identifier of its signers.
#[derive(Debug, Args)]
pub(super) struct DialectOptions {
    /// For keys of SM2: cms, with standard content types; gmt0010 (GB/T 35275); cfca, as CFCA's kit writes it;
    /// gmssl-3-digest, as GmSSL 3 does
    #[arg(long, value_name = "DIALECT", value_parser = dialect_parser())]
    dialect: Option<Dialect>,
}

fn dialect_parser() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Dialect::ALL.iter().map(|dialect| dialect.code()))
        .try_map(|name| name.parse::<Dialect>())
}

impl DialectOptions {
    /// The habits of that dialect in a shape.
    pub(super) fn apply(&self, shape: &mut Shape) {
        if let Some(dialect) = self.dialect {
            *shape = std::mem::take(shape).in_dialect(dialect);
        }
    }

    /// Whether it is one of GM/T 0010.
    pub(super) fn is_gmt(&self) -> bool {
        self.dialect.is_some_and(|dialect| dialect != Dialect::Cms)
    }

    /// Refuses keys of other kinds, for which GM/T 0010 has no place.
    pub(super) fn check<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Failed> {
        let Some(dialect) = self.dialect.filter(|_| self.is_gmt()) else { return Ok(()) };
        for key in keys {
            let kind = waxseal_key::describe_public_key(key).map(|key| key.algorithm);
            if let Some(kind) = kind.ok().filter(|kind| *kind != PublicKeyAlgorithm::Sm2) {
                return Err(Failed::usage(format!(
                    "--dialect {dialect} is for keys of SM2, and one of these is of the kind {kind}: leave --dialect \
                     out, or take --dialect cms"
                )));
            }
        }
        Ok(())
    }
}

/// The identifier that SM2 signatures are made under.
#[derive(Debug, Args)]
pub(super) struct Sm2IdOption {
    /// The identifier of signers with keys of SM2 [default: 1234567812345678]
    #[arg(long, value_name = "TEXT", value_parser = sm2_id)]
    sm2_id: Option<String>,
}

impl Sm2IdOption {
    /// The identifier, where one is given.
    pub(super) fn octets(&self) -> Option<&[u8]> {
        self.sm2_id.as_deref().map(str::as_bytes)
    }
}

fn sm2_id(text: &str) -> Result<String, String> {
    if text.len() <= SM2_MAX_ID_LEN { Ok(text.to_owned()) } else { Err(format!("at most {SM2_MAX_ID_LEN} octets")) }
}
