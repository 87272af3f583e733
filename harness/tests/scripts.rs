//! Peers that are libraries in other languages: each reads what the engine wrote,
//! and the engine reads what it wrote. A peer that is not on this machine is named,
//! and not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use waxseal::shim::engine::Engine;
use waxseal::shim::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, Request, SignArguments, op};
use waxseal::shim::serve::Shim;
use waxseal::sut::child::{ShimCommand, ShimLimits, ShimProcess};
use waxseal_model::Corpus;
use waxseal_verdict::{Aspect, AspectName, Form, Hello, Kind, Layer, Operation, Overall, Verdict, WrittenForm};

/// A time at which the certificates of the corpus are good.
const CLOCK: &str = "2025-06-15T12:00:00Z";

/// The entity of the mail below: what must come out of every layer.
const ENTITY: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    The gate opens at nine.\r\nGr\u{fc}\u{df}e\r\n";

macro_rules! peers {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            if let Some(desk) = Desk::new($name) {
                desk.exercise();
            }
        })*
    };
}

peers! {
    crypt_smime: "crypt-smime",
    php: "php",
    ruby: "ruby",
    pyca: "pyca",
    m2crypto: "m2crypto",
    tongsuo: "tongsuo",
    node_forge: "node-forge",
    pkijs: "pkijs",
}

/// The example of harness/SHIM.md does what it says.
#[test]
fn example() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shim.py");
    let text = std::fs::read_to_string(&program).unwrap();
    assert!(text.lines().count() <= 60, "it is to fit on a page");
    if let Some(desk) = Desk::start("example", &ShimCommand { program, arguments: Vec::new() }) {
        desk.exercise();
    }
}

/// A peer, and a directory with a mail, keys and certificates.
struct Desk {
    name: &'static str,
    hello: Hello,
    peer: std::cell::RefCell<ShimProcess>,
    dir: TempDir,
}

impl Desk {
    /// A shipped shim.
    fn new(name: &'static str) -> Option<Self> {
        let arguments = vec!["shim".to_owned(), name.to_owned()];
        Self::start(name, &ShimCommand { program: env!("CARGO_BIN_EXE_waxseal").into(), arguments })
    }

    /// `None` where the peer is not, with a line that says so.
    fn start(name: &'static str, command: &ShimCommand) -> Option<Self> {
        let mut peer = ShimProcess::start(command, ShimLimits::default()).unwrap();
        let hello = Request::hello(peer.next_id());
        let hello = match peer.ask(&hello) {
            Ok(Answer::Hello(hello)) => hello,
            Ok(Answer::Unsupported(why)) => {
                waxseal_testing::not_installed(format_args!("{name}: {why}"));
                return None;
            }
            other => panic!("{name}: hello: {other:?}: {}", peer.stderr()),
        };
        assert_eq!(hello.name, name);
        let corpus = Corpus::embedded().unwrap();
        assert_eq!(waxseal::admission::warnings(&hello, corpus.matrix()), Vec::<String>::new(), "{name}");
        let dir = tempfile::tempdir().unwrap();
        let mail = format!(
            "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: the gate\r\n\
             Date: Sun, 15 Jun 2025 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\nMIME-Version: 1.0\r\n{ENTITY}"
        );
        std::fs::write(dir.path().join("mail"), mail).unwrap();
        for name in
            ["alice.key.pem", "alice.cert.pem", "bob.key.pem", "bob.cert.pem", "root.cert.pem", "intermediate.cert.pem"]
        {
            std::fs::copy(pki().join(name), dir.path().join(name)).unwrap();
        }
        Some(Self { name, hello, peer: peer.into(), dir })
    }

    fn exercise(&self) {
        self.refuses_the_unknown();
        let reads = |kind| self.hello.operations.contains(&Operation::Open) && self.hello.forms.contains(&kind);
        if reads(Kind::Signed) {
            self.reads_signed(Form::Clear);
            self.reads_signed(Form::Opaque);
        }
        if reads(Kind::Encrypted) {
            self.reads_encrypted();
        }
        if reads(Kind::Signed) && reads(Kind::Encrypted) {
            self.reads_nested();
        }
        for (form, written) in [(Form::Clear, WrittenForm::Clear), (Form::Opaque, WrittenForm::Opaque)] {
            if self.hello.writes_forms.contains(&written) {
                self.writes_signed(form);
            }
        }
        if self.hello.writes_forms.contains(&WrittenForm::Encrypted) {
            self.writes_encrypted();
            self.finds_recipients();
        }
    }

    fn refuses_the_unknown(&self) {
        let answer = self.ask(Request::unknown);
        assert!(matches!(answer, Answer::Unsupported(_)), "{answer:?}");
        let settings = [("signFormat".to_owned(), "unobtrusive".to_owned())].into();
        let arguments = SignArguments { settings, ..self.signing(Form::Clear, "mail", "signed") };
        let answer = self.ask(|id| Request::new(id, op::SIGN, &arguments).unwrap());
        assert!(matches!(answer, Answer::Unsupported(_)), "{answer:?}");
    }

    fn reads_signed(&self, form: Form) {
        self.engine_signs(form, "mail", "signed");
        let verdict = self.open("signed", "alice");
        let [layer] = verdict.layers.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((layer.kind, layer.form), (Kind::Signed, Some(form)));
        self.all_good(layer, &[AspectName::Structure, AspectName::Integrity, AspectName::Chain]);
        assert_eq!(self.text("out"), ENTITY, "{} {form}", self.name);

        // One octet of what was signed.
        let signed = self.text("signed");
        let tampered =
            if form == Form::Clear { signed.replace("at nine", "at none") } else { tampered(&signed, ENTITY) };
        assert_ne!(signed, tampered);
        std::fs::write(self.path("tampered"), tampered).unwrap();
        let verdict = self.open("tampered", "alice");
        assert_eq!(verdict.overall, Overall::Invalid, "{verdict:?}");
        assert!(verdict.layers[0].integrity.is_bad(), "{} {form}: {verdict:?}", self.name);

        // Somebody else's anchor.
        if self.hello.aspects.contains(&AspectName::Chain) {
            let verdict = self.open_with("signed", |arguments| arguments.anchors = Some("bob.cert.pem".to_owned()));
            assert!(verdict.layers[0].chain.is_bad(), "{} {form}: {verdict:?}", self.name);
        }
    }

    fn reads_encrypted(&self) {
        for transport in [None, Some("rsaes-oaep")] {
            if !self.reads_transport(transport) {
                continue;
            }
            self.engine_encrypts("mail", "encrypted", transport);
            let verdict = self.open("encrypted", "bob");
            let [layer] = verdict.layers.as_slice() else { panic!("{verdict:?}") };
            assert_eq!(layer.kind, Kind::Encrypted);
            self.all_good(layer, &[AspectName::Structure, AspectName::Decryption]);
            assert_eq!(self.text("out"), ENTITY, "{} {transport:?}", self.name);
            let verdict = self.open("encrypted", "alice");
            assert!(verdict.layers[0].decryption.is_bad(), "{}: {verdict:?}", self.name);
            assert!(!self.path("out").exists(), "{}", self.name);
        }
    }

    /// Whether the peer has what encrypts the content key: RSA PKCS #1 v1.5, which all
    /// have but those on WebCrypto, or OAEP.
    fn reads_transport(&self, name: Option<&str>) -> bool {
        match name {
            None => self.name != "pkijs",
            Some(name) => self.hello.algorithms.contains(name),
        }
    }

    fn reads_nested(&self) {
        self.engine_signs(Form::Clear, "mail", "signed");
        self.engine_encrypts("signed", "both", (!self.reads_transport(None)).then_some("rsaes-oaep"));
        let verdict = self.open("both", "bob");
        let [outer, inner] = verdict.layers.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((outer.kind, inner.kind), (Kind::Encrypted, Kind::Signed));
        self.all_good(outer, &[AspectName::Decryption]);
        self.all_good(inner, &[AspectName::Integrity, AspectName::Chain]);
        assert_eq!(self.text("out"), ENTITY, "{}", self.name);
    }

    fn writes_signed(&self, form: Form) {
        let answer = self.ask(|id| Request::new(id, op::SIGN, &self.signing(form, "mail", "written")).unwrap());
        assert!(matches!(answer, Answer::Wrote(_)), "{} {form}: {answer:?}", self.name);
        let verdict = self.engine_opens("written", "alice");
        let [layer] = verdict.layers.as_slice() else { panic!("{}: {verdict:?}", self.name) };
        assert_eq!((layer.kind, layer.form), (Kind::Signed, Some(form)));
        for name in [AspectName::Structure, AspectName::Integrity, AspectName::Chain, AspectName::Identity] {
            assert_eq!(layer.aspect(name), &Aspect::Good, "{} {form} {name}: {verdict:?}", self.name);
        }
        let signed = layer.signers[0].signing_time.as_deref();
        assert_eq!(signed, Some(CLOCK), "{} {form}", self.name);
        self.came_out(&format!("{form}"));
    }

    fn writes_encrypted(&self) {
        let ciphers: Vec<_> =
            self.hello.writes_algorithms.iter().filter(|name| name.contains("-cbc") || name.contains("-gcm")).collect();
        assert!(!ciphers.is_empty(), "{} says with which ciphers it writes", self.name);
        for cipher in ciphers {
            let mut arguments = self.encrypting("mail", "written");
            arguments.cipher = Some(cipher.clone());
            let answer = self.ask(|id| Request::new(id, op::ENCRYPT, &arguments).unwrap());
            let Answer::Wrote(wrote) = answer else { panic!("{} {cipher}: {answer:?}", self.name) };
            assert_eq!(wrote.cipher.as_ref(), Some(cipher), "{}", self.name);
            let verdict = self.engine_opens("written", "bob");
            let [layer] = verdict.layers.as_slice() else { panic!("{} {cipher}: {verdict:?}", self.name) };
            assert_eq!(layer.decryption, Aspect::Good, "{} {cipher}: {verdict:?}", self.name);
            // RC2 has one name there, whatever its strength.
            let used = layer.content_cipher.as_deref().unwrap_or_default();
            assert!(!used.is_empty() && cipher.starts_with(used), "{}: {cipher}, and {used} was written", self.name);
            self.came_out(cipher);
        }
    }

    /// Without `recipients` it takes the certificate that names the address, and no other (harness/SHIM.md).
    fn finds_recipients(&self) {
        for (address, is_named) in [
            ("bob@example.test", true),
            ("bob@example.tes", false),
            ("ob@example.test", false),
            ("bob@example.test.example", false),
        ] {
            let mut arguments = self.encrypting("mail", "written");
            arguments.recipients.clear();
            arguments.reading.extra_certificates = Some("bob.cert.pem".to_owned());
            arguments.to = vec![address.to_owned()];
            match self.ask(|id| Request::new(id, op::ENCRYPT, &arguments).unwrap()) {
                Answer::Wrote(_) => assert!(is_named, "{} wrote for {address}", self.name),
                Answer::Refused(refused) => {
                    assert_eq!((is_named, refused.reason.as_str()), (false, "not-known"), "{} {address}", self.name);
                }
                // It has to be given the certificates, whatever the address.
                Answer::Unsupported(why) => {
                    let chooses = ["php", "ruby"].contains(&self.name);
                    assert!(!chooses && why.contains("has to be given their certificates"), "{}: {why}", self.name);
                }
                other => panic!("{} {address}: {other:?}", self.name),
            }
        }
    }

    /// What the engine took out of a mail of the peer is what was put in. Some
    /// libraries put further fields into the entity; nothing of it may be lost.
    fn came_out(&self, what: &str) {
        let out = self.text("out");
        let (_, body) = ENTITY.split_once("\r\n\r\n").unwrap();
        let (head, came) = out.split_once("\r\n\r\n").unwrap();
        assert_eq!(came, body, "{} {what}", self.name);
        assert!(head.contains("Content-Type: text/plain; charset=utf-8"), "{} {what}: {head}", self.name);
    }

    /// All of these aspects that the peer reports.
    fn all_good(&self, layer: &Layer, names: &[AspectName]) {
        for name in names.iter().filter(|name| self.hello.aspects.contains(name)) {
            assert_eq!(layer.aspect(*name), &Aspect::Good, "{} {name}: {layer:?}", self.name);
        }
    }

    fn open(&self, message: &str, reader: &str) -> Verdict {
        self.open_with(message, |arguments| arguments.keys = vec![key(reader)])
    }

    fn open_with(&self, message: &str, change: impl FnOnce(&mut OpenArguments)) -> Verdict {
        let mut arguments = self.opening(message);
        change(&mut arguments);
        let _ = std::fs::remove_file(self.path("out"));
        let answer = self.ask(|id| Request::open(id, &arguments).unwrap());
        let Answer::Verdict(verdict, _) = answer else { panic!("{} {message}: {answer:?}", self.name) };
        verdict
    }

    fn opening(&self, message: &str) -> OpenArguments {
        OpenArguments {
            dir: self.dir(),
            message: message.to_owned(),
            anchors: Some("root.cert.pem".to_owned()),
            clock: Some(CLOCK.to_owned()),
            out: "out".to_owned(),
            ..OpenArguments::default()
        }
    }

    fn signing(&self, form: Form, message: &str, out: &str) -> SignArguments {
        SignArguments {
            dir: self.dir(),
            message: message.to_owned(),
            form: Some(form),
            key: key("alice"),
            certificates: Some("intermediate.cert.pem".to_owned()),
            clock: Some(CLOCK.to_owned()),
            out: out.to_owned(),
            ..SignArguments::default()
        }
    }

    fn encrypting(&self, message: &str, out: &str) -> EncryptArguments {
        let reading = OpenArguments { out: out.to_owned(), ..self.opening(message) };
        let recipients = vec!["bob.cert.pem".to_owned()];
        EncryptArguments { reading, to: vec!["bob@example.test".to_owned()], recipients, ..EncryptArguments::default() }
    }

    fn engine_signs(&self, form: Form, message: &str, out: &str) {
        let answer = Engine::default().sign(&self.signing(form, message, out)).unwrap();
        assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    }

    fn engine_encrypts(&self, message: &str, out: &str, transport: Option<&str>) {
        let mut arguments = self.encrypting(message, out);
        arguments.key_encryption = transport.map(str::to_owned);
        arguments.cipher = Some("aes-128-cbc".to_owned());
        let answer = Engine::default().encrypt(&arguments).unwrap();
        assert!(matches!(answer, Answer::Wrote(_)), "{answer:?}");
    }

    fn engine_opens(&self, message: &str, reader: &str) -> Verdict {
        let _ = std::fs::remove_file(self.path("out"));
        let arguments = OpenArguments { keys: vec![key(reader)], ..self.opening(message) };
        let answer = Engine::default().open(&arguments).unwrap();
        let Answer::Verdict(verdict, _) = answer else { panic!("{} {message}: {answer:?}", self.name) };
        verdict
    }

    fn ask(&self, request: impl FnOnce(u64) -> Request) -> Answer {
        let mut peer = self.peer.borrow_mut();
        let request = request(peer.next_id());
        match peer.ask(&request) {
            Ok(answer) => answer,
            Err(failure) => panic!("{} {}: {failure}: {}", self.name, request.op, peer.stderr()),
        }
    }

    fn dir(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{} {name}: {error}", self.name))
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key.pem"), certificate: Some(format!("{who}.cert.pem")) }
}

fn pki() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki")
}

/// An opaque mail with one octet of its content changed: the object is DER, and the
/// content stands in it as it is.
fn tampered(mail: &str, content: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let mut object = STANDARD.decode(body.replace("\r\n", "")).unwrap();
    let at = object.windows(content.len()).position(|window| window == content.as_bytes()).unwrap();
    object[at + content.len() - 3] ^= 1;
    let lines: Vec<_> =
        STANDARD.encode(object).into_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    format!("{head}\r\n\r\n{}\r\n", lines.join("\r\n"))
}
