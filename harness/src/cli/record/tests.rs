use std::path::Path;

use waxseal_verdict::Claim;

use super::*;

/// A person with these answers, in order.
struct Says(Vec<&'static str>, Vec<String>);

impl Answers for Says {
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failed> {
        self.1.push(question.to_owned());
        Ok(if self.0.is_empty() { None } else { Some(self.0.remove(0).to_owned()) })
    }
}

fn arguments(options: &[&str]) -> Arguments {
    #[derive(clap::Parser)]
    struct Parsed {
        #[command(flatten)]
        arguments: Arguments,
    }
    use clap::Parser as _;
    Parsed::try_parse_from([&["import", "mail.eml"], options].concat()).unwrap().arguments
}

fn claim(value: &str) -> Option<Claimed> {
    claimed(&[Claim { field: "X-Mailer".to_owned(), value: value.to_owned() }])
}

#[test]
fn who_wrote_it_is_said_read_or_asked() {
    let mut missing = Missing::default();
    let mut known = |options: &[&str], claim: Option<Claimed>, guess, answers: &[&'static str]| {
        let mut person = Says(answers.to_vec(), Vec::new());
        let known = arguments(options).known(claim.as_ref(), guess, &mut person, &mut missing).unwrap();
        (known.name, known.version, known.by, person.1.len())
    };
    let stated = || "stated by who captured it".to_owned();
    let outlook = || claim("Microsoft Outlook 16.0");
    assert_eq!(
        known(&[], outlook(), None, &[]),
        ("Microsoft Outlook".to_owned(), Some("16.0".to_owned()), "X-Mailer".to_owned(), 0)
    );
    let options = ["--client", "Outlook for Mac", "--version", "unknown"];
    assert_eq!(known(&options, outlook(), None, &[]), ("Outlook for Mac".to_owned(), None, stated(), 0));
    // The version in the header is not that of another program.
    let said = known(&["--client", "Outlook for Mac"], outlook(), None, &["16.93"]);
    assert_eq!(said, ("Outlook for Mac".to_owned(), Some("16.93".to_owned()), stated(), 1));
    let said = known(&[], None, Some("Outlook"), &["", "iPhone Mail", "18.2"]);
    assert_eq!(said, ("iPhone Mail".to_owned(), Some("18.2".to_owned()), stated(), 3));
}

/// A guess never becomes a fact because nobody was there.
#[test]
fn what_is_missing_is_said_at_once() {
    let mut missing = Missing::default();
    let mut nobody = Says(Vec::new(), Vec::new());
    arguments(&[]).known(None, Some("Outlook"), &mut nobody, &mut missing).unwrap();
    assert!(!nobody.agrees(&mut missing, &[]).unwrap());
    let error = missing.refuse(Path::new("mail.eml")).unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    for option in ["--client NAME (its structure is that of Outlook, which is a guess)", "--version", "--publish yes"] {
        assert!(error.message.contains(option), "{}", error.message);
    }
}

#[test]
fn only_yes_is_yes() {
    let mut missing = Missing::default();
    for (answer, agreed) in [("yes", true), ("YES", true), ("y", false), ("", false), ("no", false)] {
        assert_eq!(Says(vec![answer], Vec::new()).agrees(&mut missing, &[]).unwrap(), agreed, "{answer:?}");
    }
    missing.refuse(Path::new("x")).unwrap();
}

#[test]
fn ids_and_dates_are_looked_at() {
    assert!(id("recorded/outlook/new-1").is_ok());
    for wrong in ["recorded/outlook", "read/outlook/x", "recorded/Out/x", "recorded/a/../b", "recorded//x"] {
        assert!(id(wrong).is_err(), "{wrong}");
    }
    assert_eq!(date("2026-11-22").unwrap().to_string(), "2026-11-22T00:00:00Z");
    assert!(date("yesterday").is_err());
}

#[test]
fn what_is_too_large_is_said_with_what_to_do() {
    let error = io::Error::new(io::ErrorKind::FileTooLarge, "has more than 64 MiB");
    let failed = arguments(&[]).unread(&error);
    assert_eq!(failed.exit, Exit::Usage);
    assert_eq!(
        failed.message,
        "mail.eml: has more than 64 MiB, the most that a captured mail may have: save that mail by itself, not a mailbox"
    );
}
