//! Mail in the shapes of clients that do not run here: the engine writes it, and
//! every reader of the matrix gets it.
//!
//! A replica writes what its client writes: the forms that its shape knows, RSA
//! with the digests it knows, its own cipher. In the default run that is each
//! form once, with the digest and the cipher of the client's habit; `--matrix
//! full` has every digest it was seen with, and every cipher it announces.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use time::OffsetDateTime;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Recipient;
use waxseal_engine::message::{self, Boundary, EncryptRequest, SignRequest};
use waxseal_forge::{Encrypting, KeyPem, Signing};
use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, ProviderChoice, SeededRandom, Signer};
use waxseal_model::{Corpus, MatrixStep, Replica, ReplicaForm, Scenario, Shapes};
use waxseal_verdict::{Evidence, Hello};

use super::letter::{self, People};
use super::{Extent, covering, produce, reads, task_id};
use crate::sut::Sut;
use crate::task::{CaseFiles, Task};

/// How the name of a replica as a writer begins.
pub const PREFIX: &str = "replica-";

/// A mail in a client's shape could not be written: a fault of this project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{scenario} cannot be written as {writer}: {why}")]
pub struct ReplicaFault {
    /// The replica.
    pub writer: String,
    /// What it was to write.
    pub scenario: String,
    /// Why it did not.
    pub why: String,
}

/// The mails of all replicas, as cases for readers: of the extent, those whose ids `is_meant` holds for.
///
/// # Errors
/// A shape is none that the engine can write.
pub fn tasks(
    corpus: &Corpus,
    shapes: &Shapes,
    suts: &[Sut],
    extent: Extent,
    is_meant: &dyn Fn(&str) -> bool,
) -> Result<Vec<Task>, ReplicaFault> {
    let readers: Vec<&Hello> = suts.iter().filter_map(|sut| sut.admission.as_ref().ok()).collect();
    let scenarios = corpus.matrix().scenarios();
    let writers: Vec<Writer<'_>> = shapes.replicas().map(|(name, _, replica)| Writer::new(name, replica)).collect();
    let mails = writers.iter().flat_map(|writer| {
        let written = scenarios.iter().filter(move |scenario| match extent {
            Extent::Full => writer.writes(scenario),
            Extent::Pairwise => writer.writes(scenario) && writer.is_habit(scenario),
        });
        written.map(move |scenario| (writer, *scenario))
    });
    let mails: Vec<(&Writer<'_>, Scenario<'_>)> = mails.collect();
    let chosen = match extent {
        Extent::Full => mails,
        Extent::Pairwise => cover(&mails, &readers),
    };
    let here = chosen.into_iter().filter(|(writer, scenario)| is_meant(&task_id(scenario, &writer.name)));
    here.map(|(writer, scenario)| writer.task(corpus, &scenario)).collect()
}

/// For each reader and every replica each value of each feature once.
fn cover<'w, 'a>(mails: &[(&'w Writer<'a>, Scenario<'a>)], readers: &[&Hello]) -> Vec<(&'w Writer<'a>, Scenario<'a>)> {
    let adds = mails.iter().map(|(writer, scenario)| {
        let able = readers.iter().enumerate().filter(|(_, hello)| reads(hello, scenario));
        let of_reader = |reader: usize| {
            let values = scenario.values().into_iter();
            values.map(move |(feature, value)| (reader, writer.name.as_str(), feature, value)).collect::<Vec<_>>()
        };
        able.flat_map(|(reader, _)| of_reader(reader)).collect::<BTreeSet<_>>()
    });
    covering::greedy(adds.collect()).into_iter().map(|index| mails[index]).collect()
}

/// A replica that writes.
struct Writer<'a> {
    name: String,
    replica: &'a Replica,
}

impl<'a> Writer<'a> {
    fn new(name: &str, replica: &'a Replica) -> Self {
        Self { name: format!("{PREFIX}{name}"), replica }
    }

    /// The form of each step; nothing where the client does not write this, or nobody knows how.
    fn forms(&self, scenario: &Scenario<'_>) -> Option<Vec<ReplicaForm>> {
        use MatrixStep::{Encrypt, SignClear, SignOpaque};
        let forms = match scenario.protection.steps.as_slice() {
            [SignClear] => vec![ReplicaForm::Clear],
            [SignOpaque] => vec![ReplicaForm::Opaque],
            [Encrypt] => vec![ReplicaForm::Encrypted],
            [SignClear, Encrypt] if !self.replica.inside.opaque => vec![ReplicaForm::Inside, ReplicaForm::Encrypted],
            [SignOpaque, Encrypt] if self.replica.inside.opaque => vec![ReplicaForm::Inside, ReplicaForm::Encrypted],
            _ => return None,
        };
        forms.iter().all(|form| self.replica.form(*form).is_written()).then_some(forms)
    }

    /// The digests of a form, the habit first.
    fn digests(&self, form: ReplicaForm) -> impl Iterator<Item = &'a str> {
        let shape = self.replica.form(form);
        shape.digest.as_deref().into_iter().chain(shape.with_digest.keys().map(String::as_str))
    }

    /// The ciphers that it writes where it knows nothing of a recipient, and where one has announced another.
    fn ciphers(&self) -> BTreeSet<String> {
        let announced =
            self.replica.forms().flat_map(|(form, _)| match self.replica.cms(form, None).remove("capabilities") {
                Some(serde_json::Value::Array(list)) => list,
                _ => Vec::new(),
            });
        let announced = announced.filter_map(|name| Some(name.as_str()?.replace("rc2-cbc:", "rc2-cbc-")));
        announced.chain(self.replica.encrypted.cipher.clone()).collect()
    }

    fn writes(&self, scenario: &Scenario<'_>) -> bool {
        let Some(forms) = self.forms(scenario) else { return false };
        let signed = forms.iter().find(|form| **form != ReplicaForm::Encrypted);
        let signs = scenario.signature.is_none_or(|value| {
            let knows = || signed.is_some_and(|form| self.digests(*form).any(|digest| digest == value.digest));
            value.scheme == "rsa-pkcs1-v1_5" && value.dialect.is_none() && knows()
        });
        let for_rsa = scenario.recipient.is_none_or(|value| {
            value.dialect.is_none() && value.key_encryption.is_none() && value.needs.iter().all(|name| name == "rsa")
        });
        signs && for_rsa && scenario.cipher.is_none_or(|cipher| self.ciphers().contains(&cipher.name))
    }

    /// Whether it is what the client does unless it is told otherwise.
    fn is_habit(&self, scenario: &Scenario<'_>) -> bool {
        let forms = self.forms(scenario).unwrap_or_default();
        let signed = forms.iter().find(|form| **form != ReplicaForm::Encrypted);
        // Some only sign with a digest that no scenario has where the key is larger: of these the next one.
        let habit = signed.and_then(|form| self.digests(*form).find(|digest| matches!(*digest, "sha-1" | "sha-256")));
        scenario.signature.is_none_or(|value| Some(value.digest.as_str()) == habit)
            && scenario.cipher.is_none_or(|cipher| Some(&cipher.name) == self.replica.encrypted.cipher.as_ref())
    }

    fn task(&self, corpus: &Corpus, scenario: &Scenario<'_>) -> Result<Task, ReplicaFault> {
        let people = People::of(corpus.pki(), scenario);
        let at = corpus.matrix().clock.date_time();
        let (message, kept) = self.write(scenario, &people, at).map_err(|why| ReplicaFault {
            writer: self.name.clone(),
            scenario: scenario.name(),
            why,
        })?;
        let files = CaseFiles {
            message,
            keys: people.recipient().into_iter().collect(),
            anchors: people.anchors(),
            extra_certificates: kept,
            ..CaseFiles::default()
        };
        let task = produce::task_of(scenario, &self.name, Evidence::Replica, at);
        Ok(Task { files: Ok(Arc::new(files)), ..task })
    }

    /// The mail, and the certificates that it does not bring along: what its reader kept of earlier mail
    /// (RFC 8550 section 2.3).
    fn write(
        &self,
        scenario: &Scenario<'_>,
        people: &People<'_>,
        at: OffsetDateTime,
    ) -> Result<(Vec<u8>, String), String> {
        // The same bytes in every run.
        let mut random = SeededRandom::new(&task_id(scenario, &self.name));
        let mut mail = letter::mail(&scenario.name(), &letter::entity(scenario), people, &self.name, at);
        let mut kept = String::new();
        for form in self.forms(scenario).unwrap_or_default() {
            mail = match form {
                ReplicaForm::Encrypted => self.encrypt(scenario, people, &mail, &mut random)?,
                form => {
                    let (signed, missing) = self.sign(form, scenario, people, &mail, at, &mut random)?;
                    kept = missing;
                    signed
                }
            };
        }
        Ok((mail, kept))
    }

    fn sign(
        &self,
        form: ReplicaForm,
        scenario: &Scenario<'_>,
        people: &People<'_>,
        mail: &[u8],
        at: OffsetDateTime,
        random: &mut SeededRandom,
    ) -> Result<(Vec<u8>, String), String> {
        let digest = scenario.signature.and_then(|value| DigestAlgorithm::from_name(&value.digest));
        let signing = Signing::new(self.replica, form, digest).map_err(|error| error.to_string())?;
        let KeyPem { key, certificate } = people.signer().ok_or("nobody signs")?;
        let key = PrivateKey::from_pem(&key, None).map_err(|error| error.to_string())?;
        let own_pem = certificate.unwrap_or_default();
        let own = one_certificate(&own_pem)?;
        let issuers = people.issuers();
        let given = certificates(&[issuers.as_str(), people.anchors().as_str()].concat())?;
        let sent = signing.certificates(&own, &given);
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let signers: [(&dyn Signer, &Certificate); 1] = [(&key, &own)];
        let mut request = SignRequest::new(&signers, at, Boundary::random(random), &arithmetic);
        request.certificates = &sent;
        signing.apply(&mut request, &own);
        let mut out = Vec::new();
        message::sign(&mut Cursor::new(mail), &mut out, &request).map_err(|error| error.to_string())?;
        let mut missing = String::new();
        for pem in blocks(&own_pem).chain(blocks(&issuers)) {
            let one = one_certificate(pem)?;
            if !sent.iter().any(|sent| sent.der() == one.der()) {
                missing.push_str(pem);
            }
        }
        Ok((out, missing))
    }

    fn encrypt(
        &self,
        scenario: &Scenario<'_>,
        people: &People<'_>,
        mail: &[u8],
        random: &mut SeededRandom,
    ) -> Result<Vec<u8>, String> {
        let cipher = scenario.cipher.and_then(|cipher| cipher.name.parse().ok());
        let encrypting = Encrypting::new(self.replica, cipher).map_err(|error| error.to_string())?;
        let recipient = people.recipient().and_then(|pair| pair.certificate).ok_or("nobody is to read it")?;
        // Mail programs encrypt for themselves, too, and first.
        let for_all = [one_certificate(&people.writer_certificate())?, one_certificate(&recipient)?];
        let recipients = Recipient::certificates(&for_all);
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        encrypting.apply(&mut request);
        let mut out = Vec::new();
        message::encrypt(&mut Cursor::new(mail), &mut out, &request, random).map_err(|error| error.to_string())?;
        Ok(out)
    }
}

/// Each certificate of a text, as it stands there.
fn blocks(pem: &str) -> impl Iterator<Item = &str> {
    pem.split_inclusive("-----END CERTIFICATE-----\n").filter(|block| block.contains("-----BEGIN CERTIFICATE-----"))
}

fn certificates(pem: &str) -> Result<Vec<Certificate>, String> {
    Certificate::from_file(pem.as_bytes()).map_err(|error| error.to_string())
}

fn one_certificate(pem: &str) -> Result<Certificate, String> {
    certificates(pem)?.pop().ok_or_else(|| "there is no certificate".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Shard;
    use crate::shim::engine::Engine;
    use crate::shim::serve::Shim;
    use crate::sut::child::ShimCommand;

    fn engine() -> Sut {
        let command = ShimCommand { program: "/nowhere".into(), arguments: Vec::new() };
        let mut sut = Sut::new("engine".to_owned(), command, false);
        sut.admission = Engine::default().hello();
        sut
    }

    fn ids(tasks: &[Task]) -> BTreeSet<String> {
        tasks.iter().map(|task| task.id.clone()).collect()
    }

    /// Every form that somebody knows is there once, and nothing that nobody knows.
    #[test]
    fn every_replica_writes_what_its_shape_knows() {
        let (corpus, shapes) = (Corpus::embedded().unwrap(), Shapes::embedded().unwrap());
        let written = tasks(&corpus, &shapes, &[engine()], Extent::Pairwise, &|_| true).unwrap();
        let ids = ids(&written);
        for (name, _, replica) in shapes.replicas() {
            let of = |protection: &str| {
                let (begin, end) = (format!("matrix/{protection}."), format!("/{PREFIX}{name}"));
                ids.iter().filter(|id| id.starts_with(&begin) && id.ends_with(&end)).count()
            };
            let encrypts = replica.encrypted.is_written();
            let inside = |opaque: bool| encrypts && replica.inside.is_written() && replica.inside.opaque == opaque;
            for (protection, knows) in [
                ("clear", replica.clear.is_written()),
                ("opaque", replica.opaque.is_written()),
                ("encrypted", encrypts),
                ("signed-encrypted", inside(false)),
                ("opaque-encrypted", inside(true)),
                ("triple", false),
            ] {
                assert_eq!(of(protection) > 0, knows, "{name} {protection}: {ids:?}");
            }
        }
        // Somebody who writes long or foreign text once writes it in the default run.
        for (name, ..) in shapes.replicas() {
            let full =
                tasks(&corpus, &shapes, &[engine()], Extent::Full, &|id| id.ends_with(&format!("/{PREFIX}{name}")));
            let contents = |tasks: &[Task]| -> BTreeSet<String> {
                let scenario = |task: &Task| task.id.split('/').nth(1).unwrap().to_owned();
                let of = tasks.iter().filter(|task| task.id.ends_with(&format!("/{PREFIX}{name}"))).map(scenario);
                of.map(|scenario| scenario.rsplit('.').next().unwrap().to_owned()).collect()
            };
            assert_eq!(contents(&written), contents(&full.unwrap()), "{name}");
        }
        // A handful of each, so that the default run stays short.
        assert!(written.len() <= 4 * shapes.replicas().count(), "{}", written.len());
        assert!(written.iter().all(|task| task.evidence == Evidence::Replica));
        // Outlook signs with SHA-1 unless it is told otherwise, and encrypts with AES-256.
        assert!(ids.iter().any(|id| id.starts_with("matrix/opaque-encrypted.rsa-sha-1.rsa.aes-256-cbc.")), "{ids:?}");
        let full = tasks(&corpus, &shapes, &[engine()], Extent::Full, &|_| true).unwrap();
        assert!(self::ids(&full).is_superset(&ids) && full.len() > 3 * written.len(), "{}", full.len());
    }

    #[test]
    fn shards_hold_every_mail_once_and_the_bytes_stay() {
        let (corpus, shapes) = (Corpus::embedded().unwrap(), Shapes::embedded().unwrap());
        let shard = |text: &str| {
            let shard: Shard = text.parse().unwrap();
            tasks(&corpus, &shapes, &[engine()], Extent::Pairwise, &|id| shard.holds_id(id)).unwrap()
        };
        let bytes = |tasks: &[Task]| -> Vec<(String, Vec<u8>)> {
            let bytes = |task: &Task| (task.id.clone(), task.files.as_ref().unwrap().message.clone());
            tasks.iter().map(bytes).collect()
        };
        let (whole, again) = (shard("1/1"), shard("1/1"));
        assert_eq!(bytes(&whole), bytes(&again));
        let parts = [shard("1/2"), shard("2/2")].concat();
        assert_eq!(parts.len(), whole.len());
        assert_eq!(ids(&parts), ids(&whole));
    }
}
