//! Test: every certificate of the public corpora parses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use der::{Decode as _, Encode as _};
use waxseal_testing::shared;

use super::Certificate;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn load(path: &Path) -> Vec<Certificate> {
    Certificate::from_file(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn pkits() {
    let Some(folder) = shared("oracles/pkits/certs") else { return };
    let certificates: Vec<_> = files(&folder).iter().flat_map(|path| load(path)).collect();
    assert_eq!(certificates.len(), 405);
    let by_subject = |end: &str| certificates.iter().find(|found| found.subject().starts_with(end)).unwrap();
    assert_eq!(by_subject("CN=Valid Negative Serial Number EE Certificate Test14").serial_hex(), "ff");
    assert_eq!(by_subject("CN=Invalid Negative Serial Number EE Certificate Test15").serial_hex(), "-01");
    assert!(certificates.iter().all(|found| found.extensions().iter().all(|extension| !extension.malformed)));
}

#[test]
fn rfc9216() {
    let Some(folder) = shared("oracles/rfc9216") else { return };
    let certificates: Vec<_> = files(&folder)
        .iter()
        .filter(|path| path.to_string_lossy().ends_with("certificate.pem"))
        .flat_map(|path| load(path))
        .collect();
    assert_eq!(certificates.len(), 12);
    let addresses: Vec<_> = certificates.iter().flat_map(Certificate::emails).collect();
    for name in ["alice", "bob", "carlos", "dana"] {
        assert!(addresses.contains(&format!("{name}@smime.example")), "{name} in {addresses:?}");
    }
}

/// PKCS#7 objects as NSS (indefinite lengths) and Windows wrote them, and one
/// that holds a CRL only.
#[test]
fn pkcs7_files() {
    let Some(folder) = shared("oracles/boringssl-pkcs7") else { return };
    assert_eq!(load(&folder.join("nss.p7c")).len(), 3);
    assert_eq!(load(&folder.join("windows.p7c")).len(), 1);
    let crl = Certificate::from_file(&fs::read(folder.join("openssl_crl.p7c")).unwrap());
    assert!(crl.unwrap_err().to_string().contains("a PKCS#7 object without certificates"));
}

#[test]
fn rfc4134() {
    let Some(folder) = shared("oracles/rfc4134") else { return };
    let mut read = 0;
    for path in files(&folder).iter().filter(|path| path.to_string_lossy().ends_with(".cer")) {
        read += load(path).len();
    }
    assert_eq!(read, 7);
}

#[test]
fn keys_of_the_recordings() {
    let Some(folder) = shared("recordings/keys") else { return };
    let mut read = 0;
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_certificate = [".crt", ".cer", ".p7b"].iter().any(|end| name.ends_with(end)) || name == "cert.pem";
        if is_certificate {
            let certificates = load(&path);
            assert!(!certificates.is_empty(), "{name}");
            read += certificates.len();
        } else {
            // Anything else is refused with a reason, never with a panic.
            let _ = Certificate::from_file(&fs::read(&path).unwrap());
        }
    }
    assert!(read >= 17, "only {read} certificates were read");
}

/// Names, serial numbers, times and addresses are those that OpenSSL prints.
#[test]
fn fields_agree_with_openssl() {
    let Some(folder) = shared("oracles/pkits/certs") else { return };
    if !waxseal_testing::has_openssl() {
        return;
    }
    let mut compared = 0;
    for (index, path) in files(&folder).iter().enumerate() {
        // The unusual ones, and a sample of the rest: each costs a process.
        let unusual =
            ["Name", "Serial", "Date", "Attribute", "RFC822", "UTF8"].map(|word| path.to_string_lossy().contains(word));
        if index % 16 != 0 && !unusual.contains(&true) {
            continue;
        }
        let output = Command::new("openssl")
            .args(["x509", "-inform", "der", "-noout", "-subject", "-issuer", "-serial", "-startdate", "-enddate"])
            .args(["-email", "-dateopt", "iso_8601", "-nameopt", "RFC2253,-esc_msb,utf8", "-in"])
            .arg(path)
            .output()
            .unwrap();
        let mut printed = String::from_utf8(output.stdout).unwrap();
        for (theirs, ours) in [
            // Names that RFC 2253 does not have, and that OpenSSL spells in its own way.
            ("0.9.2342.19200300.100.1.1=", "UID="),
            ("GN=", "givenName="),
        ] {
            printed = printed.replace(theirs, ours);
        }
        let certificate = &load(path)[0];
        let iso = |time: time::OffsetDateTime| format!("{} {}Z", time.date(), &time.time().to_string()[..]);
        let mut expected = format!(
            "subject={}\nissuer={}\nserial={}\nnotBefore={}\nnotAfter={}\n",
            certificate.subject(),
            certificate.issuer(),
            certificate.serial_hex().to_uppercase(),
            iso(certificate.not_before()).replace(".0Z", "Z"),
            iso(certificate.not_after()).replace(".0Z", "Z"),
        );
        for address in certificate.emails() {
            expected += &format!("{address}\n");
        }
        assert_eq!(expected, printed, "{}", path.display());
        compared += 1;
    }
    assert!(compared > 60, "{compared}");
}

/// Fields are those that another reader gives, wherever it reads the
/// certificate at all.
#[test]
fn fields_agree_with_x509_cert() {
    let (Some(pkits), Some(rfc9216)) = (shared("oracles/pkits/certs"), shared("oracles/rfc9216")) else { return };
    let of_rfc9216 = files(&rfc9216).into_iter().filter(|path| path.to_string_lossy().ends_with("certificate.pem"));
    let (mut compared, mut refused) = (0, Vec::new());
    for path in files(&pkits).into_iter().chain(of_rfc9216) {
        for ours in load(&path) {
            match x509_cert::Certificate::from_der(ours.der()) {
                Ok(theirs) => {
                    compare(&ours, &theirs, &path);
                    compared += 1;
                }
                Err(_) => refused.push(path.file_name().unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    // It is valid from 1950, and the other reader knows no time before 1970.
    assert_eq!(refused, ["Validpre2000UTCnotBeforeDateTest3EE.crt"]);
    assert_eq!(compared, 416);
}

fn compare(ours: &Certificate, theirs: &x509_cert::Certificate, path: &Path) {
    let tbs = theirs.tbs_certificate();
    let validity = tbs.validity();
    let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
    let place = path.display();
    assert_eq!(u32::from(tbs.version() as u8) + 1, ours.version(), "{place}");
    assert_eq!(tbs.serial_number().as_bytes(), ours.serial(), "{place}");
    assert_eq!(tbs.issuer().to_der().unwrap(), ours.issuer_der(), "{place}");
    assert_eq!(tbs.subject().to_der().unwrap(), ours.subject_der(), "{place}");
    assert_eq!(seconds(validity.not_before), ours.not_before().unix_timestamp(), "{place}");
    assert_eq!(seconds(validity.not_after), ours.not_after().unix_timestamp(), "{place}");
    assert_eq!(tbs.subject_public_key_info().to_der().unwrap(), ours.spki(), "{place}");
    assert_eq!(theirs.signature_algorithm().oid.to_string(), ours.signature_algorithm(), "{place}");
    assert_eq!(theirs.signature().raw_bytes(), ours.signature(), "{place}");
    let extensions = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
    let theirs: Vec<_> = extensions
        .iter()
        .map(|extension| (extension.extn_id.to_string(), extension.critical, extension.extn_value.as_bytes()))
        .collect();
    let ours: Vec<_> = ours
        .extensions()
        .iter()
        .map(|extension| (extension.oid.clone(), extension.critical, extension.value.as_slice()))
        .collect();
    assert_eq!(theirs, ours, "{place}");
}

#[test]
fn cutting_and_flipping_never_panics() {
    let Some(folder) = shared("oracles/rfc9216") else { return };
    let certificate = &load(&folder.join("s4.1.certificate.pem"))[0];
    for cut in 0..certificate.der().len() {
        assert!(Certificate::parse(&certificate.der()[..cut]).is_err());
    }
    let mut flipped = certificate.der().to_vec();
    for at in 0..flipped.len() {
        for bit in [0x01, 0x20, 0x80, 0xff] {
            flipped[at] ^= bit;
            if let Ok(read) = Certificate::parse(&flipped) {
                let _ = (read.subject(), read.serial_hex(), read.emails(), read.tbs().len(), format!("{read:?}"));
            }
            flipped[at] ^= bit;
        }
    }
}

/// Hostile CMS objects given as a certificate file are refused, or read.
#[test]
fn hostile_files_never_panic() {
    let Some(folder) = shared("oracles/openssl-fuzz") else { return };
    let inputs = files(&folder);
    assert!(inputs.len() >= 627, "{}", inputs.len());
    for path in inputs {
        let bytes = fs::read(&path).unwrap();
        let _ = Certificate::from_file(&bytes);
        let _ = Certificate::parse(&bytes);
    }
}
