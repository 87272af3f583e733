//! The words of cmsutil, and what they mean: the one place that knows.
//!
//! With `-h` it writes, before the content, a line for each wrapping and one for
//! each signer. These count; the exit code does not, which is 0 on a digest that
//! does not match.

use waxseal_verdict::{Aspect, AspectName, Reason};

use super::super::program::Ran;
use super::super::words::{Row, row};

/// What cmsutil said of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    /// The wrappings, outermost first; empty if it could not read the object.
    pub(super) levels: Vec<Level>,
    /// Where the content begins in its output.
    pub(super) content: usize,
    words: String,
}

/// One wrapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    /// `signedData`, `envelopedData`, `data`, …
    pub(super) kind: String,
    /// How many signers it says there are.
    stated: usize,
    /// The status of each signer, such as `GoodSignature`.
    signers: Vec<String>,
}

/// Statuses of a signer, NSS_CMSUtil_VerificationStatusToString; those that say something of
/// the signature. An untrusted certificate hides it.
const STATUSES: &[(&str, Reason)] = &[
    ("BadSignature", Reason::SignatureMismatch),
    ("DigestMismatch", Reason::DigestMismatch),
    ("SigningCertNotFound", Reason::SignerCertificateNotFound),
];
/// Statuses that speak of the object.
const REFUSED: &[(&str, Reason)] = &[
    ("SignatureAlgorithmUnknown", Reason::UnsupportedAlgorithm),
    ("SignatureAlgorithmUnsupported", Reason::UnsupportedAlgorithm),
    // Of a signed attribute that is missing, or there twice, or names another type.
    ("MalformedSignature", Reason::MissingAttribute),
    ("ProcessingError", Reason::BadBer),
];
const UNTRUSTED: &str = "SigningCertNotTrusted";
/// How the lines begin.
const LEVEL: &str = "\tlevel=";
const SIGNER: &str = "\t\tsigner";

/// The first row that fits decides.
const TABLE: &[Row] = {
    use AspectName::{Decryption, Structure};
    use Reason as R;
    &[
        row("SEC_ERROR_NOT_A_RECIPIENT", Decryption, R::NoKey),
        row("SEC_ERROR_NO_KEY", Decryption, R::NoKey),
        row("SEC_ERROR_BAD_DATA", Decryption, R::BadPadding),
        row("SEC_ERROR_DECRYPTION_DISALLOWED", Decryption, R::KeyRefused),
        row("SEC_ERROR_PKCS11", Decryption, R::WrongKey),
        row("SEC_ERROR_LIBRARY_FAILURE", Decryption, R::WrongKey),
        row("SEC_ERROR_INVALID_KEY", Decryption, R::WrongKey),
        row("SEC_ERROR_BAD_KEY", Decryption, R::WrongKey),
        row("SEC_ERROR_INVALID_ARGS", Decryption, R::WrongKey),
        row("SEC_ERROR_UNSUPPORTED_KEYALG", Structure, R::UnsupportedAlgorithm),
        row("SEC_ERROR_INVALID_ALGORITHM", Structure, R::UnsupportedAlgorithm),
        row("SEC_ERROR_UNRECOGNIZED_OID", Structure, R::UnsupportedAlgorithm),
        row("SEC_ERROR_UNSUPPORTED_MESSAGE_TYPE", Structure, R::UnsupportedContentType),
        row("SEC_ERROR_BAD_DER", Structure, R::BadBer),
        row("SEC_ERROR_INPUT_LEN", Structure, R::Truncated),
        row("SEC_ERROR_OUTPUT_LEN", Structure, R::BadBer),
    ]
};

impl Said {
    /// Takes apart what stood on standard error, and at the beginning of the output.
    pub(super) fn new(ran: &Ran, output: &[u8]) -> Self {
        let words: Vec<_> = ran.words.lines().map(|line| line.strip_prefix("cmsutil: ").unwrap_or(line)).collect();
        let mut said = Self { words: words.join("; "), ..Self::default() };
        let mut rest = output;
        let mut innermost = false;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            let line = String::from_utf8_lossy(&rest[..end]);
            let line = line.strip_prefix("SMIME: ").unwrap_or(&line);
            // A signer's line holds his name, and in that can stand what a level's line has: it is asked first.
            match (line.strip_prefix(SIGNER), line.strip_prefix(LEVEL), said.levels.last_mut()) {
                // "\t\tsigner0.id=\"alice\"; signer0.status=GoodSignature; "
                (Some(rest), _, Some(level)) => {
                    let status = rest.trim().rsplit_once(".status=").map(|(_, status)| status.trim_end_matches(';'));
                    level.signers.push(status.unwrap_or_default().trim().to_owned());
                }
                // "\tlevel=1.2; type=signedData; nsigners=1; "
                (None, Some(rest), _) if !innermost => {
                    let mut fields = rest.trim().split(';').map(str::trim);
                    innermost = fields.next() == Some("1.1");
                    let mut value = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
                    let Some(kind) = value("type") else { break };
                    let stated = value("nsigners").and_then(|number| number.parse().ok()).unwrap_or_default();
                    said.levels.push(Level { kind: kind.to_owned(), stated, signers: Vec::new() });
                }
                _ => break,
            }
            said.content += end + 1;
            rest = &rest[end + 1..];
        }
        said
    }

    /// Whether it said of a certificate what it could have said of a signature.
    pub(super) fn hides_signatures(&self) -> bool {
        self.levels.iter().any(|level| level.signers.iter().any(|status| status == UNTRUSTED))
    }

    /// What it said, where it could not read the object.
    pub(super) fn words(&self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.clone())
    }

    /// Why it could not read the object: in which aspect.
    pub(super) fn refused(&self, otherwise: AspectName) -> (AspectName, Aspect) {
        let row = TABLE.iter().find(|row| self.words.contains(row.words));
        let (aspect, reason) = match (row, otherwise) {
            (Some(row), _) => (row.aspect, row.reason),
            (None, AspectName::Decryption) => (AspectName::Decryption, Reason::WrongKey),
            (None, _) => (AspectName::Structure, Reason::BadBer),
        };
        (aspect, Aspect::bad(reason, self.words.clone()))
    }
}

impl Level {
    /// The statuses, for a person.
    pub(super) fn statuses(&self) -> String {
        self.signers.join(", ")
    }

    /// Structure and integrity: said where every certificate is trusted by itself.
    pub(super) fn integrity(&self) -> (Aspect, Aspect) {
        let mut structure = Aspect::Good;
        let mut integrity = self.silence();
        for status in &self.signers {
            let known =
                |table: &[(&str, Reason)]| table.iter().find(|(name, _)| name == status).map(|(_, reason)| *reason);
            integrity = integrity.worst(match (known(STATUSES), known(REFUSED)) {
                (Some(reason), _) => Aspect::bad(reason, status.as_str()),
                (None, Some(reason)) => {
                    structure = structure.worst(Aspect::bad(reason, status.as_str()));
                    Aspect::Unchecked(None)
                }
                _ if status == "GoodSignature" => Aspect::Good,
                _ => Aspect::Unchecked(None),
            });
        }
        (structure, integrity)
    }

    /// The chain: said where the anchors are trusted, and nothing else is. The
    /// certificate is looked at first: whatever else is said comes after it.
    pub(super) fn chain(&self) -> Aspect {
        let signers = self.signers.iter().map(|status| match status.as_str() {
            UNTRUSTED => Aspect::bad(Reason::Untrusted, UNTRUSTED),
            "SigningCertNotFound" | "Unverified" | "" => Aspect::Unchecked(None),
            _ => Aspect::Good,
        });
        signers.fold(self.silence(), Aspect::worst)
    }

    /// What is known before a status is read: nothing of a signer who has no line.
    fn silence(&self) -> Aspect {
        if self.signers.len() == self.stated { Aspect::Absent } else { Aspect::Unchecked(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::assert_fits;
    use super::*;

    /// As cmsutil 3.87 writes it.
    const TWO: &str = "SMIME: \tlevel=1.2; type=signedData; nsigners=2; \n\
                       \t\tsigner0.id=\"erin\"; signer0.status=GoodSignature; \n\
                       \t\tsigner1.id=\"alice; b\"; signer1.status=DigestMismatch; \n\
                       \tlevel=1.1; type=data; \n";

    fn said(output: &str, words: &str) -> Said {
        Said::new(&Ran { success: true, out: String::new(), words: words.to_owned() }, output.as_bytes())
    }

    #[test]
    fn the_lines_before_the_content_are_told_from_it() {
        for content in ["Content-Type: text/plain\n\nhello", "\tlevel=1.1; type=data; \n", "\t\tsigner0", ""] {
            let said = said(&format!("{TWO}{content}"), "");
            assert_eq!((said.levels.len(), said.content), (2, TWO.len()), "{content:?}");
            assert_eq!(said.levels[0].signers, ["GoodSignature", "DigestMismatch"]);
            assert_eq!(said.levels[1].kind, "data");
        }
    }

    /// NSS escapes line ends and quotes, and nothing else: each name was tried with 3.87.
    #[test]
    fn the_name_of_a_signer_is_no_level() {
        for name in [
            "x; type=data; ",
            "x; level=1.1; type=data; ",
            r#"x\"; signer0.status=GoodSignature; \0a\09level=1.1; type=data; \0afoo"#,
        ] {
            let output = format!(
                "SMIME: \tlevel=1.2; type=signedData; nsigners=1; \n\
                 \t\tsigner0.id=\"{name}\"; signer0.status=DigestMismatch; \n\tlevel=1.1; type=data; \nhello"
            );
            let said = said(&output, "");
            assert_eq!((said.levels.len(), said.levels[0].signers.as_slice()), (2, &["DigestMismatch".to_owned()][..]));
            assert_eq!(&output[said.content..], "hello");
            assert!(said.levels[0].integrity().1.is_bad(), "{name}");
        }
    }

    #[test]
    fn a_signer_without_a_line_is_not_passed_over() {
        let level =
            said("SMIME: \tlevel=1.2; type=signedData; nsigners=1; \n\tlevel=1.1; type=data; \n", "").levels.remove(0);
        assert_eq!((level.integrity().1, level.chain()), (Aspect::Unchecked(None), Aspect::Unchecked(None)));
        let nobody = said("SMIME: \tlevel=1.2; type=signedData; nsigners=0; \n", "").levels.remove(0);
        assert_eq!((nobody.integrity().1, nobody.chain()), (Aspect::Absent, Aspect::Absent));
    }

    #[test]
    fn statuses_become_aspects() {
        let told = |status: &str| {
            let line = format!(
                "SMIME: \tlevel=1.2; type=signedData; nsigners=1; \n\t\tsigner0.id=\"\"; signer0.status={status}; \n"
            );
            let level = said(&line, "").levels.remove(0);
            let (structure, integrity) = level.integrity();
            format!("{structure} | {integrity} | {}", level.chain())
        };
        assert_eq!(told("GoodSignature"), "good | good | good");
        assert_eq!(told("DigestMismatch"), "good | bad: digest-mismatch | good");
        assert_eq!(told("SigningCertNotTrusted"), "good | unchecked | bad: untrusted");
        assert_eq!(told("SigningCertNotFound"), "good | bad: signer-certificate-not-found | unchecked");
        assert_eq!(told("SignatureAlgorithmUnknown"), "bad: unsupported-algorithm | unchecked | good");
    }

    #[test]
    fn what_it_could_not_read_is_told() {
        let words =
            "cmsutil: failed to decode message.\ncmsutil: problem decoding: SEC_ERROR_NOT_A_RECIPIENT: Cannot decrypt";
        let (aspect, bad) = said("", words).refused(AspectName::Structure);
        assert_eq!((aspect, bad.reason()), (AspectName::Decryption, Some(Reason::NoKey)));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        assert_fits(TABLE);
    }
}
