//! `waxseal sign`: a signed mail, as a mail program would send it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use waxseal_card::piv::Slot;
use waxseal_engine::cms::Capability;
use waxseal_engine::message::{self, Boundary, Form, ProtectHeaders, SignRequest};
use waxseal_key::{DigestAlgorithm, PssParameters, PublicKeyAlgorithm, SignatureScheme, Signer, SystemRandom};

use super::options::{
    self, CardOptions, DialectOptions, HideOptions, IdOption, KeyOptions, ProviderOption, Sm2IdOption,
};
use super::shaped::ShapeOption;
use super::writing::WritingOptions;
use crate::card;
use crate::exit::{Exit, Failed, help};
use crate::keys::{load_certificates, load_crls, signs_with_sm2};

/// Sign a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body are
/// signed, its other fields stay outside; see --protect-headers. `-` is
/// standard input.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal sign mail.eml --key me.key --cert me.pem -o signed.eml",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --form opaque --ber 1000",
    "waxseal sign mail.eml --key me.key --cert me.pem --digest sha-384 --pss",
    "waxseal sign mail.eml --key sm2.key --cert sm2.pem --algorithm sm2 --dialect gmt0010 --form opaque",
    "waxseal sign mail.eml --card virtual:piv-rsa2048 --pin 123456",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --as outlook-2024",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --as outlook-2024 --inside | waxseal encrypt - --as outlook-2024 --to alice.pem",
    "waxseal sign mail.eml --p12 me.p12:env:PASSWORD --protect-headers cipher | waxseal encrypt - --to alice.pem",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    card: CardOptions,
    /// The key of the card that signs: 9C is the one for signatures
    #[arg(long, value_name = "SLOT", default_value = "9C", value_parser = options::slot, requires = "card")]
    slot: Slot,
    /// A certificate to send along, such as that of an issuing authority
    #[arg(long, value_name = "FILE")]
    extra_cert: Vec<PathBuf>,
    #[command(flatten)]
    shape: ShapeOption,
    /// Write the signed mail that the program of --as puts into an encrypted one
    #[arg(long, requires = "shape", conflicts_with = "form")]
    inside: bool,
    /// clear: readable without S/MIME; opaque: the content stands in the object [default: clear; with --as what the
    /// program writes]
    #[arg(long, value_name = "FORM")]
    form: Option<FormOption>,
    /// The digest; Ed25519, ML-DSA and SM2 take another where this one does not fit [default: sha-256; with --as that
    /// of the program]
    #[arg(long, value_name = "NAME", value_parser = options::digest)]
    digest: Option<DigestAlgorithm>,
    /// Sign with those of the keys only that do this algorithm: rsa-pkcs1-v1_5, rsassa-pss, ecdsa, ed25519, sm2, …
    #[arg(long, value_name = "NAME", value_parser = options::signature)]
    algorithm: Option<SignatureScheme>,
    #[command(flatten)]
    dialect: DialectOptions,
    #[command(flatten)]
    sm2_id: Sm2IdOption,
    /// RSA keys sign with RSASSA-PSS instead of RSASSA-PKCS1-v1_5
    #[arg(long)]
    pss: bool,
    /// The digest of MGF1 in RSASSA-PSS [default: that of --digest]
    #[arg(long, value_name = "NAME", value_parser = options::digest, requires = "pss")]
    pss_mgf: Option<DigestAlgorithm>,
    /// Octets of salt of RSASSA-PSS [default: as many as the digest has]
    #[arg(long, value_name = "OCTETS", requires = "pss")]
    pss_salt: Option<u32>,
    /// How a signer's certificate is named
    #[arg(long, value_name = "FORM", default_value = "issuer-and-serial", conflicts_with = "shape")]
    signer_id: IdOption,
    /// Sign the content itself, without attributes
    #[arg(long, conflicts_with = "shape")]
    no_attributes: bool,
    /// An algorithm that SMIMECapabilities says its writer can use, best first; NAME is one of `waxseal algorithms`
    /// or an object identifier, its parameters NULL, a number, or x and their DER in hexadecimal [default: what the
    /// engine reads]
    #[arg(long, value_name = "NAME[:PARAMETERS]", conflicts_with = "shape")]
    capability: Vec<Capability>,
    /// The certificate that answers should be encrypted for, which is also sent along
    #[arg(long, value_name = "FILE")]
    encryption_cert: Option<PathBuf>,
    /// Do not send the signers' certificates along
    #[arg(long, conflicts_with = "shape")]
    no_certificates: bool,
    /// A CRL to send along
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
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
    #[command(flatten)]
    writing: WritingOptions,
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

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let arithmetic = arguments.provider.arithmetic();
    let mut ring = arguments.keys.load(arithmetic)?;
    if let Some(client) = arguments.card.client()? {
        let (key, certificate) = card::key_in(&client, arguments.slot)?;
        let key = match arguments.sm2_id.octets() {
            Some(id) => key.with_sm2_id(id).map_err(card::failed)?,
            None => key,
        };
        ring = ring.with_held(vec![(key, certificate)]);
    }
    if let Some(id) = arguments.sm2_id.octets() {
        ring = ring.with_sm2_id(id)?;
    }
    let mut signers: Vec<(&dyn Signer, _)> = Vec::new();
    for (key, certificate) in ring.pairs() {
        let certificate = certificate.ok_or_else(|| {
            Failed::usage(
                "a key without its certificate: give the certificate with --cert (it is matched by public key)",
            )
        })?;
        signers.push((key, certificate));
    }
    if let Some(wanted) = arguments.algorithm {
        let found = signers.len();
        signers.retain(|(key, _)| arguments.does(*key, wanted));
        if signers.is_empty() && found > 0 {
            return Err(Failed::usage(format!("--algorithm {wanted}: none of the keys signs with it")));
        }
    }
    arguments.dialect.check(signers.iter().map(|(key, _)| key.public_key()))?;
    if signers.is_empty() {
        return Err(Failed::usage("nobody signs: give --key and --cert, --p12, or --card"));
    }
    // What came with the keys and is no signer's own is the way to the authority.
    let mut certificates: Vec<_> = ring
        .certificates()
        .iter()
        .filter(|one| signers.iter().all(|(_, own)| own.der() != one.der()))
        .cloned()
        .collect();
    certificates.extend(load_certificates(&arguments.extra_cert)?);
    let encryption = load_certificates(arguments.encryption_cert.as_slice())?;
    certificates.extend(encryption.iter().cloned());
    let signing = arguments.shape.signing(arguments.form.map(Form::from), arguments.inside, arguments.digest)?;
    let own = match (&signing, signers.as_slice()) {
        (Some(_), [(_, own)]) => Some(*own),
        (Some(_), _) => return Err(Failed::usage("--as: mail programs sign with one key; give one")),
        (None, _) => None,
    };
    if let (Some(signing), Some(own)) = (&signing, own) {
        certificates = signing.certificates(own, &certificates);
    }
    let crls = load_crls(&arguments.crl)?;

    let at = arguments.at.unwrap_or_else(OffsetDateTime::now_utc);
    if arguments.hide.is_given() && arguments.protect_headers != Some(HpOption::Cipher) {
        return Err(Failed::usage(
            "nothing is hidden outside of what is only signed: --header-policy and --legacy-display need \
             --protect-headers cipher",
        ));
    }
    let mut request = SignRequest::new(&signers, at, Boundary::random(&mut SystemRandom), &arithmetic);
    request.certificates = &certificates;
    request.digest = arguments.digest();
    request.crls = &crls;
    request.encryption_certificate = encryption.first();
    request.limits = arguments.writing.limits.limits();
    match (&signing, own) {
        (Some(signing), Some(own)) => signing.apply(&mut request, own),
        _ => arguments.shape_by_hand(&mut request),
    }
    request.pss = arguments.pss(request.digest);
    request.protect_headers = arguments.protect_headers.map(|hp| match hp {
        HpOption::Clear => ProtectHeaders::Clear,
        HpOption::Cipher => ProtectHeaders::Cipher(arguments.hide.hide()),
    });
    if let Some(from) = &arguments.from {
        request.headers.push(("From".to_owned(), from.clone()));
    }
    let reads_once = request.reads_once();
    arguments.writing.write(&arguments.file, reads_once, |input, out| message::sign(input, out, &request))?;
    Ok(Exit::Good)
}

impl From<FormOption> for Form {
    fn from(form: FormOption) -> Self {
        match form {
            FormOption::Clear => Self::Clear,
            FormOption::Opaque => Self::Opaque,
        }
    }
}

impl Arguments {
    fn digest(&self) -> DigestAlgorithm {
        self.digest.unwrap_or(DigestAlgorithm::Sha256)
    }

    /// The shape that the options describe one by one.
    fn shape_by_hand(&self, request: &mut SignRequest<'_>) {
        let encoding = match self.form {
            Some(FormOption::Opaque) => self.writing.encoding(&self.file),
            _ => self.writing.encoding_apart(),
        };
        self.dialect.apply(&mut request.shape);
        request.form = self.form.map_or(Form::Clear, Form::from);
        request.shape.encoding = encoding;
        request.shape.signer_id = self.signer_id.into();
        request.shape.signer_certificates = !self.no_certificates;
        if self.no_attributes {
            request.shape.attributes.clear();
        }
        if !self.capability.is_empty() {
            request.shape.capabilities.clone_from(&self.capability);
        } else if request.signers.iter().any(|(key, _)| signs_with_sm2(*key)) {
            request.shape.capabilities = Capability::defaults_with_sm2();
        }
    }

    /// Whether a key signs with an algorithm; every RSA key does both of its.
    fn does(&self, key: &dyn Signer, wanted: SignatureScheme) -> bool {
        use PublicKeyAlgorithm as P;
        let Ok(kind) = waxseal_key::describe_public_key(key.public_key()) else { return false };
        match (wanted, kind.algorithm) {
            (SignatureScheme::RsaPkcs1, P::Rsa) => !self.pss,
            (SignatureScheme::RsaPss(_), P::Rsa | P::RsaPss) => true,
            (SignatureScheme::Ecdsa, P::P256 | P::P384 | P::P521) => true,
            (_, kind) => kind.name() == wanted.name(),
        }
    }

    fn pss(&self, digest: DigestAlgorithm) -> Option<PssParameters> {
        let usual = PssParameters::usual(digest);
        let given =
            PssParameters { mgf: self.pss_mgf.unwrap_or(usual.mgf), salt_len: self.pss_salt.unwrap_or(usual.salt_len) };
        let wanted = matches!(self.algorithm, Some(SignatureScheme::RsaPss(_)));
        (self.pss || wanted).then_some(given)
    }
}
