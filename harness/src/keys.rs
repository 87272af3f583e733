//! Keys and certificates from files, matched by public key.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use waxseal_engine::certificate::{Certificate, Crl, OcspResponse};
use waxseal_engine::message::{Credential, Secrets, SymmetricKey};
use waxseal_key::{
    Arithmetic, Decryptor, KeyError, PrivateKey, ProviderChoice, PublicKeyAlgorithm, Signer, describe_public_key,
    pkcs12, same_public_key,
};
use waxseal_model::{CardState, SharedKey};
use zeroize::Zeroizing;

use crate::card;
use crate::exit::Failed;
use crate::workspace;

/// A password as it is written on the command line: `env:NAME`, `file:PATH`,
/// or the word itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Secret {
    /// The password itself.
    ///
    /// # Errors
    /// The variable is not set, or the file cannot be read.
    pub fn reveal(&self) -> Result<Zeroizing<String>, Failed> {
        if let Some(name) = self.0.strip_prefix("env:") {
            let value = std::env::var(name)
                .map_err(|error| Failed::usage(format!("the environment variable {name} of a password: {error}")))?;
            return Ok(Zeroizing::new(value));
        }
        if let Some(path) = self.0.strip_prefix("file:") {
            let text =
                workspace::read_small_text(path.as_ref()).map_err(Failed::at(format!("the password file {path}")))?;
            let text = Zeroizing::new(text);
            // An editor ends the last line; a password does not hold it.
            let word = text.strip_suffix('\n').unwrap_or(&text);
            return Ok(Zeroizing::new(word.strip_suffix('\r').unwrap_or(word).to_owned()));
        }
        Ok(Zeroizing::new(self.0.clone()))
    }
}

/// A PKCS#12 file and its password, `FILE:PASSWORD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs12File {
    file: PathBuf,
    password: Secret,
}

impl FromStr for Pkcs12File {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((file, password)) if !file.is_empty() => {
                Ok(Self { file: file.into(), password: Secret(password.to_owned()) })
            }
            _ => Err("give FILE:PASSWORD; PASSWORD can be env:NAME or file:PATH, and empty".to_owned()),
        }
    }
}

/// A private key, wherever it is.
pub trait Key: Signer + Decryptor + std::fmt::Debug {}

impl<K: Signer + Decryptor + std::fmt::Debug> Key for K {}

/// Keys and certificates, from whatever files and cards they came.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: Vec<PrivateKey>,
    /// Keys that somebody else holds, such as a card, and the one certificate that stands beside each.
    held: Vec<(Box<dyn Key>, Certificate)>,
    certificates: Vec<Certificate>,
}

impl KeyRing {
    /// Loads PKCS#12 files, key files and certificate files. Key files are PEM,
    /// under the `password` where they are encrypted, or an SM2EnvelopedKey in
    /// DER, which one of the other keys opens.
    ///
    /// # Errors
    /// A file is missing or damaged, or a password is wrong: which, and why.
    pub fn load(
        pkcs12: &[Pkcs12File],
        keys: &[PathBuf],
        password: Option<&Secret>,
        certificates: &[PathBuf],
    ) -> Result<Self, Failed> {
        let mut ring = Self::default();
        let password = password.map(Secret::reveal).transpose()?;
        let mut enveloped = Vec::new();
        for file in pkcs12 {
            ring.add_pkcs12(file)?;
        }
        for path in keys {
            let octets = Zeroizing::new(read(path)?);
            if PrivateKey::is_sm2_enveloped(&octets) {
                enveloped.push((path, octets));
                continue;
            }
            let text = std::str::from_utf8(&octets).map_err(|_| not_pem(path))?;
            let password = password.as_ref().map(|password| password.as_str());
            ring.keys.push(PrivateKey::from_pem(text, password).map_err(|error| key_error(path, &error))?);
        }
        for (path, der) in enveloped {
            ring.add_enveloped(path, &der)?;
        }
        ring.certificates.extend(load_certificates(certificates)?);
        Ok(ring)
    }

    /// The same keys, working with this arithmetic: what a verdict names as its
    /// provider has done the work of the private keys, too.
    #[must_use]
    pub fn with_arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        // A command uses a key once or twice, and aws-lc checks each key when it reads it: that takes
        // ten times as long as a signature. Without a wish the keys stay with RustCrypto.
        if arithmetic.choice() != ProviderChoice::Auto {
            self.keys = self.keys.into_iter().map(|key| key.with_arithmetic(arithmetic)).collect();
        }
        self
    }

    /// The same keys; those of SM2 in files sign under this identifier.
    ///
    /// # Errors
    /// The identifier is too long.
    pub fn with_sm2_id(mut self, id: &[u8]) -> Result<Self, Failed> {
        let keys = self.keys.into_iter().map(|key| key.with_sm2_id(id)).collect::<Result<_, _>>();
        self.keys = keys.map_err(|error| Failed::usage(format!("--sm2-id: {error}")))?;
        Ok(self)
    }

    /// Keys (PEM) and certificates that are already at hand.
    #[must_use]
    pub const fn new(keys: Vec<PrivateKey>, certificates: Vec<Certificate>) -> Self {
        Self { keys, held: Vec::new(), certificates }
    }

    fn add_pkcs12(&mut self, file: &Pkcs12File) -> Result<(), Failed> {
        let octets = Zeroizing::new(read(&file.file)?);
        let password = file.password.reveal()?;
        let opened = pkcs12::open(&octets, &password).map_err(Failed::at(file.file.display()))?;
        for der in &opened.certificates {
            self.certificates.push(Certificate::parse(der).map_err(Failed::at(file.file.display()))?);
        }
        self.keys.extend(opened.keys);
        Ok(())
    }

    /// A key under the public key of another one of the ring: an authority hands
    /// out the key of an encryption certificate so (GB/T 35276).
    fn add_enveloped(&mut self, path: &Path, der: &[u8]) -> Result<(), Failed> {
        let mut refused = KeyError::NotAKey("an SM2EnvelopedKey, and no SM2 key that opens it was given".to_owned());
        let openers = self.keys.iter().filter(|key| *key.algorithm() == PublicKeyAlgorithm::Sm2);
        for opener in openers {
            match PrivateKey::from_sm2_enveloped(der, opener) {
                Ok(key) => {
                    self.keys.push(key);
                    return Ok(());
                }
                Err(error) => refused = error,
            }
        }
        Err(key_error(path, &refused))
    }

    /// Adds keys that somebody else holds, such as a card, with their certificates.
    #[must_use]
    pub fn with_held<K: Key + 'static>(mut self, keys: Vec<(K, Certificate)>) -> Self {
        for (key, certificate) in keys {
            self.certificates.push(certificate.clone());
            self.held.push((Box::new(key), certificate));
        }
        self
    }

    /// The same keys, on a smart card with this PIN, whose holder enters that
    /// one.
    ///
    /// # Errors
    /// No card holds one of the keys, a key has no certificate, or the PIN is none.
    pub fn onto_card(self, pin: &str, entered: &str, state: Option<CardState>) -> Result<Self, Failed> {
        let Self { keys, held, certificates } = self;
        let mut reads = Vec::new();
        for key in keys {
            let own = certificates.iter().find(|one| same_public_key(one.spki(), key.public_key()));
            reads.push((key, own.ok_or_else(|| Failed::usage("a key for a card that has no certificate"))?));
        }
        let issued = card::issued(reads, pin, entered, state).map_err(Failed::usage)?;
        let ring = Self { keys: Vec::new(), held, certificates: certificates.clone() };
        Ok(ring.with_held(issued))
    }

    /// Every key with each certificate of its public key; a key without one
    /// stands alone.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&dyn Key, Option<&Certificate>)> {
        let held = self.held.iter().map(|(key, certificate)| (&**key, Some(certificate)));
        let mut pairs: Vec<_> = held.collect();
        for key in &self.keys {
            let public = Decryptor::public_key(key);
            let own: Vec<_> =
                self.certificates.iter().filter(|certificate| same_public_key(certificate.spki(), public)).collect();
            if own.is_empty() {
                pairs.push((key, None));
            }
            pairs.extend(own.into_iter().map(|certificate| (key as &dyn Key, Some(certificate))));
        }
        pairs
    }

    /// The keys as the engine takes them to open a message.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential<'_>> {
        let pairs = self.pairs().into_iter();
        pairs.map(|(key, certificate)| Credential { decryptor: key, certificate: certificate.cloned() }).collect()
    }

    /// All certificates, those without a key too.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// Whether a key is one of SM2: its holder reads what is encrypted with SM4, too.
#[must_use]
pub fn signs_with_sm2(key: &dyn Signer) -> bool {
    describe_public_key(key.public_key()).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Sm2)
}

/// Passwords and symmetric keys as a case states them.
///
/// # Errors
/// A key is not hexadecimal.
pub fn secrets(passwords: &[String], keys: &[SharedKey]) -> Result<Secrets, Failed> {
    let passwords = passwords.iter().map(|password| Zeroizing::new(password.clone().into_bytes())).collect();
    let key =
        |shared: &SharedKey| Ok(SymmetricKey { id: hexadecimal(&shared.id)?.to_vec(), key: hexadecimal(&shared.key)? });
    Ok(Secrets { passwords, keys: keys.iter().map(key).collect::<Result<_, Failed>>()? })
}

/// The octets that a hexadecimal text stands for. The text is a secret, and
/// not shown.
///
/// # Errors
/// There is an odd number of digits, or something else.
pub fn hexadecimal(text: &str) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let octets = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => {
            let digit = |octet: u8| char::from(octet).to_digit(16);
            u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
        }
        _ => None,
    });
    let octets = octets.collect::<Option<Vec<u8>>>().map(Zeroizing::new);
    octets.ok_or_else(|| Failed::usage("a symmetric key or its identifier is not hexadecimal"))
}

/// A symmetric key of the command line, `ID:HEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KekOption {
    id: String,
    key: Secret,
}

impl FromStr for KekOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, key) = text
            .split_once(':')
            .ok_or("give ID:HEX; both in hexadecimal, ID may be empty; HEX can be env:NAME or file:PATH")?;
        Ok(Self { id: id.to_owned(), key: Secret(key.to_owned()) })
    }
}

/// Passwords and symmetric keys of the command line.
///
/// # Errors
/// A variable or file is missing, or a key is not hexadecimal.
pub fn load_secrets(passwords: &[Secret], keys: &[KekOption]) -> Result<Secrets, Failed> {
    let mut secrets = Secrets::default();
    for password in passwords {
        secrets.passwords.push(Zeroizing::new(password.reveal()?.as_bytes().to_vec()));
    }
    for kek in keys {
        let key = hexadecimal(&kek.key.reveal()?)?;
        secrets.keys.push(SymmetricKey { id: hexadecimal(&kek.id)?.to_vec(), key });
    }
    Ok(secrets)
}

/// The certificates of several files, in the order given.
///
/// # Errors
/// A file is missing or holds no certificate.
pub fn load_certificates(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failed> {
    let mut certificates = Vec::new();
    for path in paths {
        certificates.extend(Certificate::from_file(&read(path)?).map_err(Failed::at(path.display()))?);
    }
    Ok(certificates)
}

/// The CRLs of several files, in the order given.
///
/// # Errors
/// A file is missing or holds no CRL.
pub fn load_crls(paths: &[PathBuf]) -> Result<Vec<Crl>, Failed> {
    let mut crls = Vec::new();
    for path in paths {
        crls.extend(Crl::from_file(&read(path)?).map_err(Failed::at(path.display()))?);
    }
    Ok(crls)
}

/// The OCSP responses of several files, in the order given.
///
/// # Errors
/// A file is missing or holds no OCSP response.
pub fn load_ocsp_responses(paths: &[PathBuf]) -> Result<Vec<OcspResponse>, Failed> {
    let response = |path: &PathBuf| OcspResponse::from_file(&read(path)?).map_err(Failed::at(path.display()));
    paths.iter().map(response).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    workspace::read_small(path).map_err(Failed::at(path.display()))
}

fn not_pem(path: &Path) -> Failed {
    Failed::usage(format!("{}: not PEM; a key in DER can be given in a PKCS#12 file with --p12", path.display()))
}

fn key_error(path: &Path, error: &KeyError) -> Failed {
    let advice = match error {
        KeyError::WrongPassword => " (the password of an encrypted key is given with --key-password)",
        _ => "",
    };
    Failed::usage(format!("{}: {error}{advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_comes_from_where_it_is_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "se:cret\r\n").unwrap();
        let reveal = |text: String| Secret(text).reveal().map(|word| word.to_string());
        assert_eq!(reveal(format!("file:{}", path.display())).unwrap(), "se:cret");
        assert_eq!(reveal("plain:word".to_owned()).unwrap(), "plain:word");
        assert!(reveal("env:WAXSEAL_NO_SUCH_VARIABLE".to_owned()).unwrap_err().message.contains("WAXSEAL_NO_SUCH"));
        assert!(reveal("file:no/such/file".to_owned()).is_err());
        assert_eq!(format!("{:?}", Secret("x".to_owned())), "Secret(…)");
    }

    #[test]
    fn file_and_password_split_at_the_first_colon() {
        let file: Pkcs12File = "a.p12:env:X:Y".parse().unwrap();
        assert_eq!(file, Pkcs12File { file: "a.p12".into(), password: Secret("env:X:Y".to_owned()) });
        assert!("a.p12:".parse::<Pkcs12File>().is_ok());
        assert!("a.p12".parse::<Pkcs12File>().is_err() && ":x".parse::<Pkcs12File>().is_err());
    }
}
