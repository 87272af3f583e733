//! The words of s-nail, and what they mean: the one place that knows.
//!
//! It always ends with exit code 0. What it prints are its own sentences, and
//! the last entry of OpenSSL's error queue; of a path, OpenSSL's error of each
//! certificate. It stops at the first thing that is wrong: the path, then the
//! signature, then the sender.

use waxseal_verdict::{Aspect, AspectName, Reason};

use super::super::program::Ran;

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said(String);

/// Words, and what they stand for.
struct Row {
    words: &'static str,
    aspect: AspectName,
    reason: Reason,
}

const fn row(words: &'static str, aspect: AspectName, reason: Reason) -> Row {
    Row { words, aspect, reason }
}

/// The first row that fits decides.
const TABLE: &[Row] = {
    use AspectName::{Chain, Decryption, Identity, Integrity, Structure};
    use Reason as R;
    &[
        // --- paths, X509_verify_cert_error_string
        row("certificate has expired", Chain, R::Expired),
        row("certificate is not yet valid", Chain, R::NotYetValid),
        row("certificate revoked", Chain, R::Revoked),
        row("certificate signature failure", Chain, R::BadSignature),
        row("self-signed certificate", Chain, R::Untrusted),
        row("unable to get local issuer certificate", Chain, R::NoPath),
        row("unable to get issuer certificate", Chain, R::NoPath),
        row("unable to verify the first certificate", Chain, R::NoPath),
        row("invalid CA certificate", Chain, R::NotACa),
        row("path length constraint exceeded", Chain, R::PathLength),
        row("key usage does not include certificate signing", Chain, R::KeyUsage),
        row("unsuitable certificate purpose", Chain, R::ExtendedKeyUsage),
        row("unhandled critical extension", Chain, R::UnknownCriticalExtension),
        row("subtree violation", Chain, R::NameConstraint),
        row("name constraint", Chain, R::NameConstraint),
        row("policy", Chain, R::PolicyConstraint),
        row("certificate verify error", Chain, R::NoPath),
        // --- signatures
        row("digest failure", Integrity, R::DigestMismatch),
        row("signature failure", Integrity, R::SignatureMismatch),
        row("bad signature", Integrity, R::SignatureMismatch),
        row("signer certificate not found", Integrity, R::SignerCertificateNotFound),
        row("unable to find message digest", Integrity, R::AlgorithmMismatch),
        row("certificate does not match", Identity, R::AddressMismatch),
        row("has no sender", Identity, R::NoFrom),
        // --- decryption
        row("No appropriate private key found", Decryption, R::NoKey),
        row("no recipient matches", Decryption, R::NoKey),
        row("bad decrypt", Decryption, R::BadPadding),
        row("wrong final block length", Decryption, R::BadPadding),
        row("decrypt error", Decryption, R::WrongKey),
        // --- structure
        row("no signatures on data", Structure, R::NoSigners),
        row("no content", Structure, R::ContentMissing),
        row("unsupported", Structure, R::UnsupportedAlgorithm),
        row("unknown digest type", Structure, R::UnsupportedAlgorithm),
        row("cipher has no object identifier", Structure, R::UnsupportedAlgorithm),
        row("wrong content type", Structure, R::UnsupportedContentType),
        row("invalid mime type", Structure, R::TypeMismatch),
        row("no multipart", Structure, R::MimeMalformed),
        row("mime parse error", Structure, R::MimeMalformed),
        row("not enough data", Structure, R::Truncated),
        row("Error reading PKCS#7 object", Structure, R::BadBer),
        // Whatever else the arithmetic says of a signature.
        row("Error verifying message", Integrity, R::SignatureMismatch),
    ]
};

impl Said {
    /// Its sentences, without the ones that say how the folder is.
    pub(super) fn new(ran: &Ran) -> Self {
        let lines = ran.words.lines().chain(ran.out.lines()).map(str::trim);
        let lines = lines.map(|line| line.strip_prefix("s-nail: ").unwrap_or(line).trim());
        let dull = |line: &&str| {
            !line.is_empty() && !line.ends_with(" updated.") && !line.contains("[New file]") && !line.contains("= ")
        };
        Self(lines.filter(dull).collect::<Vec<_>>().join("; "))
    }

    /// Whether it said that the signature and the sender are as they should be.
    pub(super) fn verified(&self) -> bool {
        self.0.contains("was verified successfully")
    }

    /// The first thing that is wrong, and with what.
    pub(super) fn wrong(&self) -> Option<(AspectName, Aspect)> {
        let row = TABLE.iter().find(|row| self.0.contains(row.words))?;
        Some((row.aspect, Aspect::bad(row.reason, self.0.clone())))
    }

    /// Something is wrong that the table does not know.
    pub(super) fn unknown(&self, otherwise: Reason) -> Aspect {
        Aspect::bad(otherwise, self.0.clone())
    }

    /// Whether it said nothing at all.
    pub(super) const fn is_silent(&self) -> bool {
        self.0.is_empty()
    }

    /// What it said.
    pub(super) fn words(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as s-nail 14.9.24 writes it, with OpenSSL 3.0.
    #[test]
    fn the_words_of_s_nail_become_reasons() {
        use AspectName as A;
        for (words, aspect, reason) in [
            (
                "s-nail: Error verifying message 1: error:10800065:PKCS7 routines::digest failure\n",
                A::Integrity,
                Reason::DigestMismatch,
            ),
            (
                "s-nail: Message 1:\ns-nail:  Certificate depth 1 ERROR\ns-nail:   err 10: certificate has expired\n\
                 s-nail: Error verifying message 1: error:10800075:PKCS7 routines::certificate verify error\n",
                A::Chain,
                Reason::Expired,
            ),
            (
                "s-nail: Message 1: certificate does not match <carol@example.test>\n",
                A::Identity,
                Reason::AddressMismatch,
            ),
            ("s-nail: No appropriate private key found\n", A::Decryption, Reason::NoKey),
        ] {
            let said = Said::new(&Ran { success: true, out: String::new(), words: words.to_owned() });
            let (found, bad) = said.wrong().unwrap();
            assert_eq!((found, bad.reason()), (aspect, Some(reason)), "{words}");
            assert!(!said.verified());
        }
        let good = Ran { out: "Message 1 was verified successfully\n".to_owned(), ..Ran::default() };
        assert!(Said::new(&good).verified() && Said::new(&good).wrong().is_none());
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        for row in TABLE {
            assert!(row.reason.aspects().contains(&row.aspect), "{} {}", row.words, row.reason);
        }
    }
}
