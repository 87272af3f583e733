//! Decrypting content as it comes.

use std::io::Write;

use waxseal_key::{BlockMode, ContentCipher};
use waxseal_verdict::{Aspect, Reason};
use zeroize::Zeroizing;

use crate::ber::{Cursor, Tag};
use crate::check::Check;
use crate::cms::AlgorithmIdentifier;
use crate::message::context::Context;
use crate::message::recipient::Refusal;
use crate::message::request::OpenError;

/// A content cipher with its parameters, before there is a key.
pub(super) struct Cipher {
    cipher: ContentCipher,
    iv: Vec<u8>,
    /// The path of the structure that holds the content.
    owner: &'static str,
}

impl Cipher {
    /// What the algorithm identifier of the content says.
    pub(super) fn of(algorithm: &AlgorithmIdentifier, owner: &'static str) -> Result<Self, Refusal> {
        let place = format!("{owner}.encryptedContentInfo.contentEncryptionAlgorithm");
        let cipher = ContentCipher::from_oid(&algorithm.oid).ok_or_else(|| {
            let detail = format!("{place}: {} is not supported", algorithm.name());
            Refusal::Structure(Aspect::bad(Reason::UnsupportedAlgorithm, detail))
        })?;
        let iv = initialization_vector(algorithm, cipher).ok_or_else(|| {
            let detail = format!("{place}: the parameters are no IV of {} octets", cipher.iv_len());
            Refusal::Structure(Aspect::bad(Reason::BadParameters, detail))
        })?;
        Ok(Self { cipher, iv, owner })
    }

    /// Octets of the content key.
    pub(super) fn key_len(&self) -> usize {
        self.cipher.key_len()
    }

    /// Starts to decrypt.
    pub(super) fn opener(&self, key: &[u8], context: &Context<'_>) -> Result<Opener, Refusal> {
        let place = format!("{}.encryptedContentInfo.contentEncryptionAlgorithm", self.owner);
        let mode = context
            .request
            .arithmetic
            .cbc_decryptor(self.cipher, key, &self.iv)
            .map_err(|error| Refusal::key(&error, &place))?;
        Ok(Opener {
            mode,
            block_len: self.cipher.block_len(),
            held: Zeroizing::new(Vec::new()),
            total: 0,
            owner: self.owner,
        })
    }
}

/// The IV that the parameters of a CBC cipher are.
pub(super) fn initialization_vector(algorithm: &AlgorithmIdentifier, cipher: ContentCipher) -> Option<Vec<u8>> {
    let parameters = algorithm.parameters.as_deref()?;
    let element = Cursor::new(parameters, 0).take().ok().flatten()?;
    (element.tag == Tag::OCTET_STRING && element.content.len() == cipher.iv_len()).then(|| element.content.to_vec())
}

/// Decrypts content in CBC mode, and holds the last block back until the end,
/// because only there the padding is.
pub(super) struct Opener {
    mode: Box<dyn BlockMode>,
    block_len: usize,
    held: Zeroizing<Vec<u8>>,
    total: u64,
    owner: &'static str,
}

impl Opener {
    /// Takes ciphertext in, and writes the plaintext that it allows.
    pub(super) fn update(&mut self, octets: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
        self.total += octets.len() as u64;
        self.held.extend_from_slice(octets);
        // Everything but the last whole block; a rest of a block waits too.
        let ready = self.held.len().saturating_sub(1) / self.block_len * self.block_len;
        if ready > 0 {
            self.mode.process(&mut self.held[..ready]);
            out.write_all(&self.held[..ready])?;
            let left = self.held.len() - ready;
            self.held.copy_within(ready.., 0);
            self.held.truncate(left);
        }
        Ok(())
    }

    /// Takes the padding off (RFC 5652 section 6.3).
    pub(super) fn finish(mut self, out: &mut dyn Write) -> Result<Aspect, OpenError> {
        let place = format!("{}.encryptedContentInfo.encryptedContent", self.owner);
        if self.held.len() != self.block_len {
            let detail = format!("{place}: {} octets are no whole number of blocks", self.total);
            return Ok(Aspect::bad(Reason::BadPadding, detail));
        }
        self.mode.process(&mut self.held);
        let padding = usize::from(self.held[self.block_len - 1]);
        // Every octet is looked at, so that the time tells nothing of the place.
        let mut wrong = usize::from(padding == 0 || padding > self.block_len);
        for (index, octet) in self.held.iter().enumerate() {
            let inside = usize::from(index + padding >= self.block_len);
            wrong |= inside & usize::from(usize::from(*octet) != padding);
        }
        if wrong != 0 && Check::ContentPadding.on() {
            let detail = format!("{place}: the padding is wrong: a wrong key, or altered content");
            return Ok(Aspect::bad(Reason::BadPadding, detail));
        }
        let keep = self.block_len.saturating_sub(padding);
        out.write_all(&self.held[..keep])?;
        Ok(Aspect::Good)
    }
}
