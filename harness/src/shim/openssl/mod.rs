//! `openssl cms` as a shim: the program is driven, its words are translated.
//!
//! It reports only what it really tells: structure, decryption, integrity and
//! chain. To tell integrity from chain, every signature is checked twice: with
//! `-noverify` (the certificate is not looked at), then with anchors and time
//! but without content and attributes. What is inside a layer goes back in as
//! the next message, as long as its Content-Type is one of S/MIME. A message
//! that openssl cannot read is its own result: structure bad.
//!
//! AuthenticatedData it does not know, and CompressedData Debian builds it without.

mod certificate;
mod native;
mod program;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_verdict::{
    Aspect, AspectName, Clock, Dialect, Form, Hello, Kind, Layer, Operation, Reason, Verdict, WrittenForm,
};

use super::entity::Entity;
use super::mail::Object;
use super::peel::get;
use super::program::Trouble;
use super::protocol::{Answer, CheckCertificateArguments, EncryptArguments, OpenArguments, SignArguments};
use super::serve::{Crash, Shim, names};

use native::Said;
#[cfg(test)]
pub(super) use native::TABLE as WORDS;
use program::Program;

/// Layers that are peeled at most; no mail of the corpus comes near.
const MOST_LAYERS: usize = 16;

/// Algorithms that OpenSSL 3 has for CMS, by the names of the algorithm table.
///
/// Not X25519, EdDSA, CCM and ChaCha20-Poly1305: it has them, but `cms` cannot
/// use them. Of the derivations of RFC 8418 it knows none.
const ALGORITHMS: &str = "md5 sha-1 sha-224 sha-256 sha-384 sha-512 sha3-224 sha3-256 sha3-384 sha3-512 \
    rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-md5 rsa-pkcs1-v1_5-sha-1 rsa-pkcs1-v1_5-sha-224 rsa-pkcs1-v1_5-sha-256 \
    rsa-pkcs1-v1_5-sha-384 rsa-pkcs1-v1_5-sha-512 rsa-pkcs1-v1_5-sha3-224 rsa-pkcs1-v1_5-sha3-256 \
    rsa-pkcs1-v1_5-sha3-384 rsa-pkcs1-v1_5-sha3-512 rsassa-pss rsaes-oaep mgf1 dsa dsa-sha-1 dsa-sha-224 dsa-sha-256 \
    ec ecdsa ecdsa-sha-1 ecdsa-sha-224 ecdsa-sha-256 ecdsa-sha-384 ecdsa-sha-512 ecdsa-sha3-224 ecdsa-sha3-256 \
    ecdsa-sha3-384 ecdsa-sha3-512 p-224 p-256 p-384 p-521 secp256k1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 \
    ecdh-std-sha-1-kdf ecdh-std-sha-224-kdf ecdh-std-sha-256-kdf ecdh-std-sha-384-kdf ecdh-std-sha-512-kdf \
    ecdh-cofactor-sha-1-kdf ecdh-cofactor-sha-224-kdf ecdh-cofactor-sha-256-kdf ecdh-cofactor-sha-384-kdf \
    ecdh-cofactor-sha-512-kdf aes-128-wrap aes-192-wrap aes-256-wrap 3des-wrap password-wrap pbkdf2 hmac-sha-1 \
    hmac-sha-224 hmac-sha-256 hmac-sha-384 hmac-sha-512 aes-128-cbc aes-192-cbc aes-256-cbc 3des-cbc \
    camellia-128-cbc camellia-192-cbc camellia-256-cbc aes-128-gcm aes-192-gcm aes-256-gcm sm3 sm4-cbc sm4-ctr";

/// Algorithms that are in its legacy provider, if that is there.
const LEGACY_ALGORITHMS: &str = "des-cbc rc2-cbc cast5-cbc";

/// The `openssl` found on PATH.
#[derive(Debug, Default)]
pub struct OpenSsl {
    program: Program,
}

impl Shim for OpenSsl {
    fn hello(&mut self) -> Result<Hello, String> {
        let version = self.program.version()?;
        let legacy = if self.program.has_legacy() { LEGACY_ALGORITHMS } else { "" };
        Ok(Hello {
            name: "openssl".to_owned(),
            version,
            operations: Operation::ALL.iter().copied().collect(),
            algorithms: names(ALGORITHMS).into_iter().chain(names(legacy)).collect(),
            forms: BTreeSet::from([
                Kind::Signed,
                Kind::Encrypted,
                Kind::AuthEnveloped,
                Kind::EncryptedData,
                Kind::Digested,
            ]),
            dialects: BTreeSet::from([Dialect::Cms]),
            aspects: BTreeSet::from([
                AspectName::Structure,
                AspectName::Decryption,
                AspectName::Integrity,
                AspectName::Chain,
            ]),
            deviations: false,
            headers: false,
            learns: false,
            clock: Clock::Settable,
            writes: BTreeSet::new(),
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Opaque, WrittenForm::Encrypted]),
            writes_algorithms: write::algorithms(self.program.has_legacy()),
            unknown: BTreeSet::new(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        if !arguments.ocsp.is_empty() {
            return Ok(Answer::Unsupported("openssl cms does not look at OCSP responses".to_owned()));
        }
        Trouble::answer(Opening::new(&self.program, arguments).and_then(Opening::run))
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::sign(&self.program, arguments))
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::encrypt(&self.program, arguments))
    }

    fn check_certificate(&mut self, arguments: &CheckCertificateArguments) -> Result<Answer, Crash> {
        Trouble::answer(certificate::check(&self.program, arguments))
    }
}

/// One message on its way through the layers.
struct Opening<'a> {
    program: &'a Program,
    arguments: &'a OpenArguments,
    dir: &'a Path,
    /// The clock as `-attime` wants it; `None`: now.
    at: Option<String>,
    layers: Vec<Layer>,
    native: Vec<String>,
}

impl<'a> Opening<'a> {
    fn new(program: &'a Program, arguments: &'a OpenArguments) -> Result<Self, Trouble> {
        let at = seconds(arguments.clock.as_ref())?;
        Ok(Self { program, arguments, dir: Path::new(&arguments.dir), at, layers: Vec::new(), native: Vec::new() })
    }

    fn run(mut self) -> Result<Answer, Trouble> {
        let mut file = self.arguments.message.clone();
        while self.layers.len() < MOST_LAYERS {
            let entity = Entity::read(&self.dir.join(&file)).map_err(|error| format!("{file}: {error}"))?;
            if !entity.may_be_layer(self.layers.is_empty()) {
                break;
            }
            match self.layer(&file, &entity)? {
                Some(inner) => file = inner,
                None => break,
            }
        }
        let verdict = Verdict::new("openssl", self.layers);
        if !verdict.has_bad() && !verdict.layers.is_empty() {
            std::fs::copy(self.dir.join(&file), self.dir.join(&self.arguments.out))
                .map_err(|error| format!("{}: {error}", self.arguments.out))?;
        }
        let native = (!self.native.is_empty()).then(|| self.native.join(" | "));
        Ok(Answer::Verdict(verdict, native))
    }

    /// Judges one layer; the result is the file of what was inside.
    fn layer(&mut self, file: &str, entity: &Entity) -> Result<Option<String>, Trouble> {
        let number = self.layers.len() + 1;
        let (object, inside) = (format!("openssl-{number}.der"), format!("openssl-{number}.content"));
        let input = ["-inform", entity.encoding.option(), "-in", file];
        let said = self.cms(&[&["-cmsout"], &input[..], &["-outform", "DER", "-out", &object]].concat())?;
        if !said.success {
            let mut layer = Layer::new(self.path("unknown"), entity.announced.unwrap_or(Kind::Unknown));
            layer.form = entity.form;
            layer.structure = said.bad(Reason::NotCms);
            self.layers.push(layer);
            return Ok(None);
        }
        let kind = Object::new(get(self.dir, &object)?).kind;
        let mut layer = Layer::new(String::new(), kind);
        layer.structure = Aspect::Good;
        let result = match kind {
            Kind::Signed => {
                layer.path = self.path("signed-data");
                layer.form = Some(entity.form.unwrap_or(Form::Opaque));
                self.signed(&mut layer, &input, &inside)
            }
            Kind::Encrypted | Kind::AuthEnveloped | Kind::EncryptedData => {
                layer.path = self.path(if kind == Kind::Encrypted { "enveloped-data" } else { kind.code() });
                self.encrypted(&mut layer, &input, &inside)
            }
            Kind::Digested => {
                layer.path = self.path("digested-data");
                self.digested(&mut layer, &input, &inside)
            }
            // Declared neither; whoever asks sees that nothing was judged.
            _ => {
                layer.path = self.path(kind.code());
                Ok(false)
            }
        };
        self.layers.push(layer);
        Ok(result?.then_some(inside))
    }

    /// Checks signatures and certificates; the result is whether content came out.
    fn signed(&mut self, layer: &mut Layer, input: &[&str], inside: &str) -> Result<bool, Trouble> {
        let mut common = [&["-verify"], input].concat();
        if let Some(content) = &self.arguments.content
            && self.layers.is_empty()
        {
            common.extend(["-content", content]);
        }
        if let Some(extra) = &self.arguments.extra_certificates {
            common.extend(["-certfile", extra]);
        }
        let (signers, sent) = (format!("{inside}.signers.pem"), format!("{inside}.sent.pem"));
        let write = ["-noverify", "-out", inside, "-signer", &signers, "-certsout", &sent];
        let said = self.cms(&[&common[..], &write].concat())?;
        judge_integrity(layer, &said, Reason::SignatureMismatch);
        layer.chain = match &self.arguments.anchors {
            None => Aspect::unchecked(Reason::NoAnchor),
            Some(_) if layer.structure.is_bad() => Aspect::Unchecked(None),
            Some(anchors) => {
                let (anchors, native) = with_crls(self.program, self.dir, anchors, &self.arguments.crls)?;
                self.native.extend(native);
                match &self.arguments.extra_certificates {
                    Some(extra) if said.success => self.chain_with(&anchors, extra, &signers, &sent)?,
                    _ => self.chain(&common, &anchors)?,
                }
            }
        };
        // What a bad signature covers comes out too: the layers inside it can be told.
        Ok(self.dir.join(inside).metadata().is_ok_and(|file| file.len() > 0) && !layer.structure.is_bad())
    }

    /// Checks the certificates alone.
    fn chain(&mut self, common: &[&str], anchors: &str) -> Result<Aspect, Trouble> {
        let at = self.at.clone();
        let mut arguments = common.to_vec();
        arguments.extend(["-no_content_verify", "-no_attr_verify"]);
        arguments.extend(trust(anchors, at.as_deref(), SIGN));
        arguments.extend(revocation(self.arguments.require_revocation, &self.arguments.crls));
        arguments.extend(["-out", "openssl-chain.content"]);
        let said = self.cms(&arguments)?;
        Ok(chain_aspect(&said))
    }

    /// Checks each signer's certificate with issuers from outside the message.
    fn chain_with(&mut self, anchors: &str, extra: &str, signers: &str, sent: &str) -> Result<Aspect, Trouble> {
        let read = |name: &str| std::fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let (signers_pem, sent_pem) = (read(signers), read(sent));
        let mut chain = Aspect::Unchecked(None);
        for (number, signer) in signers_pem.split_inclusive("-----END CERTIFICATE-----\n").enumerate() {
            let name = format!("{signers}-{number}.pem");
            std::fs::write(self.dir.join(&name), signer).map_err(|error| format!("{name}: {error}"))?;
            let mut arguments = vec!["verify"];
            arguments.extend(trust(anchors, self.at.as_deref(), SIGN));
            arguments.extend(revocation(self.arguments.require_revocation, &self.arguments.crls));
            // A file without certificates is refused.
            if !sent_pem.is_empty() {
                arguments.extend(["-untrusted", sent]);
            }
            arguments.extend(["-untrusted", extra, &name]);
            let said = self.program.run(self.dir, &arguments)?;
            self.native.extend(said.words());
            let aspect = chain_aspect(&said);
            chain = if number == 0 { aspect } else { chain.worst(aspect) };
        }
        Ok(chain)
    }

    /// Tries every key; the result is whether content came out.
    fn encrypted(&mut self, layer: &mut Layer, input: &[&str], inside: &str) -> Result<bool, Trouble> {
        layer.decryption = Aspect::bad(Reason::NoKey, "no key was given");
        let (operation, otherwise) = match layer.kind {
            // Of a wrong tag it says nothing at all.
            Kind::AuthEnveloped => ("-decrypt", Reason::TagMismatch),
            Kind::EncryptedData => ("-EncryptedData_decrypt", Reason::WrongKey),
            _ => ("-decrypt", Reason::WrongKey),
        };
        for way in self.ways(layer.kind) {
            let way: Vec<&str> = way.iter().map(String::as_str).collect();
            let decrypt = [&[operation], input, &way].concat();
            let said = self.cms(&[&decrypt[..], &["-out", inside]].concat())?;
            if said.success && !self.comes_out_again(&decrypt, inside)? {
                if layer.decryption.reason() == Some(Reason::NoKey) {
                    layer.decryption = Aspect::bad(otherwise, "what comes out is another thing each time");
                }
                continue;
            }
            if said.success {
                layer.decryption = Aspect::Good;
                if layer.kind == Kind::AuthEnveloped {
                    layer.integrity = Aspect::Good;
                }
                return Ok(true);
            }
            if said.find(AspectName::Structure).is_some() {
                layer.structure = said.bad(Reason::BadBer);
                layer.decryption = Aspect::Unchecked(None);
                return Ok(false);
            }
            let bad = said.bad(otherwise);
            // That another key is not a recipient's says nothing of this message.
            if layer.decryption.reason() == Some(Reason::NoKey) {
                layer.decryption = bad;
            }
        }
        if layer.kind == Kind::AuthEnveloped {
            layer.integrity = Aspect::Unchecked(None);
        }
        Ok(false)
    }

    /// Whether the same content comes out a second time. In the place of a key
    /// that does not fit openssl takes a random one, so that an attacker learns
    /// nothing (RFC 3218 section 2.3.2), and one in 256 of these gives a right
    /// padding.
    fn comes_out_again(&mut self, decrypt: &[&str], inside: &str) -> Result<bool, Trouble> {
        let again = format!("{inside}.again");
        let said = self.cms(&[decrypt, &["-out", &again]].concat())?;
        let read = |name: &str| std::fs::read(self.dir.join(name)).ok();
        Ok(said.success && read(inside) == read(&again))
    }

    /// Everything that may open a layer, as options. One at a time: of several
    /// it takes the first that it looks at, and no other.
    fn ways(&self, kind: Kind) -> Vec<Vec<String>> {
        let option = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
        let keys = self.arguments.symmetric_keys.iter();
        if kind == Kind::EncryptedData {
            return keys.map(|shared| option("-secretkey", &shared.key).to_vec()).collect();
        }
        let own = self.arguments.keys.iter().map(|key| {
            let certificate = key.certificate.iter().flat_map(|name| option("-recip", name));
            option("-inkey", &key.key).into_iter().chain(certificate).collect()
        });
        let shared =
            keys.map(|shared| [option("-secretkey", &shared.key), option("-secretkeyid", &shared.id)].concat());
        let passwords = self.arguments.passwords.iter().map(|password| option("-pwri_password", password).to_vec());
        own.chain(shared).chain(passwords).collect()
    }

    /// Compares the digest; the result is whether content came out.
    fn digested(&mut self, layer: &mut Layer, input: &[&str], inside: &str) -> Result<bool, Trouble> {
        let said = self.cms(&[&["-digest_verify"], input, &["-out", inside]].concat())?;
        judge_integrity(layer, &said, Reason::DigestMismatch);
        Ok(said.success)
    }

    /// Where the next layer is, for a person.
    fn path(&self, object: &str) -> String {
        match self.layers.last() {
            Some(outer) => format!("{}/1/{object}", outer.path),
            None => format!("1/{object}"),
        }
    }

    fn cms(&mut self, arguments: &[&str]) -> Result<Said, Trouble> {
        let said = self.program.run(self.dir, &[&["cms"], self.program.providers(), arguments].concat())?;
        self.native.extend(said.words());
        Ok(said)
    }
}

/// What it said of a layer that anybody can read: refused for its structure, or
/// for what protects it.
fn judge_integrity(layer: &mut Layer, said: &Said, otherwise: Reason) {
    layer.integrity = Aspect::Good;
    if said.success {
        return;
    }
    if said.find(AspectName::Structure).is_some() {
        layer.structure = said.bad(Reason::BadBer);
        layer.integrity = Aspect::Unchecked(None);
    } else {
        layer.integrity = said.bad(otherwise);
    }
}

/// The purpose of a certificate that signs mail, as openssl calls it.
const SIGN: &str = "smimesign";

/// Whom to trust, at what time, for which purpose.
fn trust<'a>(anchors: &'a str, at: Option<&'a str>, purpose: &'a str) -> Vec<&'a str> {
    // Any certificate can be an anchor, and the machine's own are none.
    let mut arguments = vec!["-purpose", purpose, "-CAfile", anchors, "-no-CApath", "-no-CAstore", "-partial_chain"];
    if let Some(at) = at {
        arguments.extend(["-attime", at]);
    }
    arguments
}

/// An RFC 3339 time as `-attime` wants it: seconds since 1970.
fn seconds(clock: Option<&String>) -> Result<Option<String>, Trouble> {
    use time::format_description::well_known::Rfc3339;
    let Some(text) = clock else { return Ok(None) };
    let at = time::OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|error| format!("clock {text:?} is no RFC 3339 time: {error}"))?;
    Ok(Some(at.unix_timestamp().to_string()))
}

/// The anchors, and the CRLs in the same file, since `cms` has no option for
/// them; and what was said of the CRLs.
fn with_crls(program: &Program, dir: &Path, anchors: &str, crls: &[String]) -> Result<(String, Vec<String>), Trouble> {
    if crls.is_empty() {
        return Ok((anchors.to_owned(), Vec::new()));
    }
    let name = "openssl-trust.pem";
    let mut native = Vec::new();
    let mut all = std::fs::read(dir.join(anchors)).map_err(|error| format!("{anchors}: {error}"))?;
    for crl in crls {
        let pem = format!("openssl-{crl}.pem");
        let said = program.run(dir, &["crl", "-inform", "DER", "-in", crl, "-out", &pem])?;
        native.extend(said.words());
        all.extend(std::fs::read(dir.join(&pem)).map_err(|error| format!("{pem}: {error}"))?);
    }
    std::fs::write(dir.join(name), all).map_err(|error| format!("{name}: {error}"))?;
    Ok((name.to_owned(), native))
}

/// Whether CRLs are looked at: every certificate, or the last one's alone.
fn revocation(required: bool, crls: &[String]) -> Vec<&'static str> {
    const EXTENDED: [&str; 2] = ["-use_deltas", "-extended_crl"];
    match (required, crls.is_empty()) {
        (true, _) => [&["-crl_check", "-crl_check_all"][..], &EXTENDED].concat(),
        (false, false) => [&["-crl_check"][..], &EXTENDED].concat(),
        (false, true) => Vec::new(),
    }
}

fn chain_aspect(said: &Said) -> Aspect {
    if said.success {
        Aspect::Good
    } else if said.find(AspectName::Chain).is_some() {
        said.bad(Reason::NoPath)
    } else {
        // Without the signer's certificate there is nothing to build a path from.
        Aspect::Unchecked(None)
    }
}
