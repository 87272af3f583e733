//! Smart cards with keys of the PKI on them.

use std::io::Cursor;

use waxseal_card::VirtualCard;
use waxseal_card::models::{Credential, Issuer, Model};
use waxseal_engine::cms::write::{AttributeKind, ContentSigner, Shape, SignedData, Tamper};
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice, Random, SeededRandom};
use waxseal_model::Pki;

use crate::{ForgeError, credentials};

/// Makes the card of a model, whose keys and certificates are those of the
/// entities that the model names. What the card draws itself follows from its
/// name: it is the same card on every machine.
///
/// # Errors
/// The PKI has no such key or certificate, or the model does not fit a card.
pub fn card(pki: &Pki, model: &Model) -> Result<VirtualCard, ForgeError> {
    let random: Box<dyn Random + Send> = Box::new(SeededRandom::new(&format!("the card {}", model.guid)));
    let made = model.build(&mut CardOffice { pki }, random);
    made.map_err(|error| ForgeError::File { file: model.title.clone(), what: error.to_string() })
}

/// Who makes the cards of the corpus.
struct CardOffice<'a> {
    pki: &'a Pki,
}

/// The entity that signs what is on cards.
const SIGNER: &str = "card-issuer";

impl Issuer for CardOffice<'_> {
    fn credential(&mut self, name: &str) -> Result<Credential, String> {
        let key = credentials::key(self.pki, name).map_err(|error| error.to_string())?;
        let certificate = credentials::certificate(self.pki, name).map_err(|error| error.to_string())?;
        Ok(Credential { key, certificate: certificate.der().to_vec() })
    }

    fn sign(&mut self, content_type: &str, content: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let key = credentials::key(self.pki, SIGNER).map_err(|error| error.to_string())?;
        let certificate = credentials::certificate(self.pki, SIGNER).map_err(|error| error.to_string())?;
        let signer = ContentSigner::new(&key, &certificate, DigestAlgorithm::Sha256, None);
        let signers = [signer.map_err(|error| error.to_string())?];
        // SP 800-73-4 part 1 section 3.1.7: without the certificate.
        let attributes = vec![AttributeKind::ContentType, AttributeKind::MessageDigest];
        let shape = Shape { attributes, signer_certificates: false, ..Shape::default() };
        let signed = SignedData {
            signers: &signers,
            certificates: &[],
            signing_time: None,
            crls: &[],
            ocsp_responses: &[],
            encryption_certificate: None,
            content_type,
            shape: &shape,
            tamper: &Tamper::default(),
            arithmetic: &Arithmetic::new(ProviderChoice::RustCrypto),
        };
        let mut out = Vec::new();
        signed.write(&mut out, &mut Cursor::new(content)).map_err(|error| error.to_string())?;
        Ok(Some(out))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command as Process;

    use waxseal_card::host::{InProcess, NoPin, PivClient};
    use waxseal_card::piv::object::{self, DataObject};
    use waxseal_card::tlv;
    use waxseal_model::Corpus;

    use super::*;

    /// The Security Object names every unsigned object of the card with its hash,
    /// and OpenSSL verifies its signature.
    #[test]
    fn the_security_object_is_signed_and_its_hashes_are_those_of_the_objects() {
        let corpus = Corpus::embedded().unwrap();
        let card = card(corpus.pki(), &Model::named("piv-full-history").unwrap()).unwrap();
        let reader = InProcess::new("a reader", card).unwrap();
        let client = PivClient::new(Box::new(reader), Box::new(NoPin)).unwrap();
        let get = |tag| client.object(DataObject::by_tag(tag).unwrap()).unwrap().unwrap();
        let value = get(object::SECURITY_OBJECT);
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        std::fs::write(file("so.der"), tlv::find(&value, object::SIGNED_HASHES).unwrap()).unwrap();
        std::fs::write(file("signer.pem"), corpus.pki().certificate_pem("card-issuer").unwrap()).unwrap();
        if !waxseal_testing::has_openssl() {
            return;
        }
        let output = Process::new("openssl")
            .args(["cms", "-verify", "-inform", "DER", "-in", "so.der", "-certfile", "signer.pem", "-noverify"])
            .args(["-binary", "-out", "lds.der"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lds = std::fs::read(file("lds.der")).unwrap();
        let parts = tlv::read_all(tlv::only(&lds, 0x30).unwrap()).unwrap();
        let hashes = tlv::read_all(parts[2].value).unwrap();
        let mapping = tlv::find(&value, object::DATA_GROUP_MAPPING).unwrap();
        assert_eq!(mapping.len(), 3 * hashes.len());
        let arithmetic = Arithmetic::new(ProviderChoice::AwsLc);
        let mut containers = Vec::new();
        for (group, hash) in mapping.chunks(3).zip(hashes) {
            let container = u16::from_be_bytes([group[1], group[2]]);
            let tag = match container {
                0x3000 => object::CHUID,
                0x6050 => object::DISCOVERY,
                0x6060 => object::KEY_HISTORY,
                0xDB00 => object::CAPABILITY_CONTAINER,
                other => panic!("container {other:04x}"),
            };
            let expected = arithmetic.digest(DigestAlgorithm::Sha256, &get(tag)).unwrap();
            assert_eq!(tlv::find(hash.value, 0x02).unwrap(), [group[0]]);
            assert_eq!(tlv::find(hash.value, 0x04).unwrap(), expected);
            containers.push(container);
        }
        containers.sort_unstable();
        assert_eq!(containers, [0x3000, 0x6050, 0x6060, 0xDB00]);
    }
}
