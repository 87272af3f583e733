//! Every case and recording, opened by the engine in this process.

#![allow(unreachable_pub, reason = "a module of a test")]
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::Cursor;

use waxseal_engine::Limits;
use waxseal_engine::certificate::{Certificate, Crl, OcspResponse};
use waxseal_engine::io::{MemoryWorkspace, Source};
use waxseal_engine::message::{Credential, OpenRequest, Opened, Secrets, SymmetricKey, open};
use waxseal_engine::policy::{AddressBook, Policy};
use waxseal_forge::{CaseFiles, Forge};
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};
use waxseal_model::{Case, Corpus, Recordings, SharedKey};

/// Opens every case, and every recording whose bytes are here.
pub fn for_each_case(mut look: impl FnMut(&Case, &CaseFiles, &Opened)) {
    let corpus = Corpus::embedded().unwrap();
    let recordings =
        Recordings::open_all(["recordings", "oracles"].into_iter().filter_map(waxseal_testing::shared)).unwrap();
    let forge = Forge::new(&corpus).with_recordings(&recordings);
    for case in corpus.cases() {
        let files = match forge.files(case) {
            Ok(files) => files,
            Err(error) if error.is_not_available() => continue,
            Err(error) => panic!("{}: {error}", case.id),
        };
        let opened = open_case(case, &files);
        look(case, &files, &opened);
    }
}

fn open_case(case: &Case, files: &CaseFiles) -> Opened {
    let certificates = |pem: &str| -> Vec<Certificate> {
        if pem.is_empty() { Vec::new() } else { Certificate::from_file(pem.as_bytes()).unwrap() }
    };
    let keys: Vec<_> = files
        .keys
        .iter()
        .map(|pair| {
            let certificate = pair.certificate.as_deref().and_then(|pem| certificates(pem).into_iter().next());
            (PrivateKey::from_pem(&pair.key, None).unwrap(), certificate)
        })
        .collect();
    let credentials: Vec<_> =
        keys.iter().map(|(key, certificate)| Credential { decryptor: key, certificate: certificate.clone() }).collect();
    let octets = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let key = |shared: &SharedKey| SymmetricKey { id: octets(&shared.id), key: octets(&shared.key).into() };
    let secrets = Secrets {
        passwords: files.passwords.iter().map(|password| password.clone().into_bytes().into()).collect(),
        keys: files.symmetric_keys.iter().map(key).collect(),
    };
    let named = Policy::named(case.policy.as_deref().unwrap_or("default")).unwrap();
    let policy = Policy { require_revocation: case.require_revocation, ..named };
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let limits = Limits::default();
    let mut book = AddressBook::default();
    let request = OpenRequest {
        credentials: &credentials,
        secrets: &secrets,
        anchors: &certificates(&files.anchors),
        extra_certificates: &certificates(&files.extra_certificates),
        crls: &files.crls.iter().map(|der| Crl::parse(der).unwrap()).collect::<Vec<_>>(),
        ocsp_responses: &files.ocsp.iter().map(|der| OcspResponse::parse(der).unwrap()).collect::<Vec<_>>(),
        from: case.from.as_deref(),
        ..OpenRequest::new(case.clock.date_time(), &policy, &arithmetic, &limits)
    };
    for (mail, clock) in &files.earlier {
        let request = OpenRequest { at: clock.date_time(), address_book: Some(&book), ..request.clone() };
        let opened = open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap();
        for introduction in &opened.introductions {
            book.learn(introduction, &policy, false);
        }
    }
    let request = OpenRequest { address_book: (!files.earlier.is_empty()).then_some(&book), ..request };
    let mut content = files.content.clone().map(Cursor::new);
    let content = content.as_mut().map(|content| content as &mut dyn Source);
    open(&mut Cursor::new(files.message.as_slice()), content, &mut MemoryWorkspace, &request)
        .unwrap_or_else(|error| panic!("{}: {error}", case.id))
}
