//! The GmSSL adapter on what GmSSL itself wrote. Where GmSSL was not built it
//! says so and tests nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use waxseal::shim::gmssl::{self, GmSsl};
use waxseal::shim::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, SignArguments};
use waxseal::shim::serve::Shim;
use waxseal_verdict::{AspectName, Kind, Verdict};

/// Keys and certificates of OpenSSL, a mail, and messages of GmSSL with faults.
const SETUP: &str = r#"
set -e
for who in alice bob; do
  openssl genpkey -algorithm SM2 -out $who.key
  openssl req -new -x509 -key $who.key -sm3 -sigopt distid:1234567812345678 -subj "/CN=$who" -days 50 \
    -addext "subjectAltName=email:$who@example.test" -out $who.pem
done
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=RSA -days 50
cat alice.pem bob.pem > known.pem
printf 'From: alice@example.test\r\nContent-Type: text/plain\r\n\r\nhello\r\n' > mail
printf 'Content-Type: text/plain\r\n\r\nhello\r\n' > body
openssl cms -sign -nodetach -binary -in body -signer rsa.pem -inkey rsa.key -outform DER -out rsa.der
openssl cms -sign -in body -signer rsa.pem -inkey rsa.key -out clear.eml
"#;

/// What the mail is when nothing protects it any more.
const CONTENT: &str = "Content-Type: text/plain\r\n\r\nhello\r\n";

struct Place(tempfile::TempDir);

impl Place {
    /// `None` without GmSSL, with a line that says so.
    fn new() -> Option<Self> {
        if let Err(why) = gmssl::place() {
            waxseal_testing::not_installed(why);
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("sh").args(["-c", SETUP]).current_dir(dir.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn dir(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    /// Alice signs the mail.
    fn sign(&self, out: &str) {
        let arguments = SignArguments {
            dir: self.dir(),
            message: "mail".to_owned(),
            key: key("alice"),
            out: out.to_owned(),
            ..SignArguments::default()
        };
        let answer = GmSsl::default().sign(&arguments);
        assert!(matches!(answer, Ok(Answer::Wrote(_))), "{answer:?}");
    }

    /// The mail is encrypted for these.
    fn encrypt(&self, message: &str, to: &[&str], out: &str) -> Answer {
        let reading = OpenArguments {
            dir: self.dir(),
            message: message.to_owned(),
            extra_certificates: Some("known.pem".to_owned()),
            out: out.to_owned(),
            ..OpenArguments::default()
        };
        let to = to.iter().map(|who| format!("{who}@example.test")).collect();
        GmSsl::default().encrypt(&EncryptArguments { reading, to, ..EncryptArguments::default() }).unwrap()
    }

    fn ask(&self, message: &str, who: &str) -> Answer {
        let arguments = OpenArguments {
            dir: self.dir(),
            message: message.to_owned(),
            keys: vec![key(who)],
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        let _ = std::fs::remove_file(self.path().join("out"));
        GmSsl::default().open(&arguments).unwrap()
    }

    fn open(&self, message: &str, who: &str) -> Verdict {
        match self.ask(message, who) {
            Answer::Verdict(verdict, _) => verdict,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn out(&self) -> Option<String> {
        std::fs::read_to_string(self.path().join("out")).ok()
    }

    /// The object of a mail, with one octet changed, as a file of its own.
    fn changed(&self, mail: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        use base64::Engine as _;
        let text = std::fs::read_to_string(self.path().join(mail)).unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "");
        let mut der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        change(&mut der);
        std::fs::write(self.path().join("changed.der"), der).unwrap();
        "changed.der".to_owned()
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key"), certificate: Some(format!("{who}.pem")) }
}

/// Kinds and the values of the declared aspects.
fn told(verdict: &Verdict) -> Vec<(Kind, String)> {
    use AspectName as A;
    let names = [A::Structure, A::Decryption, A::Integrity];
    let values = |layer: &waxseal_verdict::Layer| names.map(|name| layer.aspect(name).to_string()).join(" ");
    verdict.layers.iter().map(|layer| (layer.kind, values(layer))).collect()
}

fn one(kind: Kind, values: &str) -> Vec<(Kind, String)> {
    vec![(kind, values.to_owned())]
}

/// Where these octets stand last.
fn find(der: &[u8], octets: &[u8]) -> usize {
    der.windows(octets.len()).rposition(|window| window == octets).unwrap()
}

#[test]
fn it_reads_what_it_signed() {
    let Some(place) = Place::new() else { return };
    place.sign("signed.eml");
    assert_eq!(told(&place.open("signed.eml", "alice")), one(Kind::Signed, "good absent good"));
    assert_eq!(place.out().as_deref(), Some(CONTENT));

    let changed = place.changed("signed.eml", |der| {
        let at = find(der, b"hello");
        der[at] ^= 1;
    });
    assert_eq!(told(&place.open(&changed, "alice")), one(Kind::Signed, "good absent bad: signature-mismatch"));
    assert_eq!(place.out(), None);
    let truncated = place.changed("signed.eml", |der| der.truncate(der.len() - 5));
    assert_eq!(told(&place.open(&truncated, "alice")), one(Kind::Signed, "bad: truncated absent unchecked"));
    // The SM2 signature algorithm of GM/T 0010 is not among those that it knows.
    let other = place.changed("signed.eml", |der| {
        let at = find(der, b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75");
        der.splice(at + 8..at + 10, *b"\x82\x2d");
    });
    let unknown = one(Kind::Signed, "bad: unsupported-algorithm absent unchecked");
    assert_eq!(told(&place.open(&other, "alice")), unknown);
}

#[test]
fn it_reads_what_it_encrypted() {
    let Some(place) = Place::new() else { return };
    let good = one(Kind::Encrypted, "good good absent");
    let answer = place.encrypt("mail", &["alice", "bob"], "encrypted.eml");
    let Answer::Wrote(wrote) = answer else { panic!("{answer:?}") };
    assert_eq!((wrote.cipher.as_deref(), wrote.recipients.len()), (Some("sm4-cbc"), 2));
    for who in ["alice", "bob"] {
        assert_eq!(told(&place.open("encrypted.eml", who)), good, "{who}");
        assert_eq!(place.out().as_deref(), Some(CONTENT), "{who}");
    }
    place.encrypt("mail", &["alice"], "alice.eml");
    assert_eq!(told(&place.open("alice.eml", "bob")), one(Kind::Encrypted, "good bad: no-key absent"));
    assert_eq!(told(&place.open("alice.eml", "rsa")), one(Kind::Encrypted, "good bad: no-key absent"));
    place.sign("signed.eml");
    place.encrypt("signed.eml", &["bob"], "both.eml");
    let both = [one(Kind::Encrypted, "good good absent"), one(Kind::Signed, "good absent good")].concat();
    assert_eq!(told(&place.open("both.eml", "bob")), both);
    assert_eq!(place.out().as_deref(), Some(CONTENT));
    assert!(
        matches!(place.encrypt("mail", &["carol"], "out"), Answer::Refused(refused) if refused.reason == "not-known")
    );

    // The last octets of the key that was encrypted, before the content.
    let wrong = place.changed("alice.eml", |der| {
        let at = find(der, b"\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x01");
        der[at - 3] ^= 1;
    });
    assert_eq!(told(&place.open(&wrong, "alice")), one(Kind::Encrypted, "good bad: wrong-key absent"));
    // 1.2.156.10197.1.301.3 in the place of 301.2
    let other = place.changed("alice.eml", |der| {
        let at = find(der, b"\x06\x09\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x02");
        der[at + 10] = 3;
    });
    let unknown = one(Kind::Encrypted, "bad: unsupported-algorithm unchecked absent");
    assert_eq!(told(&place.open(&other, "alice")), unknown);
}

/// Of the padding it looks at the last octet alone (RFC 5652 section 6.3 has all
/// of them the same): another octet of it may be anything.
#[test]
fn a_broken_padding_is_not_noticed() {
    let Some(place) = Place::new() else { return };
    place.encrypt("mail", &["alice"], "alice.eml");
    // 35 octets of content, 13 of padding: the block before changes the first octet of it.
    let broken = place.changed("alice.eml", |der| {
        let at = der.len() - 32 + 3;
        der[at] ^= 0x80;
    });
    assert_eq!(CONTENT.len(), 35);
    assert_eq!(told(&place.open(&broken, "alice")), one(Kind::Encrypted, "good good absent"));
}

#[test]
fn what_it_has_no_reading_of_is_unsupported() {
    let Some(place) = Place::new() else { return };
    for message in ["rsa.der", "clear.eml", "mail"] {
        let answer = place.ask(message, "alice");
        assert!(matches!(answer, Answer::Unsupported(_)), "{message}: {answer:?}");
    }
    let rsa = SignArguments {
        dir: place.dir(),
        message: "mail".to_owned(),
        key: key("rsa"),
        out: "out".to_owned(),
        ..SignArguments::default()
    };
    assert!(matches!(GmSsl::default().sign(&rsa), Ok(Answer::Unsupported(_))));
}
