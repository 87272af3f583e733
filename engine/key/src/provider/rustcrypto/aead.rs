//! Authenticated ciphers in pieces: the keystream and the tag run side by side.

use aes::{Aes128, Aes192, Aes256};
use chacha20::ChaCha20;
use cipher::{
    Array, Block, BlockCipherEncrypt, BlockModeEncrypt, InnerIvInit, KeyInit, KeyIvInit, StreamCipher, consts::U16,
};
use ghash::{GHash, universal_hash::UniversalHash};
use poly1305::Poly1305;
use sm4::Sm4;
use zeroize::{Zeroize, Zeroizing};

use crate::{AeadCipher, AeadSetup, KeyError, aead::AeadMode, provider::Direction};

type Ctr32<C> = ctr::Ctr32BE<C>;
type Ctr128<C> = ctr::Ctr128BE<C>;

pub(super) fn start(direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError> {
    match setup.cipher {
        AeadCipher::Aes128Gcm => gcm::<Aes128>(direction, setup),
        AeadCipher::Aes192Gcm => gcm::<Aes192>(direction, setup),
        AeadCipher::Aes256Gcm => gcm::<Aes256>(direction, setup),
        AeadCipher::Aes128Ccm => ccm::<Aes128>(direction, setup),
        AeadCipher::Aes192Ccm => ccm::<Aes192>(direction, setup),
        AeadCipher::Aes256Ccm => ccm::<Aes256>(direction, setup),
        AeadCipher::ChaCha20Poly1305 => chacha20_poly1305(direction, setup),
        AeadCipher::Sm4Gcm => gcm::<Sm4>(direction, setup),
        AeadCipher::Sm4Ccm => ccm::<Sm4>(direction, setup),
    }
}

/// GCM (NIST SP 800-38D section 7).
fn gcm<C>(direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError>
where
    C: BlockCipherEncrypt<BlockSize = U16> + KeyInit + Send + 'static,
{
    let cipher = C::new_from_slice(setup.key).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut hash_key = Zeroizing::new([0; 16]);
    cipher.encrypt_block((&mut *hash_key).into());
    let mut first = [0; 16];
    if setup.nonce.len() == 12 {
        first[..12].copy_from_slice(setup.nonce);
        first[15] = 1;
    } else {
        let mut hash = Padded::new(GHash::new((&*hash_key).into()));
        hash.update(setup.nonce);
        hash.pad();
        hash.update(&[0; 8]);
        hash.update(&bits(setup.nonce.len() as u64));
        first = hash.finish();
    }
    let mut keystream =
        Ctr32::<C>::new_from_slices(setup.key, &first).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut mask = [0; 16];
    keystream.apply_keystream(&mut mask);
    let mut tag = Padded::new(GHash::new((&*hash_key).into()));
    tag.update(setup.additional);
    tag.pad();
    Ok(Box::new(Running {
        keystream,
        tag,
        mask,
        // The counter has 32 bits, and two of its values are taken.
        left: ((1 << 32) - 2) * 16,
        exact: false,
        order: if direction == Direction::Encrypt { Order::TagAfter } else { Order::TagBefore },
        lengths: Some(bits),
        additional_len: setup.additional.len() as u64,
        content_len: 0,
        cipher: setup.cipher,
        tag_len: setup.tag_len,
    }))
}

/// CCM (RFC 3610, NIST SP 800-38C).
fn ccm<C>(direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError>
where
    C: BlockCipherEncrypt<BlockSize = U16> + KeyInit + Send + 'static,
{
    let content_len = setup.content_len.unwrap_or(0);
    // Octets that count the content: what the nonce leaves of a block.
    let counter_len = 15 - setup.nonce.len();
    if counter_len < 8 && content_len >> (8 * counter_len) != 0 {
        return Err(setup.cipher.bad(format!(
            "{content_len} octets of content are more than a nonce of {} octets lets it count",
            setup.nonce.len()
        )));
    }
    let cipher = C::new_from_slice(setup.key).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut tag = Padded::new(CbcMac::new(cipher));
    // B_0: flags, nonce, length of the content.
    let mut block = [0; 16];
    let has_additional = u8::from(!setup.additional.is_empty());
    block[0] = has_additional << 6 | ((setup.tag_len as u8 - 2) / 2) << 3 | (counter_len as u8 - 1);
    block[1..=setup.nonce.len()].copy_from_slice(setup.nonce);
    let counted = &content_len.to_be_bytes()[8 - counter_len.min(8)..];
    block[16 - counted.len()..].copy_from_slice(counted);
    tag.update(&block);
    if !setup.additional.is_empty() {
        match setup.additional.len() as u64 {
            len @ 0..0xff00 => tag.update(&(len as u16).to_be_bytes()),
            len @ 0xff00..=0xffff_ffff => {
                tag.update(&[0xff, 0xfe]);
                tag.update(&(len as u32).to_be_bytes());
            }
            len => {
                tag.update(&[0xff, 0xff]);
                tag.update(&len.to_be_bytes());
            }
        }
        tag.update(setup.additional);
        tag.pad();
    }
    // A_0: flags, nonce, counter.
    let mut first = [0; 16];
    first[0] = counter_len as u8 - 1;
    first[1..=setup.nonce.len()].copy_from_slice(setup.nonce);
    let mut keystream =
        Ctr128::<C>::new_from_slices(setup.key, &first).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut mask = [0; 16];
    keystream.apply_keystream(&mut mask);
    Ok(Box::new(Running {
        keystream,
        tag,
        mask,
        left: content_len,
        exact: true,
        order: if direction == Direction::Encrypt { Order::TagBefore } else { Order::TagAfter },
        lengths: None,
        additional_len: 0,
        content_len: 0,
        cipher: setup.cipher,
        tag_len: setup.tag_len,
    }))
}

/// ChaCha20-Poly1305 (RFC 8439 section 2.8).
fn chacha20_poly1305(direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError> {
    let mut keystream =
        ChaCha20::new_from_slices(setup.key, setup.nonce).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut block = Zeroizing::new([0; 64]);
    keystream.apply_keystream(&mut *block);
    let poly = Poly1305::new_from_slice(&block[..32]).map_err(|error| setup.cipher.bad(error.to_string()))?;
    let mut tag = Padded::new(poly);
    tag.update(setup.additional);
    tag.pad();
    Ok(Box::new(Running {
        keystream,
        tag,
        mask: [0; 16],
        left: ((1 << 32) - 1) * 64,
        exact: false,
        order: if direction == Direction::Encrypt { Order::TagAfter } else { Order::TagBefore },
        lengths: Some(u64::to_le_bytes),
        additional_len: setup.additional.len() as u64,
        content_len: 0,
        cipher: setup.cipher,
        tag_len: setup.tag_len,
    }))
}

fn bits(octets: u64) -> [u8; 8] {
    (octets * 8).to_be_bytes()
}

/// Whether the tag is over the octets before or after the keystream was laid on.
#[derive(PartialEq, Eq)]
enum Order {
    TagBefore,
    TagAfter,
}

struct Running<S, H> {
    keystream: S,
    tag: Padded<H>,
    /// What is laid over the tag at the end.
    mask: [u8; 16],
    /// How many octets may still come, and whether they must.
    left: u64,
    exact: bool,
    order: Order,
    /// How the two lengths at the end are written, where they are.
    lengths: Option<fn(u64) -> [u8; 8]>,
    additional_len: u64,
    content_len: u64,
    cipher: AeadCipher,
    tag_len: usize,
}

/// Octets that go through both at once, so that they are still near.
const CHUNK: usize = 4 * 1024;

impl<S: StreamCipher + Send, H: Absorb + Send> AeadMode for Running<S, H> {
    fn process(&mut self, octets: &mut [u8]) -> Result<(), KeyError> {
        let len = octets.len() as u64;
        self.left = self.left.checked_sub(len).ok_or_else(|| {
            let why = if self.exact { "the content is longer than was said" } else { "the content is too long" };
            self.cipher.bad(why.to_owned())
        })?;
        self.content_len += len;
        for chunk in octets.chunks_mut(CHUNK) {
            if self.order == Order::TagBefore {
                self.tag.update(chunk);
            }
            self.keystream.apply_keystream(chunk);
            if self.order == Order::TagAfter {
                self.tag.update(chunk);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, KeyError> {
        if self.exact && self.left > 0 {
            return Err(self.cipher.bad("the content is shorter than was said".to_owned()));
        }
        self.tag.pad();
        if let Some(write) = self.lengths {
            self.tag.update(&write(self.additional_len));
            self.tag.update(&write(self.content_len));
        }
        let mut tag = self.tag.finish();
        for (octet, mask) in tag.iter_mut().zip(self.mask) {
            *octet ^= mask;
        }
        Ok(tag[..self.tag_len].to_vec())
    }
}

/// Something that takes blocks of 16 octets.
trait Absorb {
    /// The length is a multiple of 16.
    fn absorb(&mut self, blocks: &[u8]);

    fn result(&mut self) -> [u8; 16];
}

impl<H: UniversalHash<BlockSize = U16> + Clone> Absorb for H {
    fn absorb(&mut self, blocks: &[u8]) {
        self.update(Array::slice_as_chunks(blocks).0);
    }

    fn result(&mut self) -> [u8; 16] {
        self.clone().finalize().into()
    }
}

/// CBC-MAC (RFC 3610 section 2.2): the last block of the encryption in CBC
/// mode; the others are thrown away.
struct CbcMac<C: BlockCipherEncrypt<BlockSize = U16>> {
    mode: cbc::Encryptor<C>,
    scratch: Zeroizing<Vec<u8>>,
    last: [u8; 16],
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> CbcMac<C> {
    fn new(cipher: C) -> Self {
        Self {
            mode: cbc::Encryptor::inner_iv_init(cipher, &Block::<C>::default()),
            scratch: Zeroizing::new(vec![0; CHUNK]),
            last: [0; 16],
        }
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> Absorb for CbcMac<C> {
    fn absorb(&mut self, blocks: &[u8]) {
        for piece in blocks.chunks(CHUNK) {
            let out = &mut self.scratch[..piece.len()];
            out.copy_from_slice(piece);
            self.mode.encrypt_blocks(Array::slice_as_chunks_mut(out).0);
            self.last.copy_from_slice(&out[piece.len() - 16..]);
        }
    }

    fn result(&mut self) -> [u8; 16] {
        self.last
    }
}

/// Octets in pieces of any length, as blocks.
struct Padded<H> {
    inner: H,
    block: [u8; 16],
    filled: usize,
}

impl<H> Drop for Padded<H> {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl<H: Absorb> Padded<H> {
    fn new(inner: H) -> Self {
        Self { inner, block: [0; 16], filled: 0 }
    }

    fn update(&mut self, mut octets: &[u8]) {
        if self.filled > 0 {
            let (now, rest) = octets.split_at(octets.len().min(16 - self.filled));
            self.block[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            octets = rest;
            if self.filled < 16 {
                return;
            }
            self.inner.absorb(&self.block);
            self.filled = 0;
        }
        let (blocks, rest) = octets.split_at(octets.len() / 16 * 16);
        self.inner.absorb(blocks);
        self.block[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// Fills the block that has begun with zeros.
    fn pad(&mut self) {
        if self.filled > 0 {
            self.block[self.filled..].fill(0);
            self.inner.absorb(&self.block);
            self.filled = 0;
        }
    }

    fn finish(&mut self) -> [u8; 16] {
        self.inner.result()
    }
}
