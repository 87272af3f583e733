//! Header protection on writing: the payloads of RFC 9788 written again, and
//! what was written opened again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::io::{Cursor, Read as _};

use support::{Bench, Person, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Recipient;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    Boundary, Credential, EncryptRequest, Form, HeaderPolicy, HideHeaders, OpenRequest, ProtectHeaders, SignRequest,
    encrypt, open, sign,
};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::HeaderState::{EncryptedOnly, SignedAndEncrypted, SignedOnly, Unprotected};
use waxseal_verdict::{Deviation, HeaderScheme, HeaderState, Verdict};

struct Writer {
    ann: Person,
    arithmetic: Arithmetic,
}

impl Writer {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        Some(Self { ann: bench.person("ann", RSA, ""), arithmetic: Arithmetic::new(ProviderChoice::RustCrypto) })
    }

    fn sign(&self, mail: &str, form: Form, protection: Option<ProtectHeaders>) -> Result<String, String> {
        let signers: [(&dyn Signer, &Certificate); 1] = [(&self.ann.key, &self.ann.certificate)];
        let mut request =
            SignRequest::new(&signers, OffsetDateTime::now_utc(), Boundary::Random([9; 16]), &self.arithmetic);
        request.form = form;
        request.protect_headers = protection;
        let mut out = Vec::new();
        sign(&mut Cursor::new(mail.as_bytes()), &mut out, &request).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn encrypt(&self, mail: &str, hide: Option<HideHeaders>) -> Result<String, String> {
        let recipients = [Recipient::Certificate(&self.ann.certificate)];
        let mut request = EncryptRequest::new(&recipients, &self.arithmetic);
        request.protect_headers = hide;
        let mut out = Vec::new();
        encrypt(&mut Cursor::new(mail.as_bytes()), &mut out, &request, &mut SeededRandom::new("headers"))
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// The verdict, and the innermost entity.
    fn open(&self, mail: &str) -> (Verdict, String) {
        let credentials = [Credential { decryptor: &self.ann.key, certificate: Some(self.ann.certificate.clone()) }];
        let policy = Policy::named("default").unwrap();
        let limits = Limits::default();
        let request = OpenRequest {
            credentials: &credentials,
            anchors: std::slice::from_ref(&self.ann.certificate),
            keep_content: true,
            ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, &self.arithmetic, &limits)
        };
        let opened = open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap();
        let mut content = String::new();
        opened.content.unwrap().read_to_string(&mut content).unwrap();
        (opened.verdict, content)
    }
}

const fn hide(policy: HeaderPolicy, legacy_display: bool) -> HideHeaders {
    HideHeaders { policy, legacy_display }
}

/// Every field of a header on one line.
fn unfolded(header: &str) -> Vec<String> {
    let header = header.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    header.lines().map(str::to_owned).collect()
}

#[test]
fn the_payloads_of_rfc_9788_are_written_as_they_stand_there() {
    let Some(folder) = waxseal_testing::shared("oracles/rfc9788") else { return };
    let Some(writer) = Writer::new() else { return };
    let cipher = |policy, legacy| ProtectHeaders::Cipher(hide(policy, legacy));
    for (file, protection) in [
        ("C.2.1-smime-one-part-hp", ProtectHeaders::Clear),
        ("C.2.2-smime-multipart-hp", ProtectHeaders::Clear),
        ("C.2.4-smime-multipart-complex-hp", ProtectHeaders::Clear),
        ("C.3.1-smime-signed-enc-hp-baseline", cipher(HeaderPolicy::Baseline, false)),
        ("C.3.2-smime-signed-enc-hp-baseline-legacy", cipher(HeaderPolicy::Baseline, true)),
        ("C.3.3-smime-signed-enc-hp-shy", cipher(HeaderPolicy::Shy, false)),
    ] {
        let read =
            |kind: &str| fs::read_to_string(folder.join(format!("{file}.{kind}"))).unwrap().replace("\r\n", "\n");
        let payload = read("payload.txt");
        let (header, body) = payload.split_once("\n\n").unwrap();
        // The mail before it was protected.
        let bare =
            |line: &String| line.replace("; hp-legacy-display=\"1\"", "").split("; hp=").next().unwrap().to_owned();
        let fields: Vec<_> = unfolded(header).iter().filter(|line| !line.starts_with("HP-Outer: ")).map(bare).collect();
        let subject = fields.iter().find(|line| line.starts_with("Subject: ")).unwrap();
        let text = body.strip_prefix(&format!("{subject}\n\n")).unwrap_or(body);
        let mail = format!("{}\n\n{text}", fields.join("\n"));

        let signed = writer.sign(&mail, Form::Opaque, Some(protection)).unwrap();
        let (_, content) = writer.open(&signed);
        let (written, written_body) = content.split_once("\r\n\r\n").unwrap();
        assert_eq!(unfolded(written), unfolded(header), "{file}");
        assert_eq!(written_body.replace("\r\n", "\n"), body, "{file}");
        let mime = |line: &String| !line.starts_with("Content-") && !line.starts_with("MIME-");
        let outside = |mail: &str| {
            unfolded(mail.replace("\r\n", "\n").split_once("\n\n").unwrap().0)
                .into_iter()
                .filter(mime)
                .collect::<Vec<_>>()
        };
        assert_eq!(outside(&signed), outside(&read("eml")), "{file}");
    }
}

const MAIL: &str = "From: Ann <ann@example.test>\r\nTo: \"Ben, B.\" <ben@example.test>\r\nBcc: eve@example.test\r\n\
    Date: Sat, 20 Feb 2021 10:12:02 -0500\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= & more\r\nKeywords: secret\r\n\
    Message-ID: <1@example.test>\r\nContent-Type: text/plain; charset=utf-8;\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\nhello\r\n";

fn states(verdict: &Verdict) -> Vec<(&str, HeaderState)> {
    verdict.headers.iter().map(|(name, field)| (name.as_str(), field.state)).collect()
}

/// The states where these are hidden and the rest is not.
fn expected(hidden: &[&str], seen: HeaderState, unseen: HeaderState) -> Vec<(&'static str, HeaderState)> {
    let names = ["bcc", "date", "from", "keywords", "message-id", "subject", "to"];
    let state = |name| match name {
        "bcc" => Unprotected,
        name if hidden.contains(&name) => unseen,
        _ => seen,
    };
    names.map(|name| (name, state(name))).to_vec()
}

#[test]
fn what_was_protected_is_found_protected() {
    let Some(writer) = Writer::new() else { return };
    let good = |verdict: &Verdict| {
        for layer in &verdict.layers {
            assert!(layer.coverage.is_good() && !layer.identity.is_bad(), "{layer:?}");
            assert!(!layer.deviations.contains(&Deviation::HpWrong), "{layer:?}");
        }
    };
    let baseline: &[&str] = &["keywords", "subject"];
    let shy: &[&str] = &["date", "from", "keywords", "subject", "to"];
    for form in [Form::Clear, Form::Opaque] {
        let clear = writer.sign(MAIL, form, Some(ProtectHeaders::Clear)).unwrap();
        let (verdict, _) = writer.open(&clear);
        good(&verdict);
        assert_eq!(states(&verdict), expected(&[], SignedOnly, SignedOnly));
        assert_eq!(verdict.header_protection.unwrap().scheme, HeaderScheme::Clear);
        for (policy, hidden) in
            [(HeaderPolicy::Baseline, baseline), (HeaderPolicy::Shy, shy), (HeaderPolicy::NoConfidentiality, &[])]
        {
            for legacy in [false, true] {
                let protection = ProtectHeaders::Cipher(hide(policy, legacy));
                let signed = writer.sign(MAIL, form, Some(protection)).unwrap();
                // Encryption needs to know nothing of it.
                let mail = writer.encrypt(&signed, None).unwrap();
                let (verdict, content) = writer.open(&mail);
                good(&verdict);
                assert_eq!(states(&verdict), expected(hidden, SignedOnly, SignedAndEncrypted));
                let elements = verdict.header_protection.unwrap().legacy_display.len();
                assert_eq!(elements, usize::from(legacy && !hidden.is_empty()), "{content}");
                assert!(content.contains("\r\n\r\nhello\r\n"), "{content}");
                if policy == HeaderPolicy::Baseline && legacy {
                    assert!(
                        content.ends_with("\r\n\r\nSubject: Grüße & more\r\nKeywords: secret\r\n\r\nhello\r\n"),
                        "{content}"
                    );
                }
                assert!(!mail.contains("secret") || hidden.is_empty(), "{mail}");
            }
        }
    }
    for (policy, hidden) in [(HeaderPolicy::Baseline, baseline), (HeaderPolicy::Shy, shy)] {
        let mail = writer.encrypt(MAIL, Some(hide(policy, false))).unwrap();
        let (verdict, _) = writer.open(&mail);
        good(&verdict);
        assert_eq!(states(&verdict), expected(hidden, Unprotected, EncryptedOnly));
        assert!(
            mail.starts_with(if hidden.len() > 2 { "From: ann@example.test\r\n" } else { "From: Ann <" }),
            "{mail}"
        );
    }
    // Written without, nothing is protected.
    let plain = writer.encrypt(&writer.sign(MAIL, Form::Clear, None).unwrap(), None).unwrap();
    assert!(writer.open(&plain).0.headers.is_empty());
}

#[test]
fn a_legacy_display_element_stands_in_every_main_body_part() {
    let Some(writer) = Writer::new() else { return };
    let part = |fields: &str, body: &str| format!("--a\n{fields}\n{body}\n");
    let body = [
        part("Content-Type: text/plain; charset=us-ascii\n", "hello"),
        part(
            "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n",
            "<html><head></head><body class=3D\"x\"><p>hello=20\n</p></body></html>",
        ),
        part("", "no type, no charset"),
        part("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", "aGVsbG8="),
        part("Content-Type: text/plain; charset=utf-16\n", "hello"),
        part("Content-Type: text/plain\nContent-Disposition: attachment\n", "hello"),
    ];
    let mail = format!(
        "From: ann@example.test\nSubject: a < b = c\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\
         Content-Type: multipart/alternative; boundary=a\n\n{}--a--\n--m\n\nnot a main part\n--m--\n",
        body.concat()
    );
    let cipher = ProtectHeaders::Cipher(hide(HeaderPolicy::Baseline, true));
    let signed = writer.sign(&mail, Form::Clear, Some(cipher)).unwrap();
    let (verdict, content) = writer.open(&writer.encrypt(&signed, None).unwrap());
    assert!(verdict.layers[1].integrity.is_good() && verdict.layers[1].coverage.is_good(), "{:?}", verdict.layers);
    let protection = verdict.header_protection.unwrap();
    let marked = protection.legacy_display.iter().map(|path| path.strip_prefix(&protection.payload).unwrap());
    assert_eq!(marked.collect::<Vec<_>>(), [".1.1", ".1.2", ".1.3"]);
    for part in [
        "Content-Type: text/plain; charset=us-ascii;\r\n hp-legacy-display=\"1\"\r\n\r\nSubject: a < b = c\r\n\r\nhello\r\n",
        "<body class=3D\"x\"><div class=3D\"header-protection-legacy-display\">\r\n\
         <pre>Subject: a &lt; b =3D c</pre></div>\r\n<p>hello=20\r\n",
        "Content-Type: text/plain; hp-legacy-display=\"1\"\r\n\r\nSubject: a < b = c\r\n\r\nno type",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n",
        "\r\n--m\r\n\r\nnot a main part\r\n--m--",
    ] {
        assert!(content.contains(part), "{part}\n---\n{content}");
    }
}

#[test]
fn what_cannot_be_a_payload_is_refused() {
    let Some(writer) = Writer::new() else { return };
    let signed = writer.sign(MAIL, Form::Clear, None).unwrap();
    let encrypted = writer.encrypt(MAIL, None).unwrap();
    for mail in [&signed, &encrypted] {
        let error = writer.encrypt(mail, Some(HideHeaders::default())).unwrap_err();
        assert!(error.contains("signed or encrypted already"), "{error}");
        assert!(writer.sign(mail, Form::Opaque, Some(ProtectHeaders::Clear)).is_err());
    }
    let twice = writer.sign("Content-Type: text/plain; hp=clear\n\nx\n", Form::Clear, Some(ProtectHeaders::Clear));
    assert!(twice.unwrap_err().contains("hp parameter"));
    let (verdict, content) =
        writer.open(&writer.sign("Subject: x\n\nx\n", Form::Opaque, Some(ProtectHeaders::Clear)).unwrap());
    assert!(content.contains("\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nx\r\n"), "{content}");
    assert_eq!(verdict.headers["subject"].state, SignedOnly);
}
