//! The words of GmSSL, and what they mean: the one place that knows.
//!
//! GmSSL names no errors. Every function through which one passes prints its
//! file, line and name, the innermost first; a sentence of the command ends it.

use waxseal_verdict::{Aspect, AspectName, Reason};

use crate::shim::protocol::Answer;

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) success: bool,
    /// `file:line:function`, the innermost first.
    trace: Vec<String>,
    /// Everything else, line by line.
    sentences: Vec<String>,
}

/// A function of GmSSL, with the words that must stand beside it, and what that means.
struct Row {
    function: &'static str,
    /// Whether it must be the innermost.
    innermost: bool,
    /// What a sentence must contain; empty: nothing.
    sentence: &'static str,
    aspect: AspectName,
    reason: Reason,
}

/// The first row that fits decides.
const TABLE: &[Row] = {
    use AspectName::{Decryption, Integrity, Structure};
    use Reason as R;
    const UNKNOWN: &str = "Unknown OID";
    const fn within(function: &'static str, sentence: &'static str, aspect: AspectName, reason: Reason) -> Row {
        Row { function, innermost: false, sentence, aspect, reason }
    }
    const fn at(function: &'static str, aspect: AspectName, reason: Reason) -> Row {
        Row { function, innermost: true, sentence: "", aspect, reason }
    }
    &[
        // --- signatures and keys
        within("sm2_do_verify", "", Integrity, R::SignatureMismatch),
        within("sm2_signature_from_der", "", Integrity, R::SignatureMismatch),
        within("sm2_verify", "", Integrity, R::SignatureMismatch),
        within("sm2_ciphertext_from_der", "", Decryption, R::WrongKey),
        within("sm2_decrypt", "", Decryption, R::WrongKey),
        // --- algorithms
        within("cms_content_type_from_der", UNKNOWN, Structure, R::UnsupportedContentType),
        within("x509_digest_algor_from_der", UNKNOWN, Structure, R::UnsupportedAlgorithm),
        within("x509_signature_algor_from_der", UNKNOWN, Structure, R::UnsupportedAlgorithm),
        within("x509_public_key_encryption_algor_from_der", UNKNOWN, Structure, R::UnsupportedAlgorithm),
        within("x509_encryption_algor_from_der", UNKNOWN, Structure, R::UnsupportedAlgorithm),
        within("x509_digest_algor_from_der", "", Structure, R::BadParameters),
        within("x509_signature_algor_from_der", "", Structure, R::BadParameters),
        within("x509_public_key_encryption_algor_from_der", "", Structure, R::BadParameters),
        within("x509_encryption_algor_from_der", "", Structure, R::BadParameters),
        // --- who
        at("cms_signer_info_verify_from_der", Integrity, R::SignerCertificateNotFound),
        at("cms_recipient_info_decrypt_from_der", Decryption, R::NoKey),
        at("cms_enveloped_data_decrypt_from_der", Decryption, R::NoKey),
        at("cms_deenvelop", Decryption, R::NoKey),
        // --- content
        within("cms_enced_content_info_decrypt_from_der", "invalid cbc ciphertext length", Decryption, R::BadPadding),
        within("sm4_cbc_padding_decrypt", "", Decryption, R::BadPadding),
        // --- encoding
        at("asn1_length_from_der", Structure, R::Truncated),
        within("", "", Structure, R::BadBer),
    ]
};

impl Said {
    /// Takes apart what stood on standard error.
    pub(super) fn new(success: bool, stderr: &str) -> Self {
        let mut said = Self { success, trace: Vec::new(), sentences: Vec::new() };
        for line in stderr.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_suffix("():").and_then(place) {
                Some(place) => said.trace.push(place),
                None => said.sentences.push(line.to_owned()),
            }
        }
        said
    }

    /// The aspect that the words speak of.
    pub(super) fn aspect(&self) -> AspectName {
        self.row().map_or(AspectName::Structure, |row| row.aspect)
    }

    /// A bad value in its own words.
    pub(super) fn bad(&self, otherwise: Reason) -> Aspect {
        let fits = |row: &&Row| row.reason.aspects().iter().any(|name| otherwise.aspects().contains(name));
        let reason = self.row().filter(fits).map_or(otherwise, |row| row.reason);
        Aspect::bad(reason, self.words().unwrap_or_default())
    }

    /// What it said; nothing of a command that succeeded, which names the
    /// recipients that it skipped.
    pub(super) fn words(&self) -> Option<String> {
        let all = || self.sentences.iter().chain(&self.trace).cloned().collect::<Vec<_>>().join("; ");
        (!self.success).then(all)
    }

    /// That it would not write.
    pub(super) fn refused(&self) -> Option<Answer> {
        self.words().map(|words| Answer::Error("gmssl wrote nothing".to_owned(), Some(words)))
    }

    fn row(&self) -> Option<&'static Row> {
        let names = |place: &String, function: &str| place.rsplit(':').next() == Some(function);
        TABLE.iter().find(|row| {
            let mut trace =
                if row.innermost { self.trace.get(..1) } else { Some(&self.trace[..]) }.unwrap_or_default().iter();
            let place = row.function.is_empty() || trace.any(|place| names(place, row.function));
            place && (row.sentence.is_empty() || self.sentences.iter().any(|line| line.contains(row.sentence)))
        })
    }
}

/// `/somewhere/src/cms.c:1197:cms_verify` without what is of this machine.
fn place(line: &str) -> Option<String> {
    let (rest, function) = line.rsplit_once(':')?;
    let (file, number) = rest.rsplit_once(':')?;
    number.parse::<u32>().ok()?;
    let file = file.rsplit('/').next().unwrap_or(file);
    Some(format!("{file}:{number}:{function}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str]) -> Said {
        Said::new(false, &lines.join("\n"))
    }

    /// Each trace as GmSSL 3.1.1 writes it.
    #[test]
    fn the_words_of_gmssl_become_reasons() {
        use AspectName as A;
        for (lines, aspect, reason) in [
            (
                vec![
                    "/build/src/sm2_lib.c:155:sm2_do_verify():",
                    "/build/src/sm2_lib.c:290:sm2_verify():",
                    "/build/src/cms.c:815:cms_signer_info_verify_from_der():",
                    "cmsverify: verify error",
                ],
                A::Integrity,
                Reason::SignatureMismatch,
            ),
            (
                vec!["/build/src/cms.c:807:cms_signer_info_verify_from_der():", "cmsverify: verify error"],
                A::Integrity,
                Reason::SignerCertificateNotFound,
            ),
            (
                vec![
                    "Unknown OID: (unknown) (1.2.156.10197.1.301.3)",
                    "/build/src/asn1.c:1230:asn1_oid_info_from_der():",
                    "/build/src/x509_alg.c:526:x509_public_key_encryption_algor_from_der():",
                    "/build/src/cms.c:1257:cms_recipient_info_from_der():",
                    "/build/src/cms.c:1355:cms_recipient_info_decrypt_from_der():",
                ],
                A::Structure,
                Reason::UnsupportedAlgorithm,
            ),
            (
                vec![
                    "/build/src/cms.c:1362:cms_recipient_info_decrypt_from_der():",
                    "/build/src/cms.c:1616:cms_enveloped_data_decrypt_from_der():",
                    "cmsdecrypt: decryption failure",
                ],
                A::Decryption,
                Reason::NoKey,
            ),
            (
                vec!["/build/src/sm2_lib.c:683:sm2_do_decrypt():", "/build/src/sm2_lib.c:852:sm2_decrypt():"],
                A::Decryption,
                Reason::WrongKey,
            ),
            (
                vec!["/build/src/asn1.c:214:asn1_length_from_der():", "/build/src/asn1.c:327:asn1_type_from_der():"],
                A::Structure,
                Reason::Truncated,
            ),
        ] {
            let said = said(&lines);
            assert_eq!(said.aspect(), aspect, "{lines:?}");
            assert_eq!(said.bad(reason).reason(), Some(reason), "{lines:?}");
            let other = if reason == Reason::BadBer { Reason::Truncated } else { reason };
            assert_eq!(said.row().map(|row| row.reason), Some(other), "{lines:?}");
        }
    }

    #[test]
    fn what_is_of_this_machine_is_left_out() {
        let words = said(&["/home/somebody/src/cms.c:2187:cms_verify():", "cmsverify: verify error"]).words();
        assert_eq!(words.as_deref(), Some("cmsverify: verify error; cms.c:2187:cms_verify"));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        for row in TABLE {
            assert!(row.reason.aspects().contains(&row.aspect), "{} {}", row.function, row.reason);
        }
    }
}
