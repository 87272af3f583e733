//! `waxseal encrypt`: an encrypted mail, as a mail program would send it.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::ContentEncryption;
use waxseal_engine::message::{self, Enclosure, EncryptRequest};
use waxseal_key::{ContentCipher, Signer, SystemRandom};

use super::address_book::{self, ChoosingOptions};
use super::options::{self, DialectOptions, HideOptions, ProviderOption};
use super::output::harmless;
use super::recipients::{RecipientOptions, Recipients};
use super::shaped::ShapeOption;
use super::writing::WritingOptions;
use crate::exit::{Exit, Failed, help};
use crate::keys::{KeyRing, Secret, hexadecimal};

/// Encrypt a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body are
/// encrypted, its other fields stay outside; see --protect-headers. `-` is
/// standard input. A cipher that authenticates (aes-256-gcm) makes an
/// AuthEnvelopedData, any other an EnvelopedData.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal encrypt mail.eml --to alice.pem --to me.pem -o encrypted.eml",
    "waxseal sign mail.eml --key me.key --cert me.pem | waxseal encrypt - --to alice.pem",
    "waxseal encrypt mail.eml --to alice.pem --cipher aes-256-gcm --oaep sha-256",
    "waxseal encrypt mail.eml --password env:PASSWORD --prf sha-512 --iterations 210000",
    "waxseal encrypt mail.eml --address-book book.json --recipient alice@example.test --recipient me@example.test",
    "waxseal encrypt mail.eml --to alice.pem --protect-headers --header-policy shy",
    "waxseal encrypt mail.eml --to me.pem --to alice.pem --as thunderbird-128",
    "waxseal encrypt mail.eml --to sm2.pem --dialect cfca",
    "waxseal encrypt mail.eml --to sm2.pem --dialect gmt0010 --signer-key me.key --signer-cert me.pem",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    #[command(flatten)]
    recipients: RecipientOptions,
    #[command(flatten)]
    dialect: DialectOptions,
    #[command(flatten)]
    shape: ShapeOption,
    /// A private key in PEM that signs the content in the same object: a signedAndEnvelopedData, which GM/T 0010 alone
    /// has
    #[arg(long, value_name = "PEM", requires = "signer_cert", requires = "dialect")]
    signer_key: Option<PathBuf>,
    /// The certificate of that key
    #[arg(long, value_name = "FILE", requires = "signer_key")]
    signer_cert: Option<PathBuf>,
    /// What is known of correspondents; see `waxseal addressbook`
    #[arg(long, value_name = "BOOK", requires = "recipient")]
    address_book: Option<PathBuf>,
    /// The address of somebody who can read it, and whose certificate stands in the address book
    #[arg(long, value_name = "ADDR", requires = "address_book")]
    recipient: Vec<String>,
    #[command(flatten)]
    choosing: ChoosingOptions,
    /// The content key itself, in hexadecimal, which the readers have: an EncryptedData, which names no recipient;
    /// HEX can be env:NAME or file:PATH
    #[arg(long, value_name = "HEX", conflicts_with_all = ["to", "kek", "password", "protect_headers", "recipient", "signer_key", "shape"])]
    content_key: Option<Secret>,
    /// The content cipher, by its name in `waxseal algorithms` [default: aes-256-cbc, for keys of SM2 sm4-cbc; with --recipient what all of
    /// them announced and the policy sends; with --as what the program takes for those of whom it knows nothing]
    #[arg(long, value_name = "NAME")]
    cipher: Option<ContentEncryption>,
    /// Octets of the tag of a cipher that authenticates [default: 16]
    #[arg(long, value_name = "OCTETS")]
    tag: Option<usize>,
    /// Copy the header into what is encrypted, and hide some of it outside (RFC 9788); a signed mail has this from
    /// `sign --protect-headers cipher` already
    #[arg(long)]
    protect_headers: bool,
    #[command(flatten)]
    hide: HideOptions,
    #[command(flatten)]
    provider: ProviderOption,
    #[command(flatten)]
    writing: WritingOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    match &arguments.content_key {
        Some(key) => encrypt_with(key, arguments)?,
        None => encrypt_for_recipients(arguments)?,
    }
    Ok(Exit::Good)
}

fn encrypt_for_recipients(arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { file, recipients, writing, .. } = arguments;
    if recipients.is_empty() && arguments.recipient.is_empty() {
        return Err(Failed::usage("nobody can read it: give --to, --recipient, --kek, --password or --content-key"));
    }
    let mut loaded = recipients.load()?;
    let agreed = arguments.choose(&mut loaded)?;
    let keys = || loaded.certificates.iter().map(Certificate::spki);
    arguments.dialect.check(keys())?;
    // One reader who does not know SM4 is enough to leave it.
    let sm2 = loaded.certificates.iter().all(|one| options::is_sm2(one.spki())) && !loaded.certificates.is_empty();
    let (signer_keys, signer_certificates) = (arguments.signer_key.as_slice(), arguments.signer_cert.as_slice());
    let ring = KeyRing::load(&[], signer_keys, None, signer_certificates)?;
    let mut signers: Vec<(&dyn Signer, &Certificate)> = Vec::new();
    for (key, certificate) in ring.pairs() {
        let certificate = certificate.ok_or_else(|| Failed::usage("--signer-cert is not of --signer-key"))?;
        signers.push((key, certificate));
    }
    arguments.dialect.check(signers.iter().map(|(key, _)| key.public_key()))?;
    let list = loaded.list();
    let arithmetic = arguments.provider.arithmetic();
    let mut request = EncryptRequest::new(&list, &arithmetic);
    request.key_management = recipients.key_management(&loaded)?;
    let encrypting = arguments.shape.encrypting(arguments.cipher)?;
    let usual = if sm2 { ContentCipher::Sm4Cbc } else { ContentCipher::Aes256Cbc };
    let usual = encrypting.as_ref().map_or(usual.into(), |encrypting| encrypting.cipher);
    let cipher = arguments.cipher(agreed, usual)?;
    request.signers = &signers;
    request.certificates = ring.certificates();
    match encrypting {
        Some(encrypting) => encrypting.apply(&mut request),
        None => {
            arguments.dialect.apply(&mut request.shape);
            request.shape.encoding = writing.encoding(file);
        }
    }
    request.cipher = cipher;
    if let Some(form) = recipients.identifier() {
        request.shape.recipient_id = form;
    }
    request.date = Some(OffsetDateTime::now_utc());
    request.protect_headers = arguments.protect_headers.then(|| arguments.hide.hide());
    request.limits = writing.limits.limits();
    let reads_once = request.reads_once();
    writing.write(file, reads_once, |input, out| message::encrypt(input, out, &request, &mut SystemRandom))
}

fn encrypt_with(key: &Secret, arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { file, writing, .. } = arguments;
    let key = hexadecimal(&key.reveal()?)?;
    let arithmetic = arguments.provider.arithmetic();
    let into = Enclosure::Encrypted { key: &key, cipher: arguments.cipher(None, ContentCipher::Aes256Cbc.into())? };
    writing.enclose(file, into, &arithmetic, |shape| arguments.dialect.apply(shape))
}

impl Arguments {
    /// Adds the recipients out of the address book, and says what all of them
    /// can read.
    fn choose(&self, recipients: &mut Recipients) -> Result<Option<ContentEncryption>, Failed> {
        let Some(book) = &self.address_book else { return Ok(None) };
        let (book, now) = (address_book::load(book)?, OffsetDateTime::now_utc());
        let chosen = self.choosing.choose(&book, &self.recipient, &recipients.certificates, now)?;
        if self.cipher.is_none() {
            eprintln!("note: {}", harmless(&chosen.agreement.to_string()));
        }
        recipients.certificates.extend(chosen.choices.into_iter().map(|choice| choice.certificate));
        Ok(Some(chosen.agreement.cipher))
    }

    /// What is asked for, or else agreed upon.
    fn cipher(&self, agreed: Option<ContentEncryption>, usual: ContentEncryption) -> Result<ContentEncryption, Failed> {
        let cipher = self.cipher.or(agreed).unwrap_or(usual);
        match (cipher, self.tag) {
            (ContentEncryption::Aead { cipher, .. }, Some(tag_len)) => Ok(ContentEncryption::Aead { cipher, tag_len }),
            (cipher, Some(_)) => Err(Failed::usage(format!(
                "--tag: {cipher} has no tag; take one that authenticates, such as aes-256-gcm"
            ))),
            (cipher, None) => Ok(cipher),
        }
    }
}
