//! A PKCS#12 file that hands a key to another program.

use hmac::{KeyInit, Mac};
use zeroize::Zeroizing;

use crate::{
    DigestAlgorithm, KeyError, Random,
    digest::with_hmac,
    pbe::{self, Purpose},
};

/// Writes a private key and its certificate into a PKCS#12 file (RFC 7292): the
/// only way in of programs that keep keys in a database of their own, such as
/// those on NSS.
///
/// The key is **not encrypted** (a keyBag, RFC 7292 section 4.2.1): the password
/// only vouches for the file, and it goes through one round. This is for a file
/// that nobody else can read and that is removed at once, not for one that is kept.
///
/// `key` is a PrivateKeyInfo in DER, `certificate` its certificate in DER, `name`
/// what the other program calls them.
///
/// # Errors
/// There is no HMAC for the digest, which does not happen with SHA-256.
pub fn hand_over(
    key: &[u8],
    certificate: &[u8],
    name: &str,
    password: &str,
    random: &mut dyn Random,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut identifier = [0; 20];
    random.fill(&mut identifier);
    let mut salt = [0; 16];
    random.fill(&mut salt);

    // Both carry the same localKeyId: this is how a reader tells which certificate belongs to which key.
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attributes = tlv(
        SET,
        &[&attribute(FRIENDLY_NAME, &tlv(BMP_STRING, &[&units])), &attribute(LOCAL_KEY_ID, &octets(&identifier))],
    );
    let held = tlv(SEQUENCE, &[X509_CERTIFICATE, &tlv(CONTEXT_0, &[&octets(certificate)])]);
    let keys = tlv(SEQUENCE, &[&bag(KEY_BAG, key, &attributes)]);
    let certificates = tlv(SEQUENCE, &[&bag(CERT_BAG, &held, &attributes)]);
    let safe = tlv(SEQUENCE, &[&data(&keys), &data(&certificates)]);

    let digest = DigestAlgorithm::Sha256;
    let spelling = pbe::spellings(password).swap_remove(0);
    let mac_key = pbe::derive(digest, Purpose::Mac, &spelling, &salt, 1, digest.output_len());
    let mac = with_hmac!(digest, M => {
        let mut mac = M::new_from_slice(&mac_key).map_err(|error| crate::ber::bad(format!("no HMAC: {error}")))?;
        mac.update(&safe);
        mac.finalize().into_bytes().to_vec()
    });
    let info = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[SHA_256, &[NULL, 0]]), &octets(&mac)]);
    let mac_data = tlv(SEQUENCE, &[&info, &octets(&salt)]);
    Ok(tlv(SEQUENCE, &[&[INTEGER, 1, 3], &data(&safe), &mac_data]))
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;

/// Object identifiers in DER: 1.2.840.113549.1.7.1 id-data,
const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
/// 1.2.840.113549.1.12.10.1.1,
const KEY_BAG: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01";
/// 1.2.840.113549.1.12.10.1.3,
const CERT_BAG: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03";
/// 1.2.840.113549.1.9.22.1,
const X509_CERTIFICATE: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";
/// 1.2.840.113549.1.9.20,
const FRIENDLY_NAME: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14";
/// 1.2.840.113549.1.9.21,
const LOCAL_KEY_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15";
/// and 2.16.840.1.101.3.4.2.1.
const SHA_256: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";

fn octets(content: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(OCTET_STRING, &[content])
}

/// ContentInfo (RFC 5652 section 3) with data.
fn data(content: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(SEQUENCE, &[DATA, &tlv(CONTEXT_0, &[&octets(content)])])
}

/// SafeBag (RFC 7292 section 4.2).
fn bag(kind: &[u8], value: &[u8], attributes: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(SEQUENCE, &[kind, &tlv(CONTEXT_0, &[value]), attributes])
}

fn attribute(kind: &[u8], value: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(SEQUENCE, &[kind, &tlv(SET, &[value])])
}

/// An element in DER. Never grown: no copy of a key stays behind.
fn tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Zeroizing::new(Vec::with_capacity(len + 2 + size_of::<usize>()));
    out.push(tag);
    match u8::try_from(len) {
        Ok(short @ ..0x80) => out.push(short),
        _ => {
            let long = len.to_be_bytes();
            let long = &long[long.iter().take_while(|octet| **octet == 0).count()..];
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}
