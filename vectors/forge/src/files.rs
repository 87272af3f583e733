//! The files of a case: what a SUT is given.

use sha2::{Digest, Sha256};
use waxseal_engine::certificate::Certificate;
use waxseal_key::{PrivateKey, Signer};
use waxseal_model::{Case, Corpus, Input, Instant, Pki, Recordings, SharedKey};

use crate::follow::follow;
use crate::{ForgeError, credentials, recorded, revocation};

/// What a SUT is given for one case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFiles {
    /// The message: a mail, or bare CMS.
    pub message: Vec<u8>,
    /// Mails that the reader got before, oldest first, and when.
    pub earlier: Vec<(Vec<u8>, Instant)>,
    /// The content of a detached bare CMS object.
    pub content: Option<Vec<u8>>,
    /// Private keys (PKCS#8 PEM), each with its certificate (PEM).
    pub keys: Vec<KeyPem>,
    /// Passwords of password recipients.
    pub passwords: Vec<String>,
    /// Keys that both sides have.
    pub symmetric_keys: Vec<SharedKey>,
    /// Trust anchors, PEM, one after the other.
    pub anchors: String,
    /// Further certificates, PEM, one after the other.
    pub extra_certificates: String,
    /// CRLs, each in DER.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses, each in DER.
    pub ocsp: Vec<Vec<u8>>,
    /// SHA-256 of the innermost entity (CRLF), lower-case hexadecimal; only of
    /// positive cases with a layer, out of which it comes.
    pub content_sha256: Option<String>,
}

/// A private key and its certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPem {
    /// PKCS#8 in PEM.
    pub key: String,
    /// The certificate in PEM.
    pub certificate: Option<String>,
}

impl std::fmt::Debug for KeyPem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys of recordings are not ours to print.
        f.debug_struct("KeyPem").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Makes the files of one case of a corpus.
///
/// # Errors
/// A recipe cannot be followed, which the tests of this crate rule out for the
/// committed corpus; for a recording, see [`Forge::files`].
pub fn build(corpus: &Corpus, case: &Case) -> Result<CaseFiles, ForgeError> {
    Forge::new(corpus).files(case)
}

/// Makes the files of cases: of recipes, and of recordings where their bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Forge<'a> {
    corpus: &'a Corpus,
    recordings: Option<&'a Recordings>,
    holder: Option<&'a dyn Holder>,
}

/// Puts the keys of signers somewhere else than into memory, such as on a card.
pub trait Holder: std::fmt::Debug {
    /// The key as it signs from there; the certificate is its own.
    ///
    /// # Errors
    /// It cannot be put there: why.
    fn hold(&self, key: PrivateKey, certificate: &Certificate) -> Result<Box<dyn Signer>, String>;
}

impl<'a> Forge<'a> {
    /// A forge without recordings.
    #[must_use]
    pub const fn new(corpus: &'a Corpus) -> Self {
        Self { corpus, recordings: None, holder: None }
    }

    /// The same with a directory of recordings.
    #[must_use]
    pub const fn with_recordings(mut self, recordings: &'a Recordings) -> Self {
        self.recordings = Some(recordings);
        self
    }

    /// The same; the keys of signers are held by somebody else.
    #[must_use]
    pub const fn with_holder(mut self, holder: &'a dyn Holder) -> Self {
        self.holder = Some(holder);
        self
    }

    /// The files of a case.
    ///
    /// # Errors
    /// A recipe cannot be followed, or a recording is absent
    /// ([`ForgeError::is_not_available`]) or another file than the catalogue says.
    pub fn files(&self, case: &Case) -> Result<CaseFiles, ForgeError> {
        match &case.input {
            Input::Recipe(recipe) => {
                let pki = self.corpus.pki();
                let followed = follow(pki, self.holder, case, recipe)?;
                // Only what was protected comes out of a layer.
                let comes_out = !case.is_negative() && !case.expect.layers.is_empty();
                let content_sha256 = comes_out.then(|| sha256(&followed.entity));
                let earlier = earlier(pki, self.holder, case)?;
                Ok(CaseFiles { message: followed.message, earlier, content_sha256, ..given(pki, case)? })
            }
            Input::Recorded { file, .. } => {
                let message = self.corpus.recorded_mail(file).ok_or_else(|| ForgeError::File {
                    file: format!("recorded/{file}"),
                    what: "is not in this corpus".to_owned(),
                })?;
                Ok(CaseFiles { message: message.to_vec(), ..given(self.corpus.pki(), case)? })
            }
            Input::Recording { .. } => {
                let recordings = self.recordings.ok_or(ForgeError::NoRecordings)?;
                let entry = self.corpus.entry(&case.id);
                let entry = entry.ok_or_else(|| ForgeError::File {
                    file: format!("catalogue entry {}", case.id),
                    what: "is not in this corpus".to_owned(),
                })?;
                recorded::files(recordings, entry)
            }
        }
    }
}

/// The mails before the one that is judged, each made as of its own time.
fn earlier(pki: &Pki, holder: Option<&dyn Holder>, case: &Case) -> Result<Vec<(Vec<u8>, Instant)>, ForgeError> {
    let mails = (1..).zip(&case.earlier).map(|(number, earlier)| {
        let own = Case { id: format!("{}/earlier-{number}", case.id), clock: earlier.clock, ..case.clone() };
        Ok((follow(pki, holder, &own, &earlier.recipe)?.message, earlier.clock))
    });
    mails.collect()
}

/// Keys, anchors and further certificates of a case.
fn given(pki: &Pki, case: &Case) -> Result<CaseFiles, ForgeError> {
    let key = |name: &String| {
        let certificate = credentials::certificate_pem(pki, name)?.to_owned();
        Ok(KeyPem { key: credentials::key_pem(pki, name)?, certificate: Some(certificate) })
    };
    Ok(CaseFiles {
        keys: case.keys.iter().map(key).collect::<Result<_, ForgeError>>()?,
        anchors: credentials::certificates_pem(pki, &case.anchors)?,
        extra_certificates: credentials::certificates_pem(pki, &case.extra_certificates)?,
        crls: case.crls.iter().map(|name| revocation::crl(pki, name)).collect::<Result<_, _>>()?,
        ocsp: case.ocsp.iter().map(|name| revocation::ocsp(pki, name)).collect::<Result<_, _>>()?,
        passwords: case.passwords.clone(),
        symmetric_keys: case.symmetric_keys.clone(),
        ..CaseFiles::default()
    })
}

/// SHA-256, lower-case hexadecimal.
pub(crate) fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}
