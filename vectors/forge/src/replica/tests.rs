//! A replica has the structure of its recording.

use std::collections::BTreeMap;
use std::io::Cursor;

use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Recipient;
use waxseal_engine::fingerprint::fingerprint;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{self, Boundary, Credential, EncryptRequest, OpenRequest, SignRequest};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, PssParameters, SeededRandom, Signer};
use waxseal_model::{Clients, Corpus, Recordings, Shapes};
use waxseal_verdict::{Fact, FactName as F, LayerFingerprint};

use super::*;
use crate::{CaseFiles, Forge, credentials};

/// Facts that are the user's, and so not those of a shape.
const THE_USERS: &[F] = &[
    // The header of what is signed: text or attachments.
    F::ContentFields,
];

struct Desk {
    corpus: Corpus,
    shapes: Shapes,
    recordings: Recordings,
}

impl Desk {
    fn new() -> Option<Self> {
        let folder = waxseal_testing::shared("recordings")?;
        let recordings = Recordings::open(&folder).unwrap();
        Some(Self { corpus: Corpus::embedded().unwrap(), shapes: Shapes::embedded().unwrap(), recordings })
    }

    fn recorded(&self, id: &str) -> Vec<LayerFingerprint> {
        let forge = Forge::new(&self.corpus).with_recordings(&self.recordings);
        let files = forge.files(self.corpus.case(id).unwrap()).unwrap();
        layers(&files)
    }

    fn certificate(&self, name: &str) -> Certificate {
        credentials::certificate(self.corpus.pki(), name).unwrap()
    }

    fn key(&self, name: &str) -> PrivateKey {
        credentials::key(self.corpus.pki(), name).unwrap()
    }

    /// A mail in this shape; `like` says what of the path the recording has,
    /// and whether its key signs with PSS: both are the user's.
    fn write(&self, replica: &Replica, form: ReplicaForm, like: &LayerFingerprint) -> CaseFiles {
        let text = "A line of text that is long enough to fill some segments.\r\n".repeat(800);
        let mail = format!(
            "From: Alice <alice@example.test>\r\nTo: Bob <bob@example.test>\r\nSubject: x\r\n\
             Date: Sun, 01 Jun 2025 12:00:00 +0000\r\nContent-Type: text/plain; charset=us-ascii\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n{text}"
        )
        .into_bytes();
        let message = match form {
            ReplicaForm::Encrypted => self.encrypt(replica, &mail),
            ReplicaForm::Inside => self.encrypt(replica, &self.sign(replica, form, like, &mail)),
            _ => self.sign(replica, form, like, &mail),
        };
        CaseFiles { message, ..CaseFiles::default() }
    }

    fn sign(&self, replica: &Replica, form: ReplicaForm, like: &LayerFingerprint, mail: &[u8]) -> Vec<u8> {
        let signing = Signing::new(replica, form, None).unwrap();
        let arithmetic = Arithmetic::default();
        let (key, own) = (self.key("alice"), self.certificate("alice"));
        let signers: [(&dyn Signer, &Certificate); 1] = [(&key, &own)];
        let path = like.text(F::Certificates).unwrap_or_default();
        let given: Vec<_> = [("root", "root"), ("ca", "intermediate")]
            .iter()
            .filter(|(role, _)| path.split(' ').any(|word| word == *role))
            .map(|(_, name)| self.certificate(name))
            .collect();
        let sent = signing.certificates(&own, &given);
        let at = time::macros::datetime!(2025-06-01 12:00 UTC);
        let mut request =
            SignRequest::new(&signers, at, Boundary::random(&mut SeededRandom::new("boundary")), &arithmetic);
        request.certificates = &sent;
        signing.apply(&mut request, &own);
        let pss = like.text(F::SignatureAlgorithm).as_deref() == Some("rsassa-pss");
        request.pss = pss.then(|| PssParameters::usual(signing.digest));
        let mut out = Vec::new();
        message::sign(&mut Cursor::new(mail), &mut out, &request).unwrap();
        out
    }

    fn encrypt(&self, replica: &Replica, mail: &[u8]) -> Vec<u8> {
        let encrypting = Encrypting::new(replica, None).unwrap();
        let arithmetic = Arithmetic::default();
        let certificates = [self.certificate("alice"), self.certificate("bob")];
        let recipients = Recipient::certificates(&certificates);
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        encrypting.apply(&mut request);
        let mut out = Vec::new();
        message::encrypt(&mut Cursor::new(mail), &mut out, &request, &mut SeededRandom::new("encryption")).unwrap();
        out
    }

    fn opened(&self, files: &CaseFiles) -> Vec<LayerFingerprint> {
        let key = crate::KeyPem {
            key: credentials::key_pem(self.corpus.pki(), "bob").unwrap(),
            certificate: Some(credentials::certificate_pem(self.corpus.pki(), "bob").unwrap().to_owned()),
        };
        layers(&CaseFiles { keys: vec![key], ..files.clone() })
    }
}

fn layers(files: &CaseFiles) -> Vec<LayerFingerprint> {
    let (policy, arithmetic, limits) = (Policy::named("default").unwrap(), Arithmetic::default(), Limits::default());
    let keys: Vec<_> = files
        .keys
        .iter()
        .map(|pair| {
            let certificate = pair.certificate.as_ref().unwrap();
            let certificate = Certificate::from_file(certificate.as_bytes()).unwrap().pop();
            (PrivateKey::from_pem(&pair.key, None).unwrap(), certificate)
        })
        .collect();
    let credentials: Vec<_> =
        keys.iter().map(|(key, certificate)| Credential { decryptor: key, certificate: certificate.clone() }).collect();
    let at = time::macros::datetime!(2025-06-01 12:00 UTC);
    let request = OpenRequest { credentials: &credentials, ..OpenRequest::new(at, &policy, &arithmetic, &limits) };
    fingerprint(&mut Cursor::new(&files.message), &mut MemoryWorkspace, &request).unwrap().layers
}

/// The layer that a form is about.
fn layer(layers: Vec<LayerFingerprint>, form: ReplicaForm) -> LayerFingerprint {
    let inside = form == ReplicaForm::Inside;
    layers.into_iter().find(|layer| layer.inside_encryption == inside).unwrap()
}

/// The facts that can be compared.
fn comparable(layer: &LayerFingerprint, without: &[F]) -> BTreeMap<F, Fact> {
    let mut facts = layer.facts.clone();
    facts.retain(|name, _| !THE_USERS.contains(name) && !without.contains(name));
    // How many authorities there are, and whether a second certificate of the
    // signer's is sent, is the user's; the order of the rest is not.
    if let Some(Fact::List(roles)) = facts.get_mut(&F::Certificates) {
        roles.retain(|role| matches!(role.as_str(), "signer" | "ca" | "root"));
        roles.dedup();
    }
    // In the order of DER the place of an attribute follows from its length:
    // names of issuers and lists of capabilities are the user's.
    let sorted = layer.text(F::AttributesSorted).as_deref() == Some("yes");
    if let Some(Fact::List(attributes)) = facts.get_mut(&F::Attributes).filter(|_| sorted) {
        attributes.sort();
    }
    facts
}

#[test]
fn a_replica_has_the_structure_of_its_recording() {
    let Some(desk) = Desk::new() else { return };
    let mut compared = 0;
    for (name, _, replica) in desk.shapes.replicas() {
        for (form, shape) in replica.forms() {
            let Some(id) = &shape.recording else { continue };
            let recorded = layer(desk.recorded(id), form);
            let written = layer(desk.opened(&desk.write(replica, form, &recorded)), form);
            let mut without = shape.relayed.clone();
            // What a small mail does not show cannot be compared.
            without
                .extend([F::SegmentSize, F::LastBlockApart].iter().filter(|name| !recorded.facts.contains_key(name)));
            let (due, found) = (comparable(&recorded, &without), comparable(&written, &without));
            assert_eq!(found, due, "{name} {form}, as {id}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

/// Each setting that is otherwise shows: so the comparison above is one.
#[test]
fn a_departure_from_a_shape_is_seen() {
    let Some(desk) = Desk::new() else { return };
    let (_, replica) = desk.shapes.replica("outlook-2024").unwrap();
    let id = replica.clear.recording.as_deref().unwrap();
    let recorded = layer(desk.recorded(id), ReplicaForm::Clear);
    let due = comparable(&recorded, &[]);
    let of = |replica: &Replica| {
        comparable(&layer(layers(&desk.write(replica, ReplicaForm::Clear, &recorded)), ReplicaForm::Clear), &[])
    };
    assert_eq!(of(replica), due);
    let departures: [(bool, &str, serde_json::Value); 9] = [
        (true, "columns", 72.into()),
        (true, "boundary", "----=_Part_########".into()),
        (true, "preamble", "".into()),
        (true, "micalg", serde_json::json!({ "sha-1": "sha1" })),
        (false, "encoding", "der".into()),
        (false, "digest-parameters", "absent".into()),
        (false, "rsa-signature", "with-digest".into()),
        (false, "capabilities", serde_json::json!(["aes-256-cbc"])),
        (false, "attributes", serde_json::json!(["content-type", "message-digest", "signing-time", "capabilities"])),
    ];
    for (mime, name, value) in departures {
        let mut other = replica.clone();
        let table = if mime { &mut other.clear.mime } else { &mut other.clear.cms };
        table.insert(name.to_owned(), value);
        assert_ne!(of(&other), due, "{name}");
    }
}

/// What is written in the shape of a client is taken for its mail, also where
/// no recording shows it.
#[test]
fn a_replica_is_taken_for_its_client() {
    let Some(desk) = Desk::new() else { return };
    let clients = Clients::embedded().unwrap();
    for (name, shape, replica) in desk.shapes.replicas() {
        for (form, written) in replica.forms().filter(|(_, shape)| shape.is_written()) {
            let mut like = LayerFingerprint::new(String::new(), waxseal_verdict::Kind::Signed, None);
            like.word(F::Certificates, "signer ca root");
            let layers = desk.opened(&desk.write(replica, form, &like));
            let guess = clients.guess(&waxseal_verdict::Fingerprint::new(Vec::new(), layers));
            assert_eq!(guess.client.as_deref(), Some(shape.client.as_str()), "{name} {form}: {guess:#?}");
            assert!(!written.source.is_empty());
        }
    }
}

#[test]
fn every_shape_is_one_of_the_engine() {
    let shapes = Shapes::embedded().unwrap();
    let mut written = 0;
    for (name, _, replica) in shapes.replicas() {
        for (form, shape) in replica.forms() {
            let result = match form {
                ReplicaForm::Encrypted => Encrypting::new(replica, None).map(drop),
                form => Signing::new(replica, form, None).map(drop),
            };
            assert_eq!(result.is_ok(), shape.is_written(), "{name} {form}: {result:?}");
            written += usize::from(result.is_ok());
        }
    }
    assert!(written >= 25, "{written}");
}

#[test]
fn what_nobody_knows_is_not_written() {
    let shapes = Shapes::embedded().unwrap();
    let of = |name: &str| shapes.replica(name).unwrap().1;
    let error = Encrypting::new(of("iphone-mail"), None).unwrap_err();
    assert!(matches!(error, ReplicaError::Unknown { form: ReplicaForm::Encrypted, .. }), "{error}");
    let error = Signing::new(of("thunderbird-128"), ReplicaForm::Opaque, None).unwrap_err();
    assert!(matches!(error, ReplicaError::Never { form: ReplicaForm::Opaque, .. }), "{error}");
}

#[test]
fn another_digest_changes_what_follows_from_it() {
    let shapes = Shapes::embedded().unwrap();
    let (_, replica) = shapes.replica("outlook-2024").unwrap();
    let of = |digest| Signing::new(replica, ReplicaForm::Clear, digest).unwrap();
    let hashes =
        |signing: &Signing| signing.shape.capabilities.iter().skip(6).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(hashes(&of(None)), ["sha-1", "sha-512", "sha-384", "sha-256"]);
    assert_eq!(hashes(&of(Some(DigestAlgorithm::Sha256))), ["sha-256", "sha-512", "sha-384", "sha-1"]);
}
