//! The cases of the corpus a second time, with their keys on a smart card: what
//! is signed must be the same octets where the algorithm leaves no choice, what
//! is opened must get the same verdict, and the card must have done exactly the
//! private-key operations that this takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;

use libtest_mimic::{Arguments, Failed, Trial};
use support::engine::{open, open_with};
use waxseal::card::{Entered, issue};
use waxseal::cases::Cases;
use waxseal::keys::KeyRing;
use waxseal::task::{CaseFiles, Task};
use waxseal_card::VirtualCard;
use waxseal_card::host::{InProcess, PivClient, Reader};
use waxseal_card::key::KeyKind;
use waxseal_card::piv::{Algorithm, Slot};
use waxseal_card::transcript::{KeyReference, Operation, RecordedReader, Tape};
use waxseal_engine::certificate::Certificate;
use waxseal_forge::{Forge, Holder};
use waxseal_key::{
    Decryptor, DigestAlgorithm, KeyError, OaepParameters, PrivateKey, ProviderChoice, SignatureScheme, Signer, Sm2Form,
};
use waxseal_model::{Corpus, Step};
use waxseal_verdict::Verdict;
use zeroize::Zeroizing;

const PIN: &str = "123456";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus: &'static Corpus = Box::leak(Box::new(Corpus::embedded().unwrap()));
    let recordings: Option<&'static _> = support::engine::recordings().map(|found| &*Box::leak(Box::new(found)));
    let cases = Cases { corpus, recordings };
    let all: Vec<_> = corpus.cases().iter().collect();
    let mut trials = Vec::new();
    for task in cases.tasks(&all).unwrap() {
        let Ok(files) = &task.files else { continue };
        if signs_on_card(corpus, &task.id) {
            let task = task.clone();
            trials.push(Trial::test(format!("{} signed by a card", task.id), move || signed(corpus, &task)));
        }
        if files.keys.iter().any(|pair| pair.certificate.is_some() && fits(&key(&pair.key))) && is_encrypted(&task) {
            trials.push(Trial::test(format!("{} opened by a card", task.id), move || opened(&task)));
        }
    }
    // A corpus without such cases would pass without a word.
    let (signed, opened) = (count(&trials, "signed by"), count(&trials, "opened by"));
    trials.push(Trial::test("there are many of either kind", move || {
        if signed > 200 && opened > 100 { Ok(()) } else { Err(format!("{signed} are signed, {opened} opened").into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn count(trials: &[Trial], what: &str) -> usize {
    trials.iter().filter(|trial| trial.name().contains(what)).count()
}

fn key(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem, None).unwrap()
}

/// Whether PIV has an algorithm for a key.
fn fits(key: &PrivateKey) -> bool {
    KeyKind::of(key.public_key()).is_some_and(|kind| Algorithm::of(kind).is_some())
}

fn is_encrypted(task: &Task) -> bool {
    task.expectation
        .layers
        .iter()
        .any(|layer| matches!(layer.kind, waxseal_verdict::Kind::Encrypted | waxseal_verdict::Kind::AuthEnveloped))
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

fn reader(card: VirtualCard, tape: &Tape) -> Box<dyn Reader> {
    Box::new(RecordedReader::new(InProcess::new("the card of a case", card).unwrap(), tape.clone()))
}

fn client(card: VirtualCard, tape: &Tape) -> PivClient {
    PivClient::new(reader(card, tape), Box::new(Entered(PIN.to_owned().into()))).unwrap()
}

/// Puts every signer's key on a card of its own.
#[derive(Debug, Default)]
struct OnCards {
    tape: Tape,
    cards: Cell<usize>,
}

impl Holder for OnCards {
    fn hold(&self, key: PrivateKey, certificate: &Certificate) -> Result<Box<dyn Signer>, String> {
        if !is_held(&key) {
            return Ok(Box::new(key));
        }
        let card = issue(Some((key, certificate)), Vec::new(), PIN).map_err(|error| error.to_string())?;
        let client = client(card, &self.tape);
        let identities = client.identities().map_err(|error| error.to_string())?;
        self.cards.set(self.cards.get() + 1);
        Ok(Box::new(client.key(&identities[0]).map_err(|error| error.to_string())?))
    }
}

fn signed(corpus: &Corpus, task: &Task) -> Result<(), Failed> {
    let software = task.files.as_ref().unwrap();
    let cards = OnCards::default();
    let case = corpus.case(&task.id).unwrap();
    let files = Forge::new(corpus).with_holder(&cards).files(case).map_err(|error| error.to_string())?;
    let operations = cards.tape.transcript().key_operations();
    let expected = cards.cards.get();
    let right = |operation: &waxseal_card::transcript::KeyOperation| {
        operation.operation == Operation::Sign && operation.key == KeyReference::Piv(Slot::Signature.reference())
    };
    if operations.len() != expected || !operations.iter().all(right) {
        return Err(format!("{expected} signatures by cards, and these operations: {operations:?}").into());
    }
    let same = files.message == software.message && files.earlier == software.earlier;
    if leaves_no_choice(corpus, task) && !same {
        return Err("the card signed other octets than the key itself".into());
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

fn opened(task: &Task) -> Result<(), Failed> {
    let files = task.files.as_ref().unwrap();
    let (software, counted) = with_counted_keys(task, files);
    let tape = Tape::new();
    let (card, others) = on_card(files);
    let client = client(card, &tape);
    let keys = waxseal::card::reading_keys(&client).map_err(|failed| failed.message)?;
    let (verdict, content) = open_with(task, files, ProviderChoice::Auto, others.with_held(keys));
    compare(&software.0, &verdict)?;
    if software.1 != content {
        return Err("another content".into());
    }
    let operations: Vec<_> = tape.transcript().key_operations().iter().map(|done| done.operation).collect();
    if operations != counted {
        return Err(format!("the key itself did {counted:?}, the card {operations:?}").into());
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
    let done = Rc::new(std::cell::RefCell::new(Vec::new()));
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
    done: Rc<std::cell::RefCell<Vec<Operation>>>,
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

fn compare(software: &Verdict, card: &Verdict) -> Result<(), Failed> {
    let text = |verdict: &Verdict| serde_json::to_string_pretty(verdict).unwrap();
    if text(software) == text(card) {
        return Ok(());
    }
    let lines = text(software);
    let differing = lines.lines().map(str::to_owned).zip(text(card).lines().map(str::to_owned).collect::<Vec<_>>());
    let differing: Vec<_> = differing.filter(|(left, right)| left != right).take(6).collect();
    Err(format!("the verdicts differ: {differing:#?}").into())
}
