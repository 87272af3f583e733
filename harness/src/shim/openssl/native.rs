//! The words of openssl, and the reasons they stand for: one table.

use waxseal_verdict::{Aspect, AspectName, Bad, Reason};

use super::super::words::{Row, find, row};

/// What one command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether it ended with exit code 0.
    pub(super) success: bool,
    /// The error queue, the root cause first.
    errors: Vec<NativeError>,
    /// Its own sentence, such as `CMS Verification failure`.
    sentence: String,
}

/// One entry of the error queue.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NativeError {
    function: String,
    reason: String,
    data: String,
}

/// Tried from the first to the last, on every entry of the queue from the root
/// cause on; the words are sought in `function:reason` and in the data of an entry.
pub(in crate::shim) const TABLE: &[Row] = {
    use AspectName::{Chain, Decryption, Identity, Integrity, Structure};
    use Reason as R;
    &[
        // --- X509_verify_cert_error_string
        row("certificate has expired", Chain, R::Expired),
        row("certificate is not yet valid", Chain, R::NotYetValid),
        row("certificate revoked", Chain, R::Revoked),
        row("unable to get certificate CRL", Chain, R::RevocationUnknown),
        row("Different CRL scope", Chain, R::RevocationUnknown),
        row("CRL has expired", Chain, R::CrlProblem),
        row("CRL is not yet valid", Chain, R::CrlProblem),
        row("CRL signature failure", Chain, R::CrlProblem),
        row("CRL's signature", Chain, R::CrlProblem),
        row("CRL issuer", Chain, R::CrlProblem),
        row("CRL path validation error", Chain, R::CrlProblem),
        row("certificate signature failure", Chain, R::BadSignature),
        row("unable to decrypt certificate's signature", Chain, R::BadSignature),
        row("self-signed certificate", Chain, R::Untrusted),
        row("self signed certificate", Chain, R::Untrusted),
        row("certificate not trusted", Chain, R::Untrusted),
        row("certificate rejected", Chain, R::Untrusted),
        row("unable to get local issuer certificate", Chain, R::NoPath),
        row("unable to get issuer certificate", Chain, R::NoPath),
        row("unable to verify the first certificate", Chain, R::NoPath),
        row("certificate chain too long", Chain, R::LimitExceeded),
        row("invalid CA certificate", Chain, R::NotACa),
        row("path length constraint exceeded", Chain, R::PathLength),
        row("key usage does not include certificate signing", Chain, R::KeyUsage),
        // One word for keyUsage and extendedKeyUsage.
        Row {
            words: "unsuitable certificate purpose",
            aspect: Chain,
            reason: R::ExtendedKeyUsage,
            also: &[R::KeyUsage],
        },
        row("unsupported certificate purpose", Chain, R::ExtendedKeyUsage),
        row("unhandled critical extension", Chain, R::UnknownCriticalExtension),
        row("permitted subtree violation", Chain, R::NameConstraint),
        row("excluded subtree violation", Chain, R::NameConstraint),
        row("name constraint", Chain, R::NameConstraint),
        row("policy", Chain, R::PolicyConstraint),
        row("issuer mismatch", Chain, R::IssuerMismatch),
        row("key identifier mismatch", Chain, R::IssuerMismatch),
        row("issuer serial number mismatch", Chain, R::IssuerMismatch),
        row("email address mismatch", Identity, R::AddressMismatch),
        row("Verify error", Chain, R::NoPath),
        // --- signatures
        row("signer certificate not found", Integrity, R::SignerCertificateNotFound),
        row("no matching digest", Integrity, R::AlgorithmMismatch),
        row("ossl_rsa_verify:bad signature", Integrity, R::SignatureMismatch),
        row("RSA_padding_check_PKCS1_type_1", Integrity, R::SignatureMismatch),
        row("ecdsa", Integrity, R::SignatureMismatch),
        row("CMS_SignerInfo_verify:verification failure", Integrity, R::SignatureMismatch),
        row("CMS_SignerInfo_verify_content:verification failure", Integrity, R::DigestMismatch),
        row("cms_DigestedData_do_final:verification failure", Integrity, R::DigestMismatch),
        row("messagedigest", Integrity, R::DigestMismatch),
        row("attribute error", Structure, R::MissingAttribute),
        row("no signers", Structure, R::NoSigners),
        row("check_content:no content", Structure, R::ContentMissing),
        // --- decryption
        row("no matching recipient", Decryption, R::NoKey),
        row("bad decrypt", Decryption, R::BadPadding),
        row("wrong final block length", Decryption, R::BadPadding),
        row("data not multiple of block length", Decryption, R::BadPadding),
        row("invalid key length", Decryption, R::WrongKey),
        row("decrypt error", Decryption, R::WrongKey),
        // --- algorithms
        row("invalid pss parameters", Structure, R::BadParameters),
        row("kdf parameter error", Structure, R::UnsupportedAlgorithm),
        row("unknown digest algorithm", Structure, R::UnsupportedAlgorithm),
        row("unknown cipher", Structure, R::UnsupportedAlgorithm),
        row("unsupported content type", Structure, R::UnsupportedContentType),
        row("unsupported", Structure, R::UnsupportedAlgorithm),
        row("cipher parameter", Structure, R::BadParameters),
        row("type not ", Structure, R::UnsupportedContentType),
        // --- encoding
        row("not enough data", Structure, R::Truncated),
        row("unexpected eof", Structure, R::Truncated),
        row("sig invalid mime type", Structure, R::MimeMalformed),
        row("invalid mime type", Structure, R::TypeMismatch),
        row("no content type", Structure, R::TypeMismatch),
        row("no multipart", Structure, R::MimeMalformed),
        row("no sig content type", Structure, R::MimeMalformed),
        row("mime parse error", Structure, R::MimeMalformed),
        row("b64_read_asn1:decode error", Structure, R::BadBase64),
        row("asn1 encoding routines", Structure, R::BadBer),
        row("asn1", Structure, R::BadBer),
    ]
};

impl Said {
    /// Takes apart what stood on standard error.
    pub(super) fn new(success: bool, stderr: &str) -> Self {
        let mut said = Self { success, errors: Vec::new(), sentence: String::new() };
        for line in stderr.lines() {
            // `openssl verify`: "error 10 at 0 depth lookup: certificate has expired"
            if let Some((_, reason)) = line.split_once(" depth lookup: ") {
                let (function, reason) = ("verify".to_owned(), reason.to_owned());
                said.errors.push(NativeError { function, reason, data: String::new() });
                continue;
            }
            // THREAD:error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA
            let mut fields = line.splitn(9, ':');
            match (fields.nth(1), fields.nth(1), fields.next(), fields.next(), fields.nth(2)) {
                (Some("error"), Some(library), Some(function), Some(reason), data) => said.errors.push(NativeError {
                    function: format!("{library}:{function}"),
                    reason: reason.to_owned(),
                    data: data.unwrap_or_default().to_owned(),
                }),
                // A line with an equals sign is a name, said along with an error.
                _ if said.sentence.is_empty() && !line.contains(" = ") => line.trim().clone_into(&mut said.sentence),
                _ => {}
            }
        }
        said
    }

    /// The first row of the table that belongs to this aspect.
    pub(super) fn find(&self, aspect: AspectName) -> Option<Reason> {
        self.rows().find(|row| row.aspect == aspect).map(|row| row.reason)
    }

    /// A bad value for the aspect that the words speak of, in the words' own detail.
    pub(super) fn bad(&self, otherwise: Reason) -> Aspect {
        let row = self.rows().find(|row| row.reason.aspects().iter().any(|name| otherwise.aspects().contains(name)));
        Aspect::Bad(Bad {
            reason: row.map_or(otherwise, |row| row.reason),
            detail: self.words().unwrap_or_default(),
            also: row.map(|row| row.also.to_vec()).unwrap_or_default(),
        })
    }

    /// What it said, without the parts that change from run to run.
    pub(super) fn words(&self) -> Option<String> {
        if self.success {
            return None;
        }
        let sentence = (!self.sentence.is_empty()).then(|| self.sentence.clone());
        let errors = self.errors.iter().map(NativeError::text);
        Some(sentence.into_iter().chain(errors).collect::<Vec<_>>().join("; "))
    }

    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let queue = self.errors.iter().filter_map(|error| find(TABLE, &error.text()));
        // A recipient that does not fit leaves no entry, only a sentence.
        let sentence = (self.errors.is_empty() && self.sentence == "Error decrypting CMS using private key")
            .then_some(&NO_RECIPIENT);
        queue.chain(sentence)
    }
}

static NO_RECIPIENT: Row = row("", AspectName::Decryption, Reason::NoKey);

impl NativeError {
    fn text(&self) -> String {
        let mut text = format!("{}:{}", self.function, self.reason);
        if !self.data.is_empty() {
            text.push_str(": ");
            text.push_str(&self.data);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::assert_fits;
    use super::*;

    const QUEUE: &str = "805BE52E957F0000:error:";

    fn said(lines: &[&str]) -> Said {
        let text = lines.iter().map(|line| format!("{QUEUE}{line}\n")).collect::<String>();
        Said::new(false, &format!("CMS Verification failure\n{text}"))
    }

    /// Each line as OpenSSL 3.0.19 writes it.
    #[test]
    fn the_words_of_openssl_become_reasons() {
        use AspectName as A;
        let attributes = "1700009E:CMS routines:CMS_SignerInfo_verify:verification failure:../crypto/cms/cms_sd.c:919:";
        let content =
            "1700009E:CMS routines:CMS_SignerInfo_verify_content:verification failure:../crypto/cms/cms_sd.c:1026:";
        for (lines, aspect, reason) in [
            (
                vec!["02000068:rsa routines:ossl_rsa_verify:bad signature:../crypto/rsa/rsa_sign.c:429:", attributes],
                A::Integrity,
                Reason::SignatureMismatch,
            ),
            (vec![attributes], A::Integrity, Reason::SignatureMismatch),
            (
                vec![content, "1700006D:CMS routines:CMS_verify:content verify error:../crypto/cms/cms_smime.c:455:"],
                A::Integrity,
                Reason::DigestMismatch,
            ),
            (
                vec!["02000068:rsa routines:ossl_rsa_verify:bad signature:../crypto/rsa/rsa_sign.c:429:", content],
                A::Integrity,
                Reason::SignatureMismatch,
            ),
            (
                vec![
                    "17000064:CMS routines:cms_signerinfo_verify_cert:certificate verify error:../crypto/cms/cms_smime.c:289:Verify error: certificate has expired",
                ],
                A::Chain,
                Reason::Expired,
            ),
            (
                vec!["1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../providers/x.c:124:"],
                A::Decryption,
                Reason::BadPadding,
            ),
            (
                vec![
                    "0680008E:asn1 encoding routines:asn1_d2i_read_bio:not enough data:../crypto/asn1/a_d2i_fp.c:218:",
                    "0680006E:asn1 encoding routines:b64_read_asn1:decode error:../crypto/asn1/asn_mime.c:151:",
                ],
                A::Structure,
                Reason::Truncated,
            ),
            (
                vec![
                    "068000CD:asn1 encoding routines:SMIME_read_ASN1_ex:invalid mime type:../crypto/asn1/asn_mime.c:502:type: text/plain",
                ],
                A::Structure,
                Reason::TypeMismatch,
            ),
        ] {
            assert_eq!(said(&lines).find(aspect), Some(reason), "{lines:?}");
        }
    }

    #[test]
    fn what_changes_from_run_to_run_is_left_out() {
        let words =
            said(&["1700008A:CMS routines:CMS_verify:signer certificate not found:../crypto/cms/cms_smime.c:346:"]);
        assert_eq!(
            words.words().as_deref(),
            Some("CMS Verification failure; CMS routines:CMS_verify:signer certificate not found")
        );
    }

    #[test]
    fn verify_says_it_in_its_own_way() {
        let said = Said::new(false, "CN = alice\nerror 10 at 0 depth lookup: certificate has expired\n");
        assert_eq!(said.bad(Reason::NoPath).reason(), Some(Reason::Expired));
        assert_eq!(said.words().as_deref(), Some("verify:certificate has expired"));
    }

    #[test]
    fn a_recipient_that_does_not_fit_leaves_only_a_sentence() {
        let said = Said::new(false, "Error decrypting CMS using private key\n");
        assert_eq!(said.bad(Reason::WrongKey).reason(), Some(Reason::NoKey));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        assert_fits(TABLE);
    }
}
