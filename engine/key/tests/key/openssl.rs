//! OpenSSL signs, this crate verifies, and the other way round.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use waxseal_key::{Decryptor, DigestAlgorithm, ProviderChoice, SeededRandom, Signer, pkcs12};

use crate::{data, hex, key, rustcrypto};

const MESSAGE: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

#[test]
fn signatures_cross() {
    let Some(folder) = Folder::with_openssl("signatures_cross") else { return };
    let message = folder.file("message", MESSAGE);
    for name in ["rsa1024", "rsa2048", "p256", "p384", "p521"] {
        let (key, private) = (key(name), key_file(name));
        let public = folder.path("public.pem");
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        for digest in [
            DigestAlgorithm::Sha1,
            DigestAlgorithm::Sha224,
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha512,
            DigestAlgorithm::Sha3_224,
            DigestAlgorithm::Sha3_256,
            DigestAlgorithm::Sha3_512,
            DigestAlgorithm::Sm3,
        ] {
            if digest == DigestAlgorithm::Sm3 && name.starts_with("rsa") {
                // OpenSSL 3.0 refuses it; see `sm3_sm4::rsa_with_sm3`.
                continue;
            }
            let option = format!("-{}", digest.name().replace("sha-", "sha"));
            let value = rustcrypto().digest(digest, MESSAGE).unwrap();
            let scheme = key.signature_scheme().unwrap();

            let theirs = folder.path("theirs");
            openssl(&["dgst", &option, "-sign", &private, "-out", &theirs, &message]);
            let theirs = std::fs::read(theirs).unwrap();
            for choice in [ProviderChoice::RustCrypto, ProviderChoice::Auto] {
                let arithmetic = waxseal_key::Arithmetic::new(choice);
                let good = arithmetic.verify_digest(key.public_key(), scheme, digest, &value, &theirs);
                assert_eq!(good, Ok(true), "{name} {digest}: theirs by {choice}");
            }

            let ours = folder.file("ours", &key.sign_digest(scheme, digest, &value).unwrap());
            let output = openssl(&["dgst", &option, "-verify", &public, "-signature", &ours, &message]);
            assert!(output.contains("Verified OK"), "{name} {digest}: ours by openssl: {output}");
        }
    }
}

/// A file of ours in its hands: the key, the certificate, and the MAC that vouches for both.
#[test]
fn a_key_is_handed_over() {
    let Some(folder) = Folder::with_openssl("a_key_is_handed_over") else { return };
    for name in ["rsa2048", "p256"] {
        let mut random = SeededRandom::new(name);
        let pkcs8 = key(name).to_pkcs8_der();
        let file = pkcs12::hand_over(&pkcs8, &data("alice.der"), name, "word", &mut random).unwrap();
        let file = folder.file("key.p12", &file);
        let read = openssl(&["pkcs12", "-in", &file, "-passin", "pass:word", "-nodes"]);
        assert!(read.contains("BEGIN CERTIFICATE") && read.contains("BEGIN PRIVATE KEY"), "{read}");
        let public = openssl(&["pkey", "-in", &key_file(name), "-pubout"]);
        let held = folder.file("held.pem", read.as_bytes());
        assert_eq!(openssl(&["pkey", "-in", &held, "-pubout"]), public);
    }
}

#[test]
fn wrapped_keys_cross() {
    let Some(folder) = Folder::with_openssl("wrapped_keys_cross") else { return };
    let content_key = [7_u8; 24];
    for name in ["rsa1024", "rsa2048"] {
        let (key, private) = (key(name), key_file(name));
        let plain = folder.file("plain", &content_key);
        let theirs = folder.path("theirs");
        openssl(&["pkeyutl", "-encrypt", "-inkey", &private, "-in", &plain, "-out", &theirs]);
        let found = key.unwrap_rsa_pkcs1(&std::fs::read(theirs).unwrap(), 24).unwrap();
        assert_eq!(*found, content_key, "{name}: theirs");

        let wrapped =
            rustcrypto().wrap_rsa_pkcs1(key.public_key(), &content_key, &mut SeededRandom::new("cross")).unwrap();
        let (ours, out) = (folder.file("ours", &wrapped), folder.path("out"));
        openssl(&["pkeyutl", "-decrypt", "-inkey", &private, "-in", &ours, "-out", &out]);
        assert_eq!(std::fs::read(out).unwrap(), content_key, "{name}: ours");
    }
}

#[test]
fn old_ciphers_agree() {
    use waxseal_key::ContentCipher;
    let Some(folder) = Folder::with_openssl("old_ciphers") else { return };
    let plain: Vec<u8> = (0..4096_u32).map(|at| (at * 31 + at / 256) as u8).collect();
    let file = folder.file("plain", &plain);
    for (cipher, name) in [
        (ContentCipher::DesCbc, "-des-cbc"),
        (ContentCipher::Rc2Cbc { effective_bits: 40 }, "-rc2-40-cbc"),
        (ContentCipher::Rc2Cbc { effective_bits: 64 }, "-rc2-64-cbc"),
        (ContentCipher::Rc2Cbc { effective_bits: 128 }, "-rc2-cbc"),
        (ContentCipher::Cast5Cbc { key_bits: 128 }, "-cast5-cbc"),
        (ContentCipher::Camellia128Cbc, "-camellia-128-cbc"),
        (ContentCipher::Camellia192Cbc, "-camellia-192-cbc"),
        (ContentCipher::Camellia256Cbc, "-camellia-256-cbc"),
        (ContentCipher::TripleDesCbc, "-des-ede3-cbc"),
        (ContentCipher::Sm4Cbc, "-sm4-cbc"),
        (ContentCipher::Sm4Ctr, "-sm4-ctr"),
    ] {
        let key: Vec<u8> = (0..cipher.key_len()).map(|at| (at as u8).wrapping_mul(11)).collect();
        let iv: Vec<u8> = (0..cipher.iv_len()).map(|at| at as u8 * 5).collect();
        let out = folder.path("out");
        let (key_hex, iv_hex) = (hex(&key), hex(&iv));
        let arguments = ["enc", "-e", name, "-nopad", "-K", &key_hex, "-iv", &iv_hex, "-in", &file, "-out", &out];
        openssl(&[&arguments[..], &["-provider", "legacy", "-provider", "default"]].concat());
        let mut ours = plain.clone();
        let mut encryptor = rustcrypto().cbc_encryptor(cipher, &key, &iv).unwrap();
        ours.chunks_mut(48).for_each(|piece| encryptor.process(piece));
        assert!(ours == std::fs::read(out).unwrap(), "{cipher:?}");
        rustcrypto().cbc_decryptor(cipher, &key, &iv).unwrap().process(&mut ours);
        assert!(ours == plain, "{cipher:?}");
    }
}

#[test]
fn public_keys_are_written_alike() {
    let Some(folder) = Folder::with_openssl("public_keys_are_written_alike") else { return };
    for name in ["rsa512", "rsa2048", "p256", "p384", "p521"] {
        let out = folder.path("public.der");
        openssl(&["pkey", "-in", &key_file(name), "-pubout", "-outform", "DER", "-out", &out]);
        assert_eq!(hex(Signer::public_key(&key(name))), hex(&std::fs::read(out).unwrap()), "{name}");
    }
}

#[test]
fn pkcs12_files_in_the_forms_that_openssl_writes() {
    let Some(folder) = Folder::with_openssl("pkcs12_files") else { return };
    let certificate = folder.path("certificate.pem");
    let key_file = key_file("rsa2048");
    openssl(&["req", "-x509", "-new", "-key", &key_file, "-subj", "/CN=x", "-out", &certificate]);
    let options: [&[&str]; 6] = [
        &["-macalg", "sha512"],
        &["-macalg", "sha1", "-iter", "1"],
        &["-keypbe", "aes-128-cbc", "-certpbe", "aes-192-cbc"],
        &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-2DES"],
        &["-nomac"],
        &["-keypbe", "NONE", "-certpbe", "aes-256-cbc"],
    ];
    for options in options {
        let out = folder.path("x.p12");
        let mut arguments = vec![
            "pkcs12",
            "-export",
            "-inkey",
            &key_file,
            "-in",
            &certificate,
            "-passout",
            "pass:secret",
            "-out",
            &out,
        ];
        arguments.extend(options);
        openssl(&arguments);
        let file = pkcs12::open(&std::fs::read(&out).unwrap(), "secret");
        let file = file.unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!(file.keys[0].public_key(), key("rsa2048").public_key(), "{options:?}");
        assert_eq!(file.certificates.len(), 1, "{options:?}");
        assert!(pkcs12::open(&std::fs::read(&out).unwrap(), "wrong").is_err(), "{options:?}");
    }
    assert!(!data("modern.p12").is_empty());
}

/// A folder for one test, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn with_openssl(test: &str) -> Option<Self> {
        if !waxseal_testing::has_openssl() {
            return None;
        }
        let path = std::env::temp_dir().join(format!("waxseal-key-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Some(Self(path))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn file(&self, name: &str, octets: &[u8]) -> String {
        std::fs::write(self.0.join(name), octets).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn key_file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/key/data/{name}.pem")).display().to_string()
}

/// Runs openssl, which must succeed; what it printed.
pub(crate) fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}
