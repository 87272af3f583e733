//! The micalg parameter of `multipart/signed`.

use waxseal_key::DigestAlgorithm;
use waxseal_verdict::Deviation;

/// One entry of a micalg parameter (RFC 8551 section 3.5.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Micalg {
    /// As it is written.
    pub written: String,
    /// The digest it means, as the algorithm table names it (`sha-256`);
    /// `None` for what nobody defined.
    pub digest: Option<&'static str>,
}

/// Spellings of programs that are not those of any standard: what
/// [`DigestAlgorithm::from_micalg`] does not read.
const OTHERS: [(&str, DigestAlgorithm); 5] = [
    ("sha", DigestAlgorithm::Sha1),
    ("sha2-224", DigestAlgorithm::Sha224),
    ("sha2-256", DigestAlgorithm::Sha256),
    ("sha2-384", DigestAlgorithm::Sha384),
    ("sha2-512", DigestAlgorithm::Sha512),
];

/// Reads a micalg parameter and notes how it is spelt. One that is absent
/// counts as wrong at once; whether it names the signer's digest is seen when
/// the signer is read.
pub(super) fn parse(value: Option<&str>, deviations: &mut Vec<Deviation>) -> Vec<Micalg> {
    let mut note = |deviation| {
        if !deviations.contains(&deviation) {
            deviations.push(deviation);
        }
    };
    let value = value.map(str::trim).unwrap_or_default();
    if value.is_empty() {
        note(Deviation::MicalgWrong);
        return Vec::new();
    }
    value
        .split(',')
        .map(str::trim)
        .map(|written| {
            let lower = written.to_ascii_lowercase();
            let other = || OTHERS.iter().find(|(name, _)| *name == lower).map(|(_, digest)| *digest);
            let digest = DigestAlgorithm::from_micalg(&lower).or_else(other);
            let is_oid =
                written.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.') || lower.starts_with("oid.");
            match digest {
                _ if is_oid => note(Deviation::MicalgOid),
                Some(digest) if digest.micalg() != written => note(Deviation::MicalgCase),
                _ => {}
            }
            Micalg { written: written.to_owned(), digest: digest.map(DigestAlgorithm::name) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Option<&str>, digests: &[Option<&str>], expected: &[Deviation]) {
        let mut deviations = Vec::new();
        let read = parse(value, &mut deviations);
        let read: Vec<_> = read.iter().map(|micalg| micalg.digest).collect();
        assert_eq!((read.as_slice(), deviations.as_slice()), (digests, expected), "{value:?}");
    }

    #[test]
    fn every_digest_of_a_signature_has_a_name() {
        for digest in DigestAlgorithm::ALL {
            check(Some(digest.micalg()), &[Some(digest.name())], &[]);
        }
    }

    #[test]
    fn every_spelling_of_real_clients() {
        check(Some("sha-256"), &[Some("sha-256")], &[]);
        check(Some("md5"), &[Some("md5")], &[]);
        check(Some("SHA1"), &[Some("sha-1")], &[Deviation::MicalgCase]);
        check(Some("sha256"), &[Some("sha-256")], &[Deviation::MicalgCase]);
        check(Some("SHA-512"), &[Some("sha-512")], &[Deviation::MicalgCase]);
        check(Some("shake256"), &[Some("shake256")], &[]);
        check(Some("sm3"), &[Some("sm3")], &[]);
        check(Some("1.2.156.10197.1.401"), &[Some("sm3")], &[Deviation::MicalgOid]);
        check(Some("2.16.840.1.101.3.4.2.3"), &[Some("sha-512")], &[Deviation::MicalgOid]);
        check(Some("1.2.3"), &[None], &[Deviation::MicalgOid]);
        check(Some("sha-1, sha-256"), &[Some("sha-1"), Some("sha-256")], &[]);
        check(Some("unknown"), &[None], &[]);
        check(Some(""), &[], &[Deviation::MicalgWrong]);
        check(None, &[], &[Deviation::MicalgWrong]);
    }
}
