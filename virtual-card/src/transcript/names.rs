//! What the numbers of a session are called.

use crate::{
    piv::{self, Algorithm, Slot, object::DataObject, reference_data},
    pkcs15,
};

/// An application that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Application {
    Piv,
    /// IsoApplet, with the files of PKCS #15 in it.
    IsoApplet,
    /// The dedicated file of PKCS #15.
    Pkcs15,
}

/// Application identifiers that hosts ask for, cut off where all versions
/// agree. Those that nobody answers here are what OpenSC 0.23 tries on an
/// unknown card, and yubico-piv-tool 2.2.
const IDENTIFIERS: &[(&[u8], &str, Option<Application>)] = &[
    (&[0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00], "PIV", Some(Application::Piv)),
    (&pkcs15::AID, "IsoApplet (PKCS #15)", Some(Application::IsoApplet)),
    (&pkcs15::APPLICATION_NAME, "PKCS #15", Some(Application::Pkcs15)),
    (&[0x76, 0x27, 0x60, 0x1F, 0xF0, 0x00, 0x00], "CoolKey", None),
    (&[0x76, 0x27, 0x60, 0x1F, 0xF0], "CoolKey", None),
    (&[0x76, 0x27], "CoolKey", None),
    (&[0xA0, 0x00, 0x00, 0x00, 0x01, 0x01], "MuscleCard", None),
    (&[0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01], "SmartCard-HSM", None),
    (&[0xD2, 0x33, 0x00, 0x00, 0x00], "Estonian ID card", None),
    (&[0xD2, 0x76, 0x00, 0x01, 0x24, 0x01], "OpenPGP", None),
    (&[0xA0, 0x00, 0x00, 0x01, 0x16, 0xDB, 0x00], "CAC, capability container", None),
    (&[0xA0, 0x00, 0x00, 0x00, 0x79], "CAC", None),
    (&[0xA0, 0x00, 0x00, 0x05, 0x27, 0x20, 0x01, 0x01], "YubiKey OTP", None),
    (&[0xA0, 0x00, 0x00, 0x05, 0x27], "YubiKey", None),
];

fn identifier(aid: &[u8]) -> Option<&'static (&'static [u8], &'static str, Option<Application>)> {
    // A host may cut the identifier off after five octets.
    IDENTIFIERS.iter().find(|(known, ..)| aid.starts_with(known) || (aid.len() >= 5 && known.starts_with(aid)))
}

impl Application {
    pub(super) fn by_identifier(aid: &[u8]) -> Option<Self> {
        identifier(aid).and_then(|(_, _, application)| *application)
    }
}

/// What an application identifier stands for.
pub(super) fn application(aid: &[u8]) -> &'static str {
    identifier(aid).map_or("an application that is not known here", |(_, name, _)| name)
}

/// Instructions (ISO/IEC 7816-4 table 5, ISO/IEC 7816-8, SP 800-73-4 part 2
/// table 2; the last ones are those of YubiKeys).
const INSTRUCTIONS: &[(u8, &str)] = &[
    (0x20, "VERIFY"),
    (0x22, "MANAGE SECURITY ENVIRONMENT"),
    (0x24, "CHANGE REFERENCE DATA"),
    (0x2A, "PERFORM SECURITY OPERATION"),
    (0x2C, "RESET RETRY COUNTER"),
    (0x46, "GENERATE ASYMMETRIC KEY PAIR"),
    (0x47, "GENERATE ASYMMETRIC KEY PAIR"),
    (0x70, "MANAGE CHANNEL"),
    (0x82, "EXTERNAL AUTHENTICATE"),
    (0x84, "GET CHALLENGE"),
    (0x87, "GENERAL AUTHENTICATE"),
    (0x88, "INTERNAL AUTHENTICATE"),
    (0xA4, "SELECT"),
    (0xB0, "READ BINARY"),
    (0xB2, "READ RECORD"),
    (0xC0, "GET RESPONSE"),
    (0xCA, "GET DATA"),
    (0xCB, "GET DATA"),
    (0xD6, "UPDATE BINARY"),
    (0xDA, "PUT DATA"),
    (0xDB, "PUT DATA"),
    (0xE0, "CREATE FILE"),
    (0xE4, "DELETE FILE"),
    (0xF7, "GET METADATA (YubiKey)"),
    (0xF8, "GET SERIAL (YubiKey)"),
    (0xF9, "ATTEST (YubiKey)"),
    (0xFA, "SET PIN RETRIES (YubiKey)"),
    (0xFB, "RESET (YubiKey)"),
    (0xFD, "GET VERSION (YubiKey)"),
    (0xFE, "IMPORT ASYMMETRIC KEY (YubiKey)"),
    (0xFF, "SET MANAGEMENT KEY (YubiKey)"),
];

pub(super) fn instruction(code: u8) -> String {
    let known = INSTRUCTIONS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("instruction {code:02X}"), |(_, name)| (*name).to_owned())
}

/// Reference data: P2 of VERIFY and its relatives (SP 800-73-4 part 1 table 4a).
pub(super) fn reference_data(reference: u8, application: Option<Application>) -> String {
    let name = match (application, reference) {
        (Some(Application::Piv), 0x00) => "Global PIN",
        (Some(Application::Piv), reference_data::PIN) => "PIV Card Application PIN",
        (Some(Application::Piv), reference_data::PUK) => "PIN Unblocking Key",
        (Some(Application::Piv), 0x96 | 0x97) => "biometric data",
        (Some(Application::Piv), 0x98) => "pairing code",
        (Some(Application::IsoApplet | Application::Pkcs15), pkcs15::PIN) => "PIN",
        (Some(Application::IsoApplet | Application::Pkcs15), pkcs15::PUK) => "PUK",
        _ => return format!("reference data {reference:02X}"),
    };
    format!("{name} ({reference:02X})")
}

/// A data object of PIV by its tag.
pub(super) fn data_object(tag: u32) -> String {
    match DataObject::by_tag(tag) {
        Some(object) => format!("{} ({tag:X})", object.name),
        None => format!("data object {tag:X}"),
    }
}

/// A key of PIV by its reference.
pub(super) fn piv_key(reference: u8) -> String {
    match Slot::by_reference(reference) {
        Some(slot) => format!("{} ({reference:02X})", slot.title()),
        None if reference == piv::MANAGEMENT_KEY => format!("card management key ({reference:02X})"),
        None => format!("key {reference:02X}"),
    }
}

/// An algorithm of an asymmetric key of PIV.
pub(super) fn piv_algorithm(id: u8) -> String {
    Algorithm::by_id(id).map_or_else(|| format!("algorithm {id:02X}"), |algorithm| algorithm.kind.to_string())
}

/// An algorithm in a security environment of PKCS #15.
pub(super) fn pkcs15_algorithm(reference: u8) -> String {
    let known = pkcs15::ALGORITHMS.iter().find(|(known, ..)| *known == reference);
    known.map_or_else(|| format!("algorithm {reference:02X}"), |(_, _, name)| (*name).to_owned())
}

/// Files with fixed identifiers (ISO/IEC 7816-15 section 7.5).
const FILES: &[(u16, &str)] = &[
    (0x3F00, "master file"),
    (0x2F00, "EF.DIR"),
    (0x2F01, "EF.ATR"),
    (0x5015, "DF of PKCS #15"),
    (0x5031, "EF.OD"),
    (0x5032, "EF.CIAInfo"),
];

/// A file by the identifiers of its path.
pub(super) fn file(path: &[u8]) -> String {
    let digits: String = path.iter().map(|octet| format!("{octet:02X}")).collect();
    let last = path.last_chunk::<2>().map(|last| u16::from_be_bytes(*last));
    match FILES.iter().find(|(known, _)| Some(*known) == last) {
        Some((_, name)) => format!("{name} ({digits})"),
        None => format!("file {digits}"),
    }
}
