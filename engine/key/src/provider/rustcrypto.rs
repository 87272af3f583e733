//! The reference provider: the crates of RustCrypto. It does everything.

mod aead;
pub(crate) mod agreement;
mod derivation;
pub(crate) mod dsa;
mod ecdsa;
mod ed25519;
pub(crate) mod ed448;
mod mgf1;
pub(crate) mod ml_dsa;
pub(crate) mod ml_kem;
pub(crate) mod oaep;
pub(crate) mod pss;
pub(crate) mod rsa;
pub(crate) mod shake;
pub(crate) mod sm2;
mod wrap;

use cipher::{Array, Block, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyIvInit, StreamCipher};
use digest::Digest;
use zeroize::Zeroizing;

use super::{Direction, Provider, lacks};
use crate::{
    AeadSetup, BlockMode, ContentCipher, DigestAlgorithm, Hasher, KeyError, KeyWrap, OaepParameters,
    PublicKeyAlgorithm, Random, SM2_DEFAULT_ID, SignatureScheme,
    aead::AeadMode,
    digest::with_digest,
    message::Message,
    private_key::{Secret, SecretKind},
    public_key::PublicKey,
};

pub(crate) use self::rsa::{DigestInfoForm, Found, digest_info_form, wrong_length};

pub(crate) struct RustCrypto;

impl Provider for RustCrypto {
    fn hasher(&self, digest: DigestAlgorithm) -> Result<Box<dyn Hasher>, KeyError> {
        with_digest!(digest, D => Ok(Box::new(Running(D::new()))))
    }

    fn verify(
        &self,
        key: &PublicKey<'_>,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        match (scheme, &key.algorithm) {
            (SignatureScheme::RsaPkcs1, PublicKeyAlgorithm::Rsa) => {
                Ok(digest_info_form(key.octets, digest, value, signature)?.is_some())
            }
            (SignatureScheme::RsaPss(parameters), PublicKeyAlgorithm::Rsa | PublicKeyAlgorithm::RsaPss) => {
                pss::verify(key.octets, parameters, digest, value, signature)
            }
            (SignatureScheme::Ecdsa, PublicKeyAlgorithm::P256) => ecdsa::p256::verify(key.octets, value, signature),
            (SignatureScheme::Ecdsa, PublicKeyAlgorithm::P384) => ecdsa::p384::verify(key.octets, value, signature),
            (SignatureScheme::Ecdsa, PublicKeyAlgorithm::P521) => ecdsa::p521::verify(key.octets, value, signature),
            (SignatureScheme::Dsa, PublicKeyAlgorithm::Dsa) => {
                dsa::verify(key.parameters, key.octets, value, signature)
            }
            _ => lacks(format_args!("{scheme} with a key {}", key.algorithm)),
        }
    }

    fn wrap_rsa_pkcs1(
        &self,
        key: &PublicKey<'_>,
        content_key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        rsa::wrap(key.octets, content_key, random)
    }

    fn wrap_rsa_oaep(
        &self,
        key: &PublicKey<'_>,
        content_key: &[u8],
        parameters: &OaepParameters,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        oaep::wrap(key.octets, content_key, parameters, random)
    }

    fn wrap_key(&self, wrap: KeyWrap, kek: &[u8], key: &[u8], iv: [u8; 8]) -> Result<Vec<u8>, KeyError> {
        wrap::wrap(wrap, kek, key, iv)
    }

    fn unwrap_key(&self, wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        wrap::unwrap(wrap, kek, wrapped)
    }

    fn mac(&self, digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError> {
        derivation::mac(digest, key)
    }

    fn hkdf(
        &self,
        digest: DigestAlgorithm,
        salt: &[u8],
        secret: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        derivation::hkdf(digest, salt, secret, info, len)
    }

    fn pbkdf2(
        &self,
        prf: DigestAlgorithm,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        derivation::pbkdf2(prf, password, salt, iterations, len)
    }

    fn agreement_public(&self, algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<Vec<u8>, KeyError> {
        agreement::public(algorithm, private)
    }

    fn agree(
        &self,
        algorithm: &PublicKeyAlgorithm,
        private: &[u8],
        peer: &PublicKey<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        agreement::agree(algorithm, private, peer)
    }

    fn verify_message(
        &self,
        key: &PublicKey<'_>,
        message: &mut Message<'_>,
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        match key.algorithm {
            PublicKeyAlgorithm::Ed25519 => ed25519::verify(key.octets, message, signature),
            PublicKeyAlgorithm::Ed448 => ed448::verify(key.octets, message, signature),
            PublicKeyAlgorithm::MlDsa44 | PublicKeyAlgorithm::MlDsa65 | PublicKeyAlgorithm::MlDsa87 => {
                ml_dsa::verify(key, message, signature)
            }
            PublicKeyAlgorithm::Sm2 => sm2::verify(key.octets, SM2_DEFAULT_ID, message, signature),
            _ => lacks(format_args!("signatures over messages with a key {}", key.algorithm)),
        }
    }

    fn sign_message(&self, key: &Secret, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
        match &key.kind {
            SecretKind::Ed25519(key) => ed25519::sign(key, message),
            SecretKind::Ed448(key) => key.sign(message),
            SecretKind::MlDsa(key) => key.sign(message),
            _ => lacks(format_args!("signatures over messages with a key {}", key.algorithm)),
        }
    }

    fn encapsulate(
        &self,
        key: &PublicKey<'_>,
        random: &mut dyn Random,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
        ml_kem::encapsulate(key, random)
    }

    fn decapsulate(&self, key: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &key.kind {
            SecretKind::MlKem(key) => key.decapsulate(ciphertext),
            _ => lacks(format_args!("decapsulation with a key {}", key.algorithm)),
        }
    }

    fn aead(&self, direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError> {
        aead::start(direction, setup)
    }

    fn cbc(
        &self,
        direction: Direction,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Box<dyn BlockMode>, KeyError> {
        match cipher {
            ContentCipher::Aes128Cbc => cbc::<aes::Aes128>(direction, key, iv),
            ContentCipher::Aes192Cbc => cbc::<aes::Aes192>(direction, key, iv),
            ContentCipher::Aes256Cbc => cbc::<aes::Aes256>(direction, key, iv),
            ContentCipher::TripleDesCbc => cbc::<des::TdesEde3>(direction, key, iv),
            ContentCipher::DesCbc => cbc::<des::Des>(direction, key, iv),
            ContentCipher::Rc2Cbc { effective_bits } => {
                cbc_with(direction, rc2::Rc2::new_with_eff_key_len(key, effective_bits.into()), iv)
            }
            ContentCipher::Cast5Cbc { .. } => cbc::<cast5::Cast5>(direction, key, iv),
            ContentCipher::Camellia128Cbc => cbc::<camellia::Camellia128>(direction, key, iv),
            ContentCipher::Camellia192Cbc => cbc::<camellia::Camellia192>(direction, key, iv),
            ContentCipher::Camellia256Cbc => cbc::<camellia::Camellia256>(direction, key, iv),
            ContentCipher::Sm4Cbc => cbc::<sm4::Sm4>(direction, key, iv),
            ContentCipher::Sm4Ctr => {
                Ok(Box::new(Keystream(ctr::Ctr128BE::<sm4::Sm4>::new_from_slices(key, iv).map_err(wrong_lengths)?)))
            }
        }
    }

    fn sign(
        &self,
        key: &Secret,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        match (scheme, &key.kind) {
            (SignatureScheme::RsaPkcs1, SecretKind::Rsa(key)) => rsa::sign(key, digest, value),
            (SignatureScheme::RsaPss(parameters), SecretKind::Rsa(key)) => pss::sign(key, parameters, digest, value),
            (SignatureScheme::Ecdsa, SecretKind::P256(key)) => Ok(ecdsa::p256::sign(key, digest, value)),
            (SignatureScheme::Ecdsa, SecretKind::P384(key)) => Ok(ecdsa::p384::sign(key, digest, value)),
            (SignatureScheme::Ecdsa, SecretKind::P521(key)) => Ok(ecdsa::p521::sign(key, digest, value)),
            _ => lacks(format_args!("{scheme} with another kind of key")),
        }
    }

    fn unwrap_rsa_pkcs1(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        key_lens: &[usize],
        rejected: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &key.kind {
            SecretKind::Rsa(key) => rsa::unwrap(key, encrypted_key, key_lens, rejected),
            _ => lacks("rsa-pkcs1-v1_5 with another kind of key"),
        }
    }

    fn unwrap_rsa_oaep(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &key.kind {
            SecretKind::Rsa(key) => oaep::unwrap(key, encrypted_key, parameters),
            _ => lacks("rsaes-oaep with another kind of key"),
        }
    }
}

/// Refuses a damaged key, as every operation with it would.
pub(crate) fn check_public_key(key: &PublicKey<'_>) -> Result<(), KeyError> {
    match key.algorithm {
        PublicKeyAlgorithm::Rsa | PublicKeyAlgorithm::RsaPss | PublicKeyAlgorithm::RsaOaep => {
            rsa::public_key(key.octets).map(drop)
        }
        PublicKeyAlgorithm::P256 => ecdsa::p256::check(key.octets),
        PublicKeyAlgorithm::P384 => ecdsa::p384::check(key.octets),
        PublicKeyAlgorithm::P521 => ecdsa::p521::check(key.octets),
        PublicKeyAlgorithm::X25519 => agreement::x25519_octets(key.octets).map(drop),
        PublicKeyAlgorithm::Ed25519 => ed25519::check(key.octets).map(drop),
        PublicKeyAlgorithm::Ed448 => ed448::check(key.octets).map(drop),
        PublicKeyAlgorithm::Dsa => dsa::check(key.parameters, key.octets),
        PublicKeyAlgorithm::MlDsa44 | PublicKeyAlgorithm::MlDsa65 | PublicKeyAlgorithm::MlDsa87 => ml_dsa::check(key),
        PublicKeyAlgorithm::MlKem512 | PublicKeyAlgorithm::MlKem768 | PublicKeyAlgorithm::MlKem1024 => {
            ml_kem::check(key)
        }
        PublicKeyAlgorithm::Sm2 => sm2::check(key.octets).map(drop),
        PublicKeyAlgorithm::Other(_) => Ok(()),
    }
}

struct Running<D>(D);

impl<D: Digest + Send> Hasher for Running<D> {
    fn update(&mut self, octets: &[u8]) {
        Digest::update(&mut self.0, octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

fn cbc<C>(direction: Direction, key: &[u8], iv: &[u8]) -> Result<Box<dyn BlockMode>, KeyError>
where
    C: cipher::BlockCipherEncrypt + cipher::BlockCipherDecrypt + cipher::KeyInit + Send + 'static,
{
    cbc_with(direction, C::new_from_slice(key).map_err(wrong_lengths)?, iv)
}

fn cbc_with<C>(direction: Direction, cipher: C, iv: &[u8]) -> Result<Box<dyn BlockMode>, KeyError>
where
    C: cipher::BlockCipherEncrypt + cipher::BlockCipherDecrypt + Send + 'static,
{
    Ok(match direction {
        Direction::Encrypt => {
            Box::new(Encrypting(::cbc::Encryptor::inner_iv_slice_init(cipher, iv).map_err(wrong_lengths)?))
        }
        Direction::Decrypt => {
            Box::new(Decrypting(::cbc::Decryptor::inner_iv_slice_init(cipher, iv).map_err(wrong_lengths)?))
        }
    })
}

fn wrong_lengths(_: cipher::InvalidLength) -> KeyError {
    KeyError::BadParameters {
        algorithm: "cbc".to_owned(),
        why: "a key or an initialization vector of the wrong length".to_owned(),
    }
}

/// Either way of CTR mode.
struct Keystream<S>(S);

impl<S: StreamCipher + Send> BlockMode for Keystream<S> {
    fn process(&mut self, octets: &mut [u8]) {
        self.0.apply_keystream(octets);
    }
}

struct Encrypting<M>(M);

impl<M: BlockModeEncrypt + Send> BlockMode for Encrypting<M> {
    fn process(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        let blocks: &mut [Block<M>] = blocks;
        self.0.encrypt_blocks(blocks);
    }
}

struct Decrypting<M>(M);

impl<M: BlockModeDecrypt + Send> BlockMode for Decrypting<M> {
    fn process(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        let blocks: &mut [Block<M>] = blocks;
        self.0.decrypt_blocks(blocks);
    }
}
