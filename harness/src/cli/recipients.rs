//! Who can read what is written, and how the key gets to them.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{IdentifierForm, KeyManagement, PasswordDerivation, Recipient};
use waxseal_engine::message::Secrets;
use waxseal_key::{
    ContentCipher, DigestAlgorithm, KeyWrap, OaepParameters, PublicKeyAlgorithm as Key, describe_public_key,
};

use super::options::{IdOption, digest, named};
use crate::exit::Failed;
use crate::keys::{self, KekOption, Secret, load_certificates, load_secrets};

/// Recipients and key management.
#[derive(Debug, Args)]
pub(super) struct RecipientOptions {
    /// The certificate of somebody who can read it; all of a file that holds several
    #[arg(long, value_name = "CERT")]
    to: Vec<PathBuf>,
    /// A key-encryption key that the readers have, and its identifier, both in
    /// hexadecimal; HEX can be env:NAME or file:PATH
    #[arg(long, value_name = "ID:HEX")]
    kek: Vec<KekOption>,
    /// A password that the readers know; SECRET can be env:NAME or file:PATH
    #[arg(long, value_name = "SECRET")]
    password: Vec<Secret>,
    /// How a recipient's certificate is named [default: issuer-and-serial; with --dialect cfca subject-key-id]
    #[arg(long, value_name = "FORM", help_heading = HEADING)]
    recipient_id: Option<IdOption>,
    /// For RSA keys RSAES-OAEP with this digest, instead of RSAES-PKCS1-v1_5
    #[arg(long, value_name = "DIGEST", value_parser = digest, help_heading = HEADING)]
    oaep: Option<DigestAlgorithm>,
    /// The digest of MGF1 in RSAES-OAEP [default: that of --oaep]
    #[arg(long, value_name = "DIGEST", value_parser = digest, requires = "oaep", help_heading = HEADING)]
    oaep_mgf: Option<DigestAlgorithm>,
    /// The label of RSAES-OAEP, in hexadecimal [default: empty]
    #[arg(long, value_name = "HEX", requires = "oaep", help_heading = HEADING)]
    oaep_label: Option<String>,
    /// For keys of ECDH, X25519 and ML-KEM: the digest of the key derivation [default: as strong as the key]
    #[arg(long, value_name = "DIGEST", value_parser = digest, help_heading = HEADING)]
    kdf: Option<DigestAlgorithm>,
    /// For keys of ECDH: name the form with the cofactor
    #[arg(long, help_heading = HEADING)]
    cofactor: bool,
    /// For keys of SM2: agree on a key (RFC 5753) instead of encrypting it
    #[arg(long, help_heading = HEADING)]
    sm2_agreement: bool,
    /// For keys that agree and --kek: the key wrap, such as aes-256-wrap [default: AES, as strong as the content key]
    #[arg(long, value_name = "NAME", value_parser = key_wrap, help_heading = HEADING)]
    key_wrap: Option<KeyWrap>,
    /// For the same keys: octets of user keying material
    #[arg(long, value_name = "OCTETS", default_value_t = 0, value_parser = octets, help_heading = HEADING)]
    ukm: usize,
    /// For --password: the digest of PBKDF2
    #[arg(long, value_name = "DIGEST", default_value = "sha-256", value_parser = digest, help_heading = HEADING)]
    prf: DigestAlgorithm,
    /// For --password: the iterations of PBKDF2
    #[arg(long, value_name = "N", default_value_t = PasswordDerivation::default().iterations,
          value_parser = clap::value_parser!(u32).range(1..), help_heading = HEADING)]
    iterations: u32,
    /// For --password: octets of salt
    #[arg(long, value_name = "OCTETS", default_value_t = PasswordDerivation::default().salt_len, value_parser = octets,
          help_heading = HEADING)]
    salt: usize,
    /// For --password: the cipher that wraps the content key
    #[arg(long, value_name = "NAME", default_value = "aes-256-cbc", value_parser = block_cipher, help_heading = HEADING)]
    password_cipher: ContentCipher,
}

const HEADING: &str = "Key management";

/// What is random in an object, and said by its length.
fn octets(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(octets @ 0..=1024) => Ok(octets),
        _ => Err("a number of octets, 1024 at most".to_owned()),
    }
}

fn key_wrap(name: &str) -> Result<KeyWrap, String> {
    named(name, &KeyWrap::ALL, KeyWrap::name)
}

fn block_cipher(name: &str) -> Result<ContentCipher, String> {
    ContentCipher::from_name(name)
        .ok_or_else(|| format!("one of {} is known", ContentCipher::ALL.map(ContentCipher::name).join(", ")))
}

/// The recipients of a command line, loaded.
pub(super) struct Recipients {
    pub(super) certificates: Vec<Certificate>,
    secrets: Secrets,
}

impl Recipients {
    /// As the engine takes them: certificates, then keys, then passwords.
    pub(super) fn list(&self) -> Vec<Recipient<'_>> {
        let mut list = Recipient::certificates(&self.certificates);
        list.extend(self.secrets.keys.iter().map(|key| Recipient::Key { id: &key.id, key: &key.key }));
        list.extend(self.secrets.passwords.iter().map(|password| Recipient::Password(password)));
        list
    }
}

impl RecipientOptions {
    /// Whether nobody can read it.
    pub(super) fn is_empty(&self) -> bool {
        self.to.is_empty() && self.kek.is_empty() && self.password.is_empty()
    }

    /// Loads them.
    pub(super) fn load(&self) -> Result<Recipients, Failed> {
        let secrets = load_secrets(&self.password, &self.kek)?;
        if secrets.keys.iter().any(|key| key.id.is_empty()) {
            return Err(Failed::usage("--kek: a key needs the identifier by which the readers find it: give ID:HEX"));
        }
        Ok(Recipients { certificates: load_certificates(&self.to)?, secrets })
    }

    /// An option for a kind of key that none of the recipients has is a mistake: what was asked for would not happen.
    fn check(&self, recipients: &Recipients) -> Result<(), Failed> {
        let keys = recipients.certificates.iter().map(|one| describe_public_key(one.spki()).map(|key| key.algorithm));
        // What is wrong with a key is said where it is used.
        let Ok(keys) = keys.collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        let is_rsa = |key: &Key| matches!(key, Key::Rsa | Key::RsaPss | Key::RsaOaep);
        let is_ec = |key: &Key| matches!(key, Key::P256 | Key::P384 | Key::P521 | Key::Other(_));
        let options = [
            ("--oaep", self.oaep.is_some(), "of RSA", keys.iter().any(is_rsa)),
            ("--kdf", self.kdf.is_some(), "of ECDH, X25519 or ML-KEM", !keys.iter().all(is_rsa)),
            ("--cofactor", self.cofactor, "of ECDH", keys.iter().any(is_ec)),
            ("--sm2-agreement", self.sm2_agreement, "of SM2", keys.contains(&Key::Sm2)),
        ];
        match options.into_iter().find(|(_, is_given, _, has_use)| *is_given && !has_use) {
            Some((option, _, of, _)) => Err(Failed::usage(format!("{option}: none of the recipients has a key {of}"))),
            None => Ok(()),
        }
    }

    pub(super) fn identifier(&self) -> Option<IdentifierForm> {
        self.recipient_id.map(Into::into)
    }

    /// How the key gets to these recipients.
    pub(super) fn key_management(&self, recipients: &Recipients) -> Result<KeyManagement, Failed> {
        self.check(recipients)?;
        let label = self.oaep_label.as_deref().map(keys::hexadecimal).transpose();
        let label = label.map_err(|_| Failed::usage("--oaep-label is not hexadecimal"))?;
        let label = label.map(|label| label.to_vec()).unwrap_or_default();
        let oaep = |digest| OaepParameters { digest, mgf: self.oaep_mgf.unwrap_or(digest), label };
        Ok(KeyManagement {
            oaep: self.oaep.map(oaep),
            derivation: self.kdf,
            cofactor: self.cofactor,
            wrap: self.key_wrap,
            sm2_agreement: self.sm2_agreement,
            ukm_len: self.ukm,
            password: PasswordDerivation {
                prf: self.prf,
                iterations: self.iterations,
                salt_len: self.salt,
                cipher: self.password_cipher,
            },
        })
    }
}
