//! The peers that are command-line programs, each as the harness drives it: what
//! it says of itself, a good message and a tampered one, and mail both ways
//! between it and the engine.
//!
//! A peer that is not on this machine is named in a line, and not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use waxseal::shim::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, Request, SignArguments, op};
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimCommand, ShimLimits, ShimProcess};
use waxseal_model::Corpus;
use waxseal_verdict::{Aspect, AspectName, Clock, Form, Hello, Operation, Reason, Verdict, WrittenForm};

/// A CA; Alice, who signs and encrypts with one RSA key; Erin, who has a key on P-256.
const SETUP: &str = r#"
set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 400 \
  -addext "keyUsage=critical,keyCertSign,cRLSign"
openssl req -newkey rsa:2048 -nodes -keyout alice.key -out alice.csr -subj /CN=alice
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out erin.key
openssl req -new -key erin.key -out erin.csr -subj /CN=erin
for who in alice erin; do
  printf 'extendedKeyUsage=emailProtection\nsubjectAltName=email:%s@example.test\nkeyUsage=critical,%s\n' \
    $who digitalSignature,keyEncipherment,keyAgreement > $who.ext
  openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $who.pem -days 300 -extfile $who.ext
done
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=Other -days 400
printf 'From: alice@example.test\r\nTo: alice@example.test\r\nSubject: x\r\n' > mail
printf 'Date: Sat, 01 Mar 2025 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\nMIME-Version: 1.0\r\n' >> mail
printf 'Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhello there\r\n' >> mail
"#;

/// The mail as it is inside.
const CONTENT: &str =
    "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhello there\r\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("sh").args(["-c", SETUP]).current_dir(dir.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn dir(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The signed mail with another word in its content: in the text, or within the base64 of an object.
    fn tamper(&self, mail: &str, to: &str) {
        let text = self.read(mail);
        let changed = if text.contains("hello there") {
            text.replacen("hello there", "hullo there", 1)
        } else {
            use base64::Engine as _;
            use base64::engine::general_purpose::STANDARD;
            let (header, body) = text.split_once("\r\n\r\n").unwrap();
            let mut der = STANDARD.decode(body.replace("\r\n", "")).unwrap();
            let at = der.windows(5).position(|five| five == b"hello").unwrap();
            der[at + 1] = b'u';
            let lines = STANDARD.encode(der).into_bytes();
            let lines = lines.chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line)));
            format!("{header}\r\n\r\n{}", lines.collect::<String>())
        };
        assert_ne!(changed, text);
        std::fs::write(self.path().join(to), changed).unwrap();
    }
}

/// A shim in its own process, as the runner starts it.
struct Peer {
    name: String,
    shim: ShimProcess,
    hello: Hello,
}

impl Peer {
    /// `None` if it is not here, with a line that says so.
    fn new(name: &str) -> Option<Self> {
        let command =
            ShimCommand { program: env!("CARGO_BIN_EXE_waxseal").into(), arguments: vec!["shim".into(), name.into()] };
        // Its admission: it says who it is, and refuses what it does not know.
        let mut sut = Sut::new(name.to_owned(), command.clone(), true);
        sut.admit(ShimLimits::default());
        match sut.admission {
            Ok(hello) => {
                let corpus = Corpus::embedded().unwrap();
                assert_eq!(waxseal::admission::warnings(&hello, corpus.matrix()), Vec::<String>::new(), "{name}");
                let shim = ShimProcess::start(&command, ShimLimits::default()).unwrap();
                Some(Self { name: name.to_owned(), shim, hello })
            }
            Err(why) => {
                waxseal_testing::not_installed(format_args!("{name}: {why}"));
                None
            }
        }
    }

    fn ask(&mut self, op: &str, arguments: &impl serde::Serialize) -> Answer {
        let request = Request::new(self.shim.next_id(), op, arguments).unwrap();
        match self.shim.ask(&request) {
            Ok(answer) => answer,
            Err(failure) => panic!("{} {op}: {failure}: {}", self.name, self.shim.stderr()),
        }
    }

    fn open(&mut self, place: &Place, message: &str, who: &str) -> Verdict {
        let _ = std::fs::remove_file(place.path().join("out"));
        match self.ask(op::OPEN, &opening(place, message, who)) {
            Answer::Verdict(verdict, _) => verdict,
            other => panic!("{} {message}: {other:?}", self.name),
        }
    }

    /// Alice signs, or Erin.
    fn sign(&mut self, place: &Place, who: &str, change: impl FnOnce(&mut SignArguments)) -> Answer {
        let mut arguments = SignArguments {
            dir: place.dir(),
            message: "mail".to_owned(),
            key: key(who),
            certificates: Some("ca.pem".to_owned()),
            anchors: Some("ca.pem".to_owned()),
            out: "signed.eml".to_owned(),
            ..SignArguments::default()
        };
        change(&mut arguments);
        let _ = std::fs::remove_file(place.path().join(&arguments.out));
        self.ask(op::SIGN, &arguments)
    }

    /// The mail, or another one, encrypted for somebody.
    fn encrypt(
        &mut self,
        place: &Place,
        message: &str,
        who: &str,
        change: impl FnOnce(&mut EncryptArguments),
    ) -> Answer {
        let reading = OpenArguments {
            dir: place.dir(),
            message: message.to_owned(),
            anchors: Some("ca.pem".to_owned()),
            out: "encrypted.eml".to_owned(),
            ..OpenArguments::default()
        };
        let mut arguments = EncryptArguments {
            reading,
            to: vec![format!("{who}@example.test")],
            recipients: vec![format!("{who}.pem")],
            ..EncryptArguments::default()
        };
        change(&mut arguments);
        let _ = std::fs::remove_file(place.path().join("encrypted.eml"));
        self.ask(op::ENCRYPT, &arguments)
    }

    fn writes(&self, name: &str) -> bool {
        self.hello.writes_algorithms.contains(name)
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key"), certificate: Some(format!("{who}.pem")) }
}

fn opening(place: &Place, message: &str, who: &str) -> OpenArguments {
    OpenArguments {
        dir: place.dir(),
        message: message.to_owned(),
        keys: vec![key(who)],
        anchors: Some("ca.pem".to_owned()),
        out: "out".to_owned(),
        ..OpenArguments::default()
    }
}

/// Whether what came out is what went in. A mail program composes its own entity around the text.
fn assert_content(what: &str, place: &Place) {
    let out = place.read("out");
    if what.starts_with("s-nail") {
        assert!(out.contains("\r\nhello there\r\n"), "{what}: {out:?}");
    } else {
        assert_eq!(out, CONTENT, "{what}");
    }
}

/// What a reader says of the aspects that another one reports, too.
fn told(verdict: &Verdict, aspects: &Hello) -> Vec<String> {
    let values = |layer: &waxseal_verdict::Layer| {
        let values = AspectName::ALL.iter().filter(|name| aspects.aspects.contains(name));
        let values: Vec<_> = values.map(|name| format!("{name} {}", layer.aspect(*name))).collect();
        format!("{}: {}", layer.kind, values.join(", "))
    };
    verdict.layers.iter().map(values).collect()
}

fn assert_good(what: &str, verdict: &Verdict, layers: usize) {
    use AspectName as A;
    // Not what depends on the Date of the mail.
    let bad = |layer: &waxseal_verdict::Layer| {
        [A::Structure, A::Decryption, A::Integrity, A::Chain].iter().any(|name| layer.aspect(*name).is_bad())
    };
    assert!(verdict.layers.len() == layers && !verdict.layers.iter().any(bad), "{what}: {verdict:#?}");
}

/// Mail of the engine is read, and what was changed is noticed.
fn reads(name: &str) {
    let (place, Some(mut peer), Some(mut engine)) = (Place::new(), Peer::new(name), Peer::new("engine")) else {
        return;
    };
    for form in [Form::Clear, Form::Opaque] {
        let answer = engine.sign(&place, "alice", |arguments| arguments.form = Some(form));
        assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
        if (name, form) == ("s-nail", Form::Opaque) {
            // It knows multipart/signed alone.
            let answer = peer.ask(op::OPEN, &opening(&place, "signed.eml", "alice"));
            assert!(matches!(answer, Answer::Unsupported(_)), "{name} {form}: {answer:?}");
            continue;
        }
        let verdict = peer.open(&place, "signed.eml", "alice");
        assert_good(&format!("{name} {form}"), &verdict, 1);
        assert_eq!(verdict.layers[0].integrity, Aspect::Good, "{name} {form}");
        let chain = if peer.hello.aspects.contains(&AspectName::Chain) { Aspect::Good } else { Aspect::Absent };
        assert_eq!(verdict.layers[0].chain, chain, "{name} {form}");
        assert_eq!(place.read("out"), CONTENT, "{name} {form}");

        place.tamper("signed.eml", "changed.eml");
        let verdict = peer.open(&place, "changed.eml", "alice");
        assert!(verdict.layers[0].integrity.is_bad(), "{name} {form}: {:?}", told(&verdict, &peer.hello));
        assert!(!place.path().join("out").exists(), "{name} {form}");
    }
    let answer = engine.encrypt(&place, "mail", "alice", |arguments| arguments.cipher = Some("aes-128-cbc".to_owned()));
    assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    let verdict = peer.open(&place, "encrypted.eml", "alice");
    assert_good(name, &verdict, 1);
    assert_eq!(place.read("out"), CONTENT, "{name}");
    // Another one's key opens nothing, in a directory that already holds what the right one opened.
    let verdict = peer.open(&place, "encrypted.eml", "erin");
    assert!(verdict.layers[0].decryption.is_bad(), "{name}: {:?}", told(&verdict, &peer.hello));
    assert!(!place.path().join("out").exists(), "{name}");

    // Whom nobody trusts.
    if peer.hello.aspects.contains(&AspectName::Chain) {
        engine.sign(&place, "alice", |_| ());
        let arguments = OpenArguments {
            dir: place.dir(),
            message: "signed.eml".to_owned(),
            anchors: Some("other.pem".to_owned()),
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        let Answer::Verdict(verdict, _) = peer.ask(op::OPEN, &arguments) else { panic!("{name}") };
        let layer = &verdict.layers[0];
        assert!(layer.integrity == Aspect::Good && layer.chain.is_bad(), "{name}: {:?}", told(&verdict, &peer.hello));
    }
}

/// What a peer offers each by itself, and not together.
const NOT_TOGETHER: &[(&str, &str)] = &[
    ("openssl", "rsassa-pss sha3-"),
    ("openssl", "ecdsa sha3-"),
    // Shorter than the key.
    ("gpgsm", "ecdsa sha-1"),
    ("gpgsm", "ecdsa sha-224"),
];

/// The engine reads what it signed, with everything that it says it signs with.
fn signs(name: &str) {
    let (place, Some(mut peer), Some(mut engine)) = (Place::new(), Peer::new(name), Peer::new("engine")) else {
        return;
    };
    if !peer.hello.operations.contains(&Operation::Sign) {
        eprintln!("{name} does not sign");
        return;
    }
    let digests = "md5 sha-1 sha-224 sha-256 sha-384 sha-512 sha3-224 sha3-256 sha3-384 sha3-512";
    let digests: Vec<_> = digests.split(' ').filter(|digest| peer.writes(digest)).collect();
    let mut schemes = vec![("rsa-pkcs1-v1_5", "alice"), ("rsassa-pss", "alice"), ("ecdsa", "erin")];
    schemes.retain(|(scheme, _)| peer.writes(scheme));
    let mut tried = 0;
    for (form, written) in [(Form::Clear, WrittenForm::Clear), (Form::Opaque, WrittenForm::Opaque)] {
        if !peer.hello.writes_forms.contains(&written) {
            let answer = peer.sign(&place, "alice", |arguments| arguments.form = Some(form));
            assert!(matches!(answer, Answer::Unsupported(_)), "{name} {form}: {answer:?}");
            continue;
        }
        for (scheme, who) in schemes.iter().copied() {
            for digest in &digests {
                // No standard names ECDSA with MD5.
                if (scheme, *digest) == ("ecdsa", "md5") || (scheme, *digest) == ("rsassa-pss", "md5") {
                    continue;
                }
                let answer = peer.sign(&place, who, |arguments| {
                    arguments.form = Some(form);
                    (arguments.scheme, arguments.digest) = (Some(scheme.to_owned()), Some((*digest).to_owned()));
                });
                let what = format!("{name} {form} {scheme} {digest}");
                if NOT_TOGETHER.iter().any(|not| what.starts_with(not.0) && what.contains(not.1)) {
                    assert!(matches!(answer, Answer::Unsupported(_)), "{what}: {answer:?}");
                    continue;
                }
                assert!(matches!(answer, Answer::Wrote(_)), "{what}: {answer:?}");
                let verdict = engine.open(&place, "signed.eml", who);
                let layer = &verdict.layers[0];
                assert!(
                    layer.structure.is_good() && layer.integrity.is_good() && layer.chain.is_good(),
                    "{what}: {layer:#?}"
                );
                assert_eq!((layer.kind.code(), layer.form), ("signed", Some(form)), "{what}");
                assert_eq!(layer.signers[0].digest, *digest, "{what}");
                assert!(place.read("signed.eml").contains("Subject: x\r\n"), "{what}: what is outside stays there");
                tried += 1;
            }
        }
    }
    assert!(tried > 0, "{name} offers to sign, and with nothing");
    let unknown = peer.sign(&place, "alice", |arguments| arguments.digest = Some("no-such-digest".to_owned()));
    assert!(matches!(unknown, Answer::Unsupported(_)), "{name}: {unknown:?}");

    if peer.hello.clock != Clock::System {
        // The certificates begin now, and last some months.
        let at = (OffsetDateTime::now_utc() + Duration::days(31)).replace_nanosecond(0).unwrap();
        let stated = at.format(&Rfc3339).unwrap();
        let answer = peer.sign(&place, "alice", |arguments| arguments.clock = Some(stated));
        assert!(matches!(answer, Answer::Wrote(_)), "{name}: {answer:?}");
        let verdict = engine.open(&place, "signed.eml", "alice");
        let time = verdict.layers[0].signers[0].signing_time.clone().unwrap_or_else(|| panic!("{name}: {verdict:#?}"));
        // A clock that was set goes on.
        let late = OffsetDateTime::parse(&time, &Rfc3339).unwrap() - at;
        assert!(late >= Duration::ZERO && late < Duration::minutes(1), "{name}: signed at {time} instead of {at}");
    }
}

/// The engine reads what it encrypted, with everything that it says it encrypts with.
fn encrypts(name: &str) {
    let (place, Some(mut peer), Some(mut engine)) = (Place::new(), Peer::new(name), Peer::new("engine")) else {
        return;
    };
    if !peer.hello.operations.contains(&Operation::Encrypt) {
        eprintln!("{name} does not encrypt");
        return;
    }
    let is_cipher = |name: &&String| name.contains("-cbc") || name.contains("-gcm");
    let ciphers: Vec<String> = peer.hello.writes_algorithms.iter().filter(is_cipher).cloned().collect();
    for cipher in &ciphers {
        let answer = peer.encrypt(&place, "mail", "alice", |arguments| arguments.cipher = Some(cipher.clone()));
        let Answer::Wrote(wrote) = answer else { panic!("{name} {cipher}: {answer:?}") };
        assert_eq!(wrote.cipher.as_ref(), Some(cipher), "{name}");
        let verdict = engine.open(&place, "encrypted.eml", "alice");
        let layer = &verdict.layers[0];
        assert!(layer.structure.is_good() && layer.decryption.is_good(), "{name} {cipher}: {layer:#?}");
        let read = layer.content_cipher.as_deref().unwrap_or_default();
        let wanted = cipher.strip_prefix("rc2-cbc-").map_or(cipher.as_str(), |_| "rc2-cbc");
        assert_eq!(read.get(..wanted.len()), Some(wanted), "{name}");
        assert_content(&format!("{name} {cipher}"), &place);
    }
    assert!(!ciphers.is_empty(), "{name} offers to encrypt, and with nothing");
    for (algorithm, who) in [("rsaes-oaep", "alice"), ("ec", "erin")] {
        let answer = peer.encrypt(&place, "mail", who, |arguments| {
            arguments.key_encryption = (algorithm == "rsaes-oaep").then(|| algorithm.to_owned());
        });
        if !peer.writes(algorithm) {
            assert!(matches!(answer, Answer::Unsupported(_)), "{name} {algorithm}: {answer:?}");
            continue;
        }
        assert!(matches!(answer, Answer::Wrote(_)), "{name} {algorithm}: {answer:?}");
        assert_good(&format!("{name} {algorithm}"), &engine.open(&place, "encrypted.eml", who), 1);
        assert_content(&format!("{name} {algorithm}"), &place);
    }
    let unknown = peer.encrypt(&place, "mail", "alice", |arguments| arguments.cipher = Some("rot13".to_owned()));
    assert!(matches!(unknown, Answer::Unsupported(_)), "{name}: {unknown:?}");
    // By address alone: who is not known gets nothing.
    let nobody = peer.encrypt(&place, "mail", "alice", |arguments| {
        (arguments.to, arguments.recipients) = (vec!["carol@example.test".to_owned()], vec![]);
        arguments.reading.extra_certificates = Some("alice.pem".to_owned());
    });
    assert!(matches!(&nobody, Answer::Refused(refused) if refused.reason == "not-known"), "{name}: {nobody:?}");

    if peer.hello.writes_forms.contains(&WrittenForm::SignedEncrypted) {
        let answer = peer.encrypt(&place, "mail", "alice", |arguments| arguments.signer = Some(key("alice")));
        assert!(matches!(answer, Answer::Wrote(_)), "{name}: {answer:?}");
        assert_good(&format!("{name}, both in one"), &engine.open(&place, "encrypted.eml", "alice"), 2);
        assert_content(&format!("{name}, both in one"), &place);
        // It composes its mail itself: what another one signed it cannot encrypt.
        engine.sign(&place, "alice", |_| ());
        let answer = peer.encrypt(&place, "signed.eml", "alice", |_| ());
        assert!(matches!(answer, Answer::Unsupported(_)), "{name}: {answer:?}");
        return;
    }
    // Signed by one, encrypted by the other, read by both.
    engine.sign(&place, "alice", |_| ());
    let answer = peer.encrypt(&place, "signed.eml", "alice", |_| ());
    assert!(matches!(answer, Answer::Wrote(_)), "{name}: {answer:?}");
    for reader in [&mut engine, &mut peer] {
        let verdict = reader.open(&place, "encrypted.eml", "alice");
        assert_good(&format!("{name}, read by {}", reader.name), &verdict, 2);
        assert_eq!(place.read("out"), CONTENT, "{name}, read by {}", reader.name);
    }
}

#[test]
fn openssl_reads() {
    reads("openssl");
}

#[test]
fn openssl_signs() {
    signs("openssl");
}

#[test]
fn openssl_encrypts() {
    encrypts("openssl");
}

#[test]
fn gpgsm_reads() {
    reads("gpgsm");
}

#[test]
fn gpgsm_signs() {
    signs("gpgsm");
}

/// The home of its agent is in the case directory, however deep that is: the path of a socket is short.
#[test]
fn gpgsm_opens_in_any_directory() {
    let (place, Some(mut peer), Some(mut engine)) = (Place::new(), Peer::new("gpgsm"), Peer::new("engine")) else {
        return;
    };
    assert!(matches!(engine.sign(&place, "alice", |_| ()), Answer::Wrote(_)));
    for length in (70..110).step_by(3).chain(74..82) {
        let deep = place.path().join("d".repeat(length - place.dir().len() - 1));
        std::fs::create_dir_all(&deep).unwrap();
        for file in ["signed.eml", "ca.pem", "alice.pem", "alice.key"] {
            std::fs::copy(place.path().join(file), deep.join(file)).unwrap();
        }
        let dir = deep.to_str().unwrap().to_owned();
        let answer = peer.ask(op::OPEN, &OpenArguments { dir, ..opening(&place, "signed.eml", "alice") });
        assert!(
            matches!(&answer, Answer::Verdict(verdict, _) if verdict.layers[0].integrity.is_good()),
            "{length}: {answer:?}"
        );
    }
}

#[test]
fn gpgsm_encrypts() {
    encrypts("gpgsm");
}

#[test]
fn nss_reads() {
    reads("nss");
}

#[test]
fn nss_signs() {
    signs("nss");
}

#[test]
fn nss_encrypts() {
    encrypts("nss");
}

#[test]
fn s_nail_reads() {
    reads("s-nail");
}

#[test]
fn s_nail_signs() {
    signs("s-nail");
}

#[test]
fn s_nail_encrypts() {
    encrypts("s-nail");
}

/// What a sender wrote into a mail is not taken for what s-nail says of it.
#[test]
fn s_nail_speaks_for_itself() {
    let (place, Some(mut peer), Some(mut engine)) = (Place::new(), Peer::new("s-nail"), Peer::new("engine")) else {
        return;
    };
    let answer = engine.encrypt(&place, "mail", "alice", |arguments| arguments.cipher = Some("aes-128-cbc".to_owned()));
    assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    // The field that it puts before what it decrypted.
    let forged = format!("X-Decoding-Date: Sat, 01 Mar 2025 12:00:00 +0000\r\n{}", place.read("encrypted.eml"));
    std::fs::write(place.path().join("forged.eml"), forged).unwrap();
    let verdict = peer.open(&place, "forged.eml", "alice");
    assert_good("s-nail", &verdict, 1);
    assert_eq!(place.read("out"), CONTENT);
    let verdict = peer.open(&place, "forged.eml", "other");
    assert!(verdict.layers.len() == 1 && verdict.layers[0].decryption.is_bad(), "{:?}", told(&verdict, &peer.hello));

    assert!(matches!(engine.sign(&place, "alice", |_| ()), Answer::Wrote(_)));
    // Its words for a good signature, in the address that it prints when it is not the certificate's.
    let signed = place.read("signed.eml");
    let forged = signed.replacen("From: alice@example.test", "From: <\"was verified successfully\"@example.test>", 1);
    assert_ne!(forged, signed);
    std::fs::write(place.path().join("forged.eml"), forged).unwrap();
    let verdict = peer.open(&place, "forged.eml", "alice");
    assert_eq!(verdict.layers[0].identity.reason(), Some(Reason::AddressMismatch), "{:?}", told(&verdict, &peer.hello));
}
