//! Header fields among the signed attributes (RFC 7508) against those of the
//! mail.

use waxseal_verdict::{Aspect, Layer, Reason, SecuredField};

use crate::check::Check;
use crate::mime::Headers;

/// Compares what good signers say of the header with the header section of the
/// mail, on every layer of the outermost unbroken sequence (RFC 7508 section
/// 4.5.2).
pub(in crate::message) fn judge(layers: &mut [Layer], outer: Option<&Headers>) {
    let Some(outer) = outer.filter(|_| Check::HeaderProtection.on() && Check::Coverage.on()) else { return };
    for layer in layers {
        let good = layer.signers.iter().filter(|signer| signer.integrity.is_good());
        let differing: Vec<_> = good.flat_map(|signer| differing(&signer.statements.header_fields, outer)).collect();
        let Some(first) = differing.first() else { continue };
        let more = differing.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let detail = format!("the header contradicts the signed {first}{more} (RFC 7508 section 4.5.2)");
        layer.coverage = std::mem::take(&mut layer.coverage).worst(Aspect::bad(Reason::OuterHeaderDiffers, detail));
    }
}

/// The names of signed fields that are not in the header as they were signed.
fn differing<'a>(signed: &'a [SecuredField], outer: &Headers) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for field in signed {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&field.name)) {
            names.push(&field.name);
        }
    }
    names.retain(|name| {
        let mut found: Vec<_> = outer.all(name).map(|field| reduced(&field.value())).collect();
        let of_name = |field: &&SecuredField| field.name.eq_ignore_ascii_case(name);
        let all: Vec<_> = signed.iter().filter(of_name).collect();
        // What was deleted need not be there, and what was modified reads differently; but there is no more of it.
        let with = |status: &str| all.iter().filter(|field| field.status == status).count();
        let missing = all.iter().filter(|field| field.status == "duplicated").any(|field| {
            let place = found.iter().position(|value| *value == reduced(&field.value));
            place.map(|place| found.remove(place)).is_none()
        });
        missing || found.len() > with("modified")
    });
    names
}

/// A value with each run of white space as one space: what the relaxed form of
/// RFC 6376 section 3.4.2 leaves of it. The simple one is compared in the same
/// way, because stations on the way fold long fields anew.
fn reduced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_verdict::{Kind, Signer, Statements};

    fn coverage(fields: &[(&str, &str, &str)], header: &str, integrity: Aspect) -> Aspect {
        let header_fields = fields.iter().map(|(name, value, status)| SecuredField {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            status: (*status).to_owned(),
        });
        let statements = Statements { header_fields: header_fields.collect(), ..Statements::default() };
        let mut layer = Layer::new("1/signed-data", Kind::Signed);
        layer.coverage = Aspect::Good;
        layer.signers.push(Signer { statements, integrity, ..Signer::default() });
        let outer = Headers::parse(format!("{header}\r\n").as_bytes(), 10_000).unwrap();
        judge(std::slice::from_mut(&mut layer), Some(&outer));
        layer.coverage
    }

    /// RFC 7508 section 4.5.2: missing, different and further fields.
    #[test]
    fn each_signed_field_is_looked_for() {
        let subject = [("Subject", "a  long\tsubject", "duplicated")];
        let good = |fields: &[(&str, &str, &str)], header: &str| coverage(fields, header, Aspect::Good).is_good();
        assert!(good(&subject, "From: a@b\r\nsubject: a long\r\n subject\r\n"));
        assert!(!good(&subject, "From: a@b\r\n"));
        assert!(!good(&subject, "Subject: another\r\n"));
        assert!(!good(&subject, "Subject: a long subject\r\nSubject: another\r\n"));
        assert!(!good(&subject, "Subject: A long subject\r\n"));
        let deleted = [("Subject", "secret", "deleted")];
        assert!(good(&deleted, "From: a@b\r\n"));
        assert!(!good(&deleted, "Subject: not what was signed\r\n"));
        let modified = [("Subject", "secret", "modified")];
        assert!(good(&modified, "Subject: [...]\r\n") && good(&modified, "From: a@b\r\n"));
        assert!(!good(&modified, "Subject: [...]\r\nSubject: more\r\n"));
        let twice = [("Received", "one", "duplicated"), ("Received", "two", "duplicated")];
        assert!(good(&twice, "Received: two\r\nReceived: one\r\n"));
        assert!(!good(&twice, "Received: two\r\nReceived: two\r\n"));
        let bad = coverage(&subject, "Subject: another\r\n", Aspect::Good);
        assert_eq!(bad.reason(), Some(Reason::OuterHeaderDiffers));
        let unsigned = Aspect::bad(Reason::SignatureMismatch, "");
        assert!(coverage(&subject, "Subject: another\r\n", unsigned).is_good(), "nobody signed it");
    }
}
