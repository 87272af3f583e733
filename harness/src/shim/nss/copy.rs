//! A copy of a certificate that is good for checking a signature, and for nothing
//! else.
//!
//! cmsutil looks at the signer's certificate before the signature, and says no
//! more if that is not as it wants it: expired, for another use, of an unknown
//! issuer. A copy with the same issuer, serial number and key, without limits,
//! trusted by itself, takes its place: NSS prefers what is in its database to
//! what is in the message.

use waxseal_engine::certificate::Certificate;

/// The DER of the copy. Who issued it is only claimed: NSS does not look at the
/// signature of what is trusted by itself.
pub(super) fn without_limits(certificate: &Certificate) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let validity = [element(0x18, &[b"19700101000000Z"]), element(0x18, &[b"20991231235959Z"])].concat();
    let extensions = certificate.ski().map(|ski| {
        let value = element(0x04, &[&element(0x04, &[ski])]);
        // subjectKeyIdentifier: a signer can be named by it.
        let extension = element(SEQUENCE, &[b"\x06\x03\x55\x1d\x0e", &value]);
        element(0xa3, &[&element(SEQUENCE, &[&extension])])
    });
    let fields = [
        &b"\xa0\x03\x02\x01\x02"[..],
        &element(0x02, &[certificate.serial()]),
        certificate.signature_algorithm_der(),
        certificate.issuer_der(),
        &element(SEQUENCE, &[&validity]),
        certificate.subject_der(),
        certificate.spki(),
        extensions.as_deref().unwrap_or_default(),
    ];
    let signed = element(SEQUENCE, &fields);
    let signature = element(0x03, &[&[0], certificate.signature()]);
    element(SEQUENCE, &[&signed, certificate.signature_algorithm_der(), &signature])
}

/// An element in DER.
fn element(identifier: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let octets = content.len().to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let mut element = vec![identifier];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=127) => element.push(short),
        _ => {
            let length = &octets[zeros..];
            // At most eight octets: it fits.
            element.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            element.extend(length);
        }
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Our parser and openssl find in the copy what was copied.
    #[test]
    fn the_copy_has_the_same_name_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let run = |words: &[&str]| Command::new("openssl").args(words).current_dir(dir.path()).output();
        let made = "req -x509 -newkey rsa:2048 -nodes -keyout key -outform DER -out der -subj /CN=a -days 1";
        if !waxseal_testing::has_openssl() {
            return;
        }
        let made = run(&made.split(' ').collect::<Vec<_>>()).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let original = Certificate::parse(&std::fs::read(dir.path().join("der")).unwrap()).unwrap();
        let der = without_limits(&original);
        let copy = Certificate::parse(&der).unwrap();
        assert_eq!((copy.serial(), copy.issuer_der()), (original.serial(), original.issuer_der()));
        assert_eq!((copy.spki(), copy.ski()), (original.spki(), original.ski()));
        assert!(copy.key_usage().is_none() && copy.not_after().year() == 2099);
        std::fs::write(dir.path().join("copy"), der).unwrap();
        let said = run(&["x509", "-inform", "DER", "-in", "copy", "-noout", "-pubkey"]).unwrap();
        let wanted = run(&["x509", "-inform", "DER", "-in", "der", "-noout", "-pubkey"]).unwrap();
        assert!(said.status.success() && said.stdout == wanted.stdout);
    }
}
