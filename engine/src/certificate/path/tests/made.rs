//! A small certification authority for tests: certificates of any shape,
//! with keys made from a number.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, ProviderChoice, SignatureScheme, Signer as _};

use crate::ber::writer as w;
use crate::certificate::{Certificate, Crl, OcspResponse};

/// The time at which everything made here is valid, unless it says otherwise.
pub(super) const NOW: OffsetDateTime = datetime!(2025-06-01 00:00 UTC);

pub(super) const KEY_CERT_SIGN: u8 = 0x04;
pub(super) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(super) const KEY_ENCIPHERMENT: u8 = 0x20;
pub(super) const KEY_AGREEMENT: u8 = 0x08;

/// A certificate to be made: start with [`root`], [`ca`] or [`leaf`], change
/// what the test is about.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) subject: &'static str,
    pub(super) issuer: &'static str,
    /// Number of the subject's key, and of the key that signs.
    pub(super) key: u8,
    pub(super) issuer_key: u8,
    pub(super) serial: u16,
    pub(super) version: u8,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
    /// Object identifier, critical, DER of the value.
    pub(super) extensions: Vec<(&'static str, bool, Vec<u8>)>,
    /// Whether the last octet of the signature is changed.
    pub(super) damaged: bool,
}

/// A self-signed authority.
pub(super) fn root(name: &'static str, key: u8) -> Made {
    ca(name, key, name, key)
}

/// An authority.
pub(super) fn ca(subject: &'static str, key: u8, issuer: &'static str, issuer_key: u8) -> Made {
    Made {
        extensions: vec![basic_constraints(true, None), key_usage(KEY_CERT_SIGN)],
        ..leaf(subject, key, issuer, issuer_key)
    }
}

/// The certificate of a person.
pub(super) fn leaf(subject: &'static str, key: u8, issuer: &'static str, issuer_key: u8) -> Made {
    Made {
        subject,
        issuer,
        key,
        issuer_key,
        serial: u16::from(key),
        version: 3,
        not_before: NOW - Duration::days(100),
        not_after: NOW + Duration::days(100),
        extensions: vec![
            key_usage(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT),
            extended_key_usage(&["1.3.6.1.5.5.7.3.4"]),
            alternative_name("person@example.test"),
        ],
        damaged: false,
    }
}

impl Made {
    /// Replaces an extension, or adds it.
    pub(super) fn with(mut self, extension: (&'static str, bool, Vec<u8>)) -> Self {
        self.extensions.retain(|known| known.0 != extension.0);
        self.extensions.push(extension);
        self
    }

    /// Takes an extension away.
    pub(super) fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|known| known.0 != oid);
        self
    }

    pub(super) fn expired(mut self) -> Self {
        self.not_after = NOW - Duration::DAY;
        self
    }

    pub(super) fn serial(mut self, serial: u16) -> Self {
        self.serial = serial;
        self
    }

    pub(super) fn make(&self) -> Certificate {
        let mut fields = Vec::new();
        if self.version > 1 {
            fields.push(w::context(0, &w::integer(u64::from(self.version - 1))));
        }
        fields.extend([
            w::integer(self.serial.into()),
            algorithm(),
            name(self.issuer),
            w::sequence([w::time(self.not_before).unwrap(), w::time(self.not_after).unwrap()]),
            name(self.subject),
            key(self.key).public_key().to_vec(),
        ]);
        if !self.extensions.is_empty() {
            let extensions = self.extensions.iter().map(|(oid, critical, value)| {
                let critical = if *critical { w::boolean(true) } else { Vec::new() };
                w::sequence([w::oid(oid).unwrap(), critical, w::octet_string(value)])
            });
            fields.push(w::context(3, &w::sequence(extensions)));
        }
        let mut whole = signed(&w::sequence(fields), self.issuer_key, &[]);
        if self.damaged {
            *whole.last_mut().unwrap() ^= 1;
        }
        Certificate::parse(&whole).unwrap()
    }
}

/// What is signed, the algorithm, the signature by a key, and what stands after
/// it.
pub(super) fn signed(tbs: &[u8], issuer_key: u8, after: &[u8]) -> Vec<u8> {
    let digest = Arithmetic::new(ProviderChoice::RustCrypto).digest(DigestAlgorithm::Sha256, tbs).unwrap();
    let signature = key(issuer_key).sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &digest).unwrap();
    w::sequence([tbs, algorithm().as_slice(), w::bit_string(&signature).as_slice(), after])
}

/// ecdsa-with-SHA256.
pub(super) fn algorithm() -> Vec<u8> {
    w::sequence([w::oid("1.2.840.10045.4.3.2").unwrap()])
}

/// A CRL of these days with these entries.
pub(super) fn crl(issuer: &str, issuer_key: u8, entries: &[u8]) -> Crl {
    let mut fields = vec![w::integer(1), algorithm(), name(issuer)];
    fields.extend([NOW - Duration::DAY, NOW + Duration::WEEK].map(|at| w::time(at).unwrap()));
    if !entries.is_empty() {
        fields.push(w::sequence([entries]));
    }
    Crl::read(signed(&w::sequence(fields), issuer_key, &[])).unwrap()
}

/// An entry of a CRL.
pub(super) fn revoked(serial: u16) -> Vec<u8> {
    w::sequence([w::integer(serial.into()), w::time(NOW - Duration::DAY).unwrap()])
}

/// An OCSP response that calls certificates good, each with its issuer's name
/// and key; `after` are the certificates of whoever signs.
pub(super) fn response(
    by: &str,
    key: u8,
    about: &[(&Certificate, &Certificate)],
    sent: &[Certificate],
) -> OcspResponse {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let single = |(certificate, issuer): &(&Certificate, &Certificate)| {
        let hash = |octets: &[u8]| w::octet_string(&arithmetic.digest(DigestAlgorithm::Sha1, octets).unwrap());
        let id = w::sequence([
            w::sequence([w::oid("1.3.14.3.2.26").unwrap()]),
            hash(certificate.issuer_der()),
            hash(issuer.key_bits().unwrap()),
            w::integer_octets(certificate.serial()),
        ]);
        w::sequence([id, w::element(0x80, &[]), w::generalized_time(NOW).unwrap()])
    };
    let responses: Vec<_> = about.iter().map(single).collect();
    let data = w::sequence([w::context(1, &name(by)), w::generalized_time(NOW).unwrap(), w::sequence(responses)]);
    let sent = w::context(0, &w::sequence(sent.iter().map(Certificate::der)));
    let basic = signed(&data, key, &sent);
    let bytes = w::sequence([w::oid("1.3.6.1.5.5.7.48.1.1").unwrap(), w::octet_string(&basic)]);
    let whole = w::sequence([w::element(w::tag::ENUMERATED, &[0]), w::context(0, &bytes)]);
    OcspResponse::parse(&whole).unwrap()
}

/// The P-256 key whose private scalar is made of this number.
fn key(number: u8) -> PrivateKey {
    let scalar = w::sequence([w::integer(1), w::octet_string(&[number; 32])]);
    let algorithm = w::sequence([w::oid("1.2.840.10045.2.1").unwrap(), w::oid("1.2.840.10045.3.1.7").unwrap()]);
    PrivateKey::from_pkcs8_der(&w::sequence([w::integer(0), algorithm, w::octet_string(&scalar)])).unwrap()
}

/// A name with a commonName; an empty text makes an empty name.
pub(super) fn name(common_name: &str) -> Vec<u8> {
    if common_name.is_empty() {
        return w::sequence::<[Vec<u8>; 0]>([]);
    }
    let attribute = w::sequence([w::oid("2.5.4.3").unwrap(), w::utf8_string(common_name)]);
    w::sequence([w::set_of(vec![attribute])])
}

pub(super) fn basic_constraints(ca: bool, path_length: Option<u64>) -> (&'static str, bool, Vec<u8>) {
    let ca = if ca { w::boolean(true) } else { Vec::new() };
    ("2.5.29.19", true, w::sequence([ca, path_length.map(w::integer).unwrap_or_default()]))
}

pub(super) fn key_usage(bits: u8) -> (&'static str, bool, Vec<u8>) {
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap();
    ("2.5.29.15", true, w::element(w::tag::BIT_STRING, &[unused, bits]))
}

pub(super) fn extended_key_usage(purposes: &[&str]) -> (&'static str, bool, Vec<u8>) {
    ("2.5.29.37", false, w::sequence(purposes.iter().map(|oid| w::oid(oid).unwrap())))
}

pub(super) fn alternative_name(address: &str) -> (&'static str, bool, Vec<u8>) {
    ("2.5.29.17", false, w::sequence([w::element(0x81, address.as_bytes())]))
}

/// nameConstraints with one rfc822Name subtree: permitted (0) or excluded (1).
pub(super) fn mail_constraint(kind: u8, base: &str) -> (&'static str, bool, Vec<u8>) {
    let subtree = w::sequence([w::element(0x81, base.as_bytes())]);
    ("2.5.29.30", true, w::sequence([w::context(kind, &subtree)]))
}

pub(super) fn subject_key(id: &[u8]) -> (&'static str, bool, Vec<u8>) {
    ("2.5.29.14", false, w::octet_string(id))
}

pub(super) fn authority_key(id: &[u8]) -> (&'static str, bool, Vec<u8>) {
    ("2.5.29.35", false, w::sequence([w::element(0x80, id)]))
}
