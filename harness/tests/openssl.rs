//! The openssl adapter on what openssl itself wrote. Without openssl on this
//! machine it says so and tests nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use waxseal::shim::openssl::OpenSsl;
use waxseal::shim::protocol::{Answer, KeyFiles, OpenArguments};
use waxseal::shim::serve::Shim;
use waxseal_verdict::{Aspect, AspectName, Form, Kind, Reason, Verdict};

/// A CA, Alice with a mail certificate, Bob with a server certificate.
const SETUP: &str = r#"
set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 100
for who in alice bob; do
  openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=$who
done
echo 'extendedKeyUsage=emailProtection' > mail; echo 'extendedKeyUsage=serverAuth' > server
openssl x509 -req -in alice.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out alice.pem -days 50 -extfile mail
openssl x509 -req -in bob.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out bob.pem -days 50 -extfile server
printf 'Content-Type: text/plain\r\n\r\nhello\r\n' > body
openssl cms -sign -in body -signer alice.pem -inkey alice.key -out clear.eml
openssl cms -sign -nodetach -binary -in body -signer alice.pem -inkey alice.key -out opaque.eml
openssl cms -sign -in body -signer bob.pem -inkey bob.key -out server.eml
openssl cms -sign -nocerts -in body -signer alice.pem -inkey alice.key -out bare.eml
openssl cms -encrypt -in body -aes-256-cbc -out encrypted.eml alice.pem
openssl cms -encrypt -in clear.eml -aes-128-cbc -out both.eml alice.pem
openssl cms -encrypt -in body -aes-128-cbc -outform PEM -out encrypted.pem alice.pem
openssl cms -sign -binary -in body -signer alice.pem -inkey alice.key -outform DER -out detached.der
sed 's/hello/hullo/' clear.eml > changed.eml
head -c 900 opaque.eml > truncated.eml
printf 'Subject: x\n\nplain\n' > plain.eml
( printf 'Content-Type: multipart/mixed; boundary=xx\n\n--xx\n'; cat clear.eml; printf '\n--xx--\n' ) > wrapped.eml
"#;

struct Place(tempfile::TempDir);

impl Place {
    /// `None` without openssl, with a line that says so.
    fn new() -> Option<Self> {
        if let Err(why) = OpenSsl::default().hello() {
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

    fn open(&self, message: &str, change: impl FnOnce(&mut OpenArguments)) -> Verdict {
        let mut arguments = OpenArguments {
            dir: self.path().to_str().unwrap().to_owned(),
            message: message.to_owned(),
            keys: vec![key("alice")],
            anchors: Some("ca.pem".to_owned()),
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        change(&mut arguments);
        let _ = std::fs::remove_file(self.path().join("out"));
        match OpenSsl::default().open(&arguments) {
            Ok(Answer::Verdict(verdict, _)) => verdict,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn out(&self) -> Option<String> {
        std::fs::read_to_string(self.path().join("out")).ok()
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key"), certificate: Some(format!("{who}.pem")) }
}

/// Kinds and the values of the declared aspects, `structure decryption integrity chain`.
fn told(verdict: &Verdict) -> Vec<(Kind, String)> {
    use AspectName as A;
    let names = [A::Structure, A::Decryption, A::Integrity, A::Chain];
    let values = |layer: &waxseal_verdict::Layer| names.map(|name| layer.aspect(name).to_string()).join(" ");
    verdict.layers.iter().map(|layer| (layer.kind, values(layer))).collect()
}

#[test]
fn each_aspect_is_told_by_itself() {
    let Some(place) = Place::new() else { return };
    let good = (Kind::Signed, "good absent good good".to_owned());
    let content = "Content-Type: text/plain\r\n\r\nhello\r\n";
    for (message, form) in [("clear.eml", Form::Clear), ("opaque.eml", Form::Opaque)] {
        let verdict = place.open(message, |_| ());
        assert_eq!((told(&verdict), verdict.layers[0].form), (vec![good.clone()], Some(form)), "{message}");
        assert_eq!(place.out().as_deref(), Some(content), "{message}");
    }
    let decrypted = (Kind::Encrypted, "good good absent absent".to_owned());
    for message in ["encrypted.eml", "encrypted.pem"] {
        assert_eq!(told(&place.open(message, |_| ())), std::slice::from_ref(&decrypted), "{message}");
        assert_eq!(place.out().as_deref(), Some(content), "{message}");
    }
    assert_eq!(told(&place.open("both.eml", |_| ())), [decrypted, good.clone()]);
    assert_eq!(place.out().as_deref(), Some(content));
    let detached = place.open("detached.der", |arguments| arguments.content = Some("body".to_owned()));
    assert_eq!(told(&detached), [good]);

    let one = |kind, values: &str| vec![(kind, values.to_owned())];
    for (message, values) in [
        ("changed.eml", one(Kind::Signed, "good absent bad: digest-mismatch good")),
        ("server.eml", one(Kind::Signed, "good absent good bad: extended-key-usage")),
        ("bare.eml", one(Kind::Signed, "good absent bad: signer-certificate-not-found unchecked")),
        ("detached.der", one(Kind::Signed, "bad: content-missing absent unchecked unchecked")),
        ("truncated.eml", one(Kind::Signed, "bad: truncated absent absent absent")),
        ("wrapped.eml", one(Kind::Unknown, "bad: type-mismatch absent absent absent")),
        ("plain.eml", vec![]),
    ] {
        assert_eq!(told(&place.open(message, |_| ())), values, "{message}");
        assert_eq!(place.out(), None, "{message}");
    }
}

#[test]
fn keys_anchors_and_time_decide() {
    let Some(place) = Place::new() else { return };
    let chain = |change: &dyn Fn(&mut OpenArguments)| place.open("clear.eml", change).layers[0].chain.clone();
    assert_eq!(chain(&|arguments| arguments.anchors = None), Aspect::unchecked(Reason::NoAnchor));
    let reason = |change: &dyn Fn(&mut OpenArguments)| chain(change).reason();
    assert_eq!(reason(&|arguments| arguments.anchors = Some("bob.pem".to_owned())), Some(Reason::NoPath));
    assert_eq!(
        reason(&|arguments| arguments.clock = Some("2000-01-01T00:00:00Z".to_owned())),
        Some(Reason::NotYetValid)
    );
    assert_eq!(reason(&|arguments| arguments.clock = Some("2100-01-01T00:00:00Z".to_owned())), Some(Reason::Expired));
    assert_eq!(chain(&|arguments| arguments.anchors = Some("alice.pem".to_owned())), Aspect::Good);
    let extra = place.open("bare.eml", |arguments| arguments.extra_certificates = Some("alice.pem".to_owned()));
    assert_eq!(told(&extra), [(Kind::Signed, "good absent good good".to_owned())]);
    let extra = place.open("clear.eml", |arguments| {
        arguments.extra_certificates = Some("bob.pem".to_owned());
        arguments.clock = Some("2100-01-01T00:00:00Z".to_owned());
    });
    assert_eq!(extra.layers[0].chain.reason(), Some(Reason::Expired));

    let decryption = |keys: Vec<KeyFiles>| {
        place.open("encrypted.eml", |arguments| arguments.keys = keys).layers[0].decryption.clone()
    };
    assert_eq!(decryption(vec![]).reason(), Some(Reason::NoKey));
    assert_eq!(decryption(vec![key("bob")]).reason(), Some(Reason::NoKey));
    assert_eq!(decryption(vec![key("bob"), key("alice")]), Aspect::Good);
    // Bob's key under Alice's certificate: openssl goes on with a random key.
    let wrong = KeyFiles { key: "bob.key".to_owned(), certificate: Some("alice.pem".to_owned()) };
    let wrong = decryption(vec![wrong]);
    assert!(!matches!(wrong.reason(), Some(Reason::NoKey)), "{wrong:?}");
}

#[test]
fn every_command_is_left_in_the_directory() {
    let Some(place) = Place::new() else { return };
    place.open("clear.eml", |arguments| arguments.clock = Some("2100-01-01T00:00:00Z".to_owned()));
    let commands = std::fs::read_to_string(place.path().join("openssl-commands.sh")).unwrap();
    let lines: Vec<_> = commands.lines().collect();
    assert_eq!(lines.len(), 3, "{commands}");
    assert!(lines[2].contains("-attime 4102444800") && lines[2].contains(" -verify -inform SMIME"));
}
