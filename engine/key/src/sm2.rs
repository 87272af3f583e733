//! SM2 ciphertexts, and the identifier that SM2 signatures depend on (GM/T
//! 0003.2 and 0003.4, GM/T 0009).

use std::fmt;

use crate::{
    KeyError,
    ber::{Elements, INTEGER, OCTET_STRING, SEQUENCE},
};

/// The identifier of a signer who has agreed on no other one (GM/T 0009
/// section 10): 16 octets.
pub const SM2_DEFAULT_ID: &[u8] = b"1234567812345678";

/// The longest identifier: its length in bits stands in two octets (GM/T
/// 0003.2 section 5.5).
pub const SM2_MAX_ID_LEN: usize = 0xffff / 8;

/// How a ciphertext of SM2 is written: C1 is a point, C2 the encrypted
/// octets, C3 their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sm2Form {
    /// `SM2Cipher` in DER: the coordinates of C1 as INTEGERs, C3, C2 (GM/T 0009
    /// section 7.2).
    Asn1,
    /// C1 with the octet 04 before it, C3, C2 (GM/T 0003.4-2012).
    C1C3C2,
    /// C1 without an octet before it, C3, C2.
    BareC1C3C2,
    /// C1 as one coordinate after the octet 02 or 03, C3, C2.
    CompressedC1C3C2,
    /// C1 with the octet 04 before it, C2, C3: the order of the drafts before
    /// the standard.
    C1C2C3,
    /// C1 without an octet before it, C2, C3.
    BareC1C2C3,
    /// C1 as one coordinate after the octet 02 or 03, C2, C3.
    CompressedC1C2C3,
}

impl Sm2Form {
    /// Every form, the standard's first; in this order they are looked for.
    pub const ALL: [Self; 7] = [
        Self::Asn1,
        Self::C1C3C2,
        Self::C1C2C3,
        Self::CompressedC1C3C2,
        Self::CompressedC1C2C3,
        Self::BareC1C3C2,
        Self::BareC1C2C3,
    ];

    /// The name in cases and on the command line: `asn1`, `c1c3c2`,
    /// `c1c3c2-bare`, `c1c3c2-compressed`, `c1c2c3`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asn1 => "asn1",
            Self::C1C3C2 => "c1c3c2",
            Self::BareC1C3C2 => "c1c3c2-bare",
            Self::CompressedC1C3C2 => "c1c3c2-compressed",
            Self::C1C2C3 => "c1c2c3",
            Self::BareC1C2C3 => "c1c2c3-bare",
            Self::CompressedC1C2C3 => "c1c2c3-compressed",
        }
    }

    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Whether C2 stands before C3.
    #[must_use]
    pub const fn is_old_order(self) -> bool {
        matches!(self, Self::C1C2C3 | Self::BareC1C2C3 | Self::CompressedC1C2C3)
    }

    /// Whether C1 is one coordinate.
    #[must_use]
    pub const fn is_compressed(self) -> bool {
        matches!(self, Self::CompressedC1C3C2 | Self::CompressedC1C2C3)
    }

    /// Whether C1 has no first octet that says what it is.
    #[must_use]
    pub const fn is_bare(self) -> bool {
        matches!(self, Self::BareC1C3C2 | Self::BareC1C2C3)
    }
}

impl fmt::Display for Sm2Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Octets of a coordinate, and of SM3.
pub(crate) const LEN: usize = 32;

/// The longest that is decrypted: content keys are short, and a signed
/// private key is.
const MAX_C2: usize = 4096;

/// A ciphertext taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sm2Cipher {
    /// C1 as a point in SEC 1: compressed or not.
    pub(crate) point: Vec<u8>,
    pub(crate) hash: [u8; LEN],
    pub(crate) encrypted: Vec<u8>,
}

impl Sm2Cipher {
    /// Takes a ciphertext of this form apart; `None` if it has not the shape.
    pub(crate) fn read(octets: &[u8], form: Sm2Form) -> Option<Self> {
        let parts = match form {
            Sm2Form::Asn1 => read_asn1(octets),
            raw => read_raw(octets, raw),
        }?;
        (1..=MAX_C2).contains(&parts.encrypted.len()).then_some(parts)
    }

    /// Writes it in a form. The point must be one of two coordinates; the one
    /// of [`Sm2Form::CompressedC1C3C2`] and its brother follows from it.
    pub(crate) fn write(&self, form: Sm2Form) -> Vec<u8> {
        let (x, y) = self.point[1..].split_at(LEN);
        if form == Sm2Form::Asn1 {
            let number = |octets: &[u8]| element(INTEGER, &unsigned(octets));
            let fields =
                [number(x), number(y), element(OCTET_STRING, &self.hash), element(OCTET_STRING, &self.encrypted)];
            return element(SEQUENCE, &fields.concat());
        }
        let mut out = match form {
            form if form.is_compressed() => [&[0x02 | (y[LEN - 1] & 1)], x].concat(),
            form if form.is_bare() => [x, y].concat(),
            _ => self.point.clone(),
        };
        let (first, second): (&[u8], &[u8]) =
            if form.is_old_order() { (&self.encrypted, &self.hash) } else { (&self.hash, &self.encrypted) };
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        out
    }
}

fn read_raw(octets: &[u8], form: Sm2Form) -> Option<Sm2Cipher> {
    let first = *octets.first()?;
    let (point, rest) = match form {
        form if form.is_bare() => {
            let (coordinates, rest) = octets.split_at_checked(2 * LEN)?;
            ([&[4], coordinates].concat(), rest)
        }
        form if form.is_compressed() && matches!(first, 2 | 3) => {
            let (point, rest) = octets.split_at_checked(1 + LEN)?;
            (point.to_vec(), rest)
        }
        form if !form.is_compressed() && first == 4 => {
            let (point, rest) = octets.split_at_checked(1 + 2 * LEN)?;
            (point.to_vec(), rest)
        }
        _ => return None,
    };
    let (hash, encrypted) = if form.is_old_order() {
        let (encrypted, hash) = rest.split_at_checked(rest.len().checked_sub(LEN)?)?;
        (hash, encrypted)
    } else {
        rest.split_at_checked(LEN)?
    };
    Some(Sm2Cipher { point, hash: hash.try_into().ok()?, encrypted: encrypted.to_vec() })
}

fn read_asn1(octets: &[u8]) -> Option<Sm2Cipher> {
    let mut outer = Elements::new(octets);
    let sequence = outer.expect(SEQUENCE, "SM2Cipher").ok().filter(|_| outer.is_empty())?;
    let mut fields = sequence.elements();
    let mut point = vec![4];
    for name in ["XCoordinate", "YCoordinate"] {
        point.extend(coordinate(fields.expect(INTEGER, name).ok()?.content)?);
    }
    let hash = fields.expect(OCTET_STRING, "HASH").ok()?.content.try_into().ok()?;
    let encrypted = fields.expect(OCTET_STRING, "CipherText").ok()?.content.to_vec();
    fields.is_empty().then_some(Sm2Cipher { point, hash, encrypted })
}

/// A coordinate out of an INTEGER that is not negative.
fn coordinate(integer: &[u8]) -> Option<[u8; LEN]> {
    let digits = match integer {
        [0, digits @ ..] => digits,
        [first, ..] if first & 0x80 == 0 => integer,
        _ => return None,
    };
    let mut octets = [0; LEN];
    octets.get_mut(LEN.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some(octets)
}

/// The content of the INTEGER of a number that is not negative.
fn unsigned(octets: &[u8]) -> Vec<u8> {
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len() - 1);
    let digits = &octets[start..];
    let mut out = Vec::with_capacity(digits.len() + 1);
    if digits[0] & 0x80 != 0 {
        out.push(0);
    }
    out.extend_from_slice(digits);
    out
}

/// An element of less than 64 KiB.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        len @ ..=0x7f => out.push(len as u8),
        len @ ..=0xff => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// Refuses an identifier that is too long for its length field.
pub(crate) fn check_id(id: &[u8]) -> Result<(), KeyError> {
    if id.len() <= SM2_MAX_ID_LEN {
        return Ok(());
    }
    Err(KeyError::BadParameters {
        algorithm: "sm2".to_owned(),
        why: format!("an identifier of {} octets; at most {SM2_MAX_ID_LEN} are possible", id.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(x: u8, y: u8) -> Sm2Cipher {
        let mut point = vec![4];
        point.extend([x; LEN]);
        point.extend([y; LEN]);
        Sm2Cipher { point, hash: [7; LEN], encrypted: vec![9; 16] }
    }

    #[test]
    fn every_form_leads_back() {
        for cipher in [sample(0x81, 0x02), sample(0, 0), sample(0x30, 0xff)] {
            for form in Sm2Form::ALL {
                let written = cipher.write(form);
                let read = Sm2Cipher::read(&written, form).unwrap();
                assert_eq!((&read.hash, &read.encrypted), (&cipher.hash, &cipher.encrypted), "{form}");
                if form.is_compressed() {
                    assert_eq!(read.point, [&[2 | (cipher.point[64] & 1)], &cipher.point[1..33]].concat());
                } else {
                    assert_eq!(read.point, cipher.point, "{form}");
                }
                assert_eq!(Sm2Form::from_name(form.name()), Some(form));
            }
        }
    }

    #[test]
    fn what_has_not_the_shape() {
        let der = sample(1, 0x80).write(Sm2Form::Asn1);
        assert!(Sm2Cipher::read(&[&der[..], &[0]].concat(), Sm2Form::Asn1).is_none(), "octets after the end");
        for len in 0..der.len() {
            assert!(Sm2Cipher::read(&der[..len], Sm2Form::Asn1).is_none(), "{len}");
        }
        for form in Sm2Form::ALL {
            assert!(Sm2Cipher::read(&[], form).is_none());
            assert!(Sm2Cipher::read(&[4; 96], form).is_none(), "{form}: nothing is encrypted");
        }
        // A negative coordinate, and one that is too long.
        let mut negative = der.clone();
        negative[4] |= 0x80;
        assert!(Sm2Cipher::read(&negative, Sm2Form::Asn1).is_none());
        assert_eq!(coordinate(&[1; 33]), None);
        let large = Sm2Cipher { encrypted: vec![0; MAX_C2 + 1], ..sample(1, 1) };
        assert!(Sm2Cipher::read(&large.write(Sm2Form::C1C3C2), Sm2Form::C1C3C2).is_none());
    }
}
