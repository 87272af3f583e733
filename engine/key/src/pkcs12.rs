//! PKCS#12 files (RFC 7292), modern and old.
//!
//! Read here and not by a library: the counts of rounds that a file asks for
//! must be bounded, all its certificates must come out (also those that belong
//! to no key), and Windows and NSS write BER.

mod mac;
mod write;

use std::borrow::Cow;

use der::{Decode, asn1::ObjectIdentifier};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{
    KeyError, PasswordLimits, PrivateKey,
    ber::{CONTEXT_0, Element, Elements, OID, SEQUENCE, bad},
    pbe::{self, Budget},
};

pub use write::hand_over;

/// What a PKCS#12 file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Pkcs12 {
    /// The private keys, in the order of the file.
    pub keys: Vec<PrivateKey>,
    /// The certificates in DER, in the order of the file.
    pub certificates: Vec<Vec<u8>>,
    /// Why other keys of the file are not among `keys`: they are of an
    /// algorithm, a curve or a size that is not known here.
    pub passed_over: Vec<KeyError>,
}

/// Opens a PKCS#12 file with its password.
///
/// Known are the MACs of RFC 7292 and of RFC 9579 (a file without a MAC is
/// opened too, nothing vouches for it then), PBES2 with PBKDF2 or scrypt, and
/// the schemes of PKCS#12 itself with Triple DES and RC2.
///
/// # Errors
/// The octets are no PKCS#12 file, the password is wrong, the file is damaged,
/// asks for too many rounds, or uses an algorithm that is not known; or there
/// are keys in it, and not one of them is of a known kind.
pub fn open(der: &[u8], password: &str) -> Result<Pkcs12, KeyError> {
    open_within(der, password, PasswordLimits::default())
}

/// The same within limits on what the password may cost.
///
/// # Errors
/// As [`open`], or the file asks for more than that.
pub fn open_within(der: &[u8], password: &str, limits: PasswordLimits) -> Result<Pkcs12, KeyError> {
    let budget = &mut Budget::new(limits);
    let mut pfx = Elements::new(der).expect(SEQUENCE, "PFX")?.elements();
    let version = pfx.integer("version")?;
    if version != 3 {
        return Err(bad(format!("version {version}, expected 3")));
    }
    let Content::Data(safe) = content(pfx.expect(SEQUENCE, "authSafe")?)? else {
        // RFC 7292 section 3: signed instead of MACed, which no mail program writes.
        return Err(KeyError::UnknownAlgorithm("a PKCS#12 file in public-key integrity mode".to_owned()));
    };
    let vouched = match pfx.next()? {
        Some(mac_data) => {
            mac::verify(mac_data, &safe, password, budget)?;
            true
        }
        None => false,
    };
    let mut file = Reading { password, budget, pkcs12: Pkcs12::default() };
    file.authenticated_safe(&safe).map_err(|error| match error {
        // The password fits, so it is the file that is damaged.
        KeyError::WrongPassword if vouched => bad("a part cannot be decrypted".to_owned()),
        // Octets from a wrong password can pass the check of their padding.
        KeyError::NotAKey(_) if !vouched => KeyError::WrongPassword,
        other => other,
    })?;
    match file.pkcs12 {
        Pkcs12 { keys, mut passed_over, .. } if keys.is_empty() && !passed_over.is_empty() => {
            Err(passed_over.swap_remove(0))
        }
        pkcs12 => Ok(pkcs12),
    }
}

/// How deep bags may hold bags.
const DEPTH: u32 = 8;

struct Reading<'a> {
    password: &'a str,
    budget: &'a mut Budget,
    pkcs12: Pkcs12,
}

impl Reading<'_> {
    /// AuthenticatedSafe (RFC 7292 section 4.1).
    fn authenticated_safe(&mut self, octets: &[u8]) -> Result<(), KeyError> {
        let mut infos = Elements::new(octets).expect(SEQUENCE, "AuthenticatedSafe")?.elements();
        while let Some(info) = infos.next()? {
            match content(info)? {
                Content::Data(octets) => self.safe_contents(&octets, DEPTH)?,
                Content::Encrypted { algorithm, data } => {
                    let octets = pbe::decrypt(&algorithm, &data, self.password, self.budget)?;
                    self.safe_contents(&octets, DEPTH)?;
                }
                // Encrypted to a public key: the password opens nothing in it.
                Content::Other => {}
            }
        }
        Ok(())
    }

    /// SafeContents (RFC 7292 section 4.2).
    fn safe_contents(&mut self, octets: &[u8], depth: u32) -> Result<(), KeyError> {
        let depth = depth.checked_sub(1).ok_or_else(|| bad(format!("bags nest more than {DEPTH} deep")))?;
        let mut bags = Elements::new(octets).expect(SEQUENCE, "SafeContents")?.elements();
        while let Some(bag) = bags.next()? {
            let mut parts = bag.elements();
            let id = oid(&mut parts, "bagId")?;
            let value = parts.expect(CONTEXT_0, "bagValue")?.content;
            match id.as_str() {
                "1.2.840.113549.1.12.10.1.1" => self.key(value)?,
                "1.2.840.113549.1.12.10.1.2" => {
                    let (algorithm, data) = pbe::encrypted_parts(value)?;
                    let info: Zeroizing<Vec<u8>> = pbe::decrypt(&algorithm, data, self.password, self.budget)?;
                    self.key(&info)?;
                }
                "1.2.840.113549.1.12.10.1.3" => self.certificate(value)?,
                "1.2.840.113549.1.12.10.1.6" => self.safe_contents(value, depth)?,
                // CRLs, and secrets of other programs: nothing that mail needs.
                _ => {}
            }
        }
        Ok(())
    }

    /// PrivateKeyInfo (RFC 7292 section 4.2.1).
    fn key(&mut self, info: &[u8]) -> Result<(), KeyError> {
        match PrivateKey::from_pkcs8_der(info) {
            Ok(key) => self.pkcs12.keys.push(key),
            Err(error @ KeyError::UnknownAlgorithm(_)) => self.pkcs12.passed_over.push(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// CertBag (RFC 7292 section 4.2.3).
    fn certificate(&mut self, octets: &[u8]) -> Result<(), KeyError> {
        let mut bag = Elements::new(octets).expect(SEQUENCE, "CertBag")?.elements();
        if oid(&mut bag, "certId")? == "1.2.840.113549.1.9.22.1" {
            let mut value = bag.expect(CONTEXT_0, "certValue")?.elements();
            self.pkcs12.certificates.push(value.octet_string(None, "x509Certificate")?.into_owned());
        }
        Ok(())
    }
}

/// A ContentInfo, as far as PKCS#12 uses it.
enum Content<'a> {
    Data(Cow<'a, [u8]>),
    Encrypted { algorithm: AlgorithmIdentifierRef<'a>, data: Cow<'a, [u8]> },
    Other,
}

/// ContentInfo (RFC 5652 section 3) with data or with EncryptedData (section 8).
fn content(info: Element<'_>) -> Result<Content<'_>, KeyError> {
    let mut parts = info.elements();
    let content_type = oid(&mut parts, "contentType")?;
    let mut content = parts.expect(CONTEXT_0, "content")?.elements();
    match content_type.as_str() {
        "1.2.840.113549.1.7.1" => Ok(Content::Data(content.octet_string(None, "data")?)),
        "1.2.840.113549.1.7.6" => {
            let mut encrypted = content.expect(SEQUENCE, "EncryptedData")?.elements();
            encrypted.integer("version of EncryptedData")?;
            let mut info = encrypted.expect(SEQUENCE, "EncryptedContentInfo")?.elements();
            oid(&mut info, "contentType")?;
            let algorithm = algorithm(&mut info, "contentEncryptionAlgorithm")?;
            Ok(Content::Encrypted { algorithm, data: info.octet_string(Some(0), "encryptedContent")? })
        }
        _ => Ok(Content::Other),
    }
}

pub(crate) fn oid(elements: &mut Elements<'_>, what: &str) -> Result<String, KeyError> {
    let whole = elements.expect(OID, what)?.whole;
    let oid: ObjectIdentifier = ObjectIdentifier::from_der(whole).map_err(|error| bad(format!("{what}: {error}")))?;
    Ok(oid.to_string())
}

pub(crate) fn algorithm<'a>(elements: &mut Elements<'a>, what: &str) -> Result<AlgorithmIdentifierRef<'a>, KeyError> {
    let whole = elements.expect(SEQUENCE, what)?.whole;
    AlgorithmIdentifierRef::from_der(whole).map_err(|error| bad(format!("{what}: {error}")))
}
