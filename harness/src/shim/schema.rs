//! The published JSON schemas of the protocol: `vectors/schema/shim-*.json`,
//! drawn from the types of [`protocol`](super::protocol).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use waxseal_model::schema;

use super::protocol::{AnswerLine, CheckCertificateArguments, EncryptArguments, OpenArguments, SignArguments};

/// A request of the shim protocol, version 1: one JSON object a line.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "A request to a shim")]
#[serde(tag = "op", rename_all = "kebab-case")]
#[expect(dead_code, reason = "the shape of a request, for the schema alone")]
enum RequestLine {
    /// What can you do? The first request that a shim gets.
    Hello {
        /// Number of the request; its answer repeats it.
        id: u64,
        /// The protocol that the harness speaks, 1.
        protocol: u32,
    },
    /// Read a message and judge it.
    Open {
        /// Number of the request; its answer repeats it.
        id: u64,
        /// What is given.
        #[serde(flatten)]
        arguments: Box<OpenArguments>,
    },
    /// Sign a mail.
    Sign {
        /// Number of the request; its answer repeats it.
        id: u64,
        /// What is given.
        #[serde(flatten)]
        arguments: Box<SignArguments>,
    },
    /// Encrypt a mail.
    Encrypt {
        /// Number of the request; its answer repeats it.
        id: u64,
        /// What is given.
        #[serde(flatten)]
        arguments: Box<EncryptArguments>,
    },
    /// Judge chain and identity of a certificate.
    CheckCertificate {
        /// Number of the request; its answer repeats it.
        id: u64,
        /// What is given.
        #[serde(flatten)]
        arguments: Box<CheckCertificateArguments>,
    },
}

/// Both schemas: file name and content.
#[must_use]
pub fn all() -> [(&'static str, Value); 2] {
    [("shim-request.json", request()), ("shim-answer.json", schema::of::<AnswerLine>())]
}

/// The requests of this version, and whatever has another `op`: it is no mistake, and a shim
/// that checks what it is asked must let it through, to answer it.
fn request() -> Value {
    let mut schema = schema::of::<RequestLine>();
    if let Some(Value::Array(requests)) = schema.get_mut("oneOf") {
        let known: Vec<Value> =
            requests.iter().filter_map(|one| one.pointer("/properties/op/const").cloned()).collect();
        requests.push(json!({
            "type": "object",
            "properties": {
                "op": { "type": "string", "not": { "enum": known } },
                "id": {
                    "type": "integer",
                    "format": "uint64",
                    "minimum": 0,
                    "description": "Number of the request; its answer repeats it."
                }
            },
            "required": ["op", "id"],
            "description": "An operation that was added later, or that no shim has: it has to be answered `unsupported`."
        }));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::engine::Engine;
    use crate::shim::protocol::{Answer, Request, op};
    use crate::shim::serve::Shim;

    #[test]
    fn published_schemas_of_the_protocol_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/schema");
        for (name, value) in all() {
            let path = folder.join(name);
            if std::env::var_os("WAXSEAL_UPDATE").is_some() {
                std::fs::write(&path, schema::written(&value)).unwrap();
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == schema::written(&value),
                "vectors/schema/{name} is out of date: run `cargo xtask vectors`"
            );
        }
    }

    #[test]
    fn what_the_harness_says_satisfies_them() {
        let [(_, request), (_, answer)] = all();
        let (request, answer) =
            (jsonschema::validator_for(&request).unwrap(), jsonschema::validator_for(&answer).unwrap());
        let valid = |validator: &jsonschema::Validator, value: Value| {
            let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{value}: {errors:#?}");
        };
        let open = OpenArguments {
            dir: ".".to_owned(),
            message: "m".to_owned(),
            out: "o".to_owned(),
            ..OpenArguments::default()
        };
        let encrypt = EncryptArguments {
            reading: open.clone(),
            recipients: vec!["r.pem".to_owned()],
            ..EncryptArguments::default()
        };
        for line in [
            Request::hello(1),
            Request::open(2, &open).unwrap(),
            Request::new(3, op::SIGN, &SignArguments::default()).unwrap(),
            Request::new(4, op::ENCRYPT, &encrypt).unwrap(),
            Request::new(5, op::CHECK_CERTIFICATE, &CheckCertificateArguments::default()).unwrap(),
            // A shim may refuse what its schema forbids, and it has to answer this.
            Request::unknown(6),
        ] {
            valid(&request, serde_json::to_value(&line).unwrap());
        }
        for op in [op::HELLO, op::OPEN, op::SIGN, op::ENCRYPT, op::CHECK_CERTIFICATE] {
            assert!(!request.is_valid(&json!({ "id": 1, "op": op })), "{op} needs more than that");
        }
        assert!(!request.is_valid(&json!({ "op": "juggle" })));
        let hello = Answer::Hello(Engine::default().hello().unwrap());
        for one in [hello, Answer::Unsupported("no".to_owned()), Answer::Error("x".to_owned(), Some("y".to_owned()))] {
            valid(&answer, serde_json::to_value(one.into_line(1)).unwrap());
        }
        assert!(!answer.is_valid(&serde_json::json!({ "id": "one" })));
    }
}
