//! What a shim declares, looked at before it is believed: a name that nobody
//! knows makes cases `unsupported`, and nobody would see why.

use std::collections::BTreeSet;

use waxseal_key::{SignatureScheme, algorithm};
use waxseal_model::Matrix;
use waxseal_verdict::{Hello, Kind, Operation, WrittenForm};

use crate::matrix;
use crate::shim::{engine, newer};

/// Effective bits that RC2 is written with, in names of `writes_algorithms`.
const RC2: &str = "rc2-cbc";

/// What an operation writes, and the protections of the matrix that show it.
pub(super) struct Writes {
    pub(super) operation: Operation,
    forms: &'static [WrittenForm],
    /// The plainest first.
    pub(super) protections: &'static [&'static str],
}

/// Every operation that writes.
pub(super) const WRITES: &[Writes] = &[
    Writes {
        operation: Operation::Sign,
        forms: &[WrittenForm::Clear, WrittenForm::Opaque],
        protections: &["clear", "opaque"],
    },
    Writes {
        operation: Operation::Encrypt,
        forms: &[WrittenForm::Encrypted, WrittenForm::SignedEncrypted],
        protections: &["encrypted", "signed-encrypted"],
    },
];

/// What looks wrong in `hello`, in a line each. None of it refuses admission: a
/// newer shim may know more than this version does.
#[must_use]
pub fn warnings(hello: &Hello, matrix: &Matrix) -> Vec<String> {
    let mut found: Vec<String> = unknown(hello, "algorithms", &hello.algorithms);
    let written: BTreeSet<String> =
        hello.writes_algorithms.iter().map(|name| without_bits(name).unwrap_or(name).to_owned()).collect();
    found.extend(unknown(hello, "writes_algorithms", &written));
    found.extend(hello.unknown.iter().map(|(list, name)| {
        let perhaps = perhaps(name, &newer::known(list));
        format!("{list} of {}: {name:?} is no name that this version knows, and is left out{perhaps}", hello.name)
    }));
    for row in WRITES {
        found.extend(inconsistent(hello, row, matrix));
    }
    for name in written.difference(&hello.algorithms).filter(|name| is_read(hello, name)) {
        found.push(format!(
            "writes_algorithms has {name}, and algorithms has not: none of its own mails is given to it"
        ));
    }
    if written.contains("sm2") && hello.writes.is_empty() {
        found.push("writes_algorithms has sm2, and writes names no dialect: it is not asked to write any".to_owned());
    }
    found
}

/// The names of the algorithm table, and of schemes whose digest stands for itself.
fn table() -> BTreeSet<String> {
    let schemes = SignatureScheme::ALL.iter().map(|scheme| scheme.name());
    algorithm::TABLE.iter().map(|row| row.name).chain(schemes).map(str::to_owned).collect()
}

/// Every name that can be declared: the engine has some for what is written with parameters.
fn known() -> BTreeSet<String> {
    table().into_iter().chain(engine::algorithms()).collect()
}

/// `rc2-cbc` of `rc2-cbc-40`.
fn without_bits(name: &str) -> Option<&'static str> {
    let bits = name.strip_prefix(RC2)?.strip_prefix('-')?;
    bits.parse::<u16>().is_ok().then_some(RC2)
}

fn unknown(hello: &Hello, field: &str, names: &BTreeSet<String>) -> Vec<String> {
    let (known, table) = (known(), table());
    let line = |name: &String| {
        format!("{field} of {}: {name:?} is no name of the algorithm table{}", hello.name, perhaps(name, &table))
    };
    names.difference(&known).map(line).collect()
}

fn perhaps(name: &str, table: &BTreeSet<String>) -> String {
    nearest(name, table).map_or_else(String::new, |near| format!("; perhaps {near}"))
}

/// The name that is obviously meant: the same letters and digits, or else
/// the only shortest that has them all in this order (`rsa-sha512`).
fn nearest<'a>(name: &str, table: &'a BTreeSet<String>) -> Option<&'a String> {
    let bare = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let wanted = bare(name);
    // Of one or two letters many names are made.
    if wanted.len() < 3 {
        return None;
    }
    let mut close: Vec<(usize, &String)> = table
        .iter()
        .map(|name| (bare(name), name))
        .filter(|(bare, _)| has_in_order(bare, &wanted))
        .map(|(bare, name)| (bare.len(), name))
        .collect();
    close.sort();
    match close.as_slice() {
        [first] => Some(first.1),
        [first, second, ..] if first.0 < second.0 => Some(first.1),
        _ => None,
    }
}

fn has_in_order(all: &str, wanted: &str) -> bool {
    let mut letters = all.chars();
    wanted.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// Whether an operation, the forms it writes, and what it writes them with do not fit together.
fn inconsistent(hello: &Hello, row: &Writes, matrix: &Matrix) -> Option<String> {
    let operation = row.operation;
    let listed = hello.operations.contains(&operation);
    let form = row.forms.iter().find(|form| hello.writes_forms.contains(form));
    match (listed, form) {
        (true, None) if operation == Operation::Sign && hello.writes_forms.contains(&WrittenForm::SignedEncrypted) => {
            None
        }
        (true, None) => {
            let forms: Vec<_> = row.forms.iter().map(|form| form.code()).collect();
            Some(format!("it lists {operation}, and writes_forms has none of {}: it is not asked to", forms.join(", ")))
        }
        (false, Some(form)) => Some(format!("writes_forms has {form}, and operations has no {operation}")),
        (true, Some(_)) if scenarios(hello, row, matrix).is_empty() => Some(format!(
            "it lists {operation}, and writes_algorithms is too little for any mail of the round-trip matrix"
        )),
        _ => None,
    }
}

/// The plainest scenario of each protection by which a shim can show that it does an operation.
pub(super) fn scenarios<'a>(hello: &Hello, row: &Writes, matrix: &'a Matrix) -> Vec<waxseal_model::Scenario<'a>> {
    let all = matrix.scenarios();
    let first = |protection: &&str| {
        all.iter().find(|one| one.protection.name == **protection && matrix::writes(hello, one).is_ok()).copied()
    };
    row.protections.iter().filter_map(first).collect()
}

/// Whether who reads what this shim says it reads has to know an algorithm: who
/// verifies nothing need not know what it signs with.
fn is_read(hello: &Hello, name: &str) -> bool {
    use algorithm::Kind as K;
    let signs = SignatureScheme::ALL.iter().any(|scheme| scheme.name() == name)
        || algorithm::by_name(name).is_some_and(|row| row.is(K::Digest) || row.kind == K::Signature);
    if signs {
        return hello.forms.contains(&Kind::Signed);
    }
    hello.forms.contains(&Kind::Encrypted) || hello.forms.contains(&Kind::AuthEnveloped)
}

#[cfg(test)]
mod tests {
    use waxseal_model::Corpus;

    use super::*;
    use crate::shim::engine::Engine;
    use crate::shim::protocol::AnswerLine;
    use crate::shim::serve::{Shim, names};

    fn of(hello: &Hello) -> Vec<String> {
        warnings(hello, Corpus::embedded().unwrap().matrix())
    }

    #[test]
    fn a_name_that_nobody_knows_is_named_and_the_one_that_was_meant() {
        let table = table();
        for (name, meant) in [
            ("SHA384", Some("sha-384")),
            ("rsa-sha512", Some("rsa-pkcs1-v1_5-sha-512")),
            ("AES256-CBC", Some("aes-256-cbc")),
            ("rsa-pss", Some("rsassa-pss")),
            ("oaep", Some("rsaes-oaep")),
            // Which mode, nobody knows.
            ("aes-128", None),
            ("rot13", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &table).map(String::as_str), meant, "{name}");
        }
        let mut hello = Engine::default().hello().unwrap();
        assert_eq!(of(&hello), Vec::<String>::new());
        hello.algorithms.extend(names("SHA384 rot13"));
        hello.algorithms.remove("sha-384");
        let found = of(&hello);
        assert!(found[0].ends_with(r#""SHA384" is no name of the algorithm table; perhaps sha-384"#), "{found:?}");
        assert!(found[1].ends_with(r#""rot13" is no name of the algorithm table"#), "{found:?}");
        assert!(found[2].starts_with("writes_algorithms has sha-384, and algorithms has not"), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    /// It is not taken for a mistake of the shim; it may be one.
    #[test]
    fn a_name_that_is_left_out_is_named() {
        let mut hello = Engine::default().hello().unwrap();
        hello.unknown.insert(("operations".to_owned(), "check_certificate".to_owned()));
        hello.unknown.insert(("forms".to_owned(), "signcrypted".to_owned()));
        let found = of(&hello);
        let expected = r#"forms of engine: "signcrypted" is no name that this version knows, and is left out"#;
        assert_eq!(found[0], expected);
        assert!(found[1].ends_with("and is left out; perhaps check-certificate"), "{found:?}");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_written_fits_what_is_declared() {
        type Change = fn(&mut Hello);
        let rows: [(Change, &str); 5] = [
            (
                |hello| hello.writes_forms.retain(|form| *form == WrittenForm::Encrypted),
                "it lists sign, and writes_forms",
            ),
            (|hello| hello.operations.retain(|one| *one != Operation::Encrypt), "writes_forms has encrypted, and"),
            (
                |hello| hello.writes_algorithms = names("sha-256 ecdsa"),
                "it lists encrypt, and writes_algorithms is too",
            ),
            (|hello| hello.writes.clear(), "writes_algorithms has sm2, and writes names no dialect"),
            (
                |hello| hello.writes_algorithms.extend(names("rc2-cbc-4O")),
                "writes_algorithms of engine: \"rc2-cbc-4O\"",
            ),
        ];
        for (change, expected) in rows {
            let mut hello = Engine::default().hello().unwrap();
            change(&mut hello);
            let found = of(&hello);
            assert!(found.iter().any(|line| line.starts_with(expected)), "{expected}: {found:?}");
        }
        // What is signed and encrypted is signed, too.
        let mut hello = Engine::default().hello().unwrap();
        hello.writes_forms = [WrittenForm::SignedEncrypted].into();
        assert_eq!(of(&hello), Vec::<String>::new());
        hello.operations.retain(|one| *one != Operation::Encrypt);
        assert_eq!(of(&hello), ["writes_forms has signed-encrypted, and operations has no encrypt"]);
        // Who decrypts nothing may encrypt.
        let mut hello = Engine::default().hello().unwrap();
        hello.algorithms.remove("aes-256-cbc");
        let own = "writes_algorithms has aes-256-cbc, and algorithms has not: none of its own mails is given to it";
        assert_eq!(of(&hello), [own]);
        hello.forms.retain(|form| !matches!(form, Kind::Encrypted | Kind::AuthEnveloped));
        assert_eq!(of(&hello), Vec::<String>::new());
        // Who verifies nothing may sign.
        let mut hello = Engine::default().hello().unwrap();
        hello.forms.remove(&Kind::Signed);
        hello.algorithms.remove("sha-256");
        assert_eq!(of(&hello), Vec::<String>::new());
    }

    /// The hello of harness/SHIM.md.
    #[test]
    fn the_example_of_the_manual_declares_names_that_exist() {
        let manual = include_str!("../../SHIM.md");
        let section = manual.split_once("\n### hello\n").unwrap().1;
        let example = section.split("```json\n").nth(2).unwrap().split_once("```").unwrap().0;
        let line: AnswerLine = serde_json::from_str(example).unwrap();
        let hello = line.hello.unwrap();
        assert_eq!(of(&hello), Vec::<String>::new());
        // It is enough to be given mail, signed and encrypted.
        let corpus = Corpus::embedded().unwrap();
        let read = |name: &str| {
            let scenarios = corpus.matrix().scenarios();
            scenarios.iter().any(|one| one.protection.name == name && matrix::reads(&hello, one))
        };
        assert!(["clear", "encrypted"].into_iter().all(read));
    }
}
