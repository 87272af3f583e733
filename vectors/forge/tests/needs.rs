//! A case declares the algorithms that its recipe uses, no more and no fewer:
//! what is missing makes a SUT fail that had said it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use waxseal_engine::cms::write::ContentEncryption;
use waxseal_key::{DigestAlgorithm, SignatureScheme};
use waxseal_model::{Corpus, Input, KeyManagement, KeyType, SignStep, Step};

#[test]
fn declared_algorithms_are_those_of_the_recipe() {
    let corpus = Corpus::embedded().unwrap();
    for case in corpus.cases() {
        let Input::Recipe(recipe) = &case.input else { continue };
        let mut used = Used { corpus: &corpus, names: BTreeSet::new() };
        let earlier = case.earlier.iter().flat_map(|earlier| &earlier.recipe.steps);
        for step in earlier.chain(&recipe.steps) {
            match step {
                Step::Sign(sign) => sign.by.iter().for_each(|signer| used.signer(signer, sign)),
                Step::Encrypt(encrypt) => {
                    let cipher = used.cipher(&encrypt.cipher);
                    used.recipients(&encrypt.to, &encrypt.key_management, cipher.key_len());
                    for key in &encrypt.keys {
                        used.wrap(&encrypt.key_management, key.key.len() / 2);
                    }
                    for signer in &encrypt.signed_by {
                        used.add("sm3");
                        used.add(used.key(signer).scheme().unwrap());
                    }
                    if !encrypt.passwords.is_empty() {
                        used.password(&encrypt.key_management);
                    }
                }
                Step::Stamp(stamp) => {
                    let key = corpus.pki().entity(&stamp.by).unwrap().key;
                    used.add("sha-256");
                    used.add(key.scheme().unwrap());
                    used.add(key.code());
                }
                Step::Compress(_) => used.add("zlib"),
                Step::Digest(digest) => used.add(&digest.digest),
                Step::EncryptWithKey(encrypt) => drop(used.cipher(&encrypt.cipher)),
                Step::Authenticate(authenticate) => {
                    used.add(&format!("hmac-{}", authenticate.digest));
                    if !authenticate.no_attributes {
                        used.add(&authenticate.digest);
                    }
                    // The key of an HMAC is as long as its output (RFC 2104 section 3).
                    let key_len = DigestAlgorithm::from_name(&authenticate.digest).unwrap().output_len();
                    used.recipients(&authenticate.to, &authenticate.key_management, key_len);
                }
                _ => {}
            }
        }
        assert_eq!(case.needs.algorithms, used.names, "{}: needs.algorithms", case.id);
    }
}

/// The algorithms of a recipe, as its steps name them or leave them open.
struct Used<'a> {
    corpus: &'a Corpus,
    names: BTreeSet<String>,
}

impl Used<'_> {
    fn add(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    fn key(&self, entity: &str) -> KeyType {
        self.corpus.pki().entity(entity).unwrap().key
    }

    fn signer(&mut self, signer: &str, sign: &SignStep) {
        let key = self.key(signer);
        let scheme = key.scheme().unwrap();
        let digest = digest_of(key, &sign.digest);
        self.add(digest);
        let scheme = if sign.pss.is_some() && scheme == "rsa-pkcs1-v1_5" { "rsassa-pss" } else { scheme };
        self.add(scheme);
        if scheme == "ecdsa" {
            self.add(key.code());
        }
        if scheme == "rsassa-pss" {
            self.add(sign.pss.as_ref().and_then(|pss| pss.mgf.as_deref()).unwrap_or(digest));
        }
    }

    fn cipher(&mut self, name: &str) -> ContentEncryption {
        let cipher = name.parse::<ContentEncryption>().unwrap();
        self.add(cipher.name());
        cipher
    }

    /// What takes a key of that many octets to these recipients.
    fn recipients(&mut self, to: &[String], described: &KeyManagement, key_len: usize) {
        for name in to {
            let key = self.key(name);
            let digest = |usual: &'static str| described.derivation.clone().unwrap_or_else(|| usual.to_owned());
            let form = if described.cofactor { "cofactor" } else { "std" };
            let derivation = match key {
                KeyType::P256 => format!("ecdh-{form}-{}-kdf", digest("sha-256")),
                KeyType::P384 => format!("ecdh-{form}-{}-kdf", digest("sha-384")),
                KeyType::P521 => format!("ecdh-{form}-{}-kdf", digest("sha-512")),
                KeyType::Sm2 if described.sm2_agreement => format!("ecdh-{form}-{}-kdf", digest("sha-256")),
                KeyType::X25519 => format!("ecdh-hkdf-{}", digest("sha-256")),
                KeyType::MlKem512 | KeyType::MlKem768 | KeyType::MlKem1024 => format!("hkdf-{}", digest("sha-256")),
                _ => {
                    self.transport(key, described);
                    continue;
                }
            };
            self.add(key.code());
            self.add(&derivation);
            self.wrap(described, key_len);
        }
    }

    fn transport(&mut self, key: KeyType, described: &KeyManagement) {
        if key == KeyType::Sm2 {
            return self.add("sm2-encryption");
        }
        let Some(oaep) = &described.oaep else { return self.add(key.algorithm()) };
        let digest = oaep.digest.as_deref().unwrap_or("sha-256");
        self.add("rsaes-oaep");
        self.add(digest);
        self.add(oaep.mgf.as_deref().unwrap_or(digest));
    }

    /// The key wrap that is named, or AES with a key that is not shorter.
    fn wrap(&mut self, described: &KeyManagement, key_len: usize) {
        let usual = match key_len {
            ..=16 => "aes-128-wrap",
            17..=24 => "aes-192-wrap",
            _ => "aes-256-wrap",
        };
        self.add(described.wrap.as_deref().unwrap_or(usual));
    }

    fn password(&mut self, described: &KeyManagement) {
        self.add("password-wrap");
        self.add("pbkdf2");
        self.add(&format!("hmac-{}", described.prf.as_deref().unwrap_or("sha-256")));
        self.add(described.password_cipher.as_deref().unwrap_or("aes-256-cbc"));
    }
}

/// EdDSA has digests of its own (RFC 8419 section 3.1), ML-DSA wants one as
/// strong as itself (RFC 9882 section 3.3).
fn digest_of(key: KeyType, asked: &str) -> &str {
    let least = match key {
        KeyType::Ed25519 => return "sha-512",
        KeyType::Ed448 => return "shake256",
        KeyType::Sm2 => return "sm3",
        KeyType::MlDsa44 => 32,
        KeyType::MlDsa65 => 48,
        KeyType::MlDsa87 => 64,
        _ => 0,
    };
    let fits = DigestAlgorithm::from_name(asked).unwrap().output_len() >= least;
    if fits { asked } else { "sha-512" }
}

#[test]
fn every_needed_algorithm_is_in_the_table() {
    // Schemes have names of their own; everything else is a row of the algorithm table.
    let schemes = SignatureScheme::ALL.map(SignatureScheme::name);
    let corpus = Corpus::embedded().unwrap();
    for case in corpus.cases() {
        for name in &case.needs.algorithms {
            let known = schemes.contains(&name.as_str()) || waxseal_key::algorithm::by_name(name).is_some();
            assert!(known, "{}: {name:?} is not in the algorithm table", case.id);
        }
    }
}
