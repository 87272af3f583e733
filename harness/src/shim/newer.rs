//! `hello` of a shim that may know more than this version: a name that is new here
//! is taken out of its list, so that the shim takes part with all the rest.

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use waxseal_verdict::{AspectName, Dialect, Hello, Kind, Operation, WrittenForm};

/// Unknown names that are remembered, and characters of each: enough for who writes a shim.
const MOST_NAMES: usize = 50;
const MOST_CHARACTERS: usize = 100;

/// All that may stand in a list.
type Names = fn() -> BTreeSet<String>;

/// The lists of `hello` that have names of this protocol, and all that may stand there. (Names
/// of algorithms are no types: every one is taken.)
const LISTS: &[(&str, Names)] = &[
    ("operations", || codes(Operation::ALL)),
    ("forms", || codes(Kind::ALL)),
    ("dialects", || codes(Dialect::ALL)),
    ("aspects", || codes(AspectName::ALL)),
    ("writes", || codes(Dialect::ALL)),
    ("writes_forms", || codes(WrittenForm::ALL)),
];

fn codes(all: &[impl ToString]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

/// The names that this version knows in a list of `hello`.
pub(crate) fn known(list: &str) -> BTreeSet<String> {
    LISTS.iter().find(|(name, _)| *name == list).map(|(_, known)| known()).unwrap_or_default()
}

/// Reads `hello`, and leaves in its `unknown` what is new here.
pub(super) fn hello<'de, D: Deserializer<'de>>(line: D) -> Result<Option<Hello>, D::Error> {
    let Some(mut line) = Option::<Value>::deserialize(line)? else { return Ok(None) };
    let mut unknown = BTreeSet::new();
    for (list, known) in LISTS {
        let Some(Value::Array(names)) = line.get_mut(*list) else { continue };
        let known = known();
        names.retain(|name| {
            // What is no name at all is an error, said below.
            let new = name.as_str().filter(|name| !known.contains(*name));
            if let Some(new) = new
                && unknown.len() < MOST_NAMES
            {
                unknown.insert(((*list).to_owned(), new.chars().take(MOST_CHARACTERS).collect()));
            }
            new.is_none()
        });
    }
    // What was read into a value first has no line and column: the member is named instead.
    let hello: Hello = serde_json::from_value(line).map_err(|error| D::Error::custom(format!("hello: {error}")))?;
    Ok(Some(Hello { unknown, ..hello }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::protocol::Answer;

    fn answer(hello: &Value) -> Result<Answer, String> {
        let line = serde_json::json!({ "id": 1, "protocol": 1, "hello": hello });
        Answer::parse(line.to_string().as_bytes(), 1)
    }

    fn example() -> Value {
        serde_json::json!({
            "name": "x", "version": "1", "operations": ["open", "juggle"], "algorithms": ["rot13"],
            "forms": ["signed", "signcrypted"], "dialects": ["cms", "cms-2"], "aspects": ["integrity", "mood"],
            "clock": "system", "writes": ["cms-3"], "writes_forms": ["clear", "sealed"]
        })
    }

    #[test]
    fn a_name_that_is_new_is_left_out_and_told() {
        let Ok(Answer::Hello(hello)) = answer(&example()) else { panic!("{:?}", answer(&example())) };
        assert_eq!(hello.operations, [Operation::Open].into());
        assert_eq!(hello.forms, [Kind::Signed].into());
        assert_eq!((hello.dialects, hello.writes), ([Dialect::Cms].into(), BTreeSet::new()));
        assert_eq!(hello.aspects, [AspectName::Integrity].into());
        assert_eq!(hello.writes_forms, [WrittenForm::Clear].into());
        let told: Vec<_> = hello.unknown.iter().map(|(list, name)| format!("{list} {name}")).collect();
        let expected =
            "aspects mood, dialects cms-2, forms signcrypted, operations juggle, writes cms-3, writes_forms sealed";
        assert_eq!(told.join(", "), expected);
    }

    #[test]
    fn what_is_no_name_is_an_error() {
        for (field, value, wrong) in [
            ("operations", serde_json::json!([1]), "hello: invalid type: integer `1`"),
            ("operations", serde_json::json!("open"), "hello: invalid type: string \"open\""),
            // What it can do about the time decides every case: it cannot be left out.
            ("clock", serde_json::json!("sundial"), "hello: \"sundial\" is no clock"),
        ] {
            let mut hello = example();
            hello[field] = value;
            let error = answer(&hello).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn not_everything_is_remembered() {
        let mut hello = example();
        hello["forms"] = (0..1000).map(|number| format!("{number}{}", "x".repeat(1000))).collect();
        let Ok(Answer::Hello(hello)) = answer(&hello) else { panic!("{:?}", answer(&hello)) };
        assert_eq!(hello.unknown.len(), MOST_NAMES);
        assert!(hello.forms.is_empty() && hello.unknown.iter().all(|(_, name)| name.len() <= MOST_CHARACTERS));
    }
}
