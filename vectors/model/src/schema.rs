//! The published JSON schemas, drawn from the types: `vectors/schema/*.json`.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};

use crate::{
    Case, ClientHabits, ClientShape, Description, Entry, Exchange, Matrix, Peers, Proposal, Provenance, RecordingFiles,
    Script, Transport,
};

/// Every published schema: file name and content.
#[must_use]
pub fn all() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("case.json", of::<Case>()),
        ("client.json", of::<ClientHabits>()),
        ("exchange.json", of::<Exchange>()),
        ("fingerprint.json", of::<Description>()),
        ("matrix.json", of::<Matrix>()),
        ("peers.json", of::<Peers>()),
        ("proposal.json", of::<Proposal>()),
        ("provenance.json", of::<Provenance>()),
        ("recording.json", of::<Entry>()),
        ("recording-files.json", of::<RecordingFiles>()),
        ("script.json", of::<Script>()),
        ("shape.json", of::<ClientShape>()),
        ("transport.json", of::<Transport>()),
        ("verdict.json", of::<waxseal_verdict::Verdict>()),
        ("run-line.json", of::<waxseal_verdict::Line>()),
    ]
}

/// The schema as the file holds it.
#[must_use]
pub fn written(schema: &serde_json::Value) -> String {
    format!("{schema:#}\n")
}

/// The schema of a type, as it is published: what the file is stands first.
#[must_use]
pub fn of<T: JsonSchema>() -> serde_json::Value {
    let schema = SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value();
    let mut ordered = serde_json::Map::new();
    for key in ["$schema", "title", "description"] {
        if let Some(value) = schema.get(key) {
            ordered.insert(key.to_owned(), value.clone());
        }
    }
    if let serde_json::Value::Object(fields) = schema {
        ordered.extend(fields);
    }
    serde_json::Value::Object(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clients, Corpus, Shapes};

    #[test]
    fn published_schemas_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
        for (name, schema) in all() {
            let path = folder.join(name);
            if std::env::var_os("WAXSEAL_UPDATE").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, written(&schema)).unwrap();
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == written(&schema),
                "vectors/schema/{name} is out of date: run `WAXSEAL_UPDATE=1 cargo test --release -p waxseal-model`"
            );
        }
    }

    #[test]
    fn every_committed_file_satisfies_its_schema() {
        let corpus = Corpus::embedded().unwrap();
        for (folder, schema) in [("cases", of::<Case>()), ("catalogue", of::<Entry>()), ("exchanges", of::<Exchange>())]
        {
            let validator = jsonschema::validator_for(&schema).unwrap();
            for (path, text) in corpus.files.below(folder, ".toml") {
                let value: serde_json::Value = toml::from_str(text).unwrap();
                let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{path}: {errors:#?}");
            }
        }
    }

    #[test]
    fn every_client_satisfies_its_schema() {
        let validator = jsonschema::validator_for(&of::<ClientHabits>()).unwrap();
        for habits in Clients::embedded().unwrap().list() {
            let value = serde_json::to_value(habits).unwrap();
            assert!(validator.is_valid(&value), "{}", habits.client);
        }
        let validator = jsonschema::validator_for(&of::<ClientShape>()).unwrap();
        for shape in Shapes::embedded().unwrap().list() {
            let value = serde_json::to_value(shape).unwrap();
            assert!(validator.is_valid(&value), "{}", shape.client);
        }
    }

    #[test]
    fn the_table_of_transport_satisfies_its_schema() {
        let validator = jsonschema::validator_for(&of::<Transport>()).unwrap();
        let value = serde_json::to_value(Corpus::embedded().unwrap().transport()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn the_schema_refuses_unknown_fields() {
        let validator = jsonschema::validator_for(&of::<Case>()).unwrap();
        assert!(!validator.is_valid(&serde_json::json!({ "id": "a/b/c", "surprise": true })));
    }
}
