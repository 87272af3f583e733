//! What the caller of [`crate::message::open`] gives and gets.

use std::io;

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, Decryptor, SM2_DEFAULT_ID};
use waxseal_verdict::Verdict;
use zeroize::Zeroizing;

use crate::Limits;
use crate::certificate::{Certificate, Crl, Fetcher, OcspResponse};
use crate::cms::Carried;
use crate::io::{Source, Spool};
use crate::mime::MimeError;
use crate::policy::address_book::Introduction;
use crate::policy::{AddressBook, Policy};

/// A private key that may open a message, with the certificate that names it.
#[derive(Clone)]
pub struct Credential<'a> {
    /// The key, in software or on a card.
    pub decryptor: &'a dyn Decryptor,
    /// Its certificate. Without one the key is matched with
    /// [`OpenRequest::extra_certificates`] by public key, or by the key
    /// identifier that is the SHA-1 of the public key.
    pub certificate: Option<Certificate>,
}

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What a reader shares with the writers of messages. It is wiped when dropped,
/// and `Debug` prints no secret.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Passwords that may open a message, in octets (RFC 3211 leaves the
    /// character set open; UTF-8 is usual).
    pub passwords: Vec<Zeroizing<Vec<u8>>>,
    /// Keys that both sides have.
    pub keys: Vec<SymmetricKey>,
}

/// A key that both sides have: it wraps content keys (RFC 5652 section 6.2.3),
/// or encrypts content itself (section 8).
#[derive(Clone, Default)]
pub struct SymmetricKey {
    /// Its identifier in KEKIdentifier; EncryptedData names no key.
    pub id: Vec<u8>,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({} passwords, {} keys)", self.passwords.len(), self.keys.len())
    }
}

impl std::fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SymmetricKey({})", crate::hex::hex(&self.id))
    }
}

/// Sees what comes out of the layers of a message while they are peeled.
pub trait Observer: std::fmt::Debug {
    /// The content of a layer that could be opened, whatever is wrong with the
    /// layer. Content of an authenticated cipher comes after its tag was right.
    /// What is inside a clear signature stands in the message and does not come.
    ///
    /// # Errors
    /// The content cannot be read.
    fn content(&self, layer: &str, content_type: &str, content: &mut dyn Source) -> io::Result<()>;

    /// The certificates and the revocation information that an object carries
    /// (RFC 5652 sections 5.1 and 6.1), whether anybody needed them or not.
    /// `place` is the layer; or the token on a signature, which carries its own
    /// (RFC 3161). They may come more than once.
    fn carried(&self, _place: &str, _carried: &Carried) {}
}

/// Everything by which a message is judged.
#[derive(Debug, Clone)]
pub struct OpenRequest<'a> {
    /// Keys that may open the message.
    pub credentials: &'a [Credential<'a>],
    /// Passwords and symmetric keys that may open it, too.
    pub secrets: &'a Secrets,
    /// Certificates that are trusted; any certificate can be one.
    pub anchors: &'a [Certificate],
    /// Certificates that may be needed beside those in the message.
    pub extra_certificates: &'a [Certificate],
    /// CRLs that may tell of revoked certificates, beside those in the message.
    pub crls: &'a [Crl],
    /// OCSP responses that may, too.
    pub ocsp_responses: &'a [OcspResponse],
    /// What is known of correspondents: what they announce is held against it,
    /// and [`Opened::introductions`] are made.
    pub address_book: Option<&'a AddressBook>,
    /// Fetches what is missing to judge a certificate: issuers, CRLs, OCSP
    /// responses. Nothing is fetched without.
    pub fetcher: Option<&'a dyn Fetcher>,
    /// The time at which certificates are judged.
    pub at: OffsetDateTime,
    /// The sender's address, where the message's From is not to be used.
    pub from: Option<&'a str>,
    /// The identifier that signers with SM2 keys have (GM/T 0003.2 section
    /// 5.5), where it is not the usual one: no message carries it.
    pub sm2_id: &'a [u8],
    /// What is good enough.
    pub policy: &'a Policy,
    /// Who computes.
    pub arithmetic: &'a Arithmetic,
    /// How much of anything is read.
    pub limits: &'a Limits,
    /// Sees what comes out of each layer.
    pub observer: Option<&'a dyn Observer>,
    /// Whether [`Opened::content`] is wanted; it costs a copy of clear-signed content.
    pub keep_content: bool,
}

impl<'a> OpenRequest<'a> {
    /// A reader who has no keys, trusts nobody, knows nothing beside the
    /// message, and wants the verdict only.
    #[must_use]
    pub const fn new(at: OffsetDateTime, policy: &'a Policy, arithmetic: &'a Arithmetic, limits: &'a Limits) -> Self {
        Self {
            credentials: &[],
            secrets: &NO_SECRETS,
            anchors: &[],
            extra_certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            address_book: None,
            fetcher: None,
            at,
            from: None,
            sm2_id: SM2_DEFAULT_ID,
            policy,
            arithmetic,
            limits,
            observer: None,
            keep_content: false,
        }
    }
}

static NO_SECRETS: Secrets = Secrets { passwords: Vec::new(), keys: Vec::new() };

/// What came of opening a message.
pub struct Opened {
    /// The verdict on every layer.
    pub verdict: Verdict,
    /// The innermost entity with its MIME header, CRLF line ends, from its
    /// start. `None` if it was not wanted, if there is no layer, or if a layer
    /// could not be opened.
    pub content: Option<Box<dyn Spool>>,
    /// What an address book can learn from the message; nothing without
    /// [`OpenRequest::address_book`].
    pub introductions: Vec<Introduction>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

/// Why there is no verdict at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The input is neither a mail (it has no header field) nor a CMS object.
    #[error("the input is neither mail (no header field) nor CMS (no DER, BER or PEM)")]
    NotAMessage,
    /// Content was given for a bare signature, and the input is a mail.
    #[error("content of its own is for a bare CMS object, and this is a mail, which has its content inside")]
    ContentBesideMail,
    /// The mail could not be cut into parts before any S/MIME type was read.
    #[error("the mail cannot be read: {0}")]
    Mime(#[from] MimeError),
    /// Input or workspace failed.
    #[error("cannot read or store: {0}")]
    Io(#[from] io::Error),
}
