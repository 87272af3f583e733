//! The files of ISO/IEC 7816-15 in DER: what a host learns of the card from.
//!
//! File identifiers are those that OpenSC's profile `isoApplet` gives.

use zeroize::Zeroizing;

use super::{
    der::{self, Der, integer, named_bits, octet_string, sequence, tagged, utf8},
    file::{Access, File, FileSystem, MASTER_FILE},
    reference_data::{PIN, PUK},
    setup::{KeyEntry, Purpose, REFERENCE_DATA_LEN, Setup},
};
use crate::{
    key::{KeyKind, PublicNumbers},
    tlv,
};

/// The name of the application's dedicated file: RID of RSA Laboratories,
/// `PKCS-15` (ISO/IEC 7816-15 section 7.5.5).
pub const APPLICATION_NAME: [u8; 12] = *b"\xA0\x00\x00\x00\x63PKCS-15";

const EF_DIR: u16 = 0x2F00;
const APPLICATION: u16 = 0x5015;
const EF_OD: u16 = 0x5031;
const EF_CIA_INFO: u16 = 0x5032;
const EF_AOD: u16 = 0x4401;
const EF_PRKD: u16 = 0x4402;
const EF_PUKD: u16 = 0x4403;
const EF_CD: u16 = 0x4404;
const EF_DCOD: u16 = 0x4405;
const FIRST_PUBLIC_KEY: u16 = 0x3300;
const FIRST_CERTIFICATE: u16 = 0x3400;
const FIRST_DATA: u16 = 0x3500;

/// Authentication identifiers of PIN and PUK.
const AUTH_PIN: &[u8] = &[1];
const AUTH_PUK: &[u8] = &[2];

/// KeyUsageFlags (ISO/IEC 7816-15 section 8.2.9).
mod usage {
    pub(super) const ENCIPHER: u8 = 0;
    pub(super) const DECIPHER: u8 = 1;
    pub(super) const SIGN: u8 = 2;
    pub(super) const KEY_ENCIPHER: u8 = 4;
    pub(super) const KEY_DECIPHER: u8 = 5;
    pub(super) const VERIFY: u8 = 6;
    pub(super) const NON_REPUDIATION: u8 = 9;
}

/// Puts every file that the setup asks for below the master file.
pub(super) fn write(setup: &Setup, files: &mut FileSystem) {
    let mut public = |identifier, content: &[u8]| {
        files.add(&[APPLICATION, identifier], elementary(content, Access::Everybody));
    };
    for (index, entry) in (0..).zip(&setup.keys) {
        public(FIRST_PUBLIC_KEY + index, &public_key_file(entry));
    }
    let keys = setup.keys.iter().map(|entry| &entry.certificate);
    for (index, der) in (0..).zip(keys.chain(setup.authorities.iter().map(|authority| &authority.certificate))) {
        public(FIRST_CERTIFICATE + index, der);
    }
    public(EF_OD, &object_directory());
    public(EF_CIA_INFO, &card_info(setup));
    public(EF_AOD, &authentication_objects());
    public(EF_PRKD, &numbered(&setup.keys, private_key));
    public(EF_PUKD, &numbered(&setup.keys, public_key));
    public(EF_CD, &certificates(setup));
    public(
        EF_DCOD,
        &numbered(&setup.data, |index, entry| {
            let flags: &[u8] = if entry.private { &[0] } else { &[] };
            let auth = if entry.private { octet_string(AUTH_PIN) } else { Der::default() };
            let common = sequence(&[&utf8(&entry.label), &named_bits(flags), &auth]);
            sequence(&[&common, &sequence(&[&utf8(&entry.application)]), &tagged(1, &[&path(FIRST_DATA + index)])])
        }),
    );
    for (index, entry) in (0..).zip(&setup.data) {
        let read = if entry.private { Access::User } else { Access::Everybody };
        files.add(&[APPLICATION, FIRST_DATA + index], elementary(&entry.value, read));
    }
    files.add(&[APPLICATION], File::Dedicated(APPLICATION_NAME.to_vec()));
    files.add(&[EF_DIR], elementary(&dir(&setup.label), Access::Everybody));
}

fn elementary(content: &[u8], read: Access) -> File {
    File::Elementary { content: Zeroizing::new(content.to_vec()), read }
}

fn numbered<T>(entries: &[T], der: impl Fn(u16, &T) -> Der) -> Vec<u8> {
    (0..).zip(entries).flat_map(|(index, entry)| der(index, entry).to_vec()).collect()
}

/// EF.DIR: one application template (ISO/IEC 7816-4 section 12.2.2).
fn dir(label: &str) -> Der {
    let path = [MASTER_FILE.to_be_bytes(), APPLICATION.to_be_bytes()].concat();
    tlv::constructed(
        0x61,
        &[&tlv::write(0x4F, &APPLICATION_NAME), &tlv::write(0x50, label.as_bytes()), &tlv::write(0x51, &path)],
    )
}

/// EF.OD: where the other directories stand (section 8.3).
fn object_directory() -> Vec<u8> {
    let places = [(8, EF_AOD), (0, EF_PRKD), (1, EF_PUKD), (4, EF_CD), (7, EF_DCOD)];
    places.iter().flat_map(|(choice, identifier)| tagged(*choice, &[&path(*identifier)]).to_vec()).collect()
}

/// EF.CIAInfo, which PKCS #15 calls TokenInfo (section 8.10): read-only, with a PIN and random numbers.
fn card_info(setup: &Setup) -> Der {
    sequence(&[
        &integer(0),
        &octet_string(&setup.serial),
        &utf8(&setup.manufacturer),
        &tlv::write(0x80, setup.label.as_bytes()),
        &named_bits(&[0, 1, 2]),
    ])
}

/// EF.AOD: the PIN, and the PUK that unblocks it (section 8.9).
fn authentication_objects() -> Vec<u8> {
    // PasswordFlags: case-sensitive 0, local 1, change-disabled 2, initialized 4, needs-padding 5, unblockingPassword 6.
    [
        password("PIN", AUTH_PIN, Some(AUTH_PUK), &[0, 1, 4, 5], PIN).to_vec(),
        password("PUK", AUTH_PUK, None, &[0, 1, 2, 4, 5, 6], PUK).to_vec(),
    ]
    .concat()
}

fn password(label: &str, id: &[u8], unblocked_by: Option<&[u8]>, flags: &[u8], reference: u8) -> Der {
    const ASCII_NUMERIC: &[u8] = &[0x0A, 1, 1];
    let stored = integer(REFERENCE_DATA_LEN as u32);
    let auth = unblocked_by.map_or_else(Der::default, octet_string);
    let attributes = sequence(&[
        &named_bits(flags),
        ASCII_NUMERIC,
        &integer(4),
        &stored,
        &stored,
        &tlv::write(0x80, &der::content(reference.into())),
        &octet_string(&[0]),
        &sequence(&[&octet_string(&[MASTER_FILE.to_be_bytes(), APPLICATION.to_be_bytes()].concat())]),
    ]);
    sequence(&[
        &sequence(&[&utf8(label), &named_bits(&[0, 1]), &auth]),
        &sequence(&[&octet_string(id)]),
        &tagged(1, &[&attributes]),
    ])
}

/// An entry of EF.PrKD (section 8.4).
fn private_key(index: u16, entry: &KeyEntry) -> Der {
    let usage: &[u8] = match entry.purpose {
        Purpose::Sign => &[usage::SIGN, usage::NON_REPUDIATION],
        Purpose::Decipher => &[usage::DECIPHER, usage::KEY_DECIPHER],
    };
    let common = sequence(&[&utf8(&entry.label), &named_bits(&[0]), &octet_string(AUTH_PIN)]);
    // KeyAccessFlags: sensitive 0, alwaysSensitive 2, neverExtractable 3.
    let class = sequence(&[&id(index), &named_bits(usage), &named_bits(&[0, 2, 3]), &integer(index.into())]);
    // Keys are no files: their path is empty, and the key reference finds them.
    let nowhere = sequence(&[&octet_string(&[])]);
    key_type(entry.key.kind(), &common, &class, &nowhere, true)
}

/// An entry of EF.PuKD (section 8.5).
fn public_key(index: u16, entry: &KeyEntry) -> Der {
    let usage: &[u8] = match entry.purpose {
        Purpose::Sign => &[usage::VERIFY],
        Purpose::Decipher => &[usage::ENCIPHER, usage::KEY_ENCIPHER],
    };
    let common = sequence(&[&utf8(&entry.label), &named_bits(&[])]);
    let class = sequence(&[&id(index), &named_bits(usage)]);
    key_type(entry.key.kind(), &common, &class, &path(FIRST_PUBLIC_KEY + index), false)
}

/// RSA keys stand in a sequence, those on curves in `[0]`.
///
/// OpenSC wants the size of the field of a private key on a curve as a number
/// after the path, where ISO/IEC 7816-15 has the optional KeyInfo: without it
/// the key is "EC with field_size 0", and is not used.
fn key_type(kind: KeyKind, common: &[u8], class: &[u8], place: &[u8], private: bool) -> Der {
    let bits = integer(match kind {
        KeyKind::Rsa(bits) => bits,
        _ => kind.octets() as u32 * 8,
    });
    match kind {
        KeyKind::Rsa(_) => sequence(&[common, class, &tagged(1, &[&sequence(&[place, &bits])])]),
        _ if private => tagged(0, &[common, class, &tagged(1, &[&sequence(&[place, &bits])])]),
        _ => tagged(0, &[common, class, &tagged(1, &[&sequence(&[place])])]),
    }
}

/// EF.CD: the certificates of keys have their identifiers (section 8.7).
fn certificates(setup: &Setup) -> Vec<u8> {
    let of_keys = setup.keys.iter().map(|entry| (&entry.label, false));
    let entries = of_keys.chain(setup.authorities.iter().map(|authority| (&authority.label, true)));
    let der = |(index, (label, authority)): (u16, (&String, bool))| {
        let authority = if authority { der::truth() } else { Der::default() };
        let common = sequence(&[&utf8(label), &named_bits(&[])]);
        let value = tagged(1, &[&sequence(&[&path(FIRST_CERTIFICATE + index)])]);
        sequence(&[&common, &sequence(&[&id(index), &authority]), &value]).to_vec()
    };
    (0..).zip(entries).flat_map(der).collect()
}

/// RSA: RSAPublicKey (RFC 8017 appendix A.1.1); on a curve: SubjectPublicKeyInfo, as OpenSC reads it.
fn public_key_file(entry: &KeyEntry) -> Vec<u8> {
    match entry.key.public_numbers() {
        Ok(PublicNumbers::Rsa { modulus, exponent }) => {
            let number = |digits: &[u8]| {
                let sign: &[u8] = if digits.first().is_some_and(|digit| digit & 0x80 != 0) { &[0] } else { &[] };
                tlv::constructed(0x02, &[sign, digits])
            };
            sequence(&[&number(&modulus), &number(&exponent)]).to_vec()
        }
        _ => entry.key.public_key().to_vec(),
    }
}

/// An identifier; that of the first object is 1.
fn id(index: u16) -> Der {
    octet_string(&der::content(u32::from(index) + 1))
}

/// The path of a file of the application, from the master file on.
fn path(identifier: u16) -> Der {
    let octets = [MASTER_FILE, APPLICATION, identifier].map(u16::to_be_bytes).concat();
    sequence(&[&octet_string(&octets)])
}
