use std::collections::BTreeMap;

use waxseal_verdict::Fact;

use super::*;

fn clients(text: &str) -> Result<Clients, CorpusError> {
    let files = BTreeMap::from([("clients/quill.toml".to_owned(), text.to_owned())]);
    Clients::from_files(Ok(Files(files)))
}

const QUILL: &str = r#"
format = 1
client = "quill"
title = "Quill"

[[trait]]
fact = "boundary"
weight = 5
values = [{ is = "quill-{digits}", source = ["recorded/a/b", "survey"] }]

[[trait]]
fact = "columns"
weight = 3
values = [{ is = "60", source = ["recorded/a/b"] }]

[[trait]]
fact = "capabilities"
weight = 2
required = true
values = [{ is = "(absent)", source = ["survey"] }]

[[trait]]
fact = "folding"
weight = 2
relays = true
values = [{ is = "tab:*", source = ["survey"] }]

[[version]]
range = "2"
[[version.trait]]
fact = "digest"
weight = 1
values = [{ is = "sha-256", source = ["survey"] }]

[[version]]
range = "1"
[[version.trait]]
fact = "digest"
weight = 1
values = [{ is = "sha-1", source = ["survey"] }]
"#;

fn layer(facts: &[(FactName, &str)]) -> LayerFingerprint {
    let mut layer = LayerFingerprint::new("1.2/signed-data".to_owned(), Kind::Signed, Some(Form::Clear));
    layer.word(FactName::MediaType, "multipart/signed");
    layer.word(FactName::Version, "1");
    for (name, text) in facts {
        layer.facts.insert(*name, Fact::Word((*text).to_owned()));
    }
    layer
}

fn guess(clients: &Clients, layers: Vec<LayerFingerprint>) -> Guess {
    clients.guess(&waxseal_verdict::Fingerprint::new(Vec::new(), layers))
}

const MARKED: [(FactName, &str); 3] =
    [(FactName::Boundary, "quill-{digits}"), (FactName::Columns, "60"), (FactName::Digest, "sha-1")];

#[test]
fn a_client_is_named_by_its_traits_and_a_version_by_its_own() {
    let clients = clients(QUILL).unwrap();
    let named = guess(&clients, vec![layer(&MARKED)]);
    assert_eq!((named.client.as_deref(), named.versions), (Some("quill"), vec!["1".to_owned()]));
    let candidate = &named.layers[0].candidates[0];
    assert_eq!((candidate.points, candidate.of), (10, 10));
    // What relays change gives points and takes none.
    let folded = |text| layer(&[&MARKED[..], &[(FactName::Folding, text)]].concat());
    assert_eq!(guess(&clients, vec![folded("tab:x")]).layers[0].candidates[0].points, 12);
    let other = &guess(&clients, vec![folded("space:x")]).layers[0].candidates[0];
    assert_eq!((other.points, other.of), (10, 10));
}

#[test]
fn unknown_rather_than_a_guess() {
    let clients = clients(QUILL).unwrap();
    let why = |layers| guess(&clients, layers).unknown.unwrap();
    assert!(why(vec![]).contains("no layer"));
    assert!(why(vec![layer(&[])]).contains("too little"), "2 points for what is absent");
    assert!(why(vec![layer(&MARKED[..1])]).contains("7 of 7"));
    // Three points lost: not two thirds are left.
    let missed = [MARKED[0], (FactName::Columns, "76")];
    assert!(why(vec![layer(&missed)]).contains("4 of 10"));
    let required = [&MARKED[..], &[(FactName::Capabilities, "aes-256-cbc")]].concat();
    assert!(why(vec![layer(&required)]).contains("no trait"));
}

#[test]
fn a_lead_is_needed_and_layers_must_agree() {
    let mut both = clients(QUILL).unwrap();
    let mut twin = both.list[0].clone();
    (twin.client, twin.title) = ("twin".to_owned(), "Twin".to_owned());
    both.list.push(twin.clone());
    assert!(guess(&both, vec![layer(&MARKED)]).unknown.unwrap().contains("lead of 4"));
    both.list[1].traits[0].values[0].is =
        toml::from_str::<BTreeMap<String, Pattern>>("x = \"twin\"").unwrap()["x"].clone();
    let other = layer(&[(FactName::Boundary, "twin"), MARKED[1]]);
    assert_eq!(guess(&both, vec![layer(&MARKED)]).client.as_deref(), Some("quill"));
    let mixed = guess(&both, vec![layer(&MARKED), other.clone()]);
    assert!(mixed.unknown.unwrap().contains("different programs"));
    // A layer that tells nothing does not contradict.
    assert_eq!(guess(&both, vec![other, layer(&[])]).client.as_deref(), Some("twin"));
}

#[test]
fn what_only_one_recording_shows_can_be_left_out() {
    let clients = clients(QUILL).unwrap().without("recorded/a/b");
    let facts: Vec<_> = clients.list[0].traits.iter().map(|one| one.fact).collect();
    assert_eq!(facts, [FactName::Boundary, FactName::Capabilities, FactName::Folding]);
}

#[test]
fn faults_are_named() {
    let fault = |from: &str, to: &str, expected: &str| {
        assert!(QUILL.contains(from));
        let error = clients(&QUILL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains("clients/quill.toml") && error.contains(expected), "{error}");
    };
    fault("format = 1", "format = 2", "format");
    fault("client = \"quill\"", "client = \"quil\"", "client");
    fault("title = \"Quill\"", "title = \" \"", "title");
    fault("weight = 5", "weight = 9", "trait.1.weight");
    fault("\"recorded/a/b\", \"survey\"", "", "trait.1.values.1.source");
    fault("[{ is = \"60\", source = [\"recorded/a/b\"] }]", "[]", "trait.2.values");
    fault("relays = true", "relays = true\nrequired = true", "trait.4.required");
    fault("fact = \"columns\"", "fact = \"colums\"", "colums");
    fault("is = \"60\"", "is = \"60\", was = \"72\"", "was");
}

#[test]
fn the_table_names_recordings_that_exist() {
    let problems = Clients::embedded().unwrap().check_sources(&Corpus::embedded().unwrap());
    assert!(problems.is_empty(), "{problems:#?}");
}
