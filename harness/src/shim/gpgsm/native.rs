//! The words of gpgsm, and what they mean: the one place that knows.
//!
//! Its status lines (`[GNUPG:] GOODSIG …`, doc/DETAILS of GnuPG) say what came of
//! a signature or a decryption; why, only its sentences say.

use waxseal_verdict::{Aspect, AspectName, Reason};

use super::super::program::Ran;
use super::super::words::{Row, row};

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    success: bool,
    status: Vec<Status>,
    sentences: Vec<String>,
}

/// One status line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Status {
    keyword: String,
    rest: String,
}

impl Status {
    /// `ERROR verify.leave 150995078`
    fn is_error_at(&self, place: &str) -> bool {
        self.keyword == "ERROR" && self.rest.split(' ').next() == Some(place)
    }
}

/// What it said of a signed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) structure: Aspect,
    pub(super) integrity: Aspect,
    pub(super) chain: Aspect,
}

/// The first row of an aspect that fits decides.
const TABLE: &[Row] = {
    use AspectName::{Chain, Decryption, Integrity, Structure};
    use Reason as R;
    &[
        // --- paths
        row("certificate is not yet valid", Chain, R::NotYetValid),
        row("certificate not yet valid", Chain, R::NotYetValid),
        row("Certificate too young", Chain, R::NotYetValid),
        row("certificate has expired", Chain, R::Expired),
        row("Certificate expired", Chain, R::Expired),
        row("certificate has been revoked", Chain, R::Revoked),
        row("certificate has a BAD signature", Chain, R::BadSignature),
        row("certificate has an invalid signature", Chain, R::BadSignature),
        row("invalid signature in certificate", Chain, R::BadSignature),
        row("issuer certificate is not marked as a CA", Chain, R::NotACa),
        row("certificate is not marked as a CA", Chain, R::NotACa),
        row("Bad CA certificate", Chain, R::NotACa),
        row("certificate chain longer than allowed", Chain, R::PathLength),
        row("certificate chain too long", Chain, R::LimitExceeded),
        row("critical certificate extension", Chain, R::UnknownCriticalExtension),
        row("Unsupported certificate", Chain, R::UnknownCriticalExtension),
        row("critical marked policy", Chain, R::PolicyConstraint),
        row("certificate policy not allowed", Chain, R::PolicyConstraint),
        row("certificate should not have been used for certification", Chain, R::KeyUsage),
        row("certificate should not have been used to sign", Chain, R::KeyUsage),
        row("certificate should not have been used for signing", Chain, R::KeyUsage),
        row("certificate is not usable for signing", Chain, R::KeyUsage),
        row("Wrong key usage", Chain, R::KeyUsage),
        row("root certificate is not marked trusted", Chain, R::Untrusted),
        row("Not trusted", Chain, R::Untrusted),
        row("issuer certificate not found", Chain, R::NoPath),
        row("no issuer found in certificate", Chain, R::NoPath),
        row("Missing issuer certificate", Chain, R::NoPath),
        row("Bad certificate chain", Chain, R::NoPath),
        // --- signatures
        row("message digest attribute does not match", Integrity, R::DigestMismatch),
        row("content-type attribute does not match actual content-type", Integrity, R::ContentTypeMismatch),
        row("certificate not found", Integrity, R::SignerCertificateNotFound),
        row("Bad signature", Integrity, R::SignatureMismatch),
        row("invalid signature", Integrity, R::SignatureMismatch),
        // --- decryption
        row("unsupported algorithm", Structure, R::UnsupportedAlgorithm),
        row("Unsupported algorithm", Structure, R::UnsupportedAlgorithm),
        row("error getting IV", Structure, R::BadParameters),
        row("error getting encrypted session key", Structure, R::UnsupportedAlgorithm),
        row("decrypting session key failed: Bad data", Decryption, R::WrongKey),
        row("decrypting session key failed: Invalid", Decryption, R::WrongKey),
        row("decrypting session key failed: Wrong", Decryption, R::WrongKey),
        row("decrypting session key failed: Encoding", Decryption, R::WrongKey),
        row("decrypting session key failed: No secret key", Decryption, R::NoKey),
        row("message decryption failed: No secret key", Decryption, R::NoKey),
        // --- structure
        row("error getting content-type attribute", Structure, R::MissingAttribute),
        row("no signature value available", Structure, R::UnsupportedAlgorithm),
        row("unknown digest algorithm", Structure, R::UnsupportedAlgorithm),
        row("premature EOF", Structure, R::Truncated),
        row("ksba_cms_parse failed: End of file", Structure, R::Truncated),
        row("Unsupported CMS object", Structure, R::UnsupportedContentType),
        row("Unknown CMS object", Structure, R::UnsupportedContentType),
        row("Unsupported CMS version", Structure, R::VersionMismatch),
        row("BER error", Structure, R::BadBer),
        row("ksba_cms_parse failed", Structure, R::BadBer),
    ]
};

impl Said {
    /// Takes apart what stood on its two outputs; the status lines are on the first.
    pub(super) fn new(ran: &Ran) -> Self {
        let status = ran.out.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")).map(|line| {
            let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
            Status { keyword: keyword.to_owned(), rest: rest.to_owned() }
        });
        // What it always says tells nothing.
        let dull = ["running with faked system time", "CRLs not checked", "removing stale lockfile", "option --output"];
        let sentences = ran.words.lines().map(str::trim).filter(|line| !dull.iter().any(|words| line.contains(words)));
        let sentences = sentences.map(|line| line.strip_prefix("gpgsm: ").unwrap_or(line).trim_start().to_owned());
        Self { success: ran.success, status: status.collect(), sentences: sentences.collect() }
    }

    /// Whether the command ended well.
    pub(super) const fn success(&self) -> bool {
        self.success
    }

    /// Whether what was encrypted came out. The exit code does not tell: it is 2 after
    /// a recipient that it does not know, too.
    pub(super) fn decrypted(&self) -> bool {
        self.status.iter().any(|status| status.keyword == "DECRYPTION_OKAY")
    }

    /// What it said of a signed object.
    pub(super) fn signed(&self) -> Signed {
        let mut signed = Signed { structure: Aspect::Good, integrity: Aspect::Absent, chain: Aspect::Absent };
        let starts: Vec<_> = self.status.iter().enumerate().filter(|(_, status)| status.keyword == "NEWSIG").collect();
        for (number, (start, _)) in starts.iter().enumerate() {
            let end = starts.get(number + 1).map_or(self.status.len(), |(end, _)| *end);
            let (integrity, chain) = self.signer(&self.status[*start..end]);
            signed.integrity = signed.integrity.worst(integrity);
            signed.chain = signed.chain.worst(chain);
        }
        // It left before the last signer: those after it have no lines.
        let left = signed.integrity.is_good() && self.status.iter().any(|status| status.is_error_at("verify.leave"));
        if starts.is_empty() || left || signed.integrity == Aspect::Unchecked(None) {
            signed.structure = self.bad(AspectName::Structure, Reason::BadBer);
            (signed.integrity, signed.chain) = (Aspect::Unchecked(None), Aspect::Unchecked(None));
        }
        signed
    }

    /// What it said of one signer: integrity and chain.
    fn signer(&self, status: &[Status]) -> (Aspect, Aspect) {
        let find = |keyword: &str| status.iter().find(|status| status.keyword == keyword);
        let place = |place: &str| status.iter().any(|line| line.is_error_at(place));
        let integrity = if ["GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"].iter().any(|good| find(good).is_some()) {
            Aspect::Good
        } else if find("BADSIG").is_some() {
            self.bad(AspectName::Integrity, Reason::SignatureMismatch)
        } else if find("ERRSIG").is_some() || place("verify.findkey") {
            self.bad(AspectName::Integrity, Reason::SignerCertificateNotFound)
        } else if self.row(|row| row.aspect == AspectName::Integrity).is_some() {
            // Some refusals have a sentence, and no status line.
            self.bad(AspectName::Integrity, Reason::SignatureMismatch)
        } else {
            Aspect::Unchecked(None)
        };
        let chain = if find("REVKEYSIG").is_some() {
            self.bad(AspectName::Chain, Reason::Revoked)
        } else if find("EXPKEYSIG").is_some() {
            self.bad(AspectName::Chain, Reason::Expired)
        } else if find("TRUST_NEVER").is_some() || find("TRUST_UNDEFINED").is_some() {
            self.bad(AspectName::Chain, Reason::NoPath)
        } else if place("verify.keyusage") {
            self.bad(AspectName::Chain, Reason::KeyUsage)
        } else if find("TRUST_FULLY").is_some() || find("TRUST_ULTIMATE").is_some() {
            Aspect::Good
        } else {
            Aspect::Unchecked(None)
        };
        (integrity, chain)
    }

    /// Which aspect a decryption failed in.
    pub(super) fn failed_decryption(&self) -> (AspectName, Aspect) {
        let aspect = self.row(|row| matches!(row.aspect, AspectName::Structure | AspectName::Decryption));
        let aspect = aspect.map_or(AspectName::Decryption, |row| row.aspect);
        (aspect, self.bad(aspect, Reason::WrongKey))
    }

    /// What it said, and is worth keeping.
    pub(super) fn words(&self) -> Option<String> {
        let telling =
            |status: &&Status| !["NEWSIG", "GOODSIG", "VALIDSIG", "ENC_TO"].contains(&status.keyword.as_str());
        let status = self.status.iter().filter(telling).map(|status| format!("{} {}", status.keyword, status.rest));
        let bad = self.status.iter().any(|status| {
            matches!(
                status.keyword.as_str(),
                "BADSIG" | "ERRSIG" | "ERROR" | "TRUST_NEVER" | "TRUST_UNDEFINED" | "EXPKEYSIG"
            )
        });
        (!self.success || bad).then(|| self.sentences.iter().cloned().chain(status).collect::<Vec<_>>().join("; "))
    }

    fn bad(&self, aspect: AspectName, otherwise: Reason) -> Aspect {
        let reason = self.row(|row| row.aspect == aspect).map_or(otherwise, |row| row.reason);
        Aspect::bad(reason, self.words().unwrap_or_default())
    }

    fn row(&self, fits: impl Fn(&Row) -> bool) -> Option<&'static Row> {
        TABLE.iter().filter(|row| fits(row)).find(|row| self.sentences.iter().any(|line| line.contains(row.words)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::assert_fits;
    use super::*;

    fn said(status: &[&str], sentences: &[&str]) -> Said {
        let out: String = status.iter().map(|line| format!("[GNUPG:] {line}\n")).collect();
        let words: String = sentences.iter().map(|line| format!("gpgsm: {line}\n")).collect();
        Said::new(&Ran { success: true, out, words })
    }

    fn told(said: &Said) -> String {
        let signed = said.signed();
        format!("{} | {} | {}", signed.structure, signed.integrity, signed.chain)
    }

    /// Each as gpgsm 2.2.40 writes it.
    #[test]
    fn the_words_of_gpgsm_become_reasons() {
        let (good, valid) = ("GOODSIG 31FA4EC1 /CN=alice", "VALIDSIG 31FA4EC1 2026-11-22 0 0 0 0 0 1 8 00");
        for (status, sentences, expected) in [
            (vec!["NEWSIG", good, valid, "TRUST_FULLY 0 shell"], vec![], "good | good | good"),
            (
                vec!["NEWSIG", "BADSIG 31FA4EC1 /CN=alice"],
                vec!["invalid signature: message digest attribute does not match computed one"],
                "good | bad: digest-mismatch | unchecked",
            ),
            (
                vec!["NEWSIG", "BADSIG 31FA4EC1 /CN=alice"],
                vec!["invalid signature: Bad signature"],
                "good | bad: signature-mismatch | unchecked",
            ),
            (
                vec!["NEWSIG", "EXPKEYSIG 31FA4EC1 /CN=alice", valid, "TRUST_FULLY 0 shell"],
                vec!["certificate has expired"],
                "good | good | bad: expired",
            ),
            (
                vec!["NEWSIG", good, valid, "TRUST_UNDEFINED 102"],
                vec!["certificate not yet valid", "invalid certification chain: Certificate too young"],
                "good | good | bad: not-yet-valid",
            ),
            (
                vec!["NEWSIG", "ERROR verify.findkey 50331657"],
                vec!["certificate not found"],
                "good | bad: signer-certificate-not-found | unchecked",
            ),
            (
                vec!["ERROR verify.leave 150995078"],
                vec!["ksba: ber-decoder: node `?': premature EOF", "ksba_cms_parse failed: BER error"],
                "bad: truncated | unchecked | unchecked",
            ),
            // The worse of two signers.
            (
                vec!["NEWSIG", good, "TRUST_FULLY 0 shell", "NEWSIG", "BADSIG 31FA4EC1 /CN=bob"],
                vec!["invalid signature: Bad signature"],
                "good | bad: signature-mismatch | unchecked",
            ),
            // Of a second signer it says nothing but this.
            (
                vec!["NEWSIG", good, valid, "TRUST_FULLY 0 shell", "ERROR verify.leave 150995126"],
                vec!["ksba_cms_get_issuer_serial failed: No value"],
                "bad: bad-ber | unchecked | unchecked",
            ),
        ] {
            assert_eq!(told(&said(&status, &sentences)), expected, "{status:?}");
        }
    }

    #[test]
    fn a_failed_decryption_is_told() {
        let failed = |sentences: &[&str]| said(&["DECRYPTION_FAILED"], sentences).failed_decryption().1.reason();
        let rc2 =
            ["unsupported algorithm '1.2.840.113549.3.2'", "message decryption failed: Unsupported algorithm <GpgSM>"];
        assert_eq!(failed(&rc2), Some(Reason::UnsupportedAlgorithm));
        assert_eq!(failed(&["message decryption failed: No secret key <GpgSM>"]), Some(Reason::NoKey));
    }

    #[test]
    fn every_row_names_a_reason_of_its_aspect() {
        assert_fits(TABLE);
    }
}
