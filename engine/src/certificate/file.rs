//! Certificates and CRLs as people keep them in files: DER, PEM with text around
//! it, several in one, or wrapped in a PKCS#7 object (`.p7b`, `.p7c`).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::field::{Fields as _, object_identifier};
use super::{Certificate, CertificateError, Crl};
use crate::ber::{Cursor, identifier as tag};

/// Base64 as files hold it: the padding may be missing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// id-signedData, and that of GM/T 0010, content octets.
const SIGNED_DATA: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02],
    &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x01, 0x04, 0x02, 0x02],
];

/// PEM labels of certificates, PKCS#7 objects, and of what is no certificate.
const LABELS: &[(&str, Holds)] = &[
    ("CERTIFICATE", Holds::Certificate),
    ("X509 CERTIFICATE", Holds::Certificate),
    ("TRUSTED CERTIFICATE", Holds::Certificate),
    ("PKCS7", Holds::Pkcs7),
    ("CMS", Holds::Pkcs7),
    ("CERTIFICATE REQUEST", Holds::Other("a certificate request", "give the certificate that the CA made from it")),
    ("NEW CERTIFICATE REQUEST", Holds::Other("a certificate request", "give the certificate that the CA made from it")),
    ("X509 CRL", Holds::Other("a CRL", "give a certificate")),
    ("PUBLIC KEY", Holds::Other("a public key", "give the certificate of this key")),
    ("PRIVATE KEY", Holds::Other("a private key", GIVE_CERTIFICATE_OF_KEY)),
    ("ENCRYPTED PRIVATE KEY", Holds::Other("a private key", GIVE_CERTIFICATE_OF_KEY)),
    ("RSA PRIVATE KEY", Holds::Other("a private key", GIVE_CERTIFICATE_OF_KEY)),
    ("EC PRIVATE KEY", Holds::Other("a private key", GIVE_CERTIFICATE_OF_KEY)),
];

const GIVE_CERTIFICATE_OF_KEY: &str = "give the certificate of this key, the key belongs elsewhere";

/// What a PEM block holds.
#[derive(Clone, Copy)]
enum Holds {
    Certificate,
    Pkcs7,
    /// What it is instead, and what to do.
    Other(&'static str, &'static str),
}

impl Certificate {
    /// Reads all certificates of a file: DER (one or several), PEM (one or
    /// several, with text, keys and anything else around them), or a PKCS#7
    /// object in either form.
    ///
    /// # Errors
    /// There is no certificate in it, or one that is damaged; the error says
    /// what the file holds instead and what to do.
    pub fn from_file(bytes: &[u8]) -> Result<Vec<Self>, CertificateError> {
        let certificates = if bytes.trim_ascii_start().first() == Some(&tag::SEQUENCE) && !is_text(bytes) {
            from_der(bytes)?
        } else {
            from_pem(bytes)?
        };
        if certificates.is_empty() {
            return Err(CertificateError::NotACertificate {
                found: "a PKCS#7 object without certificates".to_owned(),
                advice: "give a file that holds one",
            });
        }
        Ok(certificates)
    }
}

/// Whether bytes that start with `0` are text rather than DER.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().take(64).all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace())
}

fn from_der(bytes: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let mut input = Cursor::new(bytes, 0);
    let mut certificates = Vec::new();
    while !input.rest().trim_ascii().is_empty() {
        let outer = input.field(tag::SEQUENCE, "certificate")?;
        match outer.inside().peek() {
            Some(tag::OID) => certificates.extend(from_pkcs7(outer.whole)?),
            // PFX and private keys start with a version number, certificates and requests with a SEQUENCE.
            Some(tag::INTEGER) => {
                return Err(CertificateError::NotACertificate {
                    found: "the file is a PKCS#12 container or a private key".to_owned(),
                    advice: "give the certificate by itself (openssl pkcs12 -nokeys takes it out)",
                });
            }
            _ => certificates.push(Certificate::parse(outer.whole)?),
        }
    }
    Ok(certificates)
}

/// The certificates of a SignedData (RFC 5652 section 5.1); attribute
/// certificates and other formats in it are passed over.
fn from_pkcs7(der: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let mut content_info = Cursor::new(der, 0).field(tag::SEQUENCE, "ContentInfo")?.inside();
    let content_type = content_info.field(tag::OID, "contentType")?;
    if !SIGNED_DATA.contains(&content_type.content) {
        return Err(CertificateError::NotACertificate {
            found: format!("a PKCS#7 object of type {}", object_identifier(&content_type)?),
            advice: "certificates are kept in one of type signedData",
        });
    }
    let content = content_info.field(tag::context(0), "content")?;
    let mut signed_data = content.inside().field(tag::SEQUENCE, "SignedData")?.inside();
    signed_data.field(tag::INTEGER, "version")?;
    signed_data.field(tag::SET, "digestAlgorithms")?;
    signed_data.field(tag::SEQUENCE, "encapContentInfo")?;
    let mut certificates = Vec::new();
    if let Some(set) = signed_data.optional(tag::context(0), "certificates")? {
        let mut set = set.inside();
        while !set.is_empty() {
            let element = set.any("certificate")?;
            if element.identifier() == tag::SEQUENCE {
                certificates.push(Certificate::parse(element.whole)?);
            }
        }
    }
    Ok(certificates)
}

fn from_pem(bytes: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let mut certificates = Vec::new();
    let mut found_any = false;
    let mut instead = None;
    for block in blocks(bytes)? {
        let label = block.label.as_str();
        let error = |why: String| block.error(why);
        let decode = || block.decode();
        let holds = LABELS.iter().find(|(known, _)| *known == label).map(|(_, holds)| *holds);
        match holds {
            Some(Holds::Certificate) => {
                found_any = true;
                let der = decode()?;
                // TRUSTED CERTIFICATE carries OpenSSL's own trust settings after the certificate.
                let first = Cursor::new(&der, 0).any("certificate").map_err(|why| error(why.to_string()))?;
                certificates.push(Certificate::parse(first.whole).map_err(|why| error(why.to_string()))?);
            }
            Some(Holds::Pkcs7) => {
                found_any = true;
                certificates.extend(from_pkcs7(&decode()?).map_err(|why| error(why.to_string()))?);
            }
            Some(Holds::Other(found, advice)) => instead = instead.or(Some((found.to_owned(), advice))),
            None => instead = instead.or(Some((format!("a PEM block {label:?}"), "give a PEM block CERTIFICATE"))),
        }
    }
    if found_any {
        return Ok(certificates);
    }
    let (found, advice) =
        instead.unwrap_or_else(|| ("the file is neither DER nor PEM".to_owned(), "give a certificate in DER or PEM"));
    Err(CertificateError::NotACertificate { found, advice })
}

impl Crl {
    /// Reads all CRLs of a file: DER (one or several), or PEM with anything
    /// around it.
    ///
    /// # Errors
    /// There is no CRL in it, or one that is damaged.
    pub fn from_file(bytes: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if bytes.first() == Some(&tag::SEQUENCE) && !is_text(bytes) {
            let mut input = Cursor::new(bytes, 0);
            let mut crls = Vec::new();
            while !input.rest().trim_ascii().is_empty() {
                crls.push(Self::parse(input.field(tag::SEQUENCE, "CRL")?.whole)?);
            }
            return Ok(crls);
        }
        let blocks = blocks(bytes)?;
        let crls = blocks.iter().filter(|block| block.label == "X509 CRL");
        let crls = crls.map(|block| Self::read(block.decode()?).map_err(|why| block.error(why.to_string())));
        let crls = crls.collect::<Result<Vec<_>, _>>()?;
        if crls.is_empty() {
            return Err(CertificateError::NotACrl);
        }
        Ok(crls)
    }
}

impl Certificate {
    /// The certificate in PEM (RFC 7468 section 5), with lines of 64 characters.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let text = LENIENT.encode(self.der());
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.extend([line, "\n"]);
            rest = after;
        }
        pem + "-----END CERTIFICATE-----\n"
    }
}

/// What the PEM blocks with this label hold.
pub(super) fn pem_blocks(bytes: &[u8], label: &str) -> Result<Vec<Vec<u8>>, CertificateError> {
    blocks(bytes)?.iter().filter(|block| block.label == label).map(Block::decode).collect()
}

/// A PEM block (RFC 7468).
struct Block {
    label: String,
    /// Where it starts, counted from 1.
    line: usize,
    /// Its base64.
    body: String,
}

impl Block {
    fn error(&self, why: String) -> CertificateError {
        CertificateError::Pem { label: self.label.clone(), line: self.line, why }
    }

    fn decode(&self) -> Result<Vec<u8>, CertificateError> {
        LENIENT.decode(&self.body).map_err(|why| self.error(format!("its base64 is damaged: {why}")))
    }
}

/// All PEM blocks of a file; what stands between them is passed over.
fn blocks(bytes: &[u8]) -> Result<Vec<Block>, CertificateError> {
    let text = String::from_utf8_lossy(bytes);
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(label) = label(line, "-----BEGIN ") else { continue };
        let mut block = Block { label: label.to_owned(), line: index + 1, body: String::new() };
        let end = format!("-----END {label}-----");
        loop {
            match lines.next() {
                Some((_, line)) if line.trim() == end => break,
                Some((_, line)) if line.contains("-----") => {
                    return Err(block.error(format!("{:?} stands before its end", line.trim())));
                }
                // Headers inside a block (RFC 1421) have a colon; base64 has none.
                Some((_, line)) if line.contains(':') => {}
                Some((_, line)) => block.body.extend(line.split_whitespace()),
                None => return Err(block.error("its END line is missing".to_owned())),
            }
        }
        blocks.push(block);
    }
    Ok(blocks)
}

/// The label of a BEGIN or END line.
fn label<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.trim().trim_start_matches('\u{feff}').strip_prefix(start)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Certificate::from_file(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_crl_is_known_by_its_fields() {
        use crate::ber::writer::{element, integer, oid, sequence};
        let algorithm = sequence([oid("1.2.840.10045.4.3.2").unwrap()]);
        let (issuer, this_update) = (sequence([b""]), element(tag::UTC_TIME, b"250615120000Z"));
        let list = |fields: &[&[u8]]| sequence([sequence(fields), algorithm.clone(), element(tag::BIT_STRING, &[0])]);
        let first = list(&[&algorithm, &issuer, &this_update]);
        let second = list(&[&integer(1), &algorithm, &issuer, &this_update, &this_update]);
        let updates = |crls: Vec<Crl>| crls.iter().map(|crl| crl.next_update().is_some()).collect::<Vec<_>>();
        assert_eq!(updates(Crl::from_file(&[first, second.clone()].concat()).unwrap()), [false, true]);
        let pem = format!("text\n-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", LENIENT.encode(&second));
        assert_eq!(updates(Crl::from_file(pem.as_bytes()).unwrap()), [true]);
        for no_crl in [b"".as_slice(), b"text", pem.replace("CRL", "PKCS").as_bytes()] {
            assert_eq!(Crl::from_file(no_crl).unwrap_err(), CertificateError::NotACrl);
        }
        let certificate = list(&[&integer(1), &algorithm, &issuer, &sequence([b""])]);
        let error = Crl::from_file(&certificate).unwrap_err().to_string();
        assert!(error.starts_with("thisUpdate at offset"), "{error}");
    }

    #[test]
    fn errors_say_what_it_is_and_what_to_do() {
        assert_eq!(
            error("hello"),
            "no certificate found: the file is neither DER nor PEM; give a certificate in DER or PEM"
        );
        let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
        assert!(error(key).starts_with("no certificate found: a private key; give the certificate"), "{}", error(key));
        let cut = "x\n-----BEGIN CERTIFICATE-----\nMAA=\n";
        assert_eq!(error(cut), "PEM block \"CERTIFICATE\" starting at line 2: its END line is missing");
        let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert!(error(empty).ends_with("tbsCertificate at offset 2 is missing"), "{}", error(empty));
        let damaged = "-----BEGIN CERTIFICATE-----\nM?A=\n-----END CERTIFICATE-----\n";
        assert!(error(damaged).contains("base64 is damaged"), "{}", error(damaged));
        let pfx = Certificate::from_file(&[0x30, 3, 2, 1, 3]).unwrap_err().to_string();
        assert!(pfx.contains("PKCS#12"), "{pfx}");
    }
}
