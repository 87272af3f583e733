//! The files of a recording, from the user's directory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_engine::ber::Cursor;
use waxseal_engine::certificate::Certificate;
use waxseal_key::PrivateKey;
use waxseal_model::{Entry, KeyFile, PinnedFile, Recordings};
use zeroize::Zeroizing;

use crate::{CaseFiles, ForgeError, KeyPem};

/// Loads message, keys and certificates of a catalogue entry, each by its hash.
pub(crate) fn files(recordings: &Recordings, entry: &Entry) -> Result<CaseFiles, ForgeError> {
    let certificates = |files: &[PinnedFile]| {
        files.iter().map(|file| certificate(recordings, file)).collect::<Result<String, ForgeError>>()
    };
    Ok(CaseFiles {
        message: recordings.by_hash(&entry.sha256)?,
        content: entry.detached_content.as_ref().map(|text| text.clone().into_bytes()),
        keys: entry.keys.iter().map(|file| key(recordings, file)).collect::<Result<_, _>>()?,
        passwords: entry.passwords.clone(),
        symmetric_keys: entry.symmetric_keys.clone(),
        anchors: certificates(&entry.anchors)?,
        earlier: Vec::new(),
        extra_certificates: certificates(&entry.extra_certificates)? + &entry.made_certificates.concat(),
        content_sha256: entry.expect.content_sha256.clone(),
        ..CaseFiles::default()
    })
}

/// A key in DER or whatever PEM its source used, as PKCS#8.
fn key(recordings: &Recordings, file: &KeyFile) -> Result<KeyPem, ForgeError> {
    let text = Zeroizing::new(recordings.pinned(&file.key)?);
    let key = match text.first() {
        Some(0x30) => PrivateKey::from_pkcs8_der(&text),
        _ => PrivateKey::from_pem(&String::from_utf8_lossy(&text), file.password.as_deref()),
    };
    let key = key.map_err(|source| ForgeError::Key { holder: file.key.file.clone(), source })?;
    Ok(KeyPem {
        key: pem("PRIVATE KEY", &key.to_pkcs8_der()),
        certificate: Some(certificate(recordings, &file.certificate)?),
    })
}

/// The first certificate of a PEM file, as `CERTIFICATE`.
fn certificate(recordings: &Recordings, file: &PinnedFile) -> Result<String, ForgeError> {
    let octets = recordings.pinned(file)?;
    let text = String::from_utf8_lossy(&octets);
    let der = match block(&text, "TRUSTED CERTIFICATE") {
        // OpenSSL's own form: the certificate, then what it is trusted for.
        Some(body) => decode(body).and_then(|der| Some(Cursor::new(&der, 0).take().ok()??.whole.to_vec())),
        None => {
            let read = Certificate::from_file(&octets);
            let found = read.map_err(|source| ForgeError::Certificate { holder: file.file.clone(), source })?;
            found.first().map(|certificate| certificate.der().to_vec())
        }
    };
    let der =
        der.ok_or_else(|| ForgeError::File { file: file.file.clone(), what: "holds no certificate".to_owned() })?;
    Ok(pem("CERTIFICATE", &der))
}

/// What stands between BEGIN and END of a label.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    after.split_once(&format!("-----END {label}-----")).map(|(body, _)| body)
}

fn decode(body: &str) -> Option<Vec<u8>> {
    STANDARD.decode(body.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect::<Vec<_>>()).ok()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
