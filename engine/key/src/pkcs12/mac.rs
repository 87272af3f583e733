//! The MAC of a PKCS#12 file.

use std::{borrow::Cow, ops::RangeInclusive};

use hmac::{KeyInit, Mac};
use zeroize::Zeroizing;

use super::oid;
use crate::{
    DigestAlgorithm, KeyError,
    algorithm::describe,
    ber::{Element, Elements, SEQUENCE, bad},
    digest::with_hmac,
    pbe::{self, Budget, Purpose},
};

/// Checks MacData (RFC 7292 section 4) over the octets of the safe.
pub(super) fn verify(mac_data: Element<'_>, safe: &[u8], password: &str, budget: &mut Budget) -> Result<(), KeyError> {
    let mut parts = Elements::new(mac_data.whole).expect(SEQUENCE, "macData")?.elements();
    let mut mac = parts.expect(SEQUENCE, "mac")?.elements();
    let mut identifier = mac.expect(SEQUENCE, "digestAlgorithm")?.elements();
    let method = oid(&mut identifier, "digestAlgorithm")?;
    let expected = mac.octet_string(None, "digest")?;
    let salt = parts.octet_string(None, "macSalt")?;
    let good = if method == PBMAC1 {
        Pbmac1::read(identifier.expect(SEQUENCE, "PBMAC1-params")?)?.verify(safe, &expected, password, budget)?
    } else {
        let digest = DigestAlgorithm::from_oid(&method).filter(|digest| !digest.is_extendable()).ok_or_else(|| {
            KeyError::UnknownAlgorithm(format!("{} for the MAC of a PKCS#12 file", describe(&method)))
        })?;
        let iterations = if parts.is_empty() { 1 } else { parts.integer("iterations")? };
        let mut good = false;
        for password in &pbe::spellings(password) {
            budget.spend("the MAC of a PKCS#12 file", iterations)?;
            let key = pbe::derive(digest, Purpose::Mac, password, &salt, iterations, digest.output_len());
            good |= hmac_equals(digest, &key, safe, &expected)?;
        }
        good
    };
    if good { Ok(()) } else { Err(KeyError::WrongPassword) }
}

const PBMAC1: &str = "1.2.840.113549.1.5.14";
const PBKDF2: &str = "1.2.840.113549.1.5.12";

/// Octets of a MAC key. A shorter one is not what RFC 9579 asks for, OpenSSL
/// refuses it too; no digest gives a longer one, and without a bound a length in
/// the file would multiply the work.
const KEY_LEN: RangeInclusive<u32> = 20..=64;

/// PBMAC1-params (RFC 8018 appendix A.5), as RFC 9579 section 4 narrows them.
struct Pbmac1<'a> {
    salt: Cow<'a, [u8]>,
    iterations: u32,
    key_len: u32,
    prf: DigestAlgorithm,
    mac: DigestAlgorithm,
}

impl<'a> Pbmac1<'a> {
    fn read(parameters: Element<'a>) -> Result<Self, KeyError> {
        let mut parts = parameters.elements();
        let mut derivation = parts.expect(SEQUENCE, "keyDerivationFunc")?.elements();
        let function = oid(&mut derivation, "keyDerivationFunc")?;
        if function != PBKDF2 {
            return Err(KeyError::UnknownAlgorithm(format!("{} in PBMAC1", describe(&function))));
        }
        let mut pbkdf2 = derivation.expect(SEQUENCE, "PBKDF2-params")?.elements();
        let salt = pbkdf2.octet_string(None, "salt")?;
        let iterations = pbkdf2.integer("iterationCount")?;
        // RFC 9579 section 5: it MUST be there, or the key would depend on the reader.
        let key_len = pbkdf2.integer("keyLength of PBMAC1")?;
        if !KEY_LEN.contains(&key_len) {
            return Err(bad(format!(
                "keyLength {key_len} of PBMAC1, expected {} to {}",
                KEY_LEN.start(),
                KEY_LEN.end()
            )));
        }
        let prf = if pbkdf2.is_empty() { DigestAlgorithm::Sha1 } else { hmac_digest(&mut pbkdf2, "prf")? };
        let mac = hmac_digest(&mut parts, "messageAuthScheme")?;
        Ok(Self { salt, iterations, key_len, prf, mac })
    }

    fn verify(&self, safe: &[u8], expected: &[u8], password: &str, budget: &mut Budget) -> Result<bool, KeyError> {
        let mut key = Zeroizing::new(vec![0; self.key_len as usize]);
        let blocks = self.key_len.div_ceil(self.prf.output_len() as u32);
        budget.spend("pbmac1", self.iterations.saturating_mul(blocks))?;
        with_hmac!(self.prf, M => {
            pbkdf2::pbkdf2::<M>(password.as_bytes(), &self.salt, self.iterations, &mut key)
        })
        .map_err(|error| bad(format!("PBMAC1: {error}")))?;
        hmac_equals(self.mac, &key, safe, expected)
    }
}

/// The digest of an HMAC (RFC 8018 appendix B.1).
fn hmac_digest(elements: &mut Elements<'_>, what: &str) -> Result<DigestAlgorithm, KeyError> {
    let oid = oid(&mut elements.expect(SEQUENCE, what)?.elements(), what)?;
    DigestAlgorithm::from_hmac_oid(&oid)
        .ok_or_else(|| KeyError::UnknownAlgorithm(format!("{} as {what} of PBMAC1", describe(&oid))))
}

fn hmac_equals(digest: DigestAlgorithm, key: &[u8], data: &[u8], expected: &[u8]) -> Result<bool, KeyError> {
    with_hmac!(digest, M => {
        let mut mac = M::new_from_slice(key).map_err(|error| bad(format!("no HMAC: {error}")))?;
        mac.update(data);
        Ok(mac.verify_slice(expected).is_ok())
    })
}
