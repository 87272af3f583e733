//! Private keys that are a seed, what grows from it, or both: ML-DSA (RFC 9881
//! section 6) and ML-KEM (RFC 9935 section 6).

use crate::{
    KeyError,
    ber::{Elements, OCTET_STRING, SEQUENCE},
};

/// The CHOICE of seed `[0]`, expandedKey and both.
pub(super) struct Seeded<'a> {
    pub(super) seed: Option<&'a [u8]>,
    pub(super) expanded: Option<&'a [u8]>,
}

const SEED: u8 = 0x80;

impl<'a> Seeded<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::NotAKey("neither a seed, nor an expanded key, nor both".to_owned());
        let mut elements = Elements::new(der);
        let found = elements.next().map_err(|_| damaged())?.filter(|_| elements.is_empty()).ok_or_else(damaged)?;
        match found.tag {
            SEED => Ok(Self { seed: Some(found.content), expanded: None }),
            OCTET_STRING => Ok(Self { seed: None, expanded: Some(found.content) }),
            SEQUENCE => {
                let mut both = found.elements();
                let mut octets = || both.expect(OCTET_STRING, "key").map(|element| element.content);
                let (seed, expanded) = (octets().map_err(|_| damaged())?, octets().map_err(|_| damaged())?);
                Ok(Self { seed: Some(seed), expanded: Some(expanded) })
            }
            _ => Err(damaged()),
        }
    }
}
