//! `openssl cms`, asked about one layer after the other.

use std::path::Path;
use std::process::Command;

use waxseal_forge::CaseFiles;
use waxseal_model::{Case, Corpus, Given, Input, Step};

use crate::cut::{self, Kind, Object};

/// The program.
pub(crate) struct OpenSsl {
    /// As it states it, such as `3.0.19`.
    pub(crate) version: String,
}

impl OpenSsl {
    /// The `openssl` on PATH, if it has CMS.
    pub(crate) fn find() -> Option<Self> {
        let output = Command::new("openssl").args(["cms", "-help"]).output().ok()?;
        let said = Command::new("openssl").arg("version").output().ok()?;
        let version = String::from_utf8_lossy(&said.stdout).split_whitespace().nth(1)?.to_owned();
        output.status.success().then_some(Self { version })
    }

    /// The innermost content, if every layer is accepted.
    pub(crate) fn read(
        &self,
        corpus: &Corpus,
        case: &Case,
        files: &CaseFiles,
        given: Given,
    ) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let dir = dir.path();
        // An issuer that is known is found in the store only. It is no anchor there: without
        // -partial_chain a path ends at a self-signed certificate.
        put(dir, "anchors.pem", [files.anchors.as_str(), &files.extra_certificates].concat().as_bytes())?;
        for (index, crl) in files.crls.iter().enumerate() {
            put(dir, "list", crl)?;
            let pem = format!("list{index}.pem");
            run(dir, &["crl", "-inform", "DER", "-in", "list", "-out", &pem])?;
            let known = ["anchors.pem", &pem].map(|name| std::fs::read(dir.join(name)).unwrap_or_default());
            put(dir, "anchors.pem", &known.concat())?;
        }
        for response in &files.ocsp {
            answered(dir, corpus, case, response)?;
        }
        put(dir, "extra.pem", files.extra_certificates.as_bytes())?;
        for (index, key) in files.keys.iter().enumerate() {
            put(dir, &format!("key{index}.pem"), key.key.as_bytes())?;
            put(dir, &format!("cert{index}.pem"), key.certificate.as_deref().unwrap_or_default().as_bytes())?;
        }
        let mut message = files.message.clone();
        let mut layers = 0;
        while let Some(object) = cut::object(&message) {
            layers += 1;
            message = layer(dir, case, files, given, &message, &object)?;
        }
        if layers == 0 { Err("no object was found".to_owned()) } else { Ok(message) }
    }
}

fn layer(
    dir: &Path,
    case: &Case,
    files: &CaseFiles,
    given: Given,
    message: &[u8],
    object: &Object,
) -> Result<Vec<u8>, String> {
    let _ = std::fs::remove_file(dir.join("out"));
    let time = case.clock.unix().to_string();
    let operation = match object.kind {
        Kind::Signed => "-verify",
        Kind::Enveloped => "-decrypt",
        Kind::Digested => "-digest_verify",
        Kind::EncryptedData => "-EncryptedData_decrypt",
        Kind::Compressed => "-uncompress",
    };
    // The legacy provider has DES, RC2 and CAST5.
    let providers = ["-provider", "default", "-provider", "legacy"];
    let mut arguments = [&["cms", operation, "-in", "in", "-out", "out"], &providers[..]].concat();
    if given == Given::Message {
        put(dir, "in", message)?;
        arguments.extend(["-inform", "SMIME"]);
    } else {
        put(dir, "in", &object.der)?;
        arguments.extend(["-inform", "DER", "-binary"]);
        if let Some(content) = &object.content {
            put(dir, "content", content)?;
            arguments.extend(["-content", "content"]);
        }
    }
    if object.kind == Kind::Signed {
        arguments.extend(["-attime", &time, "-CAfile", "anchors.pem"]);
        if !files.extra_certificates.is_empty() {
            arguments.extend(["-certfile", "extra.pem"]);
        }
        // What an OCSP response tells was asked of another command.
        if case.require_revocation && files.ocsp.is_empty() {
            arguments.extend(["-crl_check", "-crl_check_all", "-use_deltas", "-extended_crl"]);
        }
    }
    let run = |way: &[String]| {
        let output = Command::new("openssl").args(&arguments).args(way).current_dir(dir).output();
        let output = output.map_err(|error| error.to_string())?;
        match output.status.success() {
            true => std::fs::read(dir.join("out")).map_err(|error| error.to_string()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    };
    let mut refused = "no way in was given".to_owned();
    for way in ways(files, object.kind) {
        match run(&way) {
            // In the place of a key that does not fit it takes a random one, and one in 256 gives a right padding.
            Ok(content)
                if matches!(object.kind, Kind::Enveloped | Kind::EncryptedData)
                    && run(&way).as_ref() != Ok(&content) =>
            {
                refused = "what comes out is another thing each time".to_owned();
            }
            Ok(content) => return Ok(content),
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

/// Whether `openssl ocsp` believes an answer, and the answer is good.
fn answered(dir: &Path, corpus: &Corpus, case: &Case, response: &[u8]) -> Result<(), String> {
    let Input::Recipe(recipe) = &case.input else { return Err("no recipe".to_owned()) };
    let signer = recipe.steps.iter().find_map(|step| match step {
        Step::Sign(sign) => sign.by.first(),
        _ => None,
    });
    let pki = corpus.pki();
    let issuer = signer.and_then(|name| pki.entity(name)?.issuer.as_deref()).ok_or("nobody signs")?;
    let certificate = |name: &str| pki.certificate_pem(name).unwrap_or_default().as_bytes();
    put(dir, "asked.pem", certificate(signer.map_or("", String::as_str)))?;
    put(dir, "issuer.pem", certificate(issuer))?;
    put(dir, "answer", response)?;
    let time = case.clock.unix().to_string();
    let asked = ["-issuer", "issuer.pem", "-sha1", "-cert", "asked.pem", "-sha256", "-cert", "asked.pem"];
    let trust = ["-CAfile", "anchors.pem", "-attime", &time, "-no_nonce"];
    // Its exit code is that of both hashes, of which the answer has one.
    let (Ok(said) | Err(said)) = run(dir, &[&["ocsp", "-respin", "answer"], &asked[..], &trust].concat());
    // That the answer is old today stands between the name of the file and the status.
    let good = said.lines().any(|line| line == "good" || line == "asked.pem: good");
    if said.contains("Response verify OK") && good { Ok(()) } else { Err(said) }
}

/// Runs a command of OpenSSL; what it says on either output.
fn run(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// What the object may open with, one at a time: of several it takes the first
/// that it looks at, and no other.
fn ways(files: &CaseFiles, kind: Kind) -> Vec<Vec<String>> {
    let option = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
    let shared = files.symmetric_keys.iter();
    match kind {
        Kind::Enveloped => {
            let own = (0..files.keys.len()).map(|index| {
                [option("-inkey", &format!("key{index}.pem")), option("-recip", &format!("cert{index}.pem"))].concat()
            });
            let shared = shared.map(|one| [option("-secretkey", &one.key), option("-secretkeyid", &one.id)].concat());
            let passwords = files.passwords.iter().map(|password| option("-pwri_password", password).to_vec());
            own.chain(shared).chain(passwords).collect()
        }
        Kind::EncryptedData => shared.map(|one| option("-secretkey", &one.key).to_vec()).collect(),
        Kind::Signed | Kind::Digested | Kind::Compressed => vec![Vec::new()],
    }
}

fn put(dir: &Path, name: &str, octets: &[u8]) -> Result<(), String> {
    std::fs::write(dir.join(name), octets).map_err(|error| error.to_string())
}
