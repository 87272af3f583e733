use super::*;

fn shapes(text: &str) -> Result<Shapes, CorpusError> {
    Shapes::from_files(Ok(Files(BTreeMap::from([("shapes/quill.toml".to_owned(), text.to_owned())]))))
}

const QUILL: &str = r#"
format = 1
client = "quill"
title = "Quill"

[[writes]]
topic = "form"
does = "signs clear"
kind = "captured"
source = ["recorded/a/b"]

[[reads]]
topic = "form"
does = "clear and opaque"
answer = "yes"
kind = "documented"
source = ["its manual"]

[[trusts]]
topic = "trust"
kind = "unknown"
source = ["its manual"]

[replica.quill-1]
versions = "1"

[replica.quill-1.cms]
encoding = "der"
signer-id = "issuer-and-serial"

[replica.quill-1.clear]
kind = "captured"
source = ["recorded/a/b"]
recording = "recorded/a/b"
digest = "sha-1"
certificates = ["signer"]
cms = { signer-id = "subject-key-id" }

[replica.quill-1.clear.with_digest.sha-256.cms]
encoding = { ber = { segment = 7 } }

[replica.quill-1.opaque]
kind = "documented"
source = ["its manual"]
never = true

[replica.quill-1.encrypted]
kind = "unknown"
source = ["its manual"]

[replica.quill-1.inside]
kind = "unknown"
source = ["its manual"]
"#;

#[test]
fn settings_of_a_form_take_the_place_of_those_of_all() {
    let shapes = shapes(QUILL).unwrap();
    let (shape, replica) = shapes.replica("quill-1").unwrap();
    assert_eq!(shape.title, "Quill");
    assert_eq!(replica.cms(ReplicaForm::Clear, None)["signer-id"], "subject-key-id");
    assert_eq!(replica.cms(ReplicaForm::Clear, Some("sha-1"))["encoding"], "der");
    assert_eq!(replica.cms(ReplicaForm::Clear, Some("sha-256"))["encoding"]["ber"]["segment"], 7);
    assert_eq!(replica.cms(ReplicaForm::Inside, None)["signer-id"], "issuer-and-serial");
    let written: Vec<_> = replica.forms().filter(|(_, shape)| shape.is_written()).map(|(form, _)| form).collect();
    assert_eq!(written, [ReplicaForm::Clear]);
    assert!(shapes.replica("quill-2").is_none());
}

#[test]
fn faults_are_named() {
    let fault = |from: &str, to: &str, expected: &str| {
        assert!(QUILL.contains(from), "{from}");
        let error = shapes(&QUILL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains("shapes/quill.toml") && error.contains(expected), "{expected}: {error}");
    };
    fault("format = 1", "format = 2", "format");
    fault("client = \"quill\"", "client = \"quil\"", "client");
    fault("[\"recorded/a/b\"]", "[]", "writes.1.source");
    fault("[\"recorded/a/b\"]", "[\"a book\"]", "writes.1.versions");
    fault("does = \"signs clear\"\n", "", "writes.1.does");
    fault("answer = \"yes\"\n", "", "reads.1.answer");
    fault("versions = \"1\"", "versions = \"\"", "replica.quill-1.versions");
    fault("recording = \"recorded/a/b\"\n", "", "replica.quill-1.clear.recording");
    fault("recording = \"recorded/a/b\"", "recording = \"a book\"", "replica.quill-1.clear.recording");
    fault("digest = \"sha-1\"\n", "", "replica.quill-1.clear.digest");
    fault("digest = \"sha-1\"", "digest = \"sha-1\"\ncipher = \"aes-256-cbc\"", "replica.quill-1.clear.cipher");
    fault("digest = \"sha-1\"", "digest = \"sha-1\"\nopaque = true", "replica.quill-1.clear.opaque");
    fault("never = true", "never = true\ndigest = \"sha-1\"", "replica.quill-1.opaque");
    fault("topic = \"trust\"", "topic = \"trusts\"", "trusts");
    fault("topic = \"trust\"", "topic = \"trust\"\nof = [\"clear\"]", "trusts.1.of");
}

#[test]
fn the_shapes_name_clients_and_recordings_that_exist() {
    let (corpus, clients) = (Corpus::embedded().unwrap(), Clients::embedded().unwrap());
    let problems = Shapes::embedded().unwrap().check_sources(&corpus, &clients);
    assert!(problems.is_empty(), "{problems:#?}");
}

/// A matrix can ask every client about every topic of reading only where each
/// has a line, if only that it is unknown.
#[test]
fn every_client_says_what_it_reads_and_whom_it_trusts() {
    let shapes = Shapes::embedded().unwrap();
    assert!(shapes.list().len() >= 11, "{}", shapes.list().len());
    for shape in shapes.list() {
        assert!(shape.reads.iter().any(|habit| habit.topic == Topic::Form), "{}", shape.client);
        assert!(shape.trusts.iter().any(|habit| habit.topic == Topic::Trust), "{}", shape.client);
    }
    for name in ["outlook", "ios-mail"] {
        let topics: BTreeSet<_> = shapes.client(name).unwrap().reads.iter().map(|habit| habit.topic).collect();
        for topic in
            [Topic::Cipher, Topic::AuthenticatedCipher, Topic::KeyAgreement, Topic::SignatureScheme, Topic::Nesting]
        {
            assert!(topics.contains(&topic), "{name}: {topic}");
        }
    }
}

/// Each thing in a mail is asked by itself, and the worst of the answers is that of the mail.
#[test]
fn what_a_mail_has_decides_what_is_known_of_it() {
    let line = |of: &str, answer: &str, kind: &str, versions: &str| {
        format!(
            "[[reads]]\ntopic = \"cipher\"\ndoes = \"x\"\nanswer = \"{answer}\"\nof = [{of}]\nkind = \"{kind}\"\n\
             versions = \"{versions}\"\nsource = [\"a book\"]\n\n"
        )
    };
    let reads = [
        line("\"clear\", \"sha-256\"", "yes", "captured", "1"),
        line("\"rsa-pkcs1-v1_5\"", "yes", "documented", "1"),
        line("\"sha-1\"", "yes", "captured", "1"),
        line("\"sha-1\"", "no", "documented", "2"),
        line("\"rsassa-pss\"", "no", "documented", "1"),
        line("\"ecdsa\"", "partly", "captured", "1"),
    ];
    let shapes = shapes(&QUILL.replace("[[trusts]]", &format!("{}[[trusts]]", reads.concat()))).unwrap();
    let quill = shapes.client("quill").unwrap();
    let corpus = Corpus::embedded().unwrap();
    let scenarios = corpus.matrix().scenarios();
    let says = |name: &str| {
        let scenario = scenarios.iter().find(|scenario| scenario.name() == name).unwrap();
        let mail = MailFeatures::of_scenario(scenario);
        let reading = quill.reading(&mail);
        (reading.answer, reading.known, reading.features.len())
    };
    // The weaker of two kinds of knowledge is that of both.
    assert_eq!(says("clear.rsa.small"), (KnownAnswer::Yes, Some(KnownBy::Documented), 3));
    assert_eq!(says("clear.pss.small"), (KnownAnswer::No, Some(KnownBy::Documented), 3));
    assert_eq!(says("clear.ecdsa.small"), (KnownAnswer::Partly, Some(KnownBy::Captured), 3));
    // Of one thing nothing is known, so nothing is known of the mail; unless another is refused.
    assert_eq!(says("opaque.rsa.small"), (KnownAnswer::Unknown, None, 3));
    assert_eq!(says("opaque.pss.small"), (KnownAnswer::No, Some(KnownBy::Documented), 3));
    assert_eq!(quill.reading_of("sha-1").answer, KnownAnswer::Differs);
    assert_eq!(quill.reading_of("sha-1").lines.len(), 2);
    let layers = |name: &str| {
        let scenario = scenarios.iter().find(|scenario| scenario.name() == name).unwrap();
        MailFeatures::of_scenario(scenario).words().next().unwrap().to_owned()
    };
    assert_eq!(layers("triple.rsa.rsa.aes-256-gcm.small"), "clear/authenveloped/clear");
}
