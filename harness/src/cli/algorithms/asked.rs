//! What each provider of arithmetic does, asked of the providers themselves:
//! every algorithm is tried once, with keys of this file's own.

use std::collections::BTreeMap;
use std::io::Cursor;

use waxseal_key::algorithm::{Kind, Row, signature_from_oid};
use waxseal_key::{
    AeadCipher, AeadSetup, Arithmetic, ContentCipher, Decryptor, DigestAlgorithm, KeyError, KeyWrap, OaepParameters,
    PrivateKey, ProviderChoice, PssParameters, SeededRandom, SignatureScheme, Signer, Sm2Form,
};

/// A key of every kind, each under its name, with an empty line between; test
/// keys, public and worthless. DSA is verified only: its SubjectPublicKeyInfo.
const KEYS: &str = include_str!("keys.txt");

/// The keys that the providers are asked with.
pub(super) struct Asked {
    keys: BTreeMap<&'static str, &'static str>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self { keys: KEYS.split("\n\n").filter_map(|entry| entry.split_once('\n')).collect() }
    }

    fn key(&self, name: &str, own: Arithmetic) -> Option<PrivateKey> {
        PrivateKey::from_pem(self.keys.get(name)?, None).ok().map(|key| key.with_arithmetic(own))
    }

    /// Whether a provider does what stands in a row of the table; `None` where
    /// a row names nothing that is computed, or nothing that the engine does.
    pub(super) fn does(&self, row: &Row, provider: ProviderChoice) -> Option<bool> {
        let own = Arithmetic::new(provider);
        let random = &mut SeededRandom::new("algorithms");
        let digest_of = |end: &str| DigestAlgorithm::ALL.into_iter().find(|digest| end.ends_with(digest.name()));
        match row.kind {
            Kind::Digest => Some(did(&own.digest(DigestAlgorithm::from_name(row.name)?, b""))),
            Kind::ContentCipher => {
                let cipher = ContentCipher::from_name(row.name)?;
                let (key, iv) = (vec![0; cipher.key_len()], vec![0; cipher.iv_len()]);
                Some(did(&own.cbc_encryptor(cipher, &key, &iv)) && did(&own.cbc_decryptor(cipher, &key, &iv)))
            }
            Kind::AuthenticatedCipher => {
                let cipher = AeadCipher::ALL.into_iter().find(|cipher| cipher.name() == row.name)?;
                let key = vec![0; cipher.key_len()];
                let setup = AeadSetup {
                    cipher,
                    key: &key,
                    nonce: &[0; 12],
                    additional: &[],
                    tag_len: 16,
                    content_len: Some(0),
                };
                Some(did(&own.aead_opener(&setup)))
            }
            Kind::KeyWrap if row.name == "password-wrap" => {
                Some(did(&own.password_wrap(ContentCipher::Aes128Cbc, &[0; 16], &[0; 16], &[0; 16], random)))
            }
            Kind::KeyWrap => {
                let wrap = KeyWrap::from_oid(row.oid)?;
                let key = vec![0; if wrap == KeyWrap::TripleDes { 24 } else { 16 }];
                Some(did(&own.wrap_key(wrap, &vec![0; wrap.key_len()], &key, random)))
            }
            Kind::KeyDerivation if row.name == "pbkdf2" => {
                Some(did(&own.pbkdf2(DigestAlgorithm::Sha256, b"password", b"salt", 1, 16)))
            }
            Kind::KeyDerivation if row.name.starts_with("hkdf-") => {
                Some(did(&own.hkdf(digest_of(row.name)?, None, &[1], b"", 16)))
            }
            Kind::Mac if row.name.starts_with("hmac-") => {
                let digest = DigestAlgorithm::from_name(row.name.strip_prefix("hmac-")?)?;
                Some(did(&own.mac(digest, &[0; 16])))
            }
            Kind::KeyEncapsulation => Some(self.decapsulates(row.name, own)?),
            Kind::Curve => Some(self.agrees(row.name, own)?),
            Kind::KeyTransport if row.name == "sm2-encryption" => self.transports_by_sm2(own),
            Kind::KeyAgreement if row.name.starts_with("ecdh-hkdf") => {
                let digest = digest_of(row.name)?;
                Some(self.agrees("x25519", own)? && did(&own.hkdf(digest, None, &[1], b"", 16)))
            }
            Kind::KeyAgreement if row.name.starts_with("ecdh-") => {
                let digest = digest_of(row.name.strip_suffix("-kdf")?)?;
                Some(self.agrees("p-256", own)? && did(&own.x963_kdf(digest, &[1], b"", 16)))
            }
            Kind::KeyTransport if row.name == "rsaes-oaep" => {
                let parameters = OaepParameters::usual(DigestAlgorithm::Sha256);
                let key = self.key("rsa", own)?;
                let public = Decryptor::public_key(&key);
                let encrypted = reference().wrap_rsa_oaep(public, &[1; 16], &parameters, random).ok()?;
                Some(did(&key.unwrap_rsa_oaep(&encrypted, &parameters)))
            }
            Kind::PublicKey => match row.name {
                "rsa" => Some(did(&self.key("rsa", own)?.unwrap_rsa_pkcs1(&[0; 256], 16))),
                "ec" => self.agrees("p-256", own),
                "x25519" => self.agrees("x25519", own),
                "dsa" => self.verifies(SignatureScheme::Dsa, DigestAlgorithm::Sha1, own),
                _ => None,
            },
            Kind::Signature if row.name == "rsassa-pss" => {
                let digest = DigestAlgorithm::Sha256;
                self.verifies(SignatureScheme::RsaPss(PssParameters::usual(digest)), digest, own)
            }
            Kind::Signature => match signature_from_oid(row.oid)? {
                (scheme, _) if scheme.signs_message() => self.verifies_message(scheme, own),
                (scheme, Some(digest)) => self.verifies(scheme, digest, own),
                (_, None) => None,
            },
            _ => None,
        }
    }

    fn agrees(&self, name: &str, own: Arithmetic) -> Option<bool> {
        let key = self.key(name, own)?;
        Some(did(&key.agree(Decryptor::public_key(&key))))
    }

    fn transports_by_sm2(&self, own: Arithmetic) -> Option<bool> {
        let key = self.key("sm2", own)?;
        let random = &mut SeededRandom::new("algorithms");
        let public = Decryptor::public_key(&key);
        let encrypted = reference().wrap_sm2(public, &[1; 16], Sm2Form::Asn1, random).ok()?;
        Some(did(&key.unwrap_sm2(&encrypted)))
    }

    fn decapsulates(&self, name: &str, own: Arithmetic) -> Option<bool> {
        let key = self.key(name, own)?;
        let random = &mut SeededRandom::new("algorithms");
        let (ciphertext, _) = reference().encapsulate(Decryptor::public_key(&key), random).ok()?;
        Some(did(&key.decapsulate(&ciphertext)))
    }

    fn verifies(&self, scheme: SignatureScheme, digest: DigestAlgorithm, own: Arithmetic) -> Option<bool> {
        let value = vec![1; digest.output_len()];
        let (public, signature) = if scheme == SignatureScheme::Dsa {
            (octets(self.keys.get("dsa")?), Vec::new())
        } else {
            let key = self.key(if scheme == SignatureScheme::Ecdsa { "p-256" } else { "rsa" }, reference())?;
            (Signer::public_key(&key).to_vec(), key.sign_digest(scheme, digest, &value).ok()?)
        };
        Some(did(&own.verify_digest(&public, scheme, digest, &value, &signature)))
    }

    fn verifies_message(&self, scheme: SignatureScheme, own: Arithmetic) -> Option<bool> {
        let key = self.key(scheme.name(), reference())?;
        let signature = key.sign_message(scheme, &mut Cursor::new(b"x")).ok()?;
        Some(did(&own.verify_message(Signer::public_key(&key), scheme, &mut Cursor::new(b"x"), &signature)))
    }
}

fn reference() -> Arithmetic {
    Arithmetic::new(ProviderChoice::RustCrypto)
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|one| u8::try_from(one.to_digit(16)?).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Whether the provider took it up, whatever came out.
fn did<T>(answer: &Result<T, KeyError>) -> bool {
    !matches!(answer, Err(KeyError::NotByThisProvider { .. }))
}
