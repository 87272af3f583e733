//! The data objects of PIV (NIST SP 800-73-4 part 1 section 4 and table 3).

use std::io::{self, Read, Write};

use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use zeroize::Zeroizing;

use crate::tlv;

/// A data object that a PIV card can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataObject {
    /// Its tag in the command data field of GET DATA and PUT DATA.
    pub tag: u32,
    /// Its container identifier.
    pub container: u16,
    /// Its name in SP 800-73-4 part 1 table 3.
    pub name: &'static str,
    /// Whether it is read after a PIN only.
    pub needs_pin: bool,
}

/// Card Capability Container.
pub const CAPABILITY_CONTAINER: u32 = 0x5FC107;
/// Card Holder Unique Identifier.
pub const CHUID: u32 = 0x5FC102;
/// Security Object.
pub const SECURITY_OBJECT: u32 = 0x5FC106;
/// Discovery Object.
pub const DISCOVERY: u32 = 0x7E;
/// Key History Object.
pub const KEY_HISTORY: u32 = 0x5FC10C;
/// The certificate of the first retired key; those of the others follow it.
pub const FIRST_RETIRED_CERTIFICATE: u32 = 0x5FC10D;
/// How many retired keys a card can have.
pub const RETIRED: u8 = 20;

/// Every data object that has a name of its own.
const NAMED: &[DataObject] = &[
    DataObject { tag: CAPABILITY_CONTAINER, container: 0xDB00, name: "Card Capability Container", needs_pin: false },
    DataObject { tag: CHUID, container: 0x3000, name: "Card Holder Unique Identifier", needs_pin: false },
    DataObject { tag: 0x5FC105, container: 0x0101, name: "X.509 Certificate for PIV Authentication", needs_pin: false },
    DataObject { tag: 0x5FC103, container: 0x6010, name: "Cardholder Fingerprints", needs_pin: true },
    DataObject { tag: SECURITY_OBJECT, container: 0x9000, name: "Security Object", needs_pin: false },
    DataObject { tag: 0x5FC108, container: 0x6030, name: "Cardholder Facial Image", needs_pin: true },
    DataObject {
        tag: 0x5FC101,
        container: 0x0500,
        name: "X.509 Certificate for Card Authentication",
        needs_pin: false,
    },
    DataObject { tag: 0x5FC10A, container: 0x0100, name: "X.509 Certificate for Digital Signature", needs_pin: false },
    DataObject { tag: 0x5FC10B, container: 0x0102, name: "X.509 Certificate for Key Management", needs_pin: false },
    DataObject { tag: 0x5FC109, container: 0x3001, name: "Printed Information", needs_pin: true },
    DataObject { tag: DISCOVERY, container: 0x6050, name: "Discovery Object", needs_pin: false },
    DataObject { tag: KEY_HISTORY, container: 0x6060, name: "Key History Object", needs_pin: false },
    DataObject { tag: 0x5FC121, container: 0x1015, name: "Cardholder Iris Images", needs_pin: true },
    DataObject {
        tag: 0x7F61,
        container: 0x1016,
        name: "Biometric Information Templates Group Template",
        needs_pin: false,
    },
    DataObject { tag: 0x5FC122, container: 0x1017, name: "Secure Messaging Certificate Signer", needs_pin: false },
    DataObject { tag: 0x5FC123, container: 0x1018, name: "Pairing Code Reference Data Container", needs_pin: true },
];

impl DataObject {
    /// The data object with this tag.
    #[must_use]
    pub fn by_tag(tag: u32) -> Option<Self> {
        let retired = FIRST_RETIRED_CERTIFICATE..FIRST_RETIRED_CERTIFICATE + u32::from(RETIRED);
        if retired.contains(&tag) {
            // 1001 to 1014, in the same order.
            let container = 0x1001 + (tag - FIRST_RETIRED_CERTIFICATE) as u16;
            return Some(Self {
                tag,
                container,
                name: "Retired X.509 Certificate for Key Management",
                needs_pin: false,
            });
        }
        NAMED.iter().copied().find(|object| object.tag == tag)
    }

    /// Whether it stands in the answer under its own tag, and not in a `53`.
    #[must_use]
    pub fn is_bare(self) -> bool {
        matches!(self.tag, DISCOVERY | 0x7F61)
    }
}

/// The tag that surrounds most data objects.
pub const WRAPPER: u32 = 0x53;

const CERTIFICATE: u32 = 0x70;
const CERTIFICATE_INFO: u32 = 0x71;
const ERROR_DETECTION_CODE: u32 = 0xFE;

/// The value of a certificate object (SP 800-73-4 part 1 table 10): the
/// certificate, compressed by gzip (RFC 1952) or not, and which of the two.
///
/// # Errors
/// It cannot be compressed.
pub fn certificate(der: &[u8], compressed: bool) -> io::Result<Zeroizing<Vec<u8>>> {
    let octets = if compressed {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(der)?;
        out.finish()?
    } else {
        der.to_vec()
    };
    Ok(Zeroizing::new(
        [
            tlv::write(CERTIFICATE, &octets).as_slice(),
            &tlv::write(CERTIFICATE_INFO, &[u8::from(compressed)]),
            &tlv::write(ERROR_DETECTION_CODE, &[]),
        ]
        .concat(),
    ))
}

/// The most that a certificate on a card may be, decompressed: a card holds
/// less, and what claims more wants to fill the memory of the host.
pub const CERTIFICATE_LIMIT: usize = 256 * 1024;

/// The certificate in the value of a certificate object.
///
/// # Errors
/// There is none, its compression is unknown or damaged, or it is larger than
/// [`CERTIFICATE_LIMIT`].
pub fn read_certificate(value: &[u8]) -> Result<Vec<u8>, String> {
    let octets = tlv::find(value, CERTIFICATE).ok_or("there is no certificate (tag 70) in it")?;
    match tlv::find(value, CERTIFICATE_INFO) {
        // CertInfo: the two low bits say how it is compressed.
        None | Some([0x00 | 0x04] | []) => Ok(octets.to_vec()),
        Some([0x01 | 0x05]) => {
            let mut der = Vec::new();
            let limit = CERTIFICATE_LIMIT as u64 + 1;
            let read = GzDecoder::new(octets).take(limit).read_to_end(&mut der);
            read.map_err(|error| format!("its certificate does not decompress: {error}"))?;
            if der.len() > CERTIFICATE_LIMIT {
                return Err(format!("its certificate has more than {CERTIFICATE_LIMIT} octets"));
            }
            Ok(der)
        }
        Some(info) => Err(format!("its CertInfo (tag 71) is {info:02x?}, and not 00 or 01")),
    }
}

/// The Key History Object (SP 800-73-4 part 1 section 3.3.4): how many retired
/// keys there are with certificates on the card, and without.
#[must_use]
pub fn key_history(on_card: u8, off_card: u8) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        [
            tlv::write(0xC1, &[on_card]).as_slice(),
            &tlv::write(0xC2, &[off_card]),
            // Where those without are would stand here; it must be empty while there are none.
            &tlv::write(0xF3, &[]),
            &tlv::write(ERROR_DETECTION_CODE, &[]),
        ]
        .concat(),
    )
}

/// How many retired keys with certificates on the card the value of a Key
/// History Object tells of; `None` where it is damaged.
#[must_use]
pub fn retired_on_card(key_history: &[u8]) -> Option<u8> {
    match tlv::find(key_history, 0xC1) {
        Some([count]) if *count <= RETIRED => Some(*count),
        _ => None,
    }
}

/// The Security Object (SP 800-73-4 part 1 section 3.1.7): which data group
/// stands for which container, and the signed hashes of the groups.
#[must_use]
pub fn security_object(mapping: &[u8], signed: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        [
            tlv::write(DATA_GROUP_MAPPING, mapping).as_slice(),
            &tlv::write(SIGNED_HASHES, signed),
            &tlv::write(ERROR_DETECTION_CODE, &[]),
        ]
        .concat(),
    )
}

/// Mapping of data groups to container identifiers.
pub const DATA_GROUP_MAPPING: u32 = 0xBA;
/// The signed hashes.
pub const SIGNED_HASHES: u32 = 0xBB;

/// The Discovery Object (SP 800-73-4 part 1 section 3.3.2) of a card with this
/// application identifier, which has a PIN of its own and no other.
#[must_use]
pub fn discovery(aid: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([tlv::write(0x4F, aid).as_slice(), &tlv::write(0x5F2F, &[0x40, 0x00])].concat())
}

/// The CHUID (SP 800-73-4 part 1 section 3.1.2) of a card with this GUID: a
/// FASC-N of nines, as cards have it that no federal agency issued, and no
/// signature.
#[must_use]
pub fn chuid(guid: [u8; 16], expires: &[u8; 8]) -> Zeroizing<Vec<u8>> {
    const FASC_N: [u8; 25] = [
        0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08, 0x42, 0x10,
        0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB,
    ];
    Zeroizing::new(
        [
            tlv::write(0x30, &FASC_N).as_slice(),
            &tlv::write(0x34, &guid),
            &tlv::write(0x35, expires),
            &tlv::write(0x3E, &[]),
            &tlv::write(ERROR_DETECTION_CODE, &[]),
        ]
        .concat(),
    )
}

/// The GUID in the value of a CHUID.
#[must_use]
pub fn guid(chuid: &[u8]) -> Option<&[u8]> {
    tlv::find(chuid, 0x34)
}

/// The Card Capability Container (SP 800-73-4 part 1 section 3.1.1 and table 8)
/// of a card with this identifier.
#[must_use]
pub fn capability_container(identifier: [u8; 14]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    // RID of GSC-IS, manufacturer, card type (a JavaCard), then the number of the card.
    let card_identifier = [&[0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02], identifier.as_slice()].concat();
    out.extend_from_slice(&tlv::write(0xF0, &card_identifier));
    // Versions 2.1 of container and grammar, no URL, not PKCS#15, data model 10; the rest is empty.
    for (tag, value) in [(0xF1, &[0x21][..]), (0xF2, &[0x21]), (0xF3, &[]), (0xF4, &[0x00]), (0xF5, &[0x10])] {
        out.extend_from_slice(&tlv::write(tag, value));
    }
    for tag in [0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, ERROR_DETECTION_CODE] {
        out.extend_from_slice(&tlv::write(tag, &[]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_as_it_was_put_compressed_or_not() {
        let der: Vec<u8> = (0..3000_u32).map(|number| (number / 7) as u8).collect();
        for compressed in [false, true] {
            let object = certificate(&der, compressed).unwrap();
            assert_eq!(read_certificate(&object).unwrap(), der);
            assert_eq!(object.len() < 1000, compressed);
        }
    }

    #[test]
    fn what_decompresses_to_too_much_is_refused() {
        let object = certificate(&vec![0; CERTIFICATE_LIMIT + 1], true).unwrap();
        assert!(object.len() < 1000);
        assert!(read_certificate(&object).unwrap_err().contains("more than 262144 octets"));
        assert!(read_certificate(&[0x71, 1, 0]).unwrap_err().contains("tag 70"));
        assert!(read_certificate(&[0x70, 1, 0, 0x71, 1, 1]).unwrap_err().contains("does not decompress"));
        assert!(read_certificate(&[0x70, 1, 0, 0x71, 1, 2]).unwrap_err().contains("CertInfo"));
    }

    #[test]
    fn objects_are_those_of_the_table() {
        assert_eq!(DataObject::by_tag(0x5FC10D).unwrap().name, "Retired X.509 Certificate for Key Management");
        assert_eq!(DataObject::by_tag(0x5FC120).unwrap().tag, 0x5FC120);
        assert_eq!(DataObject::by_tag(0x5FC121).unwrap().name, "Cardholder Iris Images");
        assert_eq!(DataObject::by_tag(0x5FC1FF), None);
        assert!(DataObject::by_tag(0x5FC109).unwrap().needs_pin);
        assert_eq!(retired_on_card(&key_history(3, 0)), Some(3));
        assert_eq!(retired_on_card(&key_history(21, 0)), None);
    }
}
