//! A case declares the algorithms that its recipe uses, no more and no fewer:
//! what is missing makes a SUT fail that had said it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use waxseal_engine::cms::write::ContentEncryption;
use waxseal_key::SignatureScheme;
use waxseal_model::{Corpus, Input, KeyManagement, KeyType, Step};

#[test]
fn declared_algorithms_are_those_of_the_recipe() {
    let corpus = Corpus::embedded().unwrap();
    for case in corpus.cases() {
        let Input::Recipe(recipe) = &case.input else { continue };
        let mut used = BTreeSet::new();
        for step in &recipe.steps {
            match step {
                Step::Sign(sign) => {
                    for signer in &sign.by {
                        let key = corpus.pki().entity(signer).unwrap().key;
                        let scheme = key.scheme().expect(&case.id);
                        used.insert(digest_of(key, &sign.digest).to_owned());
                        let pss = sign.pss.is_some() && scheme == "rsa-pkcs1-v1_5";
                        used.insert(if pss { "rsassa-pss" } else { scheme }.to_owned());
                        if scheme == "ecdsa" {
                            used.insert(key.code().to_owned());
                        }
                    }
                }
                Step::Encrypt(encrypt) => {
                    used.insert(cipher(&encrypt.cipher));
                    recipients(&corpus, &encrypt.to, &encrypt.key_management, &mut used);
                    let wrap = encrypt.key_management.wrap.clone();
                    used.extend(
                        encrypt
                            .keys
                            .iter()
                            .map(|key| wrap.clone().unwrap_or_else(|| format!("aes-{}-wrap", key.key.len() * 4))),
                    );
                    if !encrypt.passwords.is_empty() {
                        used.extend(["password-wrap".to_owned(), "pbkdf2".to_owned()]);
                    }
                }
                Step::Compress(_) => {
                    used.insert("zlib".to_owned());
                }
                Step::Digest(digest) => {
                    used.insert(digest.digest.clone());
                }
                Step::EncryptWithKey(encrypt) => {
                    used.insert(cipher(&encrypt.cipher));
                }
                Step::Authenticate(authenticate) => {
                    used.insert(format!("hmac-{}", authenticate.digest));
                    recipients(&corpus, &authenticate.to, &authenticate.key_management, &mut used);
                }
                _ => {}
            }
        }
        assert_eq!(case.needs.algorithms, used, "{}: needs.algorithms", case.id);
    }
}

/// Ed25519 and ML-DSA have digests of their own (RFC 8419 section 3.1, RFC 9882
/// section 3.3).
fn digest_of(key: KeyType, asked: &str) -> &str {
    match key {
        KeyType::Ed25519 | KeyType::MlDsa65 | KeyType::MlDsa87 => "sha-512",
        _ => asked,
    }
}

fn cipher(name: &str) -> String {
    name.parse::<ContentEncryption>().unwrap().name().to_owned()
}

fn recipients(corpus: &Corpus, to: &[String], described: &KeyManagement, used: &mut BTreeSet<String>) {
    for name in to {
        let key = corpus.pki().entity(name).unwrap().key;
        let oaep = described.oaep.is_some() && key.algorithm() == "rsa";
        used.insert(if oaep { "rsaes-oaep" } else { key.algorithm() }.to_owned());
    }
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
