//! ML-KEM: decapsulation, as aws-lc draws its own random numbers.

use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    private_key::{Secret, SecretKind},
    provider::{
        lacks,
        rustcrypto::ml_kem::{MlKemKey, wrong_length},
    },
};

pub(super) fn decapsulate(key: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let SecretKind::MlKem(secret) = &key.kind else {
        return lacks(format_args!("decapsulation with a key {}", key.algorithm));
    };
    let (algorithm, len) = match secret {
        MlKemKey::Of512(_) => (&ML_KEM_512, 768),
        MlKemKey::Of768(_) => (&ML_KEM_768, 1088),
        MlKemKey::Of1024(_) => (&ML_KEM_1024, 1568),
    };
    if ciphertext.len() != len {
        return Err(wrong_length(ciphertext.len()));
    }
    let decapsulation = DecapsulationKey::new(algorithm, &secret.expanded())
        .map_err(|error| KeyError::Refused(format!("aws-lc does not take this key: {error}")))?;
    let shared = decapsulation
        .decapsulate(Ciphertext::from(ciphertext))
        .map_err(|_| KeyError::Refused(format!("decapsulation with a key {} failed in aws-lc", key.algorithm)))?;
    Ok(Zeroizing::new(shared.as_ref().to_vec()))
}
