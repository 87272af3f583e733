//! Private keys in PEM (RFC 7468).

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{KeyError, PasswordLimits, PrivateKey, pbe};

/// Reads the first private key of a text.
pub(crate) fn private_key(text: &str, password: Option<&str>, limits: PasswordLimits) -> Result<PrivateKey, KeyError> {
    let mut rest = text;
    while let Some(block) = next_block(&mut rest)? {
        match block.label {
            "PRIVATE KEY" => return PrivateKey::from_pkcs8_der(&block.decode()?),
            "ENCRYPTED PRIVATE KEY" => {
                let password = password.ok_or_else(no_password)?;
                return pbe::encrypted_private_key(&block.decode()?, password, limits);
            }
            "RSA PRIVATE KEY" => return block.read(password, PrivateKey::from_pkcs1_der),
            "EC PRIVATE KEY" => return block.read(password, |der| PrivateKey::from_sec1_der(der, None)),
            label if label.ends_with("PRIVATE KEY") => {
                return Err(KeyError::UnknownAlgorithm(format!("PEM label `{label}`")));
            }
            _ => {}
        }
    }
    Err(KeyError::NotAKey("the text holds no PEM block with a private key".to_owned()))
}

struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl Block<'_> {
    /// Reads a key of the traditional form, which may be encrypted by the
    /// headers of RFC 1421.
    fn read(
        &self,
        password: Option<&str>,
        read: impl Fn(&[u8]) -> Result<PrivateKey, KeyError>,
    ) -> Result<PrivateKey, KeyError> {
        let Some((header, body)) = self.body.split_once("DEK-Info:") else { return read(&self.decode()?) };
        if !header.contains("ENCRYPTED") {
            return Err(KeyError::NotAKey(format!("the PEM block `{}` has headers that contradict", self.label)));
        }
        let (info, body) = body.trim_start().split_once(['\r', '\n']).unwrap_or((body, ""));
        let data = Block { label: self.label, body }.decode()?;
        let plain = pbe::decrypt_rfc1421(info.trim(), &data, password.ok_or_else(no_password)?)?;
        // A wrong password passes the check of the padding once in 256 times.
        read(&plain).map_err(|error| match error {
            KeyError::NotAKey(_) => KeyError::WrongPassword,
            other => other,
        })
    }

    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text: Zeroizing<Vec<u8>> =
            Zeroizing::new(self.body.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect());
        STANDARD
            .decode(&*text)
            .map(Zeroizing::new)
            .map_err(|error| KeyError::NotAKey(format!("bad base64 in the PEM block `{}`: {error}", self.label)))
    }
}

fn no_password() -> KeyError {
    KeyError::NotAKey("the key is encrypted, and no password was given".to_owned())
}

/// The next block, and the text after it.
fn next_block<'a>(rest: &mut &'a str) -> Result<Option<Block<'a>>, KeyError> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let Some(start) = rest.find(BEGIN) else { return Ok(None) };
    let after = &rest[start + BEGIN.len()..];
    let broken = |what: &str| KeyError::NotAKey(format!("a PEM block without its {what}"));
    let label_end = after.find(DASHES).ok_or_else(|| broken("label"))?;
    let label = &after[..label_end];
    let body = &after[label_end + DASHES.len()..];
    let end = format!("-----END {label}-----");
    let body_end = body.find(&end).ok_or_else(|| broken(&format!("end `{end}`")))?;
    *rest = &body[body_end + end.len()..];
    Ok(Some(Block { label, body: &body[..body_end] }))
}
