//! Private keys in PEM (RFC 7468).

use base64::Engine;
use zeroize::Zeroizing;

use crate::{KeyError, PrivateKey, pbe};

/// Reads the first private key of a text.
pub(crate) fn private_key(text: &str, password: Option<&str>) -> Result<PrivateKey, KeyError> {
    let mut rest = text;
    while let Some(block) = next_block(&mut rest)? {
        let der = |block: &Block<'_>| block.decode();
        match block.label {
            "PRIVATE KEY" => return PrivateKey::from_pkcs8_der(&der(&block)?),
            "ENCRYPTED PRIVATE KEY" => {
                let password = password
                    .ok_or_else(|| KeyError::NotAKey("the key is encrypted, and no password was given".to_owned()))?;
                return pbe::encrypted_private_key(&der(&block)?, password);
            }
            "RSA PRIVATE KEY" => return PrivateKey::from_pkcs1_der(&der(&block)?),
            "EC PRIVATE KEY" => return PrivateKey::from_sec1_der(&der(&block)?, None),
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
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if self.body.contains(':') {
            // Proc-Type and DEK-Info of RFC 1421: OpenSSL's own encryption, one round of MD5.
            return Err(KeyError::NotAKey(format!(
                "a `{}` with the encryption of RFC 1421; convert it with `openssl pkcs8 -topk8`",
                self.label
            )));
        }
        let text: Zeroizing<Vec<u8>> =
            Zeroizing::new(self.body.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect());
        base64::engine::general_purpose::STANDARD
            .decode(&*text)
            .map(Zeroizing::new)
            .map_err(|error| KeyError::NotAKey(format!("bad base64 in the PEM block `{}`: {error}", self.label)))
    }
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
