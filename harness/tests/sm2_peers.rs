//! SM2 between the engine and its peers, both ways and in every dialect: what
//! one writes, the others read, or refuse for the reason that stands here.
//!
//! A peer that is not on this machine is named in a line, and not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use waxseal::shim::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, Request, SignArguments, op};
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimCommand, ShimLimits, ShimProcess};
use waxseal_verdict::{AspectName, Dialect, Layer, Verdict};

/// Keys and certificates of OpenSSL, a mail, and a policy that takes signatures without Z.
const SETUP: &str = r#"
set -e
for who in alice bob; do
  openssl genpkey -algorithm SM2 -out $who.key
  openssl req -new -x509 -key $who.key -sm3 -sigopt distid:1234567812345678 -subj "/CN=$who" -days 50 \
    -addext "subjectAltName=email:$who@example.test" \
    -addext "keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement" -out $who.pem
done
cat alice.pem bob.pem > known.pem
printf 'From: alice@example.test\r\nContent-Type: text/plain\r\n\r\nhello\r\n' > mail
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("sh").args(["-c", SETUP]).current_dir(dir.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let place = Self(dir);
        let policy = place.waxseal(&["policy", "show", "default"]).stdout;
        let policy = String::from_utf8(policy).unwrap();
        let lines = policy.lines().filter(|line| !line.starts_with("accept_sm2_without_z"));
        let lines = lines.map(|line| match line {
            "format = 1" => "format = 1\naccept_sm2_without_z = true",
            other => other,
        });
        std::fs::write(place.path("lenient.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn dir(&self) -> String {
        self.0.path().to_str().unwrap().to_owned()
    }

    fn waxseal(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_waxseal")).args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// Alice signs the mail in a dialect, opaque.
    fn engine_signs(&self, dialect: Dialect) -> String {
        let name = format!("{dialect}.signed.eml");
        let key = ["--key", "alice.key", "--cert", "alice.pem", "--algorithm", "sm2"];
        let how = ["--dialect", dialect.code(), "--form", "opaque", "mail"];
        self.engine_writes(&[&["sign"], &key[..], &how].concat(), &name);
        name
    }

    /// The mail is encrypted for Alice and Bob in a dialect.
    fn engine_encrypts(&self, dialect: Dialect) -> String {
        let name = format!("{dialect}.encrypted.eml");
        let to = ["--to", "alice.pem", "--to", "bob.pem", "--dialect", dialect.code(), "mail"];
        self.engine_writes(&[&["encrypt"], &to[..]].concat(), &name);
        name
    }

    fn engine_writes(&self, arguments: &[&str], name: &str) {
        let done = self.waxseal(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        std::fs::write(self.path(name), done.stdout).unwrap();
    }

    /// What the engine says of a file, layer by layer, under a policy.
    fn engine_reads(&self, name: &str, policy: &str) -> Vec<String> {
        let keys = ["--key", "bob.key", "--cert", "bob.pem", "--key", "alice.key", "--cert", "alice.pem"];
        let _ = std::fs::remove_file(self.path("out"));
        let how = ["--anchor", "known.pem", "--policy", policy, "--json", "--out", "out", name];
        let done = self.waxseal(&[&["open"], &keys[..], &how].concat());
        let verdict: Verdict = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|error| panic!("{name}: {error}: {}", String::from_utf8_lossy(&done.stderr)));
        verdict
            .layers
            .iter()
            .map(|layer| format!("{} {}", layer.dialect.unwrap_or(Dialect::Cms), told(layer)))
            .collect()
    }

    /// What a peer says of a file, layer by layer, or why it says nothing.
    fn peer_reads(&self, peer: &mut ShimProcess, name: &str) -> Vec<String> {
        let arguments = OpenArguments {
            dir: self.dir(),
            message: name.to_owned(),
            keys: vec![key("bob")],
            anchors: Some("known.pem".to_owned()),
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        let request = Request::open(peer.next_id(), &arguments).unwrap();
        let _ = std::fs::remove_file(self.path("out"));
        match peer.ask(&request).unwrap() {
            Answer::Verdict(verdict, _) => {
                assert_eq!(verdict.has_bad(), !self.path("out").is_file(), "{name}: {verdict:?}");
                self.examine_content();
                verdict.layers.iter().map(told).collect()
            }
            Answer::Unsupported(_) => vec!["unsupported".to_owned()],
            other => panic!("{name}: {other:?}"),
        }
    }

    /// What came out, if something did, is the mail without what is of its way.
    fn examine_content(&self) {
        let Ok(content) = std::fs::read_to_string(self.path("out")) else { return };
        let is_whole = content.ends_with("\r\n\r\nhello\r\n") && content.contains("Content-Type: text/plain\r\n");
        assert!(is_whole, "{content:?}");
    }

    fn peer_signs(&self, peer: &mut ShimProcess, name: &str) {
        let arguments = SignArguments {
            dir: self.dir(),
            message: "mail".to_owned(),
            key: key("alice"),
            out: name.to_owned(),
            ..SignArguments::default()
        };
        let request = Request::new(peer.next_id(), op::SIGN, &arguments).unwrap();
        let answer = peer.ask(&request).unwrap();
        assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    }

    fn peer_encrypts(&self, peer: &mut ShimProcess, name: &str) {
        let reading = OpenArguments {
            dir: self.dir(),
            message: "mail".to_owned(),
            extra_certificates: Some("known.pem".to_owned()),
            out: name.to_owned(),
            ..OpenArguments::default()
        };
        let to = ["alice", "bob"].map(|who| format!("{who}@example.test")).to_vec();
        let arguments = EncryptArguments { reading, to, ..EncryptArguments::default() };
        let request = Request::new(peer.next_id(), op::ENCRYPT, &arguments).unwrap();
        let answer = peer.ask(&request).unwrap();
        assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key"), certificate: Some(format!("{who}.pem")) }
}

/// A shipped shim, if its program is on this machine.
fn peer(name: &str) -> Option<ShimProcess> {
    let command = ShimCommand {
        program: env!("CARGO_BIN_EXE_waxseal").into(),
        arguments: vec!["shim".to_owned(), name.to_owned()],
    };
    let mut sut = Sut::new(name.to_owned(), command.clone(), false);
    sut.admit(ShimLimits::default());
    match sut.admission {
        Ok(_) => Some(ShimProcess::start(&command, ShimLimits::default()).unwrap()),
        Err(why) => {
            waxseal_testing::not_installed(format_args!("{name}: {why}"));
            None
        }
    }
}

/// What is said of a layer: its kind, and what of it is good or bad.
fn told(layer: &Layer) -> String {
    use AspectName as A;
    let aspects = [A::Structure, A::Decryption, A::Integrity].map(|name| (name, layer.aspect(name)));
    let bad = aspects.iter().filter(|(_, aspect)| aspect.is_bad()).map(|(name, aspect)| format!("{name} {aspect}"));
    let bad = bad.collect::<Vec<_>>().join(", ");
    format!("{}: {}", layer.kind, if bad.is_empty() { "good" } else { &bad })
}

/// Compares whole tables, so that one run shows every line that differs.
fn compare(found: &[String], expected: &str) {
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert!(found == expected, "found\n{}\nexpected\n{}", found.join("\n"), expected.join("\n"));
}

/// The peers that read what the engine writes, in the four dialects.
#[test]
fn the_engine_writes_and_peers_read() {
    let place = Place::new();
    let (Some(mut bouncycastle), Some(mut gmssl)) = (peer("bouncycastle"), peer("gmssl")) else { return };
    let mut found = Vec::new();
    for dialect in Dialect::ALL {
        for name in [place.engine_signs(*dialect), place.engine_encrypts(*dialect)] {
            for (who, peer) in [("bouncycastle", &mut bouncycastle), ("gmssl", &mut gmssl)] {
                let told = place.peer_reads(peer, &name).join("; ");
                found.push(format!("{name} by {who}: {told}"));
            }
        }
    }
    compare(&found, ENGINE_TO_PEERS);
}

const ENGINE_TO_PEERS: &str = "
    cms.signed.eml by bouncycastle: signed: good
    cms.signed.eml by gmssl: unsupported
    cms.encrypted.eml by bouncycastle: encrypted: good
    cms.encrypted.eml by gmssl: unsupported
    # Bouncy Castle knows no 301.1, and GmSSL wants SM3 without parameters.
    gmt0010.signed.eml by bouncycastle: signed: structure bad: unsupported-algorithm
    gmt0010.signed.eml by gmssl: signed: structure bad: bad-parameters
    gmt0010.encrypted.eml by bouncycastle: encrypted: good
    # GmSSL takes 301.2 for encryption, and nothing else.
    gmt0010.encrypted.eml by gmssl: encrypted: structure bad: unsupported-algorithm
    cfca.signed.eml by bouncycastle: signed: structure bad: unsupported-algorithm
    cfca.signed.eml by gmssl: signed: structure bad: bad-parameters
    cfca.encrypted.eml by bouncycastle: encrypted: good
    # A recipient by its key identifier.
    cfca.encrypted.eml by gmssl: encrypted: structure bad: bad-ber
    gmssl-3-digest.signed.eml by bouncycastle: signed: integrity bad: signature-mismatch
    gmssl-3-digest.signed.eml by gmssl: signed: good
    gmssl-3-digest.encrypted.eml by bouncycastle: encrypted: structure bad: unsupported-algorithm
    gmssl-3-digest.encrypted.eml by gmssl: encrypted: good
";

/// The report says of every program which dialects it writes: those that the
/// engine names when it reads what was written.
#[test]
fn a_peer_writes_the_dialects_that_it_declares() {
    let place = Place::new();
    for name in ["bouncycastle", "gmssl"] {
        let Some(mut peer) = peer(name) else { return };
        let request = Request::hello(peer.next_id());
        let Answer::Hello(hello) = peer.ask(&request).unwrap() else { panic!("no hello of {name}") };
        place.peer_signs(&mut peer, "signed.eml");
        place.peer_encrypts(&mut peer, "encrypted.eml");
        let read = ["signed.eml", "encrypted.eml"].map(|file| place.engine_reads(file, "default").join("; "));
        let named = |dialect: &Dialect| read.iter().any(|told| told.starts_with(&format!("{dialect} ")));
        let written: BTreeSet<Dialect> = Dialect::ALL.iter().copied().filter(named).collect();
        assert_eq!(hello.writes, written, "{name}: {read:?}");
    }
}

/// The engine reads what the peers write, and says in which dialect it is.
#[test]
fn peers_write_and_the_engine_reads() {
    let place = Place::new();
    let mut found = Vec::new();
    for name in ["bouncycastle", "gmssl"] {
        let Some(mut peer) = peer(name) else { return };
        let (signed, encrypted) = (format!("{name}.signed.eml"), format!("{name}.encrypted.eml"));
        place.peer_signs(&mut peer, &signed);
        place.peer_encrypts(&mut peer, &encrypted);
        for file in [&signed, &encrypted] {
            for policy in ["default", "lenient.toml"] {
                let told = place.engine_reads(file, policy).join("; ");
                found.push(format!("{file} under {policy}: {told}"));
            }
        }
    }
    compare(&found, PEERS_TO_ENGINE);
}

const PEERS_TO_ENGINE: &str = "
    bouncycastle.signed.eml under default: cms signed: good
    bouncycastle.signed.eml under lenient.toml: cms signed: good
    bouncycastle.encrypted.eml under default: cms encrypted: good
    bouncycastle.encrypted.eml under lenient.toml: cms encrypted: good
    # What has no Z counts under a policy that says so.
    gmssl.signed.eml under default: gmssl-3-digest signed: integrity bad: signature-mismatch
    gmssl.signed.eml under lenient.toml: gmssl-3-digest signed: good
    gmssl.encrypted.eml under default: gmssl-3-digest encrypted: good
    gmssl.encrypted.eml under lenient.toml: gmssl-3-digest encrypted: good
";

/// Tongsuo, driven by a script of Python.
fn tongsuo(place: &Place, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sm2_peers/tongsuo.py");
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", tongsuo_place()).arg(script).args(arguments).current_dir(place.0.path());
    python.output().unwrap()
}

fn tongsuo_place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/tongsuo"))
}

/// Tongsuo signs with attributes as CMS has it, and does not verify that itself;
/// without attributes it leaves Z out, and that it verifies.
#[test]
fn tongsuo_writes_and_the_others_read() {
    let place = Place::new();
    if !tongsuo_place().join("tongsuopy").is_dir() {
        return waxseal_testing::not_installed("no Tongsuo in target/peers (cargo xtask test --install puts it there)");
    }
    let Some(mut bouncycastle) = peer("bouncycastle") else { return };
    let mut found = Vec::new();
    for words in ["", "noattr"] {
        let name = format!("tongsuo{words}.der");
        let arguments = ["sign", "alice.key", "alice.pem", "mail", &name, words];
        let done = tongsuo(&place, &arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let own = tongsuo(&place, &["verify", &name, "out"]);
        let own = if own.status.success() { "good" } else { "bad" };
        found.push(format!("{name} by itself: {own}"));
        found.push(format!("{name} by bouncycastle: {}", place.peer_reads(&mut bouncycastle, &name).join("; ")));
        for policy in ["default", "lenient.toml"] {
            found
                .push(format!("{name} by the engine under {policy}: {}", place.engine_reads(&name, policy).join("; ")));
        }
    }
    compare(&found, TONGSUO);
}

const TONGSUO: &str = "
    tongsuo.der by itself: bad
    tongsuo.der by bouncycastle: signed: good
    tongsuo.der by the engine under default: cms signed: good
    tongsuo.der by the engine under lenient.toml: cms signed: good
    tongsuonoattr.der by itself: good
    tongsuonoattr.der by bouncycastle: signed: integrity bad: signature-mismatch
    tongsuonoattr.der by the engine under default: cms signed: integrity bad: signature-mismatch
    tongsuonoattr.der by the engine under lenient.toml: cms signed: good
";

/// GmSSL's library writes signedAndEnvelopedData; its command does not. It asks for a CRL.
#[test]
fn gmssl_and_the_engine_exchange_signed_and_enveloped_data() {
    let place = Place::new();
    let bin = match waxseal::shim::gmssl::place() {
        Ok(bin) => bin,
        Err(why) => return waxseal_testing::not_installed(why),
    };
    let helper = |arguments: &[&str]| {
        Command::new(bin.join("gmssl-helper")).args(arguments).current_dir(place.0.path()).output().unwrap()
    };
    for who in ["alice", "bob"] {
        let done = helper(&["key", &format!("{who}.key"), "secret", &format!("{who}.gmssl")]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let seal = |crl| helper(&["seal", "alice.gmssl", "secret", "alice.pem", "bob.pem", crl, "mail", "sealed.pem"]);
    assert!(!seal("-").status.success(), "it needs a CRL no longer");
    let crl = "
        set -e
        gmssl certrevoke -in bob.pem -reason keyCompromise -out revoked
        gmssl crlgen -in revoked -cacert alice.pem -key alice.gmssl -pass secret -out crl";
    let path = std::env::join_paths([bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
    let done = Command::new("sh").args(["-c", crl]).env("PATH", path).current_dir(place.0.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done = seal("crl");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut found =
        vec![format!("GmSSL to the engine: {}", place.engine_reads("sealed.pem", "lenient.toml").join("; "))];

    let unseal = |name: &str| helper(&["unseal", "bob.gmssl", "secret", "bob.pem", name, "unsealed"]);
    assert!(unseal("sealed.pem").status.success());
    for dialect in [Dialect::Gmt0010, Dialect::Gmssl3Digest] {
        let to = ["--to", "bob.pem", "--dialect", dialect.code(), "--signer-key", "alice.key"];
        place.engine_writes(&[&["encrypt"], &to[..], &["--signer-cert", "alice.pem", "mail"]].concat(), "both.eml");
        let pem = "
            (echo -----BEGIN CMS-----; tr -d '\\r' < both.eml | sed '1,/^$/d' | base64 -d | base64 -w 64
            echo -----END CMS-----) > both.pem";
        assert!(Command::new("sh").args(["-c", pem]).current_dir(place.0.path()).status().unwrap().success());
        let word = if unseal("both.pem").status.success() { "good" } else { "bad" };
        found.push(format!("the engine to GmSSL in {dialect}: {word}"));
    }
    compare(&found, SEALED);
}

const SEALED: &str = "
    GmSSL to the engine: gmssl-3-digest encrypted: good; gmssl-3-digest signed: good
    the engine to GmSSL in gmt0010: bad
    the engine to GmSSL in gmssl-3-digest: good
";
