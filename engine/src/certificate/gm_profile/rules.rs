//! The rules, and how each is asked.

use std::io::Cursor;

use waxseal_key::{KeyError, PublicKeyAlgorithm, SM2_DEFAULT_ID, algorithm, describe_public_key, same_public_key};

use super::Edition::{Gbt2018, Gmt2012, Gmt2023};
use super::{Check, ENCRYPTING, Edition, Level, Outcome, Role, Rule, SIGNING, Subject};
use crate::ber;
use crate::certificate::field::Fields as _;
use crate::certificate::{Certificate, KeyUsage};

const ALL: &[Edition] = &Edition::ALL;
const CERTIFICATES: &str = "public certificates of SM2 and every implementation that was read";
const TONGSUO: &str = "the documentation of Tongsuo 8.5, which cites the annex of GB/T 20518-2018";
const GMSSL: &str = "the source of GmSSL 3, which refuses it otherwise";
const SAMPLES: &str = "the test certificates of Tongsuo";
const INFERENCE: &str = "inferred: two certificates of one holder";

/// Every rule, of one certificate first, then of two.
pub const RULES: &[Rule] = &[
    rule("version", "version 3, which extensions need", Level::Must, TONGSUO, ALL, version),
    rule("signature-algorithm", "signed with SM2 and SM3", Level::Must, CERTIFICATES, ALL, signature_algorithm),
    rule(
        "signature-parameters",
        "the identifier of the signature algorithm has no parameters",
        Level::Must,
        CERTIFICATES,
        ALL,
        signature_parameters,
    ),
    rule(
        "signature-id",
        "signed under the identifier 1234567812345678",
        Level::Must,
        "GM/T 0009, as implementations cite it",
        ALL,
        signature_id,
    ),
    rule(
        "key-algorithm",
        "the key stands under id-ecPublicKey, and names the curve of SM2",
        Level::Must,
        CERTIFICATES,
        &[Gmt2012, Gbt2018],
        key_algorithm,
    ),
    rule(
        "key-algorithm-2023",
        "the key stands under id-ecPublicKey and names the curve of SM2, or stands under the identifier of SM2",
        Level::Must,
        "GmSSL pull request 1912, which cites GM/T 0015-2023",
        &[Gmt2023],
        key_algorithm_2023,
    ),
    rule("key-point", "the key is a point of the curve in two coordinates", Level::Must, CERTIFICATES, ALL, key_point),
    rule("key-usage", "keyUsage is there, critical or not", Level::Must, TONGSUO, ALL, key_usage),
    rule(
        "key-usage-purpose",
        "keyUsage: digitalSignature or nonRepudiation to sign; keyEncipherment, dataEncipherment or keyAgreement to encrypt",
        Level::Must,
        TONGSUO,
        ALL,
        key_usage_purpose,
    ),
    rule(
        "key-usage-one-purpose",
        "keyUsage is for signatures or for encryption, not for both",
        Level::Should,
        "the separate tables of GM/T 0015-2012 annex C for the two certificates of a holder",
        ALL,
        key_usage_one_purpose,
    ),
    rule(
        "key-usage-no-authority",
        "keyUsage of a holder has neither keyCertSign nor cRLSign",
        Level::Should,
        GMSSL,
        ALL,
        key_usage_no_authority,
    ),
    rule(
        "key-usage-gmssl",
        "keyUsage has digitalSignature to sign, and keyEncipherment to encrypt",
        Level::Should,
        GMSSL,
        ALL,
        key_usage_gmssl,
    ),
    rule(
        "identity-extensions",
        "extensions with identity numbers are those of this edition",
        Level::Should,
        "the change log of XiPKI, and clients of public authorities",
        &[Gmt2012, Gmt2023],
        identity_extensions,
    ),
    rule(
        "key-identifiers",
        "subjectKeyIdentifier and authorityKeyIdentifier are there",
        Level::Seen,
        SAMPLES,
        ALL,
        key_identifiers,
    ),
    rule(
        "basic-constraints",
        "basicConstraints of a holder says that it is no authority",
        Level::Seen,
        SAMPLES,
        ALL,
        basic_constraints,
    ),
    pair("pair-roles", "one certificate signs, the other one encrypts", Level::Must, INFERENCE, pair_roles),
    pair("pair-subject", "both certificates have one subject", Level::Should, INFERENCE, pair_subject),
    pair("pair-issuer", "both certificates have one issuer", Level::Should, INFERENCE, pair_issuer),
    pair("pair-keys", "the two certificates have different keys", Level::Should, INFERENCE, pair_keys),
    pair(
        "pair-validity",
        "there is a time at which both certificates are valid",
        Level::Should,
        INFERENCE,
        pair_validity,
    ),
];

const fn rule(
    id: &'static str,
    asks: &'static str,
    level: Level,
    basis: &'static str,
    editions: &'static [Edition],
    check: fn(&Subject<'_>) -> Outcome,
) -> Rule {
    Rule { id, asks, level, basis, confirmed: false, editions, check: Check::One(check) }
}

const fn pair(
    id: &'static str,
    asks: &'static str,
    level: Level,
    basis: &'static str,
    check: fn(&Certificate, &Certificate) -> Outcome,
) -> Rule {
    Rule { id, asks, level, basis, confirmed: false, editions: ALL, check: Check::Pair(check) }
}

const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const SM2: &str = "1.2.156.10197.1.301";
const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// Identity code, social insurance, business registration, organization, taxation.
const IDENTITY_2012: [&str; 5] =
    ["1.2.156.10260.4.1.1", "1.2.156.10260.4.1.2", "1.2.156.10260.4.1.3", "1.2.156.10260.4.1.4", "1.2.156.10260.4.1.5"];
/// Resident identity, passport, social insurance, unified social credit code.
const IDENTITY_2023: [&str; 4] =
    ["1.2.156.10260.4.1.1.1", "1.2.156.10260.4.1.1.2", "1.2.156.10260.4.1.2", "1.2.156.10260.4.4"];

fn version(subject: &Subject<'_>) -> Outcome {
    kept_or(subject.certificate.version() == 3, || format!("version {}", subject.certificate.version()))
}

fn signature_algorithm(subject: &Subject<'_>) -> Outcome {
    let oid = subject.certificate.signature_algorithm();
    kept_or(oid == SM2_WITH_SM3, || named(oid))
}

fn signature_parameters(subject: &Subject<'_>) -> Outcome {
    let certificate = subject.certificate;
    if certificate.signature_algorithm() != SM2_WITH_SM3 {
        return Outcome::NotApplicable;
    }
    let has_none = |identifier: &[u8]| algorithm_fields(identifier).is_some_and(|(_, parameters)| parameters.is_none());
    match (has_none(certificate.signature_algorithm_der()), certificate.signature_algorithms_agree()) {
        (true, true) => Outcome::Kept,
        (false, _) => Outcome::Broken("there are parameters".to_owned()),
        (true, false) => Outcome::Broken("inside of what is signed stands another identifier".to_owned()),
    }
}

fn signature_id(subject: &Subject<'_>) -> Outcome {
    let certificate = subject.certificate;
    if certificate.signature_algorithm() != SM2_WITH_SM3 {
        return Outcome::NotApplicable;
    }
    let issuer = match subject.issuer {
        Some(issuer) => issuer,
        None if certificate.is_self_issued() => certificate,
        None => return Outcome::NotChecked("the issuer is not known"),
    };
    let verifies = |id: &[u8]| {
        let message = &mut Cursor::new(certificate.tbs());
        subject.arithmetic.verify_sm2(issuer.spki(), id, message, certificate.signature())
    };
    match verifies(SM2_DEFAULT_ID) {
        Ok(true) => Outcome::Kept,
        Ok(false) if verifies(b"") == Ok(true) => Outcome::Broken("signed under an empty identifier".to_owned()),
        Ok(false) => Outcome::Broken(format!("the signature does not fit the key of {}", issuer.subject())),
        Err(error) => undone(&error),
    }
}

/// What a provider lacks is no fault of the certificate.
fn undone(error: &KeyError) -> Outcome {
    match error {
        KeyError::NotByThisProvider { .. } => Outcome::NotChecked("the provider of arithmetic has no SM2"),
        error => Outcome::Broken(error.to_string()),
    }
}

fn key_algorithm(subject: &Subject<'_>) -> Outcome {
    let form = key_form(subject.certificate);
    kept_or(is_named_curve(form.as_deref()), || described(form.as_deref()))
}

fn key_algorithm_2023(subject: &Subject<'_>) -> Outcome {
    let form = key_form(subject.certificate);
    let good = matches!(form.as_deref(), Some([first, ..]) if first == SM2) || is_named_curve(form.as_deref());
    kept_or(good, || described(form.as_deref()))
}

fn is_named_curve(form: Option<&[String]>) -> bool {
    matches!(form, Some([algorithm, curve]) if algorithm == EC_PUBLIC_KEY && curve == SM2)
}

fn key_point(subject: &Subject<'_>) -> Outcome {
    let certificate = subject.certificate;
    let algorithm = describe_public_key(certificate.spki()).map(|key| key.algorithm);
    if !matches!(algorithm, Ok(PublicKeyAlgorithm::Sm2)) {
        return Outcome::Broken("the key is none of SM2".to_owned());
    }
    match certificate.key_bits() {
        Some([4, rest @ ..]) if rest.len() == 64 => {
            // With a key that is no point nothing is verified, not even this: r and s are 1.
            let signature = [0x30, 6, 2, 1, 1, 2, 1, 1];
            let checked = subject.arithmetic.verify_sm2_digest(certificate.spki(), &[1; 32], &signature);
            checked.map_or_else(|error| undone(&error), |_| Outcome::Kept)
        }
        Some(octets) => Outcome::Broken(format!("{} octets that begin with {:02x?}", octets.len(), octets.first())),
        None => Outcome::Broken("the key cannot be read".to_owned()),
    }
}

fn key_usage(subject: &Subject<'_>) -> Outcome {
    kept_or(subject.certificate.key_usage().is_some(), || "there is none".to_owned())
}

fn key_usage_purpose(subject: &Subject<'_>) -> Outcome {
    let Some(usage) = subject.certificate.key_usage() else {
        return Outcome::NotChecked("there is no keyUsage");
    };
    let wanted = match subject.role() {
        Some(Role::Authority) => return Outcome::NotApplicable,
        Some(Role::Signature) => SIGNING,
        Some(Role::Encryption) => ENCRYPTING,
        None => SIGNING.with(ENCRYPTING),
    };
    kept_or(usage.any_of(wanted), || format!("keyUsage is {usage}"))
}

fn key_usage_one_purpose(subject: &Subject<'_>) -> Outcome {
    match subject.certificate.key_usage() {
        Some(usage) if !subject.is_authority() => {
            kept_or(!(usage.any_of(SIGNING) && usage.any_of(ENCRYPTING)), || format!("keyUsage is {usage}"))
        }
        _ => Outcome::NotApplicable,
    }
}

fn key_usage_no_authority(subject: &Subject<'_>) -> Outcome {
    let authority = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
    match subject.certificate.key_usage() {
        Some(usage) if !subject.is_authority() => kept_or(!usage.any_of(authority), || format!("keyUsage is {usage}")),
        _ => Outcome::NotApplicable,
    }
}

fn key_usage_gmssl(subject: &Subject<'_>) -> Outcome {
    let Some(usage) = subject.certificate.key_usage() else { return Outcome::NotApplicable };
    let wanted = match subject.role() {
        Some(Role::Signature) => KeyUsage::DIGITAL_SIGNATURE,
        Some(Role::Encryption) => KeyUsage::KEY_ENCIPHERMENT,
        Some(Role::Authority) | None => return Outcome::NotApplicable,
    };
    kept_or(usage.any_of(wanted), || format!("keyUsage is {usage}"))
}

fn identity_extensions(subject: &Subject<'_>) -> Outcome {
    let (own, others): (&[&str], &[&str]) = match subject.edition {
        Gmt2012 => (&IDENTITY_2012, &IDENTITY_2023),
        Gmt2023 => (&IDENTITY_2023, &IDENTITY_2012),
        Gbt2018 => return Outcome::NotApplicable,
    };
    let found = || subject.certificate.extensions().iter().map(|extension| extension.oid.as_str());
    match found().find(|oid| others.contains(oid) && !own.contains(oid)) {
        Some(oid) => Outcome::Broken(format!("{oid} is one of another edition")),
        None if found().any(|oid| own.contains(&oid)) => Outcome::Kept,
        None => Outcome::NotApplicable,
    }
}

fn key_identifiers(subject: &Subject<'_>) -> Outcome {
    let certificate = subject.certificate;
    let missing = [
        ("subjectKeyIdentifier", certificate.ski().is_none()),
        ("authorityKeyIdentifier", certificate.authority_key_identifier().is_none() && !certificate.is_self_issued()),
    ];
    let missing: Vec<&str> = missing.iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| *name).collect();
    kept_or(missing.is_empty(), || format!("there is no {}", missing.join(" and no ")))
}

fn basic_constraints(subject: &Subject<'_>) -> Outcome {
    if subject.is_authority() {
        return Outcome::NotApplicable;
    }
    match subject.certificate.basic_constraints() {
        Some(constraints) => kept_or(!constraints.ca, || "it says that it is an authority".to_owned()),
        None => Outcome::Broken("there is none".to_owned()),
    }
}

fn pair_roles(signature: &Certificate, encryption: &Certificate) -> Outcome {
    let usages = [signature.key_usage(), encryption.key_usage()];
    let [signs, encrypts] = [(0, SIGNING), (1, ENCRYPTING)].map(|(at, bits)| {
        let usage: Option<KeyUsage> = usages[at];
        usage.is_some_and(|usage| usage.any_of(bits))
    });
    kept_or(signs && encrypts, || {
        let [first, second] = usages.map(|usage| usage.map_or_else(|| "absent".to_owned(), |usage| usage.to_string()));
        format!("keyUsage of the first is {first}, of the second {second}")
    })
}

fn pair_subject(signature: &Certificate, encryption: &Certificate) -> Outcome {
    kept_or(signature.subject_name() == encryption.subject_name(), || {
        format!("{} and {}", signature.subject(), encryption.subject())
    })
}

fn pair_issuer(signature: &Certificate, encryption: &Certificate) -> Outcome {
    kept_or(signature.issuer_name() == encryption.issuer_name(), || {
        format!("{} and {}", signature.issuer(), encryption.issuer())
    })
}

fn pair_keys(signature: &Certificate, encryption: &Certificate) -> Outcome {
    kept_or(!same_public_key(signature.spki(), encryption.spki()), || "they have one key".to_owned())
}

fn pair_validity(signature: &Certificate, encryption: &Certificate) -> Outcome {
    let from = signature.not_before().max(encryption.not_before());
    kept_or(from <= signature.not_after().min(encryption.not_after()), || "one ends before the other begins".to_owned())
}

fn kept_or(kept: bool, broken: impl FnOnce() -> String) -> Outcome {
    if kept { Outcome::Kept } else { Outcome::Broken(broken()) }
}

fn named(oid: &str) -> String {
    algorithm::oid_name(oid).map_or_else(|| oid.to_owned(), |name| format!("{name} ({oid})"))
}

/// The object identifier of an AlgorithmIdentifier, and its parameters with
/// their tag.
fn algorithm_fields(identifier: &[u8]) -> Option<(String, Option<Vec<u8>>)> {
    let mut fields = ber::Cursor::new(identifier, 0).take().ok()??.inside();
    let oid = crate::certificate::field::object_identifier(&fields.any("algorithm").ok()?).ok()?;
    Some((oid, fields.take().ok()?.map(|parameters| parameters.whole.to_vec())))
}

/// The identifier of the key's algorithm, and the one in its parameters.
fn key_form(certificate: &Certificate) -> Option<Vec<String>> {
    let mut info = ber::Cursor::new(certificate.spki(), 0).take().ok()??.inside();
    let (oid, parameters) = algorithm_fields(info.take().ok()??.whole)?;
    let mut form = vec![oid];
    if let Some(parameters) = parameters {
        let parameters = ber::Cursor::new(&parameters, 0).take().ok()??;
        form.push(crate::certificate::field::object_identifier(&parameters).unwrap_or_else(|_| "no OID".to_owned()));
    }
    Some(form)
}

fn described(form: Option<&[String]>) -> String {
    match form {
        Some(form) => form.iter().map(|oid| named(oid)).collect::<Vec<_>>().join(", "),
        None => "the identifier of its algorithm cannot be read".to_owned(),
    }
}
