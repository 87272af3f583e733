//! The words of s-nail, and what they mean: the one place that knows.
//!
//! Its exit code is 0 where it checked nothing, too. What it prints are its own
//! sentences, and the last entry of OpenSSL's error queue; of a path, OpenSSL's
//! error of each certificate. It stops at the first thing that is wrong: the path,
//! then the signature, then the sender. That all is well stands on standard output;
//! what the sender chose (names of certificates, the address) on standard error.

use waxseal_verdict::{Aspect, AspectName, Reason};

use super::super::program::Ran;
use super::super::words::{Row, find, row};

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Its sentences, for a person.
    words: String,
    /// The same without what somebody else chose: here the words of the table are sought.
    telling: String,
    /// Whether it said of a message that it is as it should be.
    verified: bool,
}

/// Before the names and times of a certificate, which are its owner's words.
const OWNERS: [&str; 4] = ["subject = ", "notBefore = ", "notAfter = ", "issuer = "];
/// Before the address of the sender.
const MISMATCH: &str = "certificate does not match <";
/// Before the name of a file of ours: what follows is said of that file.
const UNREADABLE: &str = "Error loading ";

/// The first row that fits decides.
pub(in crate::shim) const TABLE: &[Row] = {
    use AspectName::{Chain, Decryption, Identity, Integrity, Structure};
    use Reason as R;
    &[
        // --- paths, X509_verify_cert_error_string
        row("certificate has expired", Chain, R::Expired),
        row("certificate is not yet valid", Chain, R::NotYetValid),
        row("certificate revoked", Chain, R::Revoked),
        row("certificate signature failure", Chain, R::BadSignature),
        row("CRL signature failure", Chain, R::CrlProblem),
        row("self-signed certificate", Chain, R::Untrusted),
        row("unable to get local issuer certificate", Chain, R::NoPath),
        row("unable to get issuer certificate", Chain, R::NoPath),
        row("unable to verify the first certificate", Chain, R::NoPath),
        row("invalid CA certificate", Chain, R::NotACa),
        row("path length constraint exceeded", Chain, R::PathLength),
        row("key usage does not include certificate signing", Chain, R::KeyUsage),
        row("unsuitable certificate purpose", Chain, R::ExtendedKeyUsage),
        row("unsupported certificate purpose", Chain, R::ExtendedKeyUsage),
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
        row("no content type", Structure, R::TypeMismatch),
        row("no content", Structure, R::ContentMissing),
        row("unsupported content type", Structure, R::UnsupportedContentType),
        row("unsupported", Structure, R::UnsupportedAlgorithm),
        row("unknown digest type", Structure, R::UnsupportedAlgorithm),
        row("cipher has no object identifier", Structure, R::UnsupportedAlgorithm),
        row("wrong content type", Structure, R::UnsupportedContentType),
        row("sig invalid mime type", Structure, R::MimeMalformed),
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
        let out = ran.out.lines().map(str::trim);
        let out = out.filter(|line| !line.ends_with(" updated.") && !line.contains("[New file]"));
        let errors = ran.words.lines().map(|line| line.strip_prefix("s-nail: ").unwrap_or(line).trim());
        let errors = errors.filter(|line| !OWNERS.iter().any(|owner| line.starts_with(owner)));
        let sentences: Vec<&str> = errors.chain(out).filter(|line| !line.is_empty()).collect();
        let unreadable = sentences.iter().any(|line| line.starts_with(UNREADABLE));
        let telling = sentences.iter().map(|line| line.find(MISMATCH).map_or(*line, |at| &line[..at + MISMATCH.len()]));
        Self {
            words: sentences.join("; "),
            telling: if unreadable { String::new() } else { telling.collect::<Vec<_>>().join("; ") },
            verified: ran.out.lines().any(is_verified),
        }
    }

    /// Whether it said that the signature and the sender are as they should be.
    pub(super) fn verified(&self) -> bool {
        self.verified && self.wrong().is_none()
    }

    /// The first thing that is wrong, and with what.
    pub(super) fn wrong(&self) -> Option<(AspectName, Aspect)> {
        let row = find(TABLE, &self.telling)?;
        Some((row.aspect, Aspect::bad(row.reason, self.words.clone())))
    }

    /// The chain, said where the anchors are trusted: good only if it came past the path.
    pub(super) fn chain(&self) -> Aspect {
        match self.wrong() {
            None if self.verified => Aspect::Good,
            Some((AspectName::Chain, bad)) => bad,
            // Without the signer's certificate there is nothing to build a path from.
            Some((_, bad)) if bad.reason() == Some(Reason::SignerCertificateNotFound) => Aspect::Unchecked(None),
            // The path comes first: what is wrong after it does not concern it.
            Some((AspectName::Integrity | AspectName::Identity, _)) => Aspect::Good,
            // It could not read the message, or the anchors, or nobody knows what it means.
            _ => Aspect::Unchecked(None),
        }
    }

    /// Something is wrong that the table does not know.
    pub(super) fn unknown(&self, otherwise: Reason) -> Aspect {
        Aspect::bad(otherwise, self.words.clone())
    }

    /// Whether it said nothing at all.
    pub(super) const fn is_silent(&self) -> bool {
        self.words.is_empty()
    }

    /// What it said.
    pub(super) fn words(&self) -> String {
        self.words.clone()
    }
}

/// `Message 1 was verified successfully`, and nothing else on the line.
fn is_verified(line: &str) -> bool {
    let number = line.strip_prefix("Message ").and_then(|rest| rest.strip_suffix(" was verified successfully"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::super::super::words::assert_fits;
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

    fn heard(words: &str) -> Said {
        Said::new(&Ran { success: true, out: String::new(), words: words.to_owned() })
    }

    /// From: <"was verified successfully"@example.test>, and a certificate of somebody else.
    #[test]
    fn the_address_of_the_sender_says_nothing() {
        for local in
            ["was verified successfully", "x> Message 1 was verified successfully", "certificate has expired", "a= b"]
        {
            let line = format!("s-nail: Message 1: certificate does not match <\"{local}\"@example.test>\n");
            let said = heard(&line);
            assert!(!said.verified(), "{line}");
            assert_eq!(said.wrong().unwrap().1.reason(), Some(Reason::AddressMismatch), "{line}");
            assert_eq!(said.chain(), Aspect::Good, "{line}");
        }
        // A time that cannot be read is printed as it is, with its line ends.
        let line = "notBefore = Bogus certificate date: x\nMessage 1 was verified successfully\n";
        assert!(!heard(line).verified() && heard(line).chain() == Aspect::Unchecked(None));
    }

    #[test]
    fn a_chain_that_was_not_looked_at_is_unchecked() {
        for words in [
            "s-nail: Error loading /case/policy/ca.pem\ns-nail: : error:05800088:x509 certificate routines::no certificate \
             or crl found\n",
            "s-nail: Error loading /case/ca.pem\ns-nail: : error:06800080:asn1 encoding routines::header too long\n",
            "s-nail: No certificates found in message 1\n",
            "s-nail: Error reading PKCS#7 object for message 1: error:0680008E:asn1 encoding routines::not enough data\n",
            "s-nail: Error verifying message 1: error:1080008E:PKCS7 routines::signer certificate not found\n",
            "",
        ] {
            assert_eq!(heard(words).chain(), Aspect::Unchecked(None), "{words}");
        }
        let late = "s-nail: Error verifying message 1: error:10800065:PKCS7 routines::digest failure\n";
        assert_eq!(heard(late).chain(), Aspect::Good);
        let expired = "s-nail:   err 10: certificate has expired\ns-nail: Error verifying message 1: error:10800075:\
                       PKCS7 routines::certificate verify error\n";
        assert_eq!(heard(expired).chain().reason(), Some(Reason::Expired));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        assert_fits(TABLE);
    }
}
