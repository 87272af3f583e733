//! The command as a person meets it: exit codes, files, help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "cli/asked.rs"]
mod asked;
#[path = "cli/shaped.rs"]
mod shaped;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn waxseal(dir: &Path, arguments: &[&str], input: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(arguments)
        .current_dir(dir)
        .stdin(input)
        .env_remove("WAXSEAL_RECORDINGS")
        .env_remove("WAXSEAL_RUN_ID")
        .env("SECRET", "se:cret")
        .output()
        .unwrap()
}

fn pki() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki")
}

/// A directory with mail and the keys of the corpus.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let people =
            ["alice", "alice-ed25519", "alice-ml-dsa-44", "alice-pss", "bob", "bob-ec", "bob-x25519", "bob-ml-kem-768"];
        for name in people.iter().chain(&["root", "intermediate", "root-ec", "intermediate-ec"]) {
            for kind in ["cert", "key"] {
                let file = format!("{name}.{kind}.pem");
                let _ = std::fs::copy(pki().join(&file), dir.path().join(&file));
            }
        }
        let place = Self(dir);
        place.write(
            "mail",
            "From: Alice <alice@example.test>\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nhello\r\n",
        );
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path().join(name)).unwrap()).unwrap()
    }

    /// Runs a command line and checks its exit code.
    fn run(&self, code: i32, line: &str) -> (String, String) {
        self.run_with(code, line, Stdio::null())
    }

    /// The same, with a file through a pipe as standard input.
    fn run_piped(&self, code: i32, line: &str, file: &str) -> (String, String) {
        let mut cat = Command::new("cat").arg(self.path().join(file)).stdout(Stdio::piped()).spawn().unwrap();
        let result = self.run_with(code, line, cat.stdout.take().unwrap().into());
        assert!(cat.wait().unwrap().success());
        result
    }

    fn openssl(&self, line: &str) {
        let output = Command::new("openssl").args(line.split_whitespace()).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn run_with(&self, code: i32, line: &str, input: Stdio) -> (String, String) {
        let arguments: Vec<_> = line.split_whitespace().collect();
        let output = waxseal(self.path(), &arguments, input);
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "waxseal {line}\n{out}{err}");
        (out, err)
    }
}

const SIGN: &str =
    "sign mail --key alice.key.pem --cert alice.cert.pem --extra-cert intermediate.cert.pem --at 2025-06-15T12:00:00Z";
const OPEN: &str = "--anchor root.cert.pem --at 2025-06-15T12:00:00Z";

#[test]
fn sign_and_open() {
    let place = Place::new();
    for options in ["", "--form opaque", "--ber 5", "--form opaque --ber 5 --digest sha-512"] {
        place.run(0, &format!("{SIGN} {options} -o signed"));
        let (out, _) = place.run(0, &format!("open signed {OPEN} --out inside"));
        assert!(out.starts_with("valid\n"), "{out}");
        assert_eq!(place.read("inside"), "Content-Type: text/plain\r\n\r\nhello\r\n", "{options}");
        std::fs::remove_file(place.path().join("inside")).unwrap();
    }
    // To a pipe it is the same mail as to a file, but for the random boundary.
    let (out, _) = place.run(0, SIGN);
    assert!(out.contains("multipart/signed"));
    let (out, _) = place.run(0, &format!("open signed {OPEN} --json"));
    let verdict: waxseal_verdict::Verdict = serde_json::from_str(&out).unwrap();
    assert_eq!(verdict.layers.len(), 1);
}

#[test]
fn encrypt_and_open() {
    let place = Place::new();
    place.run(0, "encrypt mail --to bob.cert.pem --to alice.cert.pem --cipher aes-128-cbc --ber 7 -o encrypted");
    for who in ["alice", "bob"] {
        place.run(0, &format!("open encrypted --key {who}.key.pem --cert {who}.cert.pem --out inside"));
        assert_eq!(place.read("inside"), "Content-Type: text/plain\r\n\r\nhello\r\n");
        std::fs::remove_file(place.path().join("inside")).unwrap();
    }
    // Without a key decryption is bad, and nothing is written.
    let (out, err) = place.run(1, "open encrypted --out inside");
    assert!(out.contains("no-key") && err.contains("inside is not written"), "{out}{err}");
    assert!(!place.path().join("inside").exists());
}

/// The other issuers.
const OTHERS: &str = "--anchor root-ec.cert.pem --extra-cert intermediate-ec.cert.pem";

/// What `open --json` says of a layer, and that the content is what went in.
fn inside(place: &Place, file: &str, options: &str) -> serde_json::Value {
    let (out, _) = place.run(0, &format!("open {file} {OPEN} {OTHERS} {options} --out inside --json"));
    assert_eq!(place.read("inside"), "Content-Type: text/plain\r\n\r\nhello\r\n", "{options}");
    std::fs::remove_file(place.path().join("inside")).unwrap();
    serde_json::from_str(&out).unwrap()
}

#[test]
fn every_way_of_encrypting_has_its_option() {
    let place = Place::new();
    place.write("kek", "000102030405060708090a0b0c0d0e0f\n");
    let bob = "--key bob.key.pem --cert bob.cert.pem";
    for (options, key, kind, expected) in [
        ("--to bob.cert.pem --recipient-id subject-key-id", bob, "encrypted", "rsa-pkcs1-v1_5"),
        ("--to bob.cert.pem --oaep sha-256", bob, "encrypted", "rsaes-oaep"),
        ("--to bob.cert.pem --oaep sha-512 --oaep-mgf sha-1 --oaep-label 6c", bob, "encrypted", "rsaes-oaep"),
        ("--to bob.cert.pem --cipher aes-256-gcm --tag 12", bob, "authenveloped", "aes-256-gcm"),
        ("--to bob.cert.pem --cipher chacha20-poly1305", bob, "authenveloped", "chacha20-poly1305"),
        ("--to bob.cert.pem --cipher rc2-cbc-64", bob, "encrypted", "rc2-cbc"),
        (
            "--to bob-ec.cert.pem --kdf sha-512 --cofactor --key-wrap aes-192-wrap --ukm 16",
            "--key bob-ec.key.pem --cert bob-ec.cert.pem",
            "encrypted",
            "ecdh-cofactor-sha-512-kdf",
        ),
        ("--to bob-x25519.cert.pem", "--key bob-x25519.key.pem --cert bob-x25519.cert.pem", "encrypted", ""),
        (
            "--to bob-ml-kem-768.cert.pem",
            "--key bob-ml-kem-768.key.pem --cert bob-ml-kem-768.cert.pem",
            "encrypted",
            "",
        ),
        ("--kek 0a0b:file:kek", "--kek 0a0b:file:kek", "encrypted", "0a0b"),
        (
            "--password env:SECRET --prf sha-512 --iterations 1000 --salt 8 --password-cipher aes-128-cbc",
            "--password env:SECRET",
            "encrypted",
            "",
        ),
        ("--content-key file:kek --cipher aes-128-cbc", "--kek :file:kek", "encrypted-data", "aes-128-cbc"),
    ] {
        let key = &format!("{key} --policy archive");
        for ber in ["", "--ber 3"] {
            place.run(0, &format!("encrypt mail {options} {ber} -o made"));
            let verdict = inside(&place, "made", key);
            let layer = &verdict["layers"][0];
            assert_eq!(layer["kind"], kind, "{options}");
            assert!(layer.to_string().contains(expected), "{options}: {layer}");
        }
    }
    // What one reader in many can read, all can.
    place.run(
        0,
        "encrypt mail --to bob.cert.pem --to bob-ec.cert.pem --kek 01:file:kek --password x --iterations 1000 -o made",
    );
    for key in [bob, "--key bob-ec.key.pem --cert bob-ec.cert.pem", "--kek 01:file:kek", "--password x"] {
        inside(&place, "made", key);
    }
    let (out, _) = place.run(1, "open made --password y");
    assert!(out.contains("wrong-password") || out.contains("no-key"), "{out}");
}

#[test]
fn every_way_of_signing_has_its_option() {
    let place = Place::new();
    let sign = |who: &str| {
        format!(
            "sign mail --key {who}.key.pem --cert {who}.cert.pem --extra-cert intermediate.cert.pem --at 2025-06-15T12:00:00Z"
        )
    };
    for (who, options, scheme) in [
        ("alice", "--digest sha-384 --pss", "rsassa-pss"),
        ("alice", "--pss --pss-mgf sha-1 --pss-salt 0 --no-attributes", "rsassa-pss"),
        ("alice", "--signer-id subject-key-id", "rsa-pkcs1-v1_5"),
        ("alice", "--capability aes-256-cbc --capability rc2-cbc:40", "rsa-pkcs1-v1_5"),
        ("alice", "--encryption-cert alice-pss.cert.pem", "rsa-pkcs1-v1_5"),
        ("alice-pss", "", "rsassa-pss"),
        ("alice-ed25519", "", "ed25519"),
        ("alice-ed25519", "--no-attributes", "ed25519"),
        ("alice-ml-dsa-44", "", "ml-dsa-44"),
    ] {
        for form in ["clear", "opaque", "opaque --ber 3"] {
            place.run(0, &format!("{} {options} --form {form} -o made", sign(who)));
            let verdict = inside(&place, "made", "");
            let layer = &verdict["layers"][0];
            assert_eq!(layer["integrity"], "good", "{who} {options}");
            let said = layer["signers"][0]["signature"].to_string();
            assert!(said.contains(scheme), "{who} {options}: {said}");
        }
    }
    // Without the certificate in it, the reader has to have it.
    place.run(0, &format!("{} --no-certificates -o made", sign("alice")));
    let (out, _) = place.run(1, &format!("open made {OPEN}"));
    assert!(out.contains("signer-certificate-not-found"), "{out}");
    inside(&place, "made", "--extra-cert alice.cert.pem");
}

#[test]
fn the_other_objects_are_written_and_opened() {
    let place = Place::new();
    let bob = "--key bob.key.pem --cert bob.cert.pem";
    for (line, key, kind) in [
        ("compress mail", "", "compressed"),
        ("compress mail --level 0 --ber 4", "", "compressed"),
        ("digest mail --digest sha-512", "", "digested"),
        ("authenticate mail --to bob.cert.pem", bob, "authenticated"),
        (
            "authenticate mail --kek 01:000102030405060708090a0b0c0d0e0f --no-attributes --ber 4",
            "--kek 01:000102030405060708090a0b0c0d0e0f",
            "authenticated",
        ),
        (
            "authenticate mail --password env:SECRET --iterations 1000 --digest sha-512",
            "--password env:SECRET",
            "authenticated",
        ),
    ] {
        place.run(0, &format!("{line} -o made"));
        let verdict = inside(&place, "made", key);
        assert_eq!(verdict["layers"][0]["kind"], kind, "{line}");
        assert_eq!(verdict["layers"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn certificates_travel_alone() {
    let place = Place::new();
    place.run(0, "certificates alice.cert.pem intermediate.cert.pem --from alice@example.test -o made");
    assert!(place.read("made").contains("From: alice@example.test\r\n"));
    let (out, _) = place.run(0, "open made --json");
    let verdict: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(verdict["layers"][0]["kind"], "certs-only");
    assert_eq!(verdict["layers"][0]["deviations"], serde_json::json!([]));
    // What came in it can be used, by us and by OpenSSL.
    if waxseal_testing::has_openssl() {
        place.openssl("smime -pk7out -in made -out p7");
        place.run(0, &format!("{SIGN} --no-certificates -o signed"));
        inside(&place, "signed", "--extra-cert p7");
    }
    let (_, err) = place.run(2, "certificates");
    assert!(err.contains("<CERT>"), "{err}");
}

#[test]
fn a_pipe_becomes_ber_and_is_read_once() {
    let place = Place::new();
    // More than any buffer, and than what is kept of a pipe.
    let line = "a line of text that is not the same as the one before it\n".repeat(50_000);
    place.write("long", &format!("From: Alice <alice@example.test>\nContent-Type: text/plain\n\n{line}"));
    let bob = "--key bob.key.pem --cert bob.cert.pem";
    let sign = SIGN.replace("sign mail", "sign -");
    for (line, key, ber) in [
        (format!("{sign} --form opaque"), "", true),
        (format!("{sign} --form opaque --der"), "", false),
        (sign.clone(), "", false),
        (format!("{} --form opaque --no-attributes", sign.replace("alice.", "alice-ed25519.")), OTHERS, true),
        ("encrypt - --to bob.cert.pem".to_owned(), bob, true),
        ("encrypt - --to bob.cert.pem --der".to_owned(), bob, false),
        ("encrypt - --to bob.cert.pem --cipher aes-128-ccm".to_owned(), bob, true),
        ("encrypt - --to bob.cert.pem --cipher aes-128-gcm".to_owned(), bob, true),
        ("encrypt - --to bob.cert.pem --protect-headers".to_owned(), bob, true),
        ("compress -".to_owned(), "", true),
        ("digest -".to_owned(), "", true),
        ("authenticate - --to bob.cert.pem".to_owned(), bob, true),
    ] {
        let (made, _) = place.run_piped(0, &line, "long");
        place.write("made", &made);
        // SEQUENCE with an indefinite length, then the object identifier, in base64.
        assert_eq!(made.contains("\r\nMIAGC"), ber, "{line}");
        place.run_piped(0, &format!("open - {OPEN} {key} --out inside"), "made");
        assert!(place.read("inside").ends_with("before it\r\n"), "{line}");
        assert_eq!(place.read("inside").lines().filter(|one| one.starts_with("a line")).count(), 50_000, "{line}");
    }
}

#[test]
fn a_policy_is_printed_and_taken_back() {
    let place = Place::new();
    let (list, _) = place.run(0, "policy show");
    assert_eq!(list.lines().count(), 5, "{list}");
    let (text, _) = place.run(0, "policy show default");
    assert!(text.starts_with("# What a careful mail program says"), "{text}");
    place.write("mine.toml", &text.replace("require_revocation = false", "require_revocation = true"));
    let (text, _) = place.run(0, "policy show mine.toml");
    assert!(text.contains("require_revocation = true"), "{text}");
    place.run(0, "policy show mine.toml --json");
    place.run(0, &format!("{SIGN} -o signed"));
    let (out, _) = place.run(1, &format!("open signed {OPEN} --policy mine.toml"));
    assert!(out.contains("revocation-unknown"), "{out}");
    place.run(2, "policy show nothing");
}

#[test]
fn limits_are_set_by_name() {
    let place = Place::new();
    place.run(0, "encrypt mail --password x --iterations 3000 -o made");
    place.run(0, "open made --password x");
    let (out, _) = place.run(1, "open made --password x --limit password-iterations=2999");
    assert!(out.contains("limit-exceeded"), "{out}");
    let (_, err) = place.run(2, "sign mail --key alice.key.pem --cert alice.cert.pem --limit header-octets=20");
    assert!(err.contains("mail: the header"), "{err}");
    place.run(1, "inspect mail --limit header-octets=20");
}

#[test]
fn a_header_is_protected_by_the_signature_and_hidden_by_encryption() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} --protect-headers cipher --header-policy shy --legacy-display -o signed"));
    place.run(0, "encrypt signed --to bob.cert.pem -o both");
    assert!(place.read("both").contains("Subject: [...]\r\n"));
    let (out, _) = place.run(0, &format!("open both {OPEN} --key bob.key.pem --cert bob.cert.pem --json"));
    let verdict: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(verdict["header_protection"]["scheme"], "cipher");
    assert_eq!(verdict["headers"]["subject"]["state"], "signed-and-encrypted");
    assert_eq!(verdict["headers"]["subject"]["outer"][0], "[...]");
    place.run(0, "encrypt mail --to bob.cert.pem --protect-headers -o encrypted");
    let (out, _) = place.run(0, "open encrypted --key bob.key.pem --cert bob.cert.pem --at 2025-06-15T12:00:00Z");
    assert!(out.contains("encrypted-only subject: "), "{out}");
    place.run(2, &format!("{SIGN} --protect-headers clear --legacy-display"));
    place.run(2, "encrypt signed --to bob.cert.pem --protect-headers");
}

#[test]
fn pkcs12_files_are_opened_with_their_password() {
    let place = Place::new();
    place.run(0, "encrypt mail --to alice.cert.pem -o encrypted");
    let export = "pkcs12 -export -inkey alice.key.pem -in alice.cert.pem -passout pass:se:cret -out alice.p12";
    if !waxseal_testing::has_openssl() {
        return;
    }
    place.openssl(export);
    place.write("password", "se:cret\n");
    for password in ["se:cret", "env:SECRET", "file:password"] {
        place.run(0, &format!("open encrypted --p12 alice.p12:{password}"));
    }
    let (_, err) = place.run(2, "open encrypted --p12 alice.p12:wrong");
    assert!(err.contains("alice.p12: wrong password"), "{err}");
    place.run(0, "sign mail --p12 alice.p12:env:SECRET -o signed");
}

#[test]
fn keys_of_sm2_come_in_files_of_their_own() {
    let place = Place::new();
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/key/tests/key/data");
    place.run(0, &format!("{SIGN} -o signed"));
    // Keys are loaded before anything is opened.
    let with = |options: &str| format!("open signed {OPEN} {options}");
    // As `openssl pkcs8 -v2 sm4-cbc` writes it.
    place.run(0, &with(&format!("--key {keys}/sm2-sm4.pem --key-password secret")));
    let (_, error) = place.run(2, &with(&format!("--key {keys}/sm2-sm4.pem --key-password wrong")));
    assert!(error.contains("--key-password"), "{error}");
    let (_, error) = place.run(2, &with(&format!("--key {keys}/sm2-sm4.pem")));
    assert!(error.contains("no password was given"), "{error}");
    // GB/T 35276: the key of the encryption certificate, under that of the signing one.
    let read = |name: &str| {
        let text = std::fs::read_to_string(pki().join(format!("{name}.key.pem"))).unwrap();
        waxseal_key::PrivateKey::from_pem(&text, None).unwrap()
    };
    let random = &mut waxseal_key::SeededRandom::new("enveloped");
    let enveloped = read("alice-sm2-encrypt").to_sm2_enveloped(read("alice-sm2").public_key(), random).unwrap();
    std::fs::write(place.path().join("encrypt.key"), enveloped).unwrap();
    let alice = pki().join("alice-sm2.key.pem");
    place.run(0, &with(&format!("--key encrypt.key --key {}", alice.display())));
    let (_, error) = place.run(2, &with("--key encrypt.key"));
    assert!(error.contains("an SM2EnvelopedKey, and no SM2 key that opens it was given"), "{error}");
    let bob = pki().join("bob-sm2.key.pem");
    let (_, error) = place.run(2, &with(&format!("--key encrypt.key --key {}", bob.display())));
    assert!(error.contains("encrypt.key: "), "{error}");
}

#[test]
fn something_bad_is_1() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed"));
    place.write("changed", &place.read("signed").replace("hello", "hullo"));
    let (out, _) = place.run(1, &format!("open changed {OPEN} --out inside"));
    assert!(out.starts_with("invalid\n") && out.contains("digest-mismatch"), "{out}");
    assert!(!place.path().join("inside").exists());
    let (out, _) = place.run(1, &format!("open signed {OPEN} --from mallory@example.test"));
    assert!(out.starts_with("warning\n") && out.contains("address-mismatch"), "{out}");
    // A media type of S/MIME was read: damage from here on is a verdict.
    place.write("damaged", "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n!!!\r\n");
    place.run(1, "open damaged");
    // Without an anchor nothing is bad, only unchecked.
    let (out, _) = place.run(0, "open signed --at 2025-06-15T12:00:00Z");
    assert!(out.starts_with("undetermined\n"), "{out}");
}

#[test]
fn wrong_use_is_2_and_says_what_to_do() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed"));
    place.write("password", "wrong\n");
    for (line, words) in [
        ("open nothing", "nothing: No such file"),
        ("open signed --at yesterday", "2025-06-15T12:00:00Z"),
        ("open signed --policy nonsense", "neither a built-in policy (default, strict, archive, stamped, gm)"),
        ("open signed --anchor mail", "mail: "),
        ("open signed --key alice.cert.pem", "alice.cert.pem: not a private key"),
        ("open signed --p12 mail", "FILE:PASSWORD"),
        ("open signed --p12 nothing:x", "nothing: No such file"),
        ("open signed --p12 mail:file:nothing", "the password file nothing"),
        ("open signed --p12 mail:env:WAXSEAL_NOT_SET", "WAXSEAL_NOT_SET"),
        ("open signed --provider abacus", "aws-lc"),
        ("open signed --index 0", "--index"),
        ("open signed --index 2", "has no message number 2"),
        ("open", "<FILE>"),
        ("open . ", "directory"),
        ("sign mail", "give --key and --cert"),
        ("sign mail --key alice.key.pem", "a key without its certificate"),
        ("sign mail --key alice.key.pem --cert alice.cert.pem --digest sha-0", "sha-256"),
        ("encrypt mail", "--to"),
        ("encrypt mail --kek :00", "--kek: a key needs the identifier"),
        ("encrypt mail --kek 0:00", "hexadecimal"),
        ("encrypt mail --to bob.cert.pem --tag 12", "aes-256-cbc has no tag"),
        ("encrypt mail --to bob.cert.pem --cipher aes-128-gcm --tag 3", "tag"),
        ("encrypt mail --to bob.cert.pem --content-key 00", "cannot be used with"),
        ("encrypt mail --content-key 00", "mail: "),
        ("encrypt mail --content-key 00000000000000000000000000000000 --cipher aes-128-gcm", "authentication tag"),
        ("encrypt mail --to bob.cert.pem --oaep-mgf sha-1", "--oaep"),
        ("encrypt mail --to bob.cert.pem --oaep sha-1 --oaep-label xyz", "--oaep-label is not hexadecimal"),
        ("encrypt mail --to bob.cert.pem --key-wrap rot13", "aes-256-wrap"),
        ("encrypt mail --password x --iterations 0", "--iterations"),
        ("encrypt mail --to alice-ed25519.cert.pem", "a key of RSA, P-256"),
        ("authenticate mail", "--to"),
        ("compress mail --level 10", "--level"),
        ("digest mail --digest sha-0", "sha-256"),
        ("sign mail --key bob-x25519.key.pem --cert bob-x25519.cert.pem", "Ed25519"),
        ("sign mail --key alice.key.pem --cert alice.cert.pem --crl alice.cert.pem", "alice.cert.pem: no CRL found"),
        ("sign mail --key alice.key.pem --cert alice.cert.pem --pss-salt 3", "--pss"),
        ("sign mail --key alice.key.pem --cert alice.cert.pem --capability rot13", "rot13"),
        ("open signed --limit patience=3", "mime-parts"),
        ("open signed --limit mime-parts=many", "is no number"),
        ("encrypt mail --to bob.cert.pem --ber 0", "1 or more"),
        ("encrypt mail --to bob.cert.pem --cipher rot13", "aes-256-cbc"),
        ("show no/such/case", "there is no case"),
        ("list --case no/such/*", "no case of this id"),
        ("list --case [", "is no glob"),
        ("list --vectors nothing", "no such directory"),
        ("run --sut nothing", "no shim of this name (engine, "),
        ("run --known nothing", "--known nothing: No such file"),
        ("run --shard 3/2", "between 1 and 2"),
        ("run --timeout 0", "above 0"),
        ("run --recordings nothing", "--recordings or WAXSEAL_RECORDINGS: nothing: cannot be read: No such file"),
        ("recordings check nothing", "error: nothing: cannot be read: No such file"),
        ("shim test nothing", "error: nothing: no shim of this name (engine, "),
        ("juggle", "unrecognized subcommand"),
    ] {
        let (_, err) = place.run(2, line);
        assert!(err.contains(words), "waxseal {line}: {err}");
    }
}

#[test]
fn neither_mail_nor_cms_is_3() {
    let place = Place::new();
    place.write("text", "just a sentence without any field\n");
    place.write("empty", "");
    for file in ["text", "empty"] {
        let (_, err) = place.run(3, &format!("open {file}"));
        assert!(err.contains("neither mail"), "{err}");
    }
}

#[test]
fn an_ordinary_mail_is_neither_good_nor_bad() {
    let place = Place::new();
    let (out, err) = place.run(0, "open mail --out inside");
    assert!(out.starts_with("unprotected") && err.contains("nothing inside"), "{out}{err}");
}

#[test]
fn a_message_of_an_mbox_is_chosen_by_number() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed"));
    let one = place.read("mail").replace("\r\n", "\n");
    let two = place.read("signed").replace("\r\n", "\n");
    place
        .write("box", &format!("From a@b Thu Jan  1 00:00:00 2026\n{one}\nFrom a@b Thu Jan  1 00:00:00 2026\n{two}\n"));
    let (out, _) = place.run(0, &format!("open box --index 1 {OPEN}"));
    assert!(out.starts_with("unprotected"), "{out}");
    let (out, _) = place.run(0, &format!("open box --index 2 {OPEN}"));
    assert!(out.starts_with("valid"), "{out}");
    place.run(2, "open box --index 3");
}

#[test]
fn standard_input_is_a_file_too() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed"));
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["open", "-"])
        .stdin(std::fs::File::open(place.path().join("signed")).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn cases_are_listed_and_shown() {
    let place = Place::new();
    let (out, _) = place.run(0, "list --case recorded/**");
    assert!(out.ends_with("negative (-)\n"), "{out}");
    let (out, _) = place.run(0, "list --json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    for row in rows.iter().step_by(20) {
        let id = row["id"].as_str().unwrap();
        let (out, _) = place.run(0, &format!("show {id}"));
        assert!(out.starts_with(id), "{out}");
        place.run(0, &format!("show {id} --json"));
    }
}

#[test]
fn the_provider_works_with_the_private_key_too() {
    let place = Place::new();
    for file in ["alice-1024.cert.pem", "alice-1024.key.pem"] {
        std::fs::copy(pki().join(file), place.path().join(file)).unwrap();
    }
    place.run(0, "encrypt --to alice-1024.cert.pem --out encrypted mail");
    let open = "open encrypted --key alice-1024.key.pem --cert alice-1024.cert.pem --json";
    let decryption = |provider: &str| {
        let arguments = format!("{open} --provider {provider}");
        let output = waxseal(place.path(), &arguments.split(' ').collect::<Vec<_>>(), Stdio::null());
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        verdict["layers"][0]["decryption"].clone()
    };
    // aws-lc has no RSA under 2048 bits; RustCrypto must not do its work unasked.
    assert_eq!(decryption("auto"), decryption("rustcrypto"));
    assert_ne!(decryption("auto"), decryption("aws-lc"));
}

/// A correspondence by hand: learn, look, choose, encrypt, forget.
#[test]
fn an_address_book_is_filled_and_used() {
    let place = Place::new();
    let book = "--address-book book.json";
    let encrypt = format!("encrypt mail {book} --recipient alice@example.test -o made");
    place.run(2, &encrypt);
    assert!(place.run(2, &format!("open mail {book}")).1.contains("book.json"), "a book that is not there");
    // A mail without a signature teaches nothing, and makes no book.
    assert!(place.run(0, &format!("open mail {book} --learn")).1.contains("nothing was learned"));
    assert!(!place.path().join("book.json").exists());

    let sign = "sign mail --key alice.key.pem --cert alice.cert.pem --extra-cert intermediate.cert.pem -o signed";
    let learn = format!("open signed --anchor root.cert.pem {book} --learn");
    place.run(0, &format!("{sign} --capability aes-128-cbc --capability 3des-cbc"));
    let (_, said) = place.run(0, &learn);
    assert!(said.contains("learned of alice@example.test: certificate to sign new, to encrypt new, capabilities new"));
    let (shown, _) = place.run(0, "addressbook show book.json");
    assert!(shown.starts_with("alice@example.test\n  signs with   CN=Alice Amber, serial 1006,"), "{shown}");
    assert!(shown.contains("  announced    aes-128-cbc, 3des-cbc (20"), "{shown}");

    let (chosen, _) = place.run(0, "addressbook choose book.json ALICE@example.test");
    assert!(chosen.starts_with("cipher  aes-128-cbc\nALICE@example.test\n  CN=Alice Amber, serial 1006"), "{chosen}");
    let (chosen, _) = place.run(0, "addressbook choose book.json alice@example.test --json");
    let chosen: serde_json::Value = serde_json::from_str(&chosen).unwrap();
    assert_eq!(
        (&chosen["cipher"], &chosen["recipients"][0]["certificate"]["serial"]),
        (&"aes-128-cbc".into(), &"1006".into())
    );
    let (_, said) = place.run(0, &encrypt);
    assert!(
        said.contains("note: aes-128-cbc: alice@example.test announced aes-128-cbc, 3des-cbc (the policy"),
        "{said}"
    );
    let (opened, _) = place.run(0, "open made --key alice.key.pem --cert alice.cert.pem --json");
    let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
    assert_eq!(opened["layers"][0]["content_cipher"], "aes-128-cbc");
    // Whoever asks for a cipher gets it; so does who is given by certificate.
    place.run(0, &format!("{encrypt} --cipher aes-256-cbc --to bob.cert.pem"));
    place.run(0, "open made --key bob.key.pem --cert bob.cert.pem");
    // A path that is asked for has to be there.
    assert!(place.run(1, &format!("{encrypt} --anchor bob.cert.pem")).1.contains("no certificate of alice"));
    place.run(0, &format!("{encrypt} --anchor root.cert.pem --extra-cert intermediate.cert.pem"));
    assert!(place.run(1, &format!("{encrypt} --recipient bob@example.test")).1.contains("nobody is known under bob@"));

    // What takes away is told, and learned only by who says so.
    place.run(0, &format!("{sign} --capability rc2-cbc:40 --at 2099-01-01T00:00:00Z"));
    assert!(place.run(1, &learn).1.contains("nothing was learned"), "signed in the future");
    place.run(0, &format!("{sign} --capability rc2-cbc:40"));
    let later = learn.replace("open", "open --at 2040-01-01T00:00:00Z");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    place.run(0, &format!("{sign} --capability rc2-cbc:40"));
    let (out, said) = place.run(1, &later);
    assert!(out.contains("downgrade") && said.contains("capabilities refused (downgrade;"), "{out}{said}");
    place.run(0, &encrypt);
    place.run(1, &format!("{later} --accept-downgrade"));
    let (_, said) = place.run(1, &encrypt);
    assert!(said.contains("rc2-cbc:40 (the policy does not send it)"), "{said}");
    let (policy, _) = place.run(0, "policy show default");
    place.write("weak.toml", &policy.replace("\"sm4-cbc\",\n]", "\"sm4-cbc\", \"rc2-cbc-40\"]"));
    place.run(0, &format!("{encrypt} --policy weak.toml"));

    place.run(0, "addressbook forget book.json Alice@example.test");
    place.run(2, "addressbook forget book.json alice@example.test");
    assert_eq!(place.run(0, "addressbook show book.json"), (String::new(), String::new()));
    place.write("book.json", "{\"format\": 7, \"certificates\": [], \"correspondents\": []}");
    assert!(place.run(2, &learn).1.contains("address book format 7; this version reads 1"));
}

/// Nobody loses what another process learned at the same time.
#[test]
fn two_that_learn_at_once_both_learn() {
    let place = Place::new();
    place.write("from-bob", "From: bob@example.test\r\n\r\nhello\r\n");
    for (mail, who) in [("mail", "alice"), ("from-bob", "bob")] {
        let extra = "--extra-cert intermediate.cert.pem";
        place.run(0, &format!("sign {mail} --key {who}.key.pem --cert {who}.cert.pem {extra} -o {who}.eml"));
    }
    let learn =
        |who: &str| place.run(0, &format!("open {who}.eml --anchor root.cert.pem --address-book book.json --learn"));
    std::thread::scope(|scope| {
        for who in ["alice", "bob", "alice", "bob"] {
            scope.spawn(move || learn(who));
        }
    });
    let (shown, _) = place.run(0, "addressbook show book.json");
    assert!(shown.contains("alice@example.test\n") && shown.contains("bob@example.test\n"), "{shown}");
}

#[test]
fn a_session_with_a_card_is_explained() {
    let place = Place::new();
    place.write(
        "session",
        "waxseal card transcript 1\n\
         > 00A40400 0C F276A288BCFBA69D34F31001\n\
         < 000606 9000\n\
         > 00200001 10 ********************************\n\
         < 9000\n\
         > 002241B8 06 800111840101\n\
         < 9000\n\
         > 102A8086 02 0001\n\
         < 9000\n\
         > 002A8086 01 02 00\n\
         < **** 9000\n\
         > 002A9E9A 01 02 00\n\
         lost removed\n",
    );
    let (text, _) = place.run(0, "card explain session");
    insta::assert_snapshot!("card-explain", text);
    let (json, _) = place.run(0, "card explain session --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["steps"][3]["commands"], 2);
    assert_eq!(json["steps"][4]["status"], serde_json::Value::Null);
    assert_eq!(json["private_keys"][0]["key"]["reference"], 1);
    assert_eq!(json["private_keys"][0]["operation"], "decrypt");
    place.write("mail", "From: a@example.test\n\nno session\n");
    let (_, error) = place.run(2, "card explain mail");
    assert!(error.contains("mail: line 1: no transcript"), "{error}");
}

/// Alice's options to sign with.
const ALICE: &str = "--key alice.key.pem --cert alice.cert.pem";

/// A client is not guessed from one habit that an option can have, too.
#[test]
fn no_size_of_segments_makes_a_mail_that_of_a_client() {
    let place = Place::new();
    let line = "A line of text that is long enough to fill a number of segments\r\n";
    place.write("letter", &format!("From: alice@example.test\r\nTo: bob@example.test\r\n\r\n{}", line.repeat(1000)));
    for size in [512, 1000, 1022, 1024, 2048, 4096, 16384] {
        place.run(0, &format!("encrypt letter --to bob.cert.pem --ber {size} -o mail"));
        let (text, _) = place.run(0, "fingerprint mail");
        assert!(text.starts_with("unknown: "), "encrypted, {size}: {text}");
        place.run(0, &format!("sign letter {ALICE} --form opaque --ber {size} -o mail"));
        let (text, _) = place.run(0, "fingerprint mail");
        assert!(text.starts_with("unknown: "), "opaque, {size}: {text}");
    }
}

/// What a person gave as a secret is not printed when it is written wrong.
#[test]
fn a_secret_that_is_written_wrong_is_not_shown() {
    let place = Place::new();
    for line in ["open mail --kek DEADBEEFC0DE", "open mail --p12 :DEADBEEFC0DE", "sign mail --p12 DEADBEEFC0DE"] {
        let (_, error) = place.run(2, line);
        assert!(error.contains("invalid value '…' for '--") && !error.contains("DEADBEEFC0DE"), "{line}: {error}");
    }
}

/// What is to be signed or encrypted has to be mail, as what is opened.
#[test]
fn what_is_no_mail_is_not_signed() {
    let place = Place::new();
    place.write("empty", "");
    place.write("junk", "no mail at all\n");
    place.write("damaged", "From: alice@example.test\nno field\n\nText\n");
    for (file, code, why) in [
        ("empty", 3, "the mail is empty"),
        ("junk", 3, "line 1 is no header field"),
        ("damaged", 2, "line 2 is no header field"),
    ] {
        for line in
            [format!("sign {file} {ALICE}"), format!("encrypt {file} --to bob.cert.pem"), format!("compress {file}")]
        {
            let (_, error) = place.run(code, &line);
            assert!(error.contains(&format!("{file}: {why}")), "{line}: {error}");
        }
    }
}

/// A recipient is found by a certificate; what is missing is said.
#[test]
fn a_key_without_a_certificate_is_named() {
    let place = Place::new();
    place.write("letter", "From: alice@example.test\nTo: bob@example.test\n\nText\n");
    place.run(0, "encrypt letter --to bob.cert.pem -o mail");
    for (keys, why) in [
        ("", "no key was given"),
        ("--key bob.key.pem", "1 of them came without a certificate"),
        (ALICE, "none of the keys given belongs to one of the 1 recipients"),
    ] {
        let (text, _) = place.run(1, &format!("open mail {keys}"));
        assert!(text.contains(why), "{keys}: {text}");
    }
}
