//! What the issuer of a card does: the card management key, PUT DATA and
//! GENERATE ASYMMETRIC KEY PAIR (NIST SP 800-73-4 part 2 section 3.3).

use std::fmt;

use waxseal_key::{Arithmetic, ContentCipher, ProviderChoice};
use zeroize::Zeroizing;

use super::{
    Algorithm, Piv,
    object::{DataObject, WRAPPER},
    slot::Slot,
};
use crate::{
    Command, Response, StatusWord,
    key::{CardKey, KeyKind, PublicNumbers},
    tlv,
};

/// The card management key: Triple DES or AES (SP 800-78-4 section 3.3).
pub struct ManagementKey {
    cipher: ContentCipher,
    key: Zeroizing<Vec<u8>>,
}

/// Algorithm identifiers of the card management key (SP 800-78-4 table 6-2).
/// The first of a cipher is the one to write.
const CIPHERS: &[(u8, ContentCipher)] = &[
    (0x03, ContentCipher::TripleDesCbc),
    (0x00, ContentCipher::TripleDesCbc),
    (0x08, ContentCipher::Aes128Cbc),
    (0x0A, ContentCipher::Aes192Cbc),
    (0x0C, ContentCipher::Aes256Cbc),
];

impl ManagementKey {
    /// A key of 16 octets (AES-128), 24 (Triple DES) or 32 (AES-256); `None`
    /// where it has another length.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        let cipher = match key.len() {
            16 => ContentCipher::Aes128Cbc,
            24 => ContentCipher::TripleDesCbc,
            32 => ContentCipher::Aes256Cbc,
            _ => return None,
        };
        Some(Self { cipher, key: Zeroizing::new(key.to_vec()) })
    }

    /// An AES key of 24 octets, which have the length of a Triple DES key.
    #[must_use]
    pub fn aes_192(key: &[u8; 24]) -> Self {
        Self { cipher: ContentCipher::Aes192Cbc, key: Zeroizing::new(key.to_vec()) }
    }

    /// Octets of a block, and so of a witness and a challenge.
    #[must_use]
    pub fn block_len(&self) -> usize {
        self.cipher.iv_len()
    }

    /// The algorithm identifier to send.
    #[must_use]
    pub fn algorithm(&self) -> u8 {
        CIPHERS.iter().find(|(_, cipher)| *cipher == self.cipher).map_or(0, |(id, _)| *id)
    }

    /// Whether P1 names the algorithm of the key.
    #[must_use]
    pub fn is_algorithm(&self, p1: u8) -> bool {
        CIPHERS.contains(&(p1, self.cipher))
    }

    /// Encrypts one block.
    ///
    /// # Errors
    /// [`StatusWord::WRONG_DATA`]: it has not the length of a block.
    pub fn encrypt(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        self.block(block, true)
    }

    /// Decrypts one block.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub fn decrypt(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        self.block(block, false)
    }

    /// One block of CBC under a vector of zeros is the bare cipher.
    fn block(&self, block: &[u8], encrypts: bool) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let len = self.block_len();
        if block.len() != len {
            return Err(StatusWord::WRONG_DATA);
        }
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let zeros = vec![0; len];
        let mode = if encrypts {
            arithmetic.cbc_encryptor(self.cipher, &self.key, &zeros)
        } else {
            arithmetic.cbc_decryptor(self.cipher, &self.key, &zeros)
        };
        let mut out = Zeroizing::new(block.to_vec());
        mode.map_err(|_| StatusWord::NO_DIAGNOSIS)?.process(&mut out);
        Ok(out)
    }
}

impl fmt::Debug for ManagementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagementKey").field("cipher", &self.cipher.name()).finish_non_exhaustive()
    }
}

/// The tag of the list of tags that GET DATA and PUT DATA begin with.
const TAG_LIST: u32 = 0x5C;
/// The template of GENERATE ASYMMETRIC KEY PAIR.
const CONTROL_REFERENCE_TEMPLATE: u32 = 0xAC;
/// The template of a public key.
pub const PUBLIC_KEY: u32 = 0x7F49;

/// The tag in the tag list of GET DATA; `None` where there is not exactly one.
pub(super) fn wanted_tag(tag_list: &[u8]) -> Option<u32> {
    let tag = tlv::only(tag_list, TAG_LIST).filter(|tag| (1..=3).contains(&tag.len()))?;
    Some(tag.iter().fold(0, |tag, octet| tag << 8 | u32::from(*octet)))
}

impl Piv {
    pub(super) fn put_data(&mut self, command: &Command) -> Result<(), StatusWord> {
        if (command.p1, command.p2) != (0x3F, 0xFF) {
            return Err(StatusWord::INCORRECT_P1_P2);
        }
        if !self.status.manager {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let (first, rest) = tlv::read(&command.data).ok_or(StatusWord::WRONG_DATA)?;
        let (tag, value) = match first.tag {
            TAG_LIST => {
                let tag = wanted_tag(&tlv::write(TAG_LIST, first.value)).ok_or(StatusWord::WRONG_DATA)?;
                (tag, tlv::only(rest, WRAPPER).ok_or(StatusWord::WRONG_DATA)?)
            }
            // The Discovery Object and the BIT Group Template stand under their own tags.
            tag if rest.is_empty() => (tag, first.value),
            _ => return Err(StatusWord::WRONG_DATA),
        };
        let object = DataObject::by_tag(tag).ok_or(StatusWord::NOT_FOUND)?;
        if object.is_bare() != (first.tag != TAG_LIST) {
            return Err(StatusWord::WRONG_DATA);
        }
        self.put_object(tag, value)
    }

    pub(super) fn generate_key_pair(&mut self, command: &Command) -> Result<Response, StatusWord> {
        if !self.status.manager {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let slot = Slot::by_reference(command.p2).filter(|slot| Slot::PRIMARY.contains(slot) && command.p1 == 0);
        let slot = slot.ok_or(StatusWord::INCORRECT_P1_P2)?;
        let template = tlv::only(&command.data, CONTROL_REFERENCE_TEMPLATE).ok_or(StatusWord::WRONG_DATA)?;
        let Some([id]) = tlv::find(template, 0x80) else { return Err(StatusWord::WRONG_DATA) };
        let algorithm = Algorithm::by_id(*id).ok_or(StatusWord::WRONG_DATA)?;
        let key = CardKey::generate(algorithm.kind, &mut *self.random).map_err(|_| StatusWord::NO_DIAGNOSIS)?;
        let numbers = key.public_numbers().map_err(|_| StatusWord::NO_DIAGNOSIS)?;
        self.keys.insert(slot, key);
        Ok(Response::ok(public_key(&numbers).to_vec()))
    }
}

/// The template of a public key (SP 800-73-4 part 2 table 13).
fn public_key(numbers: &PublicNumbers) -> Zeroizing<Vec<u8>> {
    match numbers {
        PublicNumbers::Rsa { modulus, exponent } => {
            tlv::constructed(PUBLIC_KEY, &[&tlv::write(0x81, modulus), &tlv::write(0x82, exponent)])
        }
        PublicNumbers::Point(point) => tlv::constructed(PUBLIC_KEY, &[&tlv::write(0x86, point)]),
    }
}

/// The numbers in the template of a public key; `None` where it holds none.
#[must_use]
pub fn read_public_key(template: &[u8], kind: KeyKind) -> Option<PublicNumbers> {
    let value = tlv::only(template, PUBLIC_KEY)?;
    match kind {
        KeyKind::Rsa(_) => {
            let (modulus, exponent) = (tlv::find(value, 0x81)?.to_vec(), tlv::find(value, 0x82)?.to_vec());
            Some(PublicNumbers::Rsa { modulus, exponent })
        }
        _ => Some(PublicNumbers::Point(tlv::find(value, 0x86)?.to_vec())),
    }
}
