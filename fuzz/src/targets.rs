//! What each fuzz target does with an input, and what must hold of any input.
//!
//! No panic, no overflow, no end of memory: those the compiler and libFuzzer
//! watch. Beyond that every target states a property of its reader. Each returns
//! whether the input was of its kind at all.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::LazyLock;

use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::ber::{self, Event, Reader};
use waxseal_engine::certificate::identity::{self, Author};
use waxseal_engine::certificate::path::{self, PathRequest, PolicyInputs, Purpose, RevocationInputs};
use waxseal_engine::certificate::{Certificate, Crl};
use waxseal_engine::cms::{ContentInfo, oid};
use waxseal_engine::inspect::inspect;
use waxseal_engine::io::{MemoryWorkspace, Source};
use waxseal_engine::message::{Credential, OpenRequest, Secrets, SymmetricKey, open, verify_token};
use waxseal_engine::mime;
use waxseal_engine::policy::Policy;
use waxseal_engine::timestamp::{TimeStampReq, TimeStampResp, Token, TstInfo};
use waxseal_key::{Arithmetic, PasswordLimits, PrivateKey, ProviderChoice, describe_public_key, pkcs12};
use waxseal_verdict::Deviation;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target. Each has a file in `fuzz_targets` and a folder in `corpus`.
pub const TARGETS: &[Target] = &[
    ("ber", ber),
    ("mime", mime),
    ("signed", signed),
    ("enveloped", enveloped),
    ("auth_enveloped", auth_enveloped),
    ("other_cms", other_cms),
    ("timestamp", timestamp),
    ("certificate", certificate),
    ("pkcs12", pkcs12),
    ("private_key", private_key),
];

/// Targets of what the engine does not know; the tests of the card have this one.
pub const OTHER_TARGETS: &[&str] = &["card"];

/// The password of whatever a seed encrypts with a password.
pub const PASSWORD: &str = "waxseal";

/// The key that both sides have, and its identifier, in seeds that use one.
pub const SHARED_KEY: (&[u8], &[u8]) = (b"seed", b"0123456789abcdef");

/// The event reader, the definite form, and the tree of `inspect`.
pub fn ber(input: &[u8]) -> bool {
    let limits = limits();
    let mut reader = Reader::new(input, &limits);
    let mut begun = 0_usize;
    while let Ok(Some(event)) = reader.next_event() {
        match event {
            Event::Begin(header) => {
                begun += 1;
                assert!(header.offset < reader.offset(), "an element without octets");
                // Some contents are read, the others are passed over.
                if !header.constructed && begun.is_multiple_of(2) && reader.content(limits.element_octets).is_err() {
                    break;
                }
            }
            Event::End { offset } => assert_eq!(offset, reader.offset()),
        }
        assert!(reader.depth() <= limits.ber_depth && reader.offset() <= input.len() as u64);
    }
    if let Ok(definite) = ber::to_definite(input, 0, &limits) {
        assert_eq!(
            ber::to_definite(&definite, 0, &limits).as_deref(),
            Ok(definite.as_slice()),
            "definite form of itself"
        );
        assert_eq!(elements(&definite), Ok(definite.len()), "the cursor reads what the reader wrote");
    }
    if let Ok(tree) = inspect(&mut Cursor::new(input), &limits) {
        let _ = tree.render();
    }
    begun > 0
}

/// Requests, responses and tokens of RFC 3161: what is written reads back, and
/// a token without a good signature is never good.
pub fn timestamp(input: &[u8]) -> bool {
    let (policy, arithmetic, limits) = (Policy::named("default"), Arithmetic::default(), limits());
    let request = TimeStampReq::parse(input);
    if let Ok(request) = &request
        && request.extensions.is_empty()
        && let Ok(der) = request.to_der()
    {
        assert_eq!(TimeStampReq::parse(&der).as_ref(), Ok(request), "a request of itself");
    }
    let response = TimeStampResp::parse(input);
    if let Ok(response) = &response
        && let Ok(der) = response.to_der()
    {
        assert_eq!(TimeStampResp::parse(&der).as_ref(), Ok(response), "a response of itself");
    }
    let token = Token::in_file(input).unwrap_or_else(|_| input.to_vec());
    let read = Token::parse(&token, &limits);
    if let Ok(read) = &read {
        let info = read.info();
        assert!(info.earliest() <= info.latest());
        if let (true, Ok(der)) = (info.extensions.is_empty(), info.to_der()) {
            assert_eq!(TstInfo::parse(&der).map(|again| again.imprint), Ok(info.imprint.clone()));
        }
    }
    if let Ok(policy) = policy {
        let request = OpenRequest::new(datetime!(2025-06-15 12:00 UTC), &policy, &arithmetic, &limits);
        let found = verify_token(&token, &mut |_| None, &request);
        assert!(!found.time.is_good(), "nobody is trusted");
        assert_eq!(found.info.is_some(), read.is_ok());
    }
    request.is_ok() || response.is_ok() || read.is_ok()
}

/// Octets of the elements that a cursor finds, whose insides it walks too.
fn elements(input: &[u8]) -> Result<usize, ber::BerError> {
    let mut cursor = ber::Cursor::new(input, 0);
    let mut octets = 0;
    while let Some(element) = cursor.take()? {
        octets += element.whole.len();
        if element.constructed {
            elements(element.content)?;
        }
    }
    Ok(octets)
}

/// The parts of a mail, its header and bodies, and the mail as a message.
pub fn mime(input: &[u8]) -> bool {
    let limits = limits();
    let mut source = Cursor::new(input);
    let Ok(root) = mime::parse(&mut source, &limits) else { return false };
    for part in root.walk() {
        let entity = part.entity();
        assert!(part.header.start <= part.header.end && part.header.end <= part.body.start.max(part.header.end));
        assert!(part.body.start <= part.body.end && part.body.end <= input.len() as u64, "{}", part.path);
        for child in &part.children {
            let inner = child.entity();
            assert!(entity.start <= inner.start && inner.end <= entity.end, "{} is outside {}", child.path, part.path);
        }
        for pair in part.children.windows(2) {
            assert!(pair[0].entity().end <= pair[1].entity().start, "parts overlap in {}", part.path);
        }
        for field in part.headers.fields() {
            let _ = (field.value(), field.decoded(), field.mailboxes());
        }
        let _ = (part.headers.from(), part.headers.date(), part.file_name());
        if let Ok(mut body) = mime::decode_body(&mut source, part) {
            let _ = io::copy(&mut body, &mut io::sink());
        }
        let mut canonical = Vec::new();
        let read = mime::canonical(&mut source, entity, part.line_ends).read_to_end(&mut canonical);
        assert!(read.is_ok());
    }
    if let Ok(messages) = mime::mbox::messages(&mut source) {
        assert!(
            messages.take(1_000).flatten().all(|range| range.start <= range.end && range.end <= input.len() as u64)
        );
    }
    // Paths are what `signed` and `certificate` are about; they would only take time here.
    if input.len() <= 4 << 10 {
        judge(input, &[]);
    } else {
        let _ = opened(&mut Cursor::new(input), &[]);
    }
    true
}

/// SignedData, of CMS and of GM/T.
pub fn signed(input: &[u8]) -> bool {
    cms(input, &[oid::SIGNED_DATA, oid::GMT_SIGNED_DATA])
}

/// EnvelopedData.
pub fn enveloped(input: &[u8]) -> bool {
    cms(input, &[oid::ENVELOPED_DATA, oid::GMT_ENVELOPED_DATA])
}

/// AuthEnvelopedData.
pub fn auth_enveloped(input: &[u8]) -> bool {
    cms(input, &[oid::AUTH_ENVELOPED_DATA])
}

/// CompressedData, DigestedData, EncryptedData, AuthenticatedData, and what is
/// of no known type.
pub fn other_cms(input: &[u8]) -> bool {
    let own = [oid::SIGNED_DATA, oid::ENVELOPED_DATA, oid::AUTH_ENVELOPED_DATA];
    let other = content_type(input).is_some_and(|found| !own.contains(&found.as_str()));
    if other {
        judge(input, &WORLD.anchors);
    }
    other
}

fn cms(input: &[u8], types: &[&str]) -> bool {
    let own = content_type(input).is_some_and(|found| types.contains(&found.as_str()));
    if own {
        judge(input, &WORLD.anchors);
    }
    own
}

fn content_type(input: &[u8]) -> Option<String> {
    ContentInfo::begin(&mut Reader::new(input, &limits())).ok().map(|info| info.content_type)
}

/// Opens a message twice, the second time from a source that gives a few octets
/// at a time: the verdict must be the same, and so must the content.
fn judge(input: &[u8], anchors: &[Certificate]) {
    let whole = opened(&mut Cursor::new(input), anchors);
    let in_pieces = opened(&mut Dribble(Cursor::new(input)), anchors);
    assert_eq!(whole, in_pieces, "a verdict depends on how the octets arrive");
}

fn opened(source: &mut dyn Source, anchors: &[Certificate]) -> (String, Option<Vec<u8>>) {
    let world = &*WORLD;
    let credentials: Vec<_> = world
        .people
        .iter()
        .map(|(key, certificate)| Credential { decryptor: key, certificate: Some(certificate.clone()) })
        .collect();
    let limits = limits();
    let request = OpenRequest {
        credentials: &credentials,
        secrets: &world.secrets,
        anchors,
        keep_content: true,
        ..OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &world.policy, &world.arithmetic, &limits)
    };
    match open(source, None, &mut MemoryWorkspace, &request) {
        Ok(mut opened) => {
            let layers = &mut opened.verdict.layers;
            // How far base64 was read beyond the damage, or beyond the object, is not part of the answer.
            for layer in layers.iter_mut() {
                if layer.structure.is_bad() || layer.deviations.contains(&Deviation::TrailingBytes) {
                    layer.deviations.retain(|deviation| !format!("{deviation:?}").starts_with("Base64"));
                }
            }
            let sealed = layers.iter().any(|layer| layer.decryption.is_bad());
            assert!(!sealed || opened.content.is_none(), "content of a layer that could not be opened");
            let content = opened.content.map(|mut content| {
                let mut octets = Vec::new();
                let start = content.seek(SeekFrom::Start(0));
                assert!(start.is_ok() && content.read_to_end(&mut octets).is_ok());
                octets
            });
            (format!("{:?}", opened.verdict), content)
        }
        Err(error) => (error.to_string(), None),
    }
}

/// A source that gives at most 61 octets at a time.
struct Dribble<S>(S);

impl<S: Read> Read for Dribble<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let some = out.len().min(61);
        self.0.read(&mut out[..some])
    }
}

impl<S: Seek> Seek for Dribble<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Certificates and CRLs as files hold them, their public keys, and their paths.
pub fn certificate(input: &[u8]) -> bool {
    for crl in Crl::from_file(input).iter().flatten().take(8) {
        let _ = (crl.find(crl.issuer_name(), &[1]), crl.scope(), crl.number(), crl.unknown_critical_extension());
    }
    let Ok(certificates) = Certificate::from_file(input) else { return false };
    let world = &*WORLD;
    let limits = limits();
    for certificate in certificates.iter().take(8) {
        assert!(Certificate::parse(certificate.der()).is_ok_and(|again| again == *certificate));
        let _ =
            (certificate.subject(), certificate.emails(), certificate.signature_scheme(), format!("{certificate:?}"));
        let _ = describe_public_key(certificate.spki());
        let _ = identity::check(&Author::expected("alice@example.test"), certificate);
        for purpose in [Purpose::Sign, Purpose::Encrypt] {
            let request = PathRequest {
                leaf: certificate,
                candidates: &certificates,
                anchors: &world.anchors,
                at: datetime!(2024-06-01 0:00 UTC),
                policies: PolicyInputs::default(),
                revocation: RevocationInputs::default(),
                purpose,
                arithmetic: &world.arithmetic,
                limits: &limits,
            };
            let result = path::validate(&request);
            assert!(result.path.len() <= limits.path_length + 1 && result.work <= limits.path_work);
        }
    }
    true
}

/// PKCS#12 files.
pub fn pkcs12(input: &[u8]) -> bool {
    match pkcs12::open_within(input, PASSWORD, PASSWORD_LIMITS) {
        Ok(found) => {
            for key in &found.keys {
                survives(key);
            }
            for certificate in &found.certificates {
                let _ = Certificate::parse(certificate);
            }
            true
        }
        Err(error) => {
            let _ = error.to_string();
            input.first() == Some(&0x30)
        }
    }
}

/// Private keys in PKCS#8 and in PEM, encrypted or not.
pub fn private_key(input: &[u8]) -> bool {
    let text = str::from_utf8(input).ok();
    let from_text = text.map(|text| PrivateKey::from_pem_within(text, Some(PASSWORD), PASSWORD_LIMITS));
    for key in [Some(PrivateKey::from_pkcs8_der(input)), from_text].into_iter().flatten().flatten() {
        survives(&key);
    }
    text.is_some() || input.first() == Some(&0x30)
}

/// A key that was read can be written, and is the same when it is read again.
fn survives(key: &PrivateKey) {
    let again = PrivateKey::from_pkcs8_der(&key.to_pkcs8_der());
    assert!(again.is_ok_and(|again| again.public_key() == key.public_key()));
}

/// Far below what a mail may need, so that what grows out of proportion shows
/// within the memory and the time that libFuzzer gives an input.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.password_iterations = PASSWORD_LIMITS.iterations;
    limits.content_octets = 4 << 20;
    limits.expansion_free = 1 << 20;
    limits
}

/// As above; the seeds use 2048 rounds, which OpenSSL does by itself.
const PASSWORD_LIMITS: PasswordLimits = PasswordLimits { iterations: 20_000, memory: 16 << 20 };

/// Who opens, and whom they trust.
struct World {
    people: Vec<(PrivateKey, Certificate)>,
    secrets: Secrets,
    anchors: Vec<Certificate>,
    policy: Policy,
    arithmetic: Arithmetic,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    macro_rules! pki {
        ($name:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/pki/", $name, ".pem"))
        };
    }
    let certificate = |pem: &str| Certificate::from_file(pem.as_bytes()).unwrap().remove(0);
    let person = |key: &str, pem: &str| (PrivateKey::from_pem(key, None).unwrap(), certificate(pem));
    let (id, key) = SHARED_KEY;
    World {
        // RSA of 1024 bits: the fastest that anybody still reads.
        people: vec![
            person(pki!("alice-1024.key"), pki!("alice-1024.cert")),
            person(pki!("alice-ec.key"), pki!("alice-ec.cert")),
        ],
        secrets: Secrets {
            passwords: vec![PASSWORD.as_bytes().to_vec().into()],
            keys: vec![SymmetricKey { id: id.to_vec(), key: key.to_vec().into() }],
        },
        anchors: vec![certificate(pki!("root.cert")), certificate(pki!("root-ec.cert"))],
        policy: Policy::named("default").unwrap(),
        arithmetic: Arithmetic::new(ProviderChoice::RustCrypto),
    }
});
