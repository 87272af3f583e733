//! Decrypting content as it comes.

use std::io::{self, Write};

use waxseal_key::{AeadCipher, AeadOpener, AeadSetup, BlockMode, ContentCipher, KeyError};
use waxseal_verdict::{Aspect, Reason};
use zeroize::Zeroizing;

use crate::ber::{Cursor, Tag};
use crate::check::Check;
use crate::cms::{AlgorithmIdentifier, Envelope};
use crate::message::context::{Context, key_aspect};
use crate::message::recipient::Refusal;

/// A content cipher with its parameters, before there is a key.
pub(super) struct Cipher {
    kind: CipherKind,
    /// The structure that holds the content.
    envelope: Envelope,
}

enum CipherKind {
    Cbc { cipher: ContentCipher, iv: Vec<u8> },
    Aead { cipher: AeadCipher, nonce: Vec<u8>, tag_len: usize },
}

/// What an authenticated cipher must know before the first octet, and what may
/// stand after the last one: known from an earlier reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The authenticated attributes in DER; empty if there are none.
    pub(super) additional: Vec<u8>,
    /// Octets of the content.
    pub(super) content_len: Option<u64>,
}

/// The shortest key that anybody wrote (40 bits), and the longest that RC2
/// takes, in octets.
const SHORTEST: usize = 5;
const LONGEST: usize = 128;

impl Cipher {
    /// What the algorithm identifier of the content says.
    pub(super) fn of(algorithm: &AlgorithmIdentifier, envelope: Envelope) -> Result<Self, Refusal> {
        let place = place(envelope);
        let parameters = algorithm.parameters.as_deref();
        let kind = if let Some(cipher) = AeadCipher::from_oid(&algorithm.oid) {
            let read = cipher.read_parameters(parameters).or_else(|error| match bare_nonce(parameters) {
                // Writers that put GCM into EnvelopedData leave the tag length out, too.
                Some(nonce) if envelope != Envelope::AuthEnveloped && cipher.takes_nonce_len(nonce.len()) => {
                    Ok((nonce, 16))
                }
                _ => Err(error),
            });
            let (nonce, tag_len) = read.map_err(|error| Refusal::bad_parameters(&place, error))?;
            CipherKind::Aead { cipher, nonce, tag_len }
        } else {
            let read = ContentCipher::from_identifier(&algorithm.oid, parameters).map_err(|error| match error {
                KeyError::UnknownAlgorithm(_) => Refusal::unsupported(&place, &algorithm.name()),
                error => Refusal::bad_parameters(&place, error),
            });
            let (cipher, iv) = read?;
            if envelope == Envelope::AuthEnveloped {
                // Whoever changed GCM to CBC would read the content by way of the errors, as in the attack of RFC 9709.
                let why =
                    format!("{cipher} authenticates nothing, AuthEnvelopedData wants a cipher that does (RFC 5083)");
                return Err(Refusal::bad_parameters(&place, why));
            }
            CipherKind::Cbc { cipher, iv }
        };
        Ok(Self { kind, envelope })
    }

    /// Whether the cipher authenticates its content.
    pub(super) const fn is_authenticated(&self) -> bool {
        matches!(self.kind, CipherKind::Aead { .. })
    }

    /// Whether the length of the content must be known before its first octet.
    pub(super) fn needs_content_len(&self) -> bool {
        matches!(&self.kind, CipherKind::Aead { cipher, .. } if cipher.needs_content_len())
    }

    /// Whether the parameters are those that the RFC of the cipher gives it.
    pub(super) fn parameters_fit(&self, algorithm: &AlgorithmIdentifier) -> bool {
        let written = match &self.kind {
            CipherKind::Cbc { cipher, iv } => cipher.parameters_der(iv),
            // A default that is written out is BER, and as good.
            CipherKind::Aead { .. } => return true,
        };
        written.is_ok_and(|written| algorithm.parameters.as_deref() == Some(&written))
    }

    /// Effective bits of the key, where the parameters tell them.
    pub(super) fn key_bits(&self) -> Option<u32> {
        match &self.kind {
            CipherKind::Cbc { cipher, .. } => cipher.varying_bits().map(u32::from),
            CipherKind::Aead { .. } => None,
        }
    }

    /// Octets that a content key may have, likely lengths first. RC2 and CAST
    /// take keys of many lengths, RC2 whatever its effective bits are; writers
    /// use the length of these, or 128 bits.
    pub(super) fn key_lens(&self) -> Vec<usize> {
        match &self.kind {
            CipherKind::Cbc { cipher, .. } => {
                let mut lens = vec![cipher.key_len()];
                let others = std::iter::once(16).chain(SHORTEST..=LONGEST);
                for len in others.filter(|len| cipher.takes_key_len(*len)) {
                    if !lens.contains(&len) {
                        lens.push(len);
                    }
                }
                lens
            }
            CipherKind::Aead { cipher, .. } => vec![cipher.key_len()],
        }
    }

    /// Whether a content key may have this length.
    pub(super) fn takes_key_len(&self, len: usize) -> bool {
        match &self.kind {
            CipherKind::Cbc { cipher, .. } => cipher.takes_key_len(len),
            CipherKind::Aead { cipher, .. } => cipher.key_len() == len,
        }
    }

    /// Starts to decrypt.
    pub(super) fn opener(&self, key: &[u8], known: &Known, context: &Context<'_>) -> Result<Opener, Refusal> {
        let place = place(self.envelope);
        let arithmetic = context.request.arithmetic;
        let refused = |error: KeyError| Refusal::key(&error, &place);
        Ok(match &self.kind {
            CipherKind::Cbc { cipher, iv } => Opener::Cbc(CbcOpener {
                mode: arithmetic.cbc_decryptor(*cipher, key, iv).map_err(refused)?,
                block_len: cipher.block_len(),
                padded: cipher.is_padded(),
                held: Zeroizing::new(Vec::new()),
                total: 0,
                owner: self.envelope.name(),
            }),
            CipherKind::Aead { cipher, nonce, tag_len } => {
                // Outside AuthEnvelopedData the tag can only be at the end of the content.
                let glued = if self.envelope == Envelope::AuthEnveloped { 0 } else { *tag_len };
                let content_len = known.content_len.map(|len| len.saturating_sub(glued as u64));
                let additional = &known.additional;
                let setup = AeadSetup { cipher: *cipher, key, nonce, additional, tag_len: *tag_len, content_len };
                Opener::Aead(AeadContent {
                    opener: arithmetic.aead_opener(&setup).map_err(refused)?,
                    held: Zeroizing::new(Vec::new()),
                    glued,
                    failed: None,
                    owner: self.envelope.name(),
                })
            }
        })
    }
}

fn place(envelope: Envelope) -> String {
    format!("{}.encryptedContentInfo.contentEncryptionAlgorithm", envelope.name())
}

/// An OCTET STRING where GCMParameters are due.
fn bare_nonce(parameters: Option<&[u8]>) -> Option<Vec<u8>> {
    let element = Cursor::new(parameters?, 0).take().ok().flatten()?;
    (element.tag == Tag::OCTET_STRING && !element.constructed).then(|| element.content.to_vec())
}

/// A decryption that is running.
pub(super) enum Opener {
    Cbc(CbcOpener),
    Aead(AeadContent),
}

impl Opener {
    /// Takes ciphertext in, and writes the plaintext to where it waits.
    pub(super) fn update(&mut self, octets: &mut [u8], out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Cbc(opener) => opener.update(octets, out),
            Self::Aead(opener) => opener.update(octets, out),
        }
    }

    /// The end of the content; `mac` is the tag that stands beside it.
    pub(super) fn finish(self, mac: &[u8], out: &mut dyn Write) -> io::Result<Aspect> {
        match self {
            Self::Cbc(opener) => opener.finish(out),
            Self::Aead(opener) => Ok(opener.finish(mac)),
        }
    }
}

/// Decrypts content of an authenticated cipher, and checks the tag at the end.
pub(super) struct AeadContent {
    opener: AeadOpener,
    /// The last octets, where the tag is glued to the content.
    held: Zeroizing<Vec<u8>>,
    glued: usize,
    failed: Option<KeyError>,
    owner: &'static str,
}

impl AeadContent {
    fn update(&mut self, octets: &mut [u8], out: &mut dyn Write) -> io::Result<()> {
        if self.failed.is_some() {
            return Ok(());
        }
        if self.glued == 0 {
            return self.process(octets, out);
        }
        self.held.extend_from_slice(octets);
        let ready = self.held.len().saturating_sub(self.glued);
        let mut piece = Zeroizing::new(self.held.drain(..ready).collect::<Vec<_>>());
        self.process(&mut piece, out)
    }

    fn process(&mut self, octets: &mut [u8], out: &mut dyn Write) -> io::Result<()> {
        match self.opener.process(octets) {
            Ok(()) => out.write_all(octets),
            Err(error) => {
                self.failed = Some(error);
                Ok(())
            }
        }
    }

    fn finish(self, mac: &[u8]) -> Aspect {
        let tag = if self.glued == 0 { mac } else { &self.held };
        match self.failed.map_or_else(|| self.opener.finish(tag), Err) {
            Ok(()) => Aspect::Good,
            Err(error) => match key_aspect(&error, Reason::TagMismatch) {
                Aspect::Bad(_) if !Check::AuthenticationTag.on() => Aspect::Good,
                Aspect::Bad(_) => {
                    let detail = format!("{}: the authentication tag does not fit key and content", self.owner);
                    Aspect::bad(Reason::TagMismatch, detail)
                }
                unchecked => unchecked,
            },
        }
    }
}

/// Decrypts content in CBC mode, and holds the last block back until the end,
/// because only there the padding is; or in CTR mode, which has none.
pub(super) struct CbcOpener {
    mode: Box<dyn BlockMode>,
    block_len: usize,
    padded: bool,
    held: Zeroizing<Vec<u8>>,
    total: u64,
    owner: &'static str,
}

impl CbcOpener {
    /// Takes ciphertext in, and writes the plaintext that it allows.
    fn update(&mut self, octets: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.total += octets.len() as u64;
        self.held.extend_from_slice(octets);
        if !self.padded {
            self.mode.process(&mut self.held);
            out.write_all(&self.held)?;
            self.held.clear();
            return Ok(());
        }
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
    fn finish(mut self, out: &mut dyn Write) -> io::Result<Aspect> {
        if !self.padded {
            return Ok(Aspect::Good);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::writer as w;

    /// A relative of the attack of RFC 9709 section 1: the same key and ciphertext in another mode.
    #[test]
    fn what_is_to_be_authenticated_is_not_opened_in_cbc_mode() {
        let parameters = Some(w::octet_string(&[0; 16]));
        let cbc = AlgorithmIdentifier { oid: ContentCipher::Aes128Cbc.oid().to_owned(), parameters };
        assert!(Cipher::of(&cbc, Envelope::Enveloped).is_ok() && Cipher::of(&cbc, Envelope::Encrypted).is_ok());
        let Err(Refusal::Structure(aspect)) = Cipher::of(&cbc, Envelope::AuthEnveloped) else { panic!("it is opened") };
        assert_eq!(aspect.reason(), Some(Reason::BadParameters));
    }
}
