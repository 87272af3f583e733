use waxseal_model::{Corpus, Encoding, Fate};

use super::*;
use crate::Forge;

const MIXED: &str = "From: a@example.test\r\nSubject: x\r\nContent-Type: multipart/signed; protocol=\"a/b; c\";\r\n\
                     \tmicalg=sha-256; boundary=\"out\"\r\n\r\n\
                     pre\r\n--out\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n\
                     --in\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
                     Gr\u{fc}n \r\nFrom here\r\n.\r\n--in\r\n\
                     Content-Transfer-Encoding: base64\r\nContent-Type: a/b\r\nContent-Disposition: attachment\r\n\r\n\
                     AAECAwQF\r\n\r\n--in--\r\n--out\r\nContent-Type: c/d\r\n\r\nsigned\r\n--out--\r\n";

fn mangled(change: &Change) -> String {
    String::from_utf8(mangle(MIXED.as_bytes(), change).unwrap()).unwrap()
}

/// What is exchanged for what, and nothing else.
fn check(change: &Change, exchanged: &[(&str, &str)]) {
    let expected = exchanged.iter().fold(MIXED.to_owned(), |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text.replace(old, new)
    });
    assert_eq!(mangled(change), expected);
}

#[test]
fn texts_are_encoded_and_files_are_not() {
    let encode = |to, only_eight_bit| Change::Encode { from: vec![Encoding::EightBit], to, only_eight_bit };
    let field = "Content-Transfer-Encoding: 8bit";
    check(
        &encode(Encoding::QuotedPrintable, true),
        &[(field, "Content-Transfer-Encoding: quoted-printable"), ("Gr\u{fc}n ", "Gr=C3=BCn=20")],
    );
    check(
        &encode(Encoding::Base64, false),
        &[
            (field, "Content-Transfer-Encoding: base64"),
            ("Gr\u{fc}n \r\nFrom here\r\n.\r\n", "R3LDvG4gDQpGcm9tIGhlcmUNCi4=\r\n"),
        ],
    );
    let other = Change::Encode { from: vec![Encoding::SevenBit], to: Encoding::Base64, only_eight_bit: false };
    check(&other, &[]);
    check(&Change::RewrapBase64 { columns: 4 }, &[("AAECAwQF", "AAEC\r\nAwQF")]);
}

#[test]
fn lines() {
    check(&Change::StripLineEnds {}, &[("Gr\u{fc}n ", "Gr\u{fc}n")]);
    let prefix = |beginning: &str, prefix: &str| Change::PrefixLines {
        beginning: beginning.to_owned(),
        prefix: prefix.to_owned(),
    };
    // Not the From above the mail.
    check(&prefix("From ", ">"), &[("From here", ">From here")]);
    check(&prefix(".", "."), &[("\r\n.\r\n", "\r\n..\r\n")]);
    check(&Change::WrapText { columns: 5 }, &[("From here", "From\r\nhere")]);
    let cut = mangled(&Change::CutLines { octets: 30 });
    assert!(cut.contains("Content-Type: multipart/mixed;\r\n  boundary=in\r\n"), "{cut}");
    assert_eq!(mangled(&Change::LineFeeds {}), MIXED.replace("\r\n", "\n"));
}

#[test]
fn texts_and_parts_are_added() {
    let text = || "notice".to_owned();
    check(&Change::AppendToText { text: text() }, &[("\r\n.\r\n--in", "\r\n.\r\n-- \r\nnotice\r\n\r\n--in")]);
    let part = "Content-Type: text/plain; charset=us-ascii\r\n\r\nnotice";
    check(
        &Change::InsertPart { text: text() },
        &[("--in\r\nContent-Type: text", &format!("--in\r\n{part}\r\n--in\r\nContent-Type: text"))],
    );
    check(&Change::AppendPart { text: text() }, &[("signed\r\n", &format!("signed\r\n--out\r\n{part}\r\n"))]);
    assert_eq!(mangled(&Change::Append { text: text() }), format!("{MIXED}notice"));
    assert_eq!(mangled(&Change::Cut { percent: 50 }), MIXED[..MIXED.len() / 2]);
}

#[test]
fn headers() {
    let folded = mangled(&Change::Fold { parts: false });
    let anew =
        "multipart/signed;\r\n        protocol=\"a/b; c\";\r\n        micalg=sha-256;\r\n        boundary=\"out\"\r\n";
    assert!(folded.contains(anew) && folded.contains("mixed; boundary=in"), "{folded}");
    assert!(mangled(&Change::Fold { parts: true }).contains("mixed;\r\n        boundary=in"));
    check(&Change::SetField { name: "subject".to_owned(), value: "y".to_owned() }, &[("Subject: x", "subject: y")]);
    let fields = vec!["X-A: b".to_owned(), "X-C: d".to_owned()];
    assert_eq!(mangled(&Change::AddFields { fields }), format!("X-A: b\r\nX-C: d\r\n{MIXED}"));
    check(
        &Change::MediaType { from: vec!["multipart/signed".to_owned()], to: "multipart/mixed".to_owned() },
        &[("multipart/signed", "multipart/mixed")],
    );
    let dropped = mangled(&Change::DropParameters { names: vec!["protocol".to_owned(), "micalg".to_owned()] });
    assert!(dropped.contains("Content-Type: multipart/signed; boundary=\"out\"\r\n\r\npre"), "{dropped}");
}

#[test]
fn boundaries() {
    let outer = mangled(&Change::Boundary { inner: false });
    assert_eq!(outer.matches("--=_chosen_anew_0\r\n").count(), 2);
    assert_eq!((outer.matches("--=_chosen_anew_0--").count(), outer.matches("--out").count()), (1, 0));
    assert!(outer.contains("--in\r\n"));
    let inner = mangled(&Change::Boundary { inner: true });
    assert!(inner.contains("multipart/mixed; boundary=\"=_chosen_anew_0\"") && inner.contains("--out--"), "{inner}");
    assert!(!inner.contains("--in"), "{inner}");
}

/// What the table says of octets holds: those that arrive identical do, all others change.
#[test]
fn every_letter_through_every_mangling() {
    let corpus = Corpus::embedded().unwrap();
    let transport = corpus.transport();
    for letter in &transport.letter {
        let octets = Forge::new(&corpus).files(corpus.case(&letter.case).unwrap()).unwrap().message;
        for mangling in &transport.mangling {
            let after = mangle(&octets, &mangling.does).unwrap();
            let identical = mangling.expect.of(&letter.name).any(|effect| effect.is(Fate::Identical));
            assert_eq!(after == octets, identical, "{} through {}", letter.name, mangling.name);
        }
    }
}

#[test]
fn what_is_no_mail_is_changed_without_a_panic() {
    let corpus = Corpus::embedded().unwrap();
    let texts: [&[u8]; 5] =
        [b"", b"\r\n", b"no header", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x", b"\xff\n:\n\n--\n"];
    for mangling in &corpus.transport().mangling {
        for text in texts {
            // An error is fine, and so is a mail that stays.
            drop(mangle(text, &mangling.does));
        }
    }
}
