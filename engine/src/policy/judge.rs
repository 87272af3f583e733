//! What a policy says of the algorithms, keys, encodings and times of a message.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};
use waxseal_key::algorithm::{self, Era, Status};
use waxseal_key::{ContentCipher, DigestAlgorithm, PublicKeyAlgorithm, SignatureScheme, describe_public_key};
use waxseal_verdict::{Aspect, Deviation, Reason};

use super::Policy;
use crate::Check;
use crate::certificate::Certificate;

impl Policy {
    /// Judges a signature: its digest, its algorithm, and the signer's key,
    /// given as DER of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn judge_signature(&self, digest: DigestAlgorithm, scheme: SignatureScheme, spki: &[u8]) -> Aspect {
        self.judge_algorithm(digest.oid(), None, self.minimum.digest_bits, Reason::WeakDigest)
            .worst(self.judge_name(scheme.name()))
            .worst(self.judge_key(spki))
    }

    /// Judges the signatures on the certificates of a path, each by the key of
    /// the next. That of the last, an anchor, nobody relies on.
    #[must_use]
    pub fn judge_path(&self, path: &[Certificate]) -> Aspect {
        let mut aspect = Aspect::Good;
        for pair in path.windows(2) {
            if let Ok(Some((scheme, Some(digest)))) = pair[0].signature_scheme() {
                aspect = aspect.worst(self.judge_signature(digest, scheme, pair[1].spki()));
            }
        }
        aspect
    }

    /// Judges a digest by itself, known to the engine or not.
    #[must_use]
    pub fn judge_digest(&self, oid: &str) -> Aspect {
        self.judge_algorithm(oid, None, self.minimum.digest_bits, Reason::WeakDigest)
    }

    /// Judges a content cipher.
    #[must_use]
    pub fn judge_cipher(&self, cipher: ContentCipher) -> Aspect {
        self.judge_cipher_oid(cipher.oid(), None)
    }

    /// Judges a content cipher by its object identifier, known to the engine or
    /// not. `key_bits` is the effective length of the key, where the parameters
    /// tell it (RC2: RFC 3370 section 5.2).
    #[must_use]
    pub fn judge_cipher_oid(&self, oid: &str, key_bits: Option<u32>) -> Aspect {
        self.judge_algorithm(oid, key_bits, self.minimum.cipher_bits, Reason::WeakCipher)
    }

    /// Judges a message authentication code, known to the engine or not, by the
    /// strength that is asked of a cipher.
    #[must_use]
    pub fn judge_mac(&self, oid: &str) -> Aspect {
        self.judge_algorithm(oid, None, self.minimum.cipher_bits, Reason::ForbiddenAlgorithm)
    }

    /// Judges a public key, given as DER of the SubjectPublicKeyInfo. A key of
    /// which nothing is known is unchecked.
    #[must_use]
    pub fn judge_key(&self, spki: &[u8]) -> Aspect {
        if !Check::AlgorithmStrength.on() {
            return Aspect::Good;
        }
        let Ok(key) = describe_public_key(spki) else { return Aspect::Unchecked(None) };
        let row = algorithm::by_name(key.algorithm.name());
        let (name, minimum) = match &key.algorithm {
            PublicKeyAlgorithm::Rsa => ("RSA", self.minimum.rsa_bits),
            PublicKeyAlgorithm::P256 | PublicKeyAlgorithm::P384 | PublicKeyAlgorithm::P521 => {
                ("elliptic curve", self.minimum.curve_bits)
            }
            _ => match row.map(|row| row.name) {
                Some(name @ ("dsa" | "dh" | "dh-pkcs3" | "rsassa-pss" | "rsaes-oaep")) => (name, self.minimum.rsa_bits),
                Some(name @ ("ec" | "ec-dh" | "sm2")) => (name, self.minimum.curve_bits),
                _ => return self.judge_named_key(row),
            },
        };
        match key.bits {
            0 => Aspect::Unchecked(None),
            bits if bits < minimum => {
                Aspect::bad(Reason::WeakKey, format!("{name} key of {bits} bits, at least {minimum} are asked"))
            }
            _ => Aspect::Good,
        }
    }

    /// Judges the deviations found on a signature: which of them this policy refuses.
    #[must_use]
    pub fn judge_encoding(&self, deviations: &[Deviation]) -> Aspect {
        if self.strict_encoding && deviations.contains(&Deviation::AttributesNotDer) {
            let what = "the signature is over attributes that are not in DER (RFC 5652 section 5.4)";
            return Aspect::bad(Reason::StrictEncoding, what);
        }
        Aspect::Good
    }

    /// Judges a signing time against the Date field and the time of reading.
    /// Without a signing time there is nothing to judge; without a Date only
    /// that it is not in the future.
    #[must_use]
    pub fn judge_time(
        &self,
        date: Option<OffsetDateTime>,
        signing_time: Option<OffsetDateTime>,
        at: OffsetDateTime,
    ) -> Aspect {
        let Some(signing_time) = signing_time else { return Aspect::Absent };
        if !Check::SigningTime.on() {
            return Aspect::Good;
        }
        let mut aspect = Aspect::Good;
        if let Some(date) = date {
            let difference = (signing_time - date).abs();
            if difference > Duration::seconds(self.time.date_difference_seconds.into()) {
                let what = format!(
                    "signed at {}, Date is {}: {} seconds apart, {} are allowed",
                    show(signing_time),
                    show(date),
                    difference.whole_seconds(),
                    self.time.date_difference_seconds
                );
                aspect = Aspect::bad(Reason::SigningTimeDiffers, what);
            }
        }
        if signing_time - at > Duration::seconds(self.time.future_seconds.into()) {
            let what = format!("signed at {}, read at {}", show(signing_time), show(at));
            aspect = aspect.worst(Aspect::bad(Reason::SigningTimeFuture, what));
        }
        aspect
    }

    /// Judges a signing time against the validity of the certificate: whoever
    /// says to have signed with one that had not begun, or had ended, says
    /// something wrong, or signed what nobody vouches for. What the certificate
    /// is worth at the time of reading is the chain's business.
    #[must_use]
    pub fn judge_signing_validity(&self, signing_time: Option<OffsetDateTime>, certificate: &Certificate) -> Aspect {
        let Some(signing_time) = signing_time.filter(|_| Check::SigningTime.on()) else { return Aspect::Absent };
        let off = Duration::seconds(self.time.date_difference_seconds.into());
        let (begin, end) = (certificate.not_before(), certificate.not_after());
        let what = if begin - signing_time > off {
            format!("before its certificate began at {}", show(begin))
        } else if signing_time - end > off {
            format!("after its certificate had ended at {}", show(end))
        } else {
            return Aspect::Good;
        };
        Aspect::bad(Reason::SigningTimeDiffers, format!("signed at {}, {what}", show(signing_time)))
    }

    /// A key whose strength the algorithm table tells.
    fn judge_named_key(&self, row: Option<&algorithm::Row>) -> Aspect {
        match row {
            Some(row) if row.strength_bits > 0 => {
                // An elliptic curve has half the bits of its field as strength.
                if u32::from(row.strength_bits) * 2 < self.minimum.curve_bits {
                    return Aspect::bad(Reason::WeakKey, format!("key of type {}", row.name));
                }
                self.judge_name(row.name)
            }
            _ => Aspect::Unchecked(None),
        }
    }

    /// Strength, age and name of an algorithm. One of unknown strength is weak.
    fn judge_algorithm(&self, oid: &str, key_bits: Option<u32>, minimum: u32, weak: Reason) -> Aspect {
        if !Check::AlgorithmStrength.on() {
            return Aspect::Good;
        }
        let Some(row) = algorithm::by_oid(oid) else {
            return Aspect::bad(weak, format!("the strength of algorithm {oid} is not known"));
        };
        let strength = strength_bits(oid, key_bits);
        let aspect = if strength < minimum {
            Aspect::bad(weak, format!("{} has a strength of {strength} bits, at least {minimum} are asked", row.name))
        } else if self.refuse_historic && row.status_in(Era::Smime4) == Status::Historic {
            Aspect::bad(weak, format!("{} is for old mail only (RFC 8551 appendix B)", row.name))
        } else {
            Aspect::Good
        };
        aspect.worst(self.judge_name(row.name))
    }

    fn judge_name(&self, name: &str) -> Aspect {
        if Check::AlgorithmStrength.on() && self.forbidden.iter().any(|forbidden| forbidden == name) {
            return Aspect::bad(Reason::ForbiddenAlgorithm, format!("policy {} forbids {name}", self.name));
        }
        Aspect::Good
    }
}

/// The strength of an algorithm in bits, 0 if it is not known; `key_bits` is
/// the effective length of the key, where the parameters tell it.
pub(crate) fn strength_bits(oid: &str, key_bits: Option<u32>) -> u32 {
    match (algorithm::by_oid(oid).map_or(0, |row| u32::from(row.strength_bits)), key_bits) {
        (0, bits) => bits.unwrap_or(0),
        (strength, bits) => bits.map_or(strength, |bits| bits.min(strength)),
    }
}

fn show(time: OffsetDateTime) -> String {
    let utc = time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
    utc.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NAMES: [&str; 3] = ["strict", "default", "archive"];

    #[test]
    fn a_time_that_utc_cannot_say_is_shown() {
        assert_eq!(show(datetime!(9999-12-31 23:59:59 -1)), "9999-12-31T23:59:59-01:00");
        assert_eq!(show(datetime!(2020-01-01 0:00 +1)), "2019-12-31T23:00:00Z");
    }

    fn of_each(judge: impl Fn(&Policy) -> Aspect) -> [Option<Reason>; 3] {
        NAMES.map(|name| judge(&Policy::named(name).unwrap()).reason())
    }

    /// SubjectPublicKeyInfo of an RSA key whose modulus has `bits` bits.
    fn rsa(bits: usize) -> Vec<u8> {
        fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
            let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
            let length = match (high, low) {
                (0, 0..=0x7f) => vec![low],
                (0, _) => vec![0x81, low],
                _ => vec![0x82, high, low],
            };
            [vec![tag], length, content.to_vec()].concat()
        }
        let modulus = [&[0, 0x80][..], &vec![0x55; bits / 8 - 2], &[1]].concat();
        let key = tlv(0x30, &[tlv(2, &modulus), vec![2, 3, 1, 0, 1]].concat());
        let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        tlv(0x30, &[&algorithm[..], &tlv(3, &[&[0], key.as_slice()].concat())].concat())
    }

    #[test]
    fn digests() {
        let weak = Some(Reason::WeakDigest);
        for (digest, expected) in [
            (DigestAlgorithm::Md5, [weak, weak, weak]),
            (DigestAlgorithm::Sha1, [weak, weak, None]),
            (DigestAlgorithm::Sha224, [weak, None, None]),
            (DigestAlgorithm::Sha256, [None, None, None]),
            (DigestAlgorithm::Sha512, [None, None, None]),
        ] {
            let found = of_each(|policy| policy.judge_signature(digest, SignatureScheme::RsaPkcs1, &rsa(2048)));
            assert_eq!(found, expected, "{digest:?}");
        }
    }

    #[test]
    fn keys() {
        let weak = Some(Reason::WeakKey);
        for (bits, expected) in [
            (512, [weak, weak, weak]),
            (1024, [weak, weak, None]),
            (2048, [None, None, None]),
            (4096, [None, None, None]),
        ] {
            assert_eq!(of_each(|policy| policy.judge_key(&rsa(bits))), expected, "{bits}");
        }
        assert_eq!(Policy::named("default").unwrap().judge_key(&[]), Aspect::Unchecked(None));
    }

    #[test]
    fn both_reasons_of_a_weak_signature() {
        let policy = Policy::named("default").unwrap();
        let Aspect::Bad(bad) = policy.judge_signature(DigestAlgorithm::Sha1, SignatureScheme::RsaPkcs1, &rsa(1024))
        else {
            panic!("SHA-1 with 1024 bits passes")
        };
        assert_eq!((bad.reason, bad.also), (Reason::WeakDigest, vec![Reason::WeakKey]));
        assert_eq!(bad.detail, "sha-1 has a strength of 63 bits, at least 112 are asked");
    }

    #[test]
    fn ciphers() {
        let weak = Some(Reason::WeakCipher);
        for (oid, bits, expected) in [
            (ContentCipher::Aes128Cbc.oid(), None, [None, None, None]),
            (ContentCipher::TripleDesCbc.oid(), None, [weak, weak, None]),
            ("1.2.840.113549.3.2", Some(40), [weak, weak, weak]),
            ("1.2.840.113549.3.2", Some(128), [weak, weak, None]),
            ("1.2.840.113549.3.2", None, [weak, weak, weak]),
            ("1.3.14.3.2.7", None, [weak, weak, weak]),
            ("1.2.3.4", None, [weak, weak, weak]),
            ("1.2.840.113549.3.4", Some(128), [Some(Reason::ForbiddenAlgorithm), None, None]),
        ] {
            assert_eq!(of_each(|policy| policy.judge_cipher_oid(oid, bits)), expected, "{oid} {bits:?}");
        }
        let policy = Policy::named("default").unwrap();
        assert_eq!(policy.judge_cipher(ContentCipher::TripleDesCbc).reason(), weak);
    }

    #[test]
    fn only_strict_refuses_attributes_that_are_not_der() {
        let deviations = [Deviation::MicalgCase, Deviation::AttributesNotDer];
        assert_eq!(of_each(|policy| policy.judge_encoding(&deviations)), [Some(Reason::StrictEncoding), None, None]);
        assert_eq!(of_each(|policy| policy.judge_encoding(&deviations[..1])), [None; 3]);
    }

    #[test]
    fn times() {
        let date = datetime!(2025-01-01 12:00 +2);
        let policy = Policy::named("default").unwrap();
        let judge = |date, signed, at| policy.judge_time(date, signed, at);
        assert_eq!(judge(Some(date), None, date), Aspect::Absent);
        assert_eq!(judge(Some(date), Some(date + Duration::HOUR), date), Aspect::Good);
        assert_eq!(judge(None, Some(date - Duration::WEEK), date), Aspect::Good);
        let differs = judge(Some(date), Some(date - Duration::hours(2)), date);
        let Aspect::Bad(bad) = differs else { panic!("two hours pass") };
        assert_eq!(bad.reason, Reason::SigningTimeDiffers);
        assert_eq!(
            bad.detail,
            "signed at 2025-01-01T08:00:00Z, Date is 2025-01-01T10:00:00Z: 7200 seconds apart, 3600 are allowed"
        );
        let Aspect::Bad(bad) = judge(Some(date), Some(date + Duration::DAY), date) else { panic!("a day passes") };
        assert_eq!((bad.reason, bad.also), (Reason::SigningTimeDiffers, vec![Reason::SigningTimeFuture]));
        let later = judge(Some(date), Some(date), date - Duration::DAY);
        assert_eq!(later.reason(), Some(Reason::SigningTimeFuture));
    }
}
