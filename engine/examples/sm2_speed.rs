//! How often an operation of SM2 is done in a second of processor time, and how
//! many megabytes of SM3 and SM4-CBC: `cargo xtask bench sm2` runs it in turn with
//! OpenSSL and GmSSL.
//!
//! `sm2_speed SECONDS` prints a line for each operation, name and number with a
//! tab between them; megabytes have 10^6 octets.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people who work on this")]

mod measure;

use std::io::Cursor;
use std::time::Duration;

use measure::per_second;
use waxseal_key::{
    Arithmetic, ContentCipher, Decryptor, DigestAlgorithm, PrivateKey, ProviderChoice, SignatureScheme, Signer,
    Sm2Form, SystemRandom,
};

/// The key of the example of GM/T 0003.5-2012 appendix A, in PKCS#8.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MEECAQAwEwYHKoZIzj0CAQYIKoEcz1UBgi0EJzAlAgEBBCA5RSCPeyFEsT8244rG\n\
    05+ViJOTaShgtRpC+4HvTffFuA==\n\
    -----END PRIVATE KEY-----\n";

/// Octets that are hashed or encrypted at once, as `openssl speed` does.
const BLOCK: usize = 16384;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(1.0);
    let time = Duration::from_secs_f64(seconds);
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let key = PrivateKey::from_pem(KEY, None).unwrap();
    let spki = Signer::public_key(&key).to_vec();
    let message = [7; 32];
    let sign = || key.sign_message(SignatureScheme::Sm2, &mut Cursor::new(message)).unwrap();
    let signature = sign();
    let wrap = || arithmetic.wrap_sm2(&spki, &[9; 16], Sm2Form::Asn1, &mut SystemRandom).unwrap();
    let wrapped = wrap();
    print("sign", per_second(time, || drop(sign())));
    print(
        "verify",
        per_second(time, || {
            let message = &mut Cursor::new(message);
            assert!(arithmetic.verify_message(&spki, SignatureScheme::Sm2, message, &signature).unwrap());
        }),
    );
    print("encrypt", per_second(time, || drop(wrap())));
    print("decrypt", per_second(time, || drop(key.unwrap_sm2(&wrapped).unwrap())));
    let megabytes = BLOCK as f64 / 1e6;
    let mut block = vec![7; BLOCK];
    print("sm3", megabytes * per_second(time, || drop(arithmetic.digest(DigestAlgorithm::Sm3, &block).unwrap())));
    let mut encryptor = arithmetic.cbc_encryptor(ContentCipher::Sm4Cbc, &[9; 16], &[1; 16]).unwrap();
    print("sm4-cbc encrypt", megabytes * per_second(time, || encryptor.process(&mut block)));
    let mut decryptor = arithmetic.cbc_decryptor(ContentCipher::Sm4Cbc, &[9; 16], &[1; 16]).unwrap();
    print("sm4-cbc decrypt", megabytes * per_second(time, || decryptor.process(&mut block)));
}

fn print(name: &str, number: f64) {
    println!("{name}\t{number:.1}");
}
