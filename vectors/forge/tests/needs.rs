//! A case declares the algorithms that its recipe uses, no more and no fewer:
//! what is missing makes a SUT fail that had said it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use waxseal_key::{ContentCipher, DigestAlgorithm};
use waxseal_model::{Corpus, Input, KeyType, Step};

#[test]
fn declared_algorithms_are_those_of_the_recipe() {
    let corpus = Corpus::embedded().unwrap();
    for case in corpus.cases() {
        let Input::Recipe(recipe) = &case.input else { continue };
        let mut used = BTreeSet::new();
        for step in &recipe.steps {
            match step {
                Step::Sign(sign) => {
                    used.insert(DigestAlgorithm::from_name(&sign.digest).expect(&case.id).name().to_owned());
                    for signer in &sign.by {
                        let key = corpus.pki().entity(signer).unwrap().key;
                        used.insert(key.scheme().to_owned());
                        if matches!(key, KeyType::P256 | KeyType::P384) {
                            used.insert(key.code().to_owned());
                        }
                    }
                }
                Step::Encrypt(encrypt) => {
                    used.insert(ContentCipher::from_name(&encrypt.cipher).expect(&case.id).name().to_owned());
                    used.insert("rsa".to_owned());
                }
                _ => {}
            }
        }
        assert_eq!(case.needs.algorithms, used, "{}: needs.algorithms", case.id);
    }
}

#[test]
fn every_needed_algorithm_is_in_the_table() {
    // Schemes have names of their own; everything else is a row of the algorithm table.
    let schemes = ["rsa-pkcs1-v1_5", "ecdsa"];
    let corpus = Corpus::embedded().unwrap();
    for case in corpus.cases() {
        for name in &case.needs.algorithms {
            let known = schemes.contains(&name.as_str()) || waxseal_key::algorithm::by_name(name).is_some();
            assert!(known, "{}: {name:?} is not in the algorithm table", case.id);
        }
    }
}
