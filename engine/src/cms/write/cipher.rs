//! The content cipher, running.

use std::fmt;
use std::str::FromStr;

use waxseal_key::algorithm;
use waxseal_key::{AeadCipher, AeadSealer, AeadSetup, Arithmetic, BlockMode, ContentCipher, Random};
use zeroize::Zeroizing;

use super::content::each_chunk;
use super::frame::Put;
use super::{CHUNK, Content, WriteError};
use crate::overlap::FIRST;

/// The cipher of a content. One that authenticates makes an AuthEnvelopedData
/// (RFC 5083) of what would be an EnvelopedData.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentEncryption {
    /// A block cipher in CBC mode.
    Cbc(ContentCipher),
    /// A cipher that authenticates.
    Aead {
        /// Which one.
        cipher: AeadCipher,
        /// Octets of the authentication tag.
        tag_len: usize,
    },
}

impl ContentEncryption {
    /// The name in the algorithm table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cbc(cipher) => cipher.name(),
            Self::Aead { cipher, .. } => cipher.name(),
        }
    }

    /// The name with what varies of it, as [`FromStr`] reads it: `rc2-cbc-40`.
    #[must_use]
    pub fn spelling(self) -> String {
        match self {
            Self::Cbc(ContentCipher::Rc2Cbc { effective_bits: bits } | ContentCipher::Cast5Cbc { key_bits: bits }) => {
                format!("{}-{bits}", self.name())
            }
            _ => self.name().to_owned(),
        }
    }

    /// Strength in bits, as in the algorithm table; where that depends on the
    /// key, its bits.
    #[must_use]
    pub fn strength_bits(self) -> u32 {
        match self {
            Self::Cbc(ContentCipher::Rc2Cbc { effective_bits: bits } | ContentCipher::Cast5Cbc { key_bits: bits }) => {
                bits.into()
            }
            _ => algorithm::by_name(self.name()).map_or(0, |row| row.strength_bits.into()),
        }
    }

    /// The names of all that there are.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let cbc = ContentCipher::ALL.into_iter().map(ContentCipher::name);
        cbc.chain(AeadCipher::ALL.into_iter().map(AeadCipher::name)).collect()
    }

    /// Whether the content is authenticated.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aead { .. })
    }

    /// Octets of the content key.
    #[must_use]
    pub fn key_len(self) -> usize {
        match self {
            Self::Cbc(cipher) => cipher.key_len(),
            Self::Aead { cipher, .. } => cipher.key_len(),
        }
    }

    pub(super) fn oid(self) -> &'static str {
        match self {
            Self::Cbc(cipher) => cipher.oid(),
            Self::Aead { cipher, .. } => cipher.oid(),
        }
    }

    /// Octets of a block; 0 where there are none.
    pub(super) fn block_len(self) -> usize {
        match self {
            Self::Cbc(cipher) => cipher.block_len(),
            Self::Aead { .. } => 0,
        }
    }

    /// A key from the random numbers; with odd parity where the cipher has
    /// parity (FIPS 46-3).
    pub(super) fn draw_key(self, random: &mut dyn Random) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; self.key_len()]);
        random.fill(&mut key);
        if matches!(self, Self::Cbc(ContentCipher::TripleDesCbc | ContentCipher::DesCbc)) {
            for octet in key.iter_mut() {
                *octet = (*octet & 0xfe) | u8::from((*octet & 0xfe).count_ones() % 2 == 0);
            }
        }
        key
    }
}

impl From<ContentCipher> for ContentEncryption {
    fn from(cipher: ContentCipher) -> Self {
        Self::Cbc(cipher)
    }
}

/// With a tag of 16 octets, the longest that there is.
impl From<AeadCipher> for ContentEncryption {
    fn from(cipher: AeadCipher) -> Self {
        Self::Aead { cipher, tag_len: 16 }
    }
}

/// By the name in the algorithm table; `rc2-cbc-40` and `cast5-cbc-64` for
/// ciphers whose bits vary.
impl FromStr for ContentEncryption {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let aead = || AeadCipher::from_name(name).map(Self::from);
        ContentCipher::from_name(name)
            .map(Self::Cbc)
            .or_else(aead)
            .ok_or_else(|| format!("one of {} is known", Self::names().join(", ")))
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A cipher that was started, and the parameters that a reader needs.
pub(super) struct Encryption<'a> {
    mode: Mode<'a>,
    /// The parameters of its AlgorithmIdentifier.
    pub(super) parameters: Vec<u8>,
}

enum Mode<'a> {
    Cbc {
        mode: Box<dyn BlockMode>,
        block: usize,
        /// What stands after the content in place of the right padding.
        padding: Option<&'a [u8]>,
    },
    /// What comes out is as long as what goes in.
    Stream { mode: Box<dyn BlockMode> },
    Aead {
        sealer: AeadSealer,
        /// Octets of the tag after the content; none where it stands apart.
        glued: usize,
    },
}

/// What a cipher is started with.
pub(super) struct Start<'k, 'a> {
    pub(super) cipher: ContentEncryption,
    pub(super) key: &'k [u8],
    /// Authenticated beside the content.
    pub(super) additional: &'k [u8],
    /// Octets of the content, where they are known.
    pub(super) content_len: Option<u64>,
    /// What stands after the content in place of the right padding.
    pub(super) padding: Option<&'a [u8]>,
    /// Whether the tag stands at the end of the content.
    pub(super) glued: bool,
}

impl<'a> Encryption<'a> {
    /// Draws an initialization vector or a nonce, and starts.
    pub(super) fn start(
        start: &Start<'_, 'a>,
        arithmetic: &Arithmetic,
        random: &mut dyn Random,
    ) -> Result<Self, WriteError> {
        match start.cipher {
            ContentEncryption::Cbc(cipher) => {
                let mut iv = vec![0; cipher.iv_len()];
                random.fill(&mut iv);
                let mode = arithmetic.cbc_encryptor(cipher, start.key, &iv)?;
                let mode = match start.padding {
                    padding if cipher.is_padded() => Mode::Cbc { mode, block: cipher.block_len(), padding },
                    None => Mode::Stream { mode },
                    Some(_) => return Err(WriteError::Recipe("this cipher has no padding to tamper with")),
                };
                Ok(Self { mode, parameters: cipher.parameters_der(&iv)? })
            }
            ContentEncryption::Aead { cipher, tag_len } => {
                let mut nonce = vec![0; cipher.nonce_len(start.content_len.unwrap_or_default())];
                random.fill(&mut nonce);
                let setup = AeadSetup {
                    cipher,
                    key: start.key,
                    nonce: &nonce,
                    additional: start.additional,
                    tag_len,
                    content_len: start.content_len,
                };
                let sealer = arithmetic.aead_sealer(&setup)?;
                let glued = if start.glued { tag_len } else { 0 };
                Ok(Self { mode: Mode::Aead { sealer, glued }, parameters: cipher.parameters_der(&nonce, tag_len)? })
            }
        }
    }

    /// Octets of the ciphertext of so much plaintext.
    pub(super) fn cipher_len(&self, plain_len: u64) -> u64 {
        match &self.mode {
            Mode::Cbc { block, padding, .. } => plain_len + pad_len(*block, *padding, plain_len),
            Mode::Stream { .. } => plain_len,
            Mode::Aead { glued, .. } => plain_len + *glued as u64,
        }
    }

    /// Encrypts all content; the tag is what comes back, empty where there is
    /// none or where it stands at the end of the content.
    pub(super) fn run(self, content: &mut dyn Content, put: &mut Put<'_>) -> Result<Vec<u8>, WriteError> {
        match self.mode {
            Mode::Cbc { mut mode, block, padding } => {
                each_chunk(content, |chunk, last| {
                    if last {
                        pad(chunk, block, padding)?;
                    }
                    mode.process(chunk);
                    Ok(put(chunk)?)
                })?;
                Ok(Vec::new())
            }
            Mode::Stream { mut mode } => {
                each_chunk(content, |chunk, _| {
                    mode.process(chunk);
                    Ok(put(chunk)?)
                })?;
                Ok(Vec::new())
            }
            Mode::Aead { mut sealer, glued } => {
                each_chunk(content, |chunk, _| {
                    sealer.process(chunk)?;
                    Ok(put(chunk)?)
                })?;
                let tag = sealer.finish()?;
                if glued == 0 {
                    return Ok(tag);
                }
                put(&tag)?;
                Ok(Vec::new())
            }
        }
    }
}

/// The padding of RFC 5652 section 6.3. The chunks before this one were whole
/// blocks, so this one's length decides.
fn pad(chunk: &mut Vec<u8>, block: usize, padding: Option<&[u8]>) -> Result<(), WriteError> {
    match padding {
        Some(octets) => chunk.extend_from_slice(octets),
        None => {
            let count = pad_len(block, None, chunk.len() as u64) as usize;
            chunk.resize(chunk.len() + count, count as u8);
        }
    }
    if !chunk.len().is_multiple_of(block) {
        return Err(WriteError::Recipe("a tampered padding has to fill the last block"));
    }
    Ok(())
}

fn pad_len(block: usize, padding: Option<&[u8]>, plain_len: u64) -> u64 {
    padding.map_or_else(|| block as u64 - plain_len % block as u64, |octets| octets.len() as u64)
}

const _: () = assert!(CHUNK.is_multiple_of(64) && FIRST.is_multiple_of(64), "chunks are whole blocks of every cipher");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for name in ContentEncryption::names() {
            assert_eq!(name.parse::<ContentEncryption>().unwrap().name(), name);
        }
        let rc2 = ContentEncryption::Cbc(ContentCipher::Rc2Cbc { effective_bits: 40 });
        assert_eq!("rc2-cbc-40".parse(), Ok(rc2));
        assert!("rot-13".parse::<ContentEncryption>().unwrap_err().contains("chacha20-poly1305"));
    }
}
