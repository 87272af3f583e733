//! The cases of the corpus with their keys on a smart card, wherever the card is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use waxseal::card::{Entered, issue};
use waxseal::cases::Cases;
use waxseal::keys::KeyRing;
use waxseal::task::{CaseFiles, Task};
use waxseal_card::VirtualCard;
use waxseal_card::host::{PivClient, Reader};
use waxseal_card::key::KeyKind;
use waxseal_card::piv::{Algorithm, Slot};
use waxseal_card::transcript::{KeyOperation, KeyReference, Operation, RecordedReader, Tape};
use waxseal_engine::certificate::Certificate;
use waxseal_forge::{Forge, Holder};
use waxseal_key::{
    Decryptor, DigestAlgorithm, KeyError, OaepParameters, PrivateKey, ProviderChoice, SignatureScheme, Signer, Sm2Form,
};
use waxseal_model::{Corpus, Step};
use waxseal_verdict::{Kind, Verdict};
use zeroize::Zeroizing;

use super::engine::{open, open_with};

/// The PIN of the cards.
const PIN: &str = waxseal_card::models::PIN;

/// Where a card is put into a reader.
pub(crate) trait Place: std::fmt::Debug {
    fn insert(&self, card: VirtualCard) -> Box<dyn Reader>;
}

/// What is asked of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// To sign what the case says.
    Sign,
    /// To open the message of the case.
    Open,
}

/// A case for a card.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) job: Job,
    task: Task,
}

impl Question {
    pub(crate) fn name(&self) -> String {
        let job = if self.job == Job::Sign { "signed" } else { "opened" };
        format!("{} {job} by a card", self.task.id)
    }

    /// Every case that has a key which fits a card.
    pub(crate) fn all(corpus: &Corpus) -> Vec<Self> {
        let recordings = super::engine::recordings();
        let cases = Cases { corpus, recordings: recordings.as_ref() };
        let all: Vec<_> = corpus.cases().iter().collect();
        let mut questions = Vec::new();
        for task in cases.tasks(&all).unwrap() {
            let Ok(files) = &task.files else { continue };
            if signs_on_card(corpus, &task.id) {
                questions.push(Self { job: Job::Sign, task: task.clone() });
            }
            let reads = files.keys.iter().any(|pair| pair.certificate.is_some() && fits(&key(&pair.key)));
            if reads && is_encrypted(&task) {
                questions.push(Self { job: Job::Open, task });
            }
        }
        // A corpus without such cases would pass without a word.
        let count = |job| questions.iter().filter(|question| question.job == job).count();
        assert!(count(Job::Sign) > 200 && count(Job::Open) > 100, "{} and {}", count(Job::Sign), count(Job::Open));
        questions
    }

    pub(crate) fn ask(&self, corpus: &Corpus, place: &dyn Place) -> Result<(), String> {
        match self.job {
            Job::Sign => signed(corpus, &self.task, place),
            Job::Open => opened(&self.task, place),
        }
    }
}

fn key(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem, None).unwrap()
}

/// Whether PIV has an algorithm for a key.
fn fits(key: &PrivateKey) -> bool {
    KeyKind::of(key.public_key()).is_some_and(|kind| Algorithm::of(kind).is_some())
}

fn is_encrypted(task: &Task) -> bool {
    task.expectation.layers.iter().any(|layer| matches!(layer.kind, Kind::Encrypted | Kind::AuthEnveloped))
}

/// Whether a signer of the recipe of a case has an RSA key or one on a P-curve
/// that fits a card.
fn signs_on_card(corpus: &Corpus, id: &str) -> bool {
    let case = corpus.case(id).unwrap();
    let waxseal_model::Input::Recipe(recipe) = &case.input else { return false };
    let signers = recipe.steps.iter().flat_map(|step| match step {
        Step::Sign(step) => step.by.as_slice(),
        Step::Encrypt(step) => step.signed_by.as_slice(),
        _ => &[],
    });
    signers.into_iter().any(|name| is_held(&key(corpus.pki().key_pem(name).unwrap())))
}

/// Whether a signer goes onto the card: SM2 has its own identifiers, which the
/// tests of the card try.
fn is_held(key: &PrivateKey) -> bool {
    fits(key) && KeyKind::of(key.public_key()) != Some(KeyKind::Sm2)
}

fn client(card: VirtualCard, place: &dyn Place, tape: &Tape) -> PivClient {
    let reader = RecordedReader::new(place.insert(card), tape.clone());
    PivClient::new(Box::new(reader), Box::new(Entered(PIN.to_owned().into()))).unwrap()
}

/// Puts every signer's key on a card of its own.
#[derive(Debug)]
struct OnCards<'a> {
    place: &'a dyn Place,
    tape: Tape,
    cards: Cell<usize>,
}

impl Holder for OnCards<'_> {
    fn hold(&self, key: PrivateKey, certificate: &Certificate) -> Result<Box<dyn Signer>, String> {
        if !is_held(&key) {
            return Ok(Box::new(key));
        }
        let card = issue(Some((key, certificate)), Vec::new(), PIN).map_err(|error| error.to_string())?;
        let client = client(card, self.place, &self.tape);
        let identities = client.identities().map_err(|error| error.to_string())?;
        self.cards.set(self.cards.get() + 1);
        Ok(Box::new(client.key(&identities[0]).map_err(|error| error.to_string())?))
    }
}

fn signed(corpus: &Corpus, task: &Task, place: &dyn Place) -> Result<(), String> {
    let software = task.files.as_ref().unwrap();
    let cards = OnCards { place, tape: Tape::new(), cards: Cell::new(0) };
    let case = corpus.case(&task.id).unwrap();
    let files = Forge::new(corpus).with_holder(&cards).files(case).map_err(|error| error.to_string())?;
    let operations = cards.tape.transcript().key_operations();
    let expected = cards.cards.get();
    let right = |operation: &KeyOperation| {
        operation.operation == Operation::Sign && operation.key == KeyReference::Piv(Slot::Signature.reference())
    };
    if expected == 0 || operations.len() != expected || !operations.iter().all(right) {
        return Err(format!("{expected} signatures by cards, and these operations: {operations:?}"));
    }
    let same = files.message == software.message && files.earlier == software.earlier;
    if leaves_no_choice(corpus, task) && !same {
        return Err("the card signed other octets than the key itself".to_owned());
    }
    if !same {
        compare(&open(task, software, ProviderChoice::Auto).0, &open(task, &files, ProviderChoice::Auto).0)?;
    }
    Ok(())
}

/// Whether every signature is the same whoever makes it: RSA PKCS#1 v1.5, and
/// ECDSA by RFC 6979 with the digest that has the length of the curve.
fn leaves_no_choice(corpus: &Corpus, task: &Task) -> bool {
    let case = corpus.case(&task.id).unwrap();
    let waxseal_model::Input::Recipe(recipe) = &case.input else { return false };
    let earlier = case.earlier.iter().flat_map(|earlier| &earlier.recipe.steps);
    recipe.steps.iter().chain(earlier).all(|step| {
        let (names, digest, pss) = match step {
            Step::Sign(step) => (&step.by, step.digest.as_str(), step.pss.is_some()),
            Step::Encrypt(step) => (&step.signed_by, "sha-256", false),
            _ => return true,
        };
        let digest_len = DigestAlgorithm::from_name(digest).map(|digest| digest.output_len());
        names.iter().all(|name| match KeyKind::of(key(corpus.pki().key_pem(name).unwrap()).public_key()) {
            Some(KeyKind::Rsa(_)) => !pss,
            Some(KeyKind::P256 | KeyKind::P384) => match digest {
                "sha-256" => KeyKind::P256.octets() == digest_len.unwrap() && !on_p384(corpus, name),
                "sha-384" => on_p384(corpus, name),
                _ => false,
            },
            _ => true,
        })
    })
}

fn on_p384(corpus: &Corpus, name: &str) -> bool {
    KeyKind::of(key(corpus.pki().key_pem(name).unwrap()).public_key()) == Some(KeyKind::P384)
}

fn opened(task: &Task, place: &dyn Place) -> Result<(), String> {
    let files = task.files.as_ref().unwrap();
    let (software, counted) = with_counted_keys(task, files);
    let tape = Tape::new();
    let (card, others) = on_card(files);
    let client = client(card, place, &tape);
    let keys = waxseal::card::reading_keys(&client).map_err(|failed| failed.message)?;
    let (verdict, content) = open_with(task, files, ProviderChoice::Auto, others.with_held(keys));
    compare(&software.0, &verdict)?;
    if software.1 != content {
        return Err("another content".to_owned());
    }
    let operations: Vec<_> = tape.transcript().key_operations().iter().map(|done| done.operation).collect();
    if operations != counted {
        return Err(format!("the key itself did {counted:?}, the card {operations:?}"));
    }
    Ok(())
}

/// A card with the keys that fit one, and the ring of those that do not.
fn on_card(files: &CaseFiles) -> (VirtualCard, KeyRing) {
    let (mut held, mut keys, mut certificates) = (Vec::new(), Vec::new(), Vec::new());
    for pair in &files.keys {
        let own = pair.certificate.as_deref().map(|pem| Certificate::from_file(pem.as_bytes()).unwrap().remove(0));
        match own {
            Some(own) if fits(&key(&pair.key)) => held.push((key(&pair.key), own)),
            own => {
                keys.push(key(&pair.key));
                certificates.extend(own);
            }
        }
    }
    let reads = held.iter().map(|(held, own)| (PrivateKey::from_pkcs8_der(&held.to_pkcs8_der()).unwrap(), own));
    (issue(None, reads.collect(), PIN).unwrap(), KeyRing::new(keys, certificates))
}

/// Opens with the keys themselves, and counts what those do that would be on
/// the card.
fn with_counted_keys(task: &Task, files: &CaseFiles) -> ((Verdict, Option<Vec<u8>>), Vec<Operation>) {
    let done = Rc::new(RefCell::new(Vec::new()));
    let (_, others) = on_card(files);
    let counted = files.keys.iter().filter_map(|pair| {
        let own = Certificate::from_file(pair.certificate.as_deref()?.as_bytes()).unwrap().remove(0);
        fits(&key(&pair.key)).then(|| (Counted { key: key(&pair.key), done: Rc::clone(&done) }, own))
    });
    let opened = open_with(task, files, ProviderChoice::Auto, others.with_held(counted.collect()));
    let done = done.borrow().clone();
    (opened, done)
}

#[derive(Debug)]
struct Counted {
    key: PrivateKey,
    done: Rc<RefCell<Vec<Operation>>>,
}

impl Counted {
    /// Notes an operation, unless no card would have been asked.
    fn note<T>(&self, operation: Operation, result: Result<T, KeyError>) -> Result<T, KeyError> {
        let refused = matches!(result, Err(KeyError::BadParameters { .. } | KeyError::BadPublicKey(_)));
        // What is no ciphertext of SM2, the card refuses; a padding of RSA it does not look at.
        let no_sm2 = matches!(&result, Err(KeyError::DecryptionFailed(what)) if what == "sm2-encryption");
        if !refused && !no_sm2 {
            self.done.borrow_mut().push(operation);
        }
        result
    }
}

impl Signer for Counted {
    fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    fn sign_digest(&self, _: SignatureScheme, _: DigestAlgorithm, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        unreachable!("nothing is signed")
    }
}

impl Decryptor for Counted {
    fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    fn unwrap_rsa_pkcs1(&self, encrypted_key: &[u8], key_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.note(Operation::Decrypt, self.key.unwrap_rsa_pkcs1(encrypted_key, key_len))
    }

    fn takes_several_lengths(&self) -> bool {
        self.key.takes_several_lengths()
    }

    fn unwrap_rsa_pkcs1_any(&self, encrypted_key: &[u8], key_lens: &[usize]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.note(Operation::Decrypt, self.key.unwrap_rsa_pkcs1_any(encrypted_key, key_lens))
    }

    fn unwrap_rsa_oaep(&self, encrypted_key: &[u8], oaep: &OaepParameters) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.note(Operation::Decrypt, self.key.unwrap_rsa_oaep(encrypted_key, oaep))
    }

    fn unwrap_sm2(&self, encrypted_key: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        self.note(Operation::Decrypt, self.key.unwrap_sm2(encrypted_key))
    }

    fn agree(&self, peer_spki: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.note(Operation::Agree, self.key.agree(peer_spki))
    }
}

fn compare(software: &Verdict, card: &Verdict) -> Result<(), String> {
    let text = |verdict: &Verdict| serde_json::to_string_pretty(verdict).unwrap();
    if text(software) == text(card) {
        return Ok(());
    }
    let lines = text(software);
    let differing = lines.lines().map(str::to_owned).zip(text(card).lines().map(str::to_owned).collect::<Vec<_>>());
    let differing: Vec<_> = differing.filter(|(left, right)| left != right).take(6).collect();
    Err(format!("the verdicts differ: {differing:#?}"))
}
