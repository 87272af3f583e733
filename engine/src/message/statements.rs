//! What a signer's attributes say beside the content, for the verdict.

use waxseal_key::algorithm;
use waxseal_verdict::{Deviation, NamedCertificate, Reason, Statements};

use crate::certificate::serial_text;
use crate::cms::{Attributes, Capability, CertificateId, CmsError};
use crate::hex::hex;

/// What could not be read of attributes.
pub(super) enum Problem {
    /// Somebody might act on it: the structure is bad.
    Structure(CmsError),
    /// It only informs.
    Passed(Deviation),
}

/// Reads every attribute that the verdict shows and nothing else judges.
pub(super) fn read(attributes: &Attributes) -> (Statements, Vec<Problem>) {
    let mut reader = StatementReader { problems: Vec::new() };
    let statements = Statements {
        content_hints: reader.informs(attributes.content_hints()),
        content_identifier: reader.informs(attributes.content_identifier()),
        content_reference: reader.informs(attributes.content_reference()),
        receipt_request: reader.counts(attributes.receipt_request()),
        receipt_digest: reader.counts(attributes.receipt_digest()),
        security_label: reader.counts(attributes.security_label()),
        equivalent_labels: reader.counts(attributes.equivalent_labels()),
        expansion_history: reader.counts(attributes.expansion_history()),
        // What is wrong with these was told where they are judged.
        signing_certificates: signing_certificates(attributes),
        capabilities: capabilities(attributes),
        encryption_key: reader.informs(attributes.encryption_key()).map(|key| key.to_string()),
        header_fields: reader.counts(attributes.secure_headers()).map(|found| found.fields).unwrap_or_default(),
    };
    (statements, reader.problems)
}

struct StatementReader {
    problems: Vec<Problem>,
}

impl StatementReader {
    fn counts<T: Default>(&mut self, found: Result<T, CmsError>) -> T {
        found.unwrap_or_else(|error| {
            self.problems.push(Problem::Structure(error));
            T::default()
        })
    }

    fn informs<T: Default>(&mut self, found: Result<T, CmsError>) -> T {
        found.unwrap_or_else(|error| {
            self.problems.push(match error.reason {
                Reason::DuplicateAttribute => Problem::Structure(error),
                _ => Problem::Passed(Deviation::AttributeMalformed),
            });
            T::default()
        })
    }
}

fn signing_certificates(attributes: &Attributes) -> Vec<NamedCertificate> {
    let found = [attributes.signing_certificate(), attributes.signing_certificate_v2()];
    let list = found.into_iter().filter_map(|found| found.ok().flatten()).flat_map(|found| found.certificates);
    let describe = |id: CertificateId| NamedCertificate {
        digest: algorithm::by_oid(&id.digest).map_or_else(|| id.digest.clone(), |row| row.name.to_owned()),
        hash: hex(&id.hash),
        issuer: id.issuer_serial.as_ref().and_then(|named| Some(named.issuer.as_ref()?.name()?.to_string())),
        serial: id.issuer_serial.as_ref().map(|named| serial_text(&named.serial)),
    };
    list.map(describe).collect()
}

/// Capabilities as text, in order of preference.
fn capabilities(attributes: &Attributes) -> Vec<String> {
    let list = attributes.capabilities().ok().flatten().unwrap_or_default();
    list.into_iter().map(|capability| Capability::from(capability).to_string()).collect()
}
