//! Every fault of a card on every operation: the job ends with the reason that
//! `card_faults.toml` says, no half of a message is left behind, no PIN is tried
//! that nobody entered, and the next operation works once the card is back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::rc::Rc;

use libtest_mimic::{Arguments, Failed, Trial};
use support::engine::reader;
use time::macros::datetime;
use waxseal::card::{key_in, reading_keys};
use waxseal::keys::KeyRing;
use waxseal::reader::Reader;
use waxseal_card::faults::{FaultyCard, Script};
use waxseal_card::host::{HostError, InProcess, Pin, PinRequest, PivClient};
use waxseal_card::models::{MANAGEMENT_KEY, Model, PIN, PUK};
use waxseal_card::piv::{ManagementKey, Slot, object::DataObject};
use waxseal_card::transcript::{RecordedReader, Tape};
use waxseal_engine::cms::write::{ContentEncryption, Recipient};
use waxseal_engine::message::{self, Boundary, EncryptRequest, SignError, SignRequest};
use waxseal_key::{AeadCipher, Arithmetic, KeyError, ProviderChoice, SeededRandom, Signer};
use waxseal_model::Corpus;
use waxseal_verdict::Aspect;
use zeroize::Zeroizing;

const MAIL: &[u8] = b"From: Nina <nina@example.test>\r\nContent-Type: text/plain\r\n\r\nTea at four.\r\n";

/// What is done with a card, and which commands of a script are about it.
const OPERATIONS: &[(&str, &str, &[&str])] = &[
    ("enter-pin", "piv-p256", &["verify"]),
    ("sign", "piv-rsa2048", &["general-authenticate"]),
    ("sign-ec", "piv-p256", &["general-authenticate"]),
    ("open", "piv-rsa2048", &["general-authenticate"]),
    ("open-ec", "piv-p256", &["general-authenticate"]),
    ("show", "piv-rsa2048", &["get-data"]),
    ("change-pin", "piv-rsa2048", &["change-reference-data"]),
    ("write", "piv-rsa2048", &["put-data"]),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let expected: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(include_str!("card_faults.toml")).unwrap();
    let mut trials = Vec::new();
    for name in Script::names() {
        let row = expected.get(name).unwrap_or_else(|| panic!("card_faults.toml has no [{name}]"));
        for (operation, model, commands) in OPERATIONS {
            let script = only(name, commands);
            let wanted = row.get(*operation).cloned();
            assert_eq!(script.faults.is_empty(), wanted.is_none(), "{name}: {operation}");
            let Some(wanted) = wanted else { continue };
            trials.push(Trial::test(format!("{name} while {operation}"), move || {
                happens(name, script, operation, model, &wanted)
            }));
        }
        for operation in ["sign", "open"] {
            if let Some(wanted) = row.get(operation).cloned() {
                let title = format!("{name} while {operation} on the command line");
                trials.push(Trial::test(title, move || leaves_nothing(name, operation, &wanted)));
            }
        }
        if row.contains_key("enter-pin") {
            trials.push(Trial::test(format!("{name} while a wrong PIN is entered"), move || takes_one_try(name)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A job that was done, or the reason for which it was not, and the whole error.
type Job = Result<(), (String, String)>;

/// A client of a card to which a script happens, and what is known of it.
struct Watched {
    client: PivClient,
    tape: Tape,
    /// How often somebody was asked for the PIN.
    asked: Rc<RefCell<usize>>,
}

impl Watched {
    fn new(corpus: &Corpus, script: Script, model: &str, pin: &'static str) -> Self {
        let card = waxseal_forge::card(corpus.pki(), &Model::named(model).unwrap()).unwrap();
        let tape = Tape::new();
        let reader = InProcess::new("a reader", FaultyCard::new(card, script)).unwrap();
        let asked = Rc::new(RefCell::new(0));
        let count = Rc::clone(&asked);
        let pins = move |_: &PinRequest<'_>| -> Option<Pin> {
            *count.borrow_mut() += 1;
            Some(Zeroizing::new(pin.to_owned()))
        };
        let reader = RecordedReader::new(reader, tape.clone());
        Self { client: PivClient::new(Box::new(reader), Box::new(pins)).unwrap(), tape, asked }
    }

    /// How often a PIN went to the card.
    fn entered(&self) -> usize {
        self.tape.transcript().to_string().lines().filter(|line| line.starts_with("> 00200080 08 ")).count()
    }
}

/// The script without what happens at other commands.
fn only(name: &str, commands: &[&str]) -> Script {
    let mut script = Script::named(name).unwrap();
    script.faults.retain(|fault| commands.contains(&fault.at.command.as_deref().unwrap()));
    script
}

fn happens(name: &str, script: Script, operation: &str, model: &str, wanted: &str) -> Result<(), Failed> {
    let corpus = Corpus::embedded().unwrap();
    let watched = Watched::new(&corpus, script, model, PIN);
    let client = &watched.client;
    let job = prepare(client, operation);

    let first = job();
    let found = first.as_ref().err().map_or("done", |(reason, _)| reason.as_str());
    if found != wanted {
        return Err(format!("{found}, expected {wanted}: {first:?}").into());
    }
    if let Err((_, error)) = &first
        && error.split(' ').count() < 4
    {
        return Err(format!("the error says nothing: {error:?}").into());
    }
    let (asked, entered) = (*watched.asked.borrow(), watched.entered());
    let uses_key = ["sign", "sign-ec", "open", "open-ec"].contains(&operation);
    if asked > 1 || entered > asked || (uses_key && entered != 1) {
        return Err(format!("asked {asked} times for the PIN, and sent it {entered} times").into());
    }

    // What comes after it.
    match name {
        "card-removed-for-good" => return expect(job(), "card-removed"),
        "pin-blocked-elsewhere" => {
            expect(job(), "pin-blocked")?;
            client.unblock_pin(PUK, PIN).map_err(|error| error.to_string())?;
        }
        _ => {
            let tries = client.tries_left().map_err(|error| format!("after it: {error}"))?;
            if tries.is_some_and(|tries| tries != 3) {
                return Err(format!("{tries:?} tries are left of the PIN").into());
            }
        }
    }
    expect(job(), "done")?;
    let (asked, entered) = (*watched.asked.borrow(), watched.entered());
    if asked > 2 || entered > asked {
        return Err(format!("asked {asked} times for the PIN in two jobs, and sent it {entered} times").into());
    }
    Ok(())
}

/// A wrong PIN, entered for two uses, takes one try and no more: where its answer
/// was lost, too.
fn takes_one_try(name: &str) -> Result<(), Failed> {
    let corpus = Corpus::embedded().unwrap();
    let watched = Watched::new(&corpus, only(name, &["verify"]), "piv-p256", "000000");
    let job = prepare(&watched.client, "enter-pin");
    for _ in 0..2 {
        let Err((reason, error)) = job() else { return Err("signed with a wrong PIN".into()) };
        let known = ["wrong-pin", "card-removed", "key-refused", "pin-blocked"].contains(&reason.as_str());
        if !known || error.is_empty() {
            return Err(format!("{reason}: {error}").into());
        }
    }
    let left = watched.client.tries_left();
    let right = match name {
        "card-removed-for-good" => left.is_err(),
        "pin-blocked-elsewhere" => left == Ok(Some(0)) && watched.entered() == 0,
        _ => left == Ok(Some(2)),
    };
    if right { Ok(()) } else { Err(format!("{left:?} tries are left").into()) }
}

fn expect(job: Job, wanted: &str) -> Result<(), Failed> {
    let found = job.as_ref().err().map_or("done", |(reason, _)| reason.as_str());
    if found == wanted { Ok(()) } else { Err(format!("the next time: {job:?}, expected {wanted}").into()) }
}

/// The job, to be done as often as one likes; what it needs of the card was
/// read before.
fn prepare<'a>(client: &'a PivClient, operation: &str) -> Box<dyn Fn() -> Job + 'a> {
    match operation {
        "enter-pin" | "sign" | "sign-ec" => {
            let (key, certificate) = key_in(client, Slot::Signature).unwrap();
            Box::new(move || {
                let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
                let signers = [(&key as &dyn Signer, &certificate)];
                let at = datetime!(2026-01-01 00:00 UTC);
                let request = SignRequest::new(&signers, at, Boundary::Given("b".to_owned()), &arithmetic);
                let mut out = Vec::new();
                match message::sign(&mut Cursor::new(MAIL), &mut out, &request) {
                    Ok(()) => Ok(()),
                    // What was written so far is thrown away by whoever asked, see the command line.
                    Err(error) => Err((reason_of(&error), error.to_string())),
                }
            })
        }
        "open" | "open-ec" => {
            let (_, certificate) = key_in(client, Slot::KeyManagement).unwrap();
            let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
            let certificates = [certificate];
            let recipients = Recipient::certificates(&certificates);
            let mut request = EncryptRequest::new(&recipients, &arithmetic);
            request.cipher = ContentEncryption::Aead { cipher: AeadCipher::Aes256Gcm, tag_len: 16 };
            let mut mail = Vec::new();
            let mut random = SeededRandom::new("mail for a card that fails");
            message::encrypt(&mut Cursor::new(MAIL), &mut mail, &request, &mut random).unwrap();
            let keys = reading_keys(client).unwrap();
            let reader = Reader { keys: KeyRing::default().with_held(keys), ..reader(ProviderChoice::RustCrypto) };
            Box::new(move || {
                let opened = reader.open(&mut Cursor::new(&mail), None, true).unwrap();
                let text = serde_json::to_string(&opened.verdict).unwrap();
                match &opened.verdict.layers[0].decryption {
                    Aspect::Good => Ok(()),
                    Aspect::Bad(bad) => {
                        assert!(opened.content.is_none(), "content although {}", bad.reason);
                        Err((bad.reason.code().to_owned(), text))
                    }
                    other => Err((format!("{other:?}"), text)),
                }
            })
        }
        "show" => Box::new(|| {
            let identities = client.identities().map_err(classified)?;
            // One that cannot be read says so; it is no reason to read none.
            let problem = identities.into_iter().find_map(|identity| identity.problem);
            problem.map_or(Ok(()), |problem| Err(("key-refused".to_owned(), problem)))
        }),
        "change-pin" => Box::new(|| client.change_pin(PIN, PIN).map_err(classified)),
        "write" => Box::new(|| {
            let key = ManagementKey::new(&MANAGEMENT_KEY).unwrap();
            let object = DataObject::by_tag(0x5FC109).unwrap();
            let value = vec![7; 600];
            client.put_object(&key, object, &value).map_err(classified)
        }),
        other => panic!("{other}"),
    }
}

fn classified(error: HostError) -> (String, String) {
    (reason(&error.clone().into()), error.to_string())
}

fn reason(error: &KeyError) -> String {
    let reason = match error {
        KeyError::WrongPin { .. } => "wrong-pin",
        KeyError::PinBlocked => "pin-blocked",
        KeyError::CardRemoved => "card-removed",
        _ => "key-refused",
    };
    reason.to_owned()
}

/// The reason in the chain of an error of signing.
fn reason_of(error: &SignError) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(key) = error.downcast_ref::<KeyError>() {
            return reason(key);
        }
        source = error.source();
    }
    format!("no error of a key: {error}")
}

/// The command itself: its file is whole, or not there.
fn leaves_nothing(name: &str, operation: &str, wanted: &str) -> Result<(), Failed> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    std::fs::write(file("mail.eml"), MAIL).unwrap();
    let waxseal = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_waxseal")).args(arguments).current_dir(dir.path()).output().unwrap()
    };
    let card = format!("virtual:piv-rsa2048+{name}@general-authenticate");
    let output = if operation == "sign" {
        waxseal(&["sign", "mail.eml", "--card", &card, "--pin", PIN, "-o", "out.eml"])
    } else {
        let shown = waxseal(&["card", "show", "virtual:piv-rsa2048", "--cert", "9D"]);
        std::fs::write(file("nina.pem"), shown.stdout).unwrap();
        let encrypted =
            waxseal(&["encrypt", "mail.eml", "--to", "nina.pem", "--cipher", "aes-256-gcm", "-o", "encrypted.eml"]);
        assert!(encrypted.status.success(), "{}", String::from_utf8_lossy(&encrypted.stderr));
        waxseal(&["open", "encrypted.eml", "--card", &card, "--pin", PIN, "--out", "out.eml"])
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let (there, code) = (is_whole(&file("out.eml"), operation), output.status.code());
    let right = match wanted {
        "done" => (there, code) == (Some(true), Some(0)),
        // A verdict is bad, a signature is not made: the reason stands in the one, its words in the other.
        _ => there.is_none() && code == Some(if operation == "open" { 1 } else { 2 }) && says(&said, wanted),
    };
    if right { Ok(()) } else { Err(format!("{wanted}: file {there:?}, exit code {code:?}: {said}").into()) }
}

/// Whether what is printed tells the reason.
fn says(said: &str, reason: &str) -> bool {
    let words = match reason {
        "card-removed" => "the card was removed",
        "key-refused" => "the key was refused",
        other => other,
    };
    said.contains(reason) || said.contains(words)
}

/// Whether a file is a whole message; `None` where there is none.
fn is_whole(file: &Path, operation: &str) -> Option<bool> {
    let octets = std::fs::read(file).ok()?;
    Some(if operation == "sign" { octets.ends_with(b"--\r\n") } else { octets.ends_with(b"Tea at four.\r\n") })
}
