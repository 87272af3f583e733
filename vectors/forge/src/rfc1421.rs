//! Private keys in the encrypted PEM of RFC 1421, as OpenSSL 1 wrote them.
//!
//! The engine refuses this form: one round of MD5 protects nothing. One
//! recording's published key has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, ProviderChoice};
use zeroize::Zeroizing;

/// Decrypts what stands between BEGIN and END; DES-EDE3-CBC only.
pub(crate) fn decrypt(body: &str, password: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let iv = body
        .lines()
        .find_map(|line| line.trim().strip_prefix("DEK-Info: DES-EDE3-CBC,"))
        .and_then(hex)
        .ok_or("is not encrypted with DES-EDE3-CBC")?;
    let text: Vec<u8> = body
        .lines()
        .filter(|line| !line.contains(':'))
        .flat_map(str::bytes)
        .filter(|octet| !octet.is_ascii_whitespace())
        .collect();
    let mut octets = Zeroizing::new(STANDARD.decode(text).map_err(|error| format!("is no base64: {error}"))?);
    let cipher = ContentCipher::TripleDesCbc;
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let said = |error: waxseal_key::KeyError| error.to_string();
    let key = key(&arithmetic, password, &iv, cipher.key_len()).map_err(said)?;
    let mut mode = arithmetic.cbc_decryptor(cipher, &key, &iv).map_err(said)?;
    if octets.is_empty() || !octets.len().is_multiple_of(cipher.block_len()) {
        return Err("does not end at a cipher block".to_owned());
    }
    mode.process(&mut octets);
    let padding = octets.last().map_or(0, |last| usize::from(*last));
    if !(1..=cipher.block_len()).contains(&padding) {
        return Err("has another password".to_owned());
    }
    let length = octets.len() - padding;
    octets.truncate(length);
    Ok(octets)
}

/// OpenSSL's derivation: MD5 over what came before, password and salt.
fn key(
    arithmetic: &Arithmetic,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, waxseal_key::KeyError> {
    let mut key = Zeroizing::new(Vec::new());
    let mut before = Vec::new();
    while key.len() < length {
        let input = Zeroizing::new([before.as_slice(), password.as_bytes(), salt].concat());
        before = arithmetic.digest(DigestAlgorithm::Md5, &input)?;
        key.extend(&before);
    }
    key.truncate(length);
    Ok(key)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SEQUENCE under the password `secret`, encrypted with `openssl enc -des-ede3-cbc`.
    const BODY: &str = "\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0102030405060708\n\n25mdR5RJ7lY=\n";

    #[test]
    fn the_right_password_opens_it() {
        assert_eq!(**decrypt(BODY, "secret").unwrap(), [0x30, 3, 2, 1, 7]);
        assert_ne!(decrypt(BODY, "another").map(|octets| octets.to_vec()), Ok(vec![0x30, 3, 2, 1, 7]));
    }

    #[test]
    fn another_cipher_is_named() {
        let error = decrypt(&BODY.replace("EDE3", "OTHER"), "secret").unwrap_err();
        assert!(error.contains("DES-EDE3-CBC"), "{error}");
    }
}
