//! Facts of CMS, from the annotated tree of an object.

use waxseal_key::ContentCipher;
use waxseal_key::algorithm::oid_name;
use waxseal_verdict::{FactName as F, Form, Kind, LayerFingerprint};

use crate::ber::writer;
use crate::cms::{Capability, oid};
use crate::inspect::{Element, Object, Segments};

/// Reads everything that an object shows; `layer` gets kind and form too, and
/// the last word of its path.
pub(super) fn read(layer: &mut LayerFingerprint, object: &Object) {
    layer.error.clone_from(&object.error);
    let Some(info) = object.elements.first() else { return };
    let content = info.child("content").and_then(|content| content.children.first());
    let content_type = info.child("contentType").and_then(|element| element.value.as_deref()).unwrap_or_default();
    let (kind, word) = kind_of(content_type);
    layer.kind = kind;
    layer.path = layer.path.rsplit_once('/').map_or_else(|| word.to_owned(), |(place, _)| format!("{place}/{word}"));
    let mut indefinite = Vec::new();
    info.collect_indefinite(&mut indefinite);
    match indefinite.is_empty() {
        true => layer.word(F::Encoding, "definite"),
        false => layer.list(F::Encoding, indefinite),
    }
    let Some(content) = content else { return };
    if let Some(version) = content.text("version") {
        layer.word(F::Version, version);
    }
    match kind {
        Kind::Signed => signed(layer, content),
        Kind::Encrypted | Kind::AuthEnveloped | Kind::EncryptedData => enveloped(layer, content),
        _ => {}
    }
}

/// Kind and word of a layer, as in a verdict.
fn kind_of(content_type: &str) -> (Kind, &'static str) {
    match oid::standard(content_type) {
        oid::SIGNED_DATA => (Kind::Signed, "signed-data"),
        oid::ENVELOPED_DATA => (Kind::Encrypted, "enveloped-data"),
        oid::AUTH_ENVELOPED_DATA => (Kind::AuthEnveloped, "authenveloped-data"),
        oid::ENCRYPTED_DATA => (Kind::EncryptedData, "encrypted-data"),
        oid::COMPRESSED_DATA => (Kind::Compressed, "compressed-data"),
        oid::DIGESTED_DATA => (Kind::Digested, "digested-data"),
        oid::AUTHENTICATED_DATA => (Kind::Authenticated, "authenticated-data"),
        oid::DATA => (Kind::Data, "data"),
        _ => (Kind::Unknown, "unknown"),
    }
}

fn signed(layer: &mut LayerFingerprint, content: &Element) {
    let signers = content.child("signerInfos").map_or(&[][..], |set| &set.children);
    let content_inside = content.child("encapContentInfo").and_then(|info| info.child("eContent"));
    if signers.is_empty() && content_inside.is_none() {
        layer.kind = Kind::CertsOnly;
    } else {
        layer.form = Some(if content_inside.is_some() { Form::Opaque } else { Form::Clear });
        layer.word(F::Signers, signers.len().to_string());
    }
    let segments = content_inside.and_then(|element| element.children.first()?.segments.as_ref());
    if let Some(regular) = segments.and_then(regular) {
        layer.word(F::SegmentSize, regular.size);
    }
    let signer = signers.first();
    let certificates = content.child("certificates").map_or(&[][..], |set| &set.children);
    let certificates: Vec<_> = certificates.iter().filter_map(Certificate::of).collect();
    let id = signer.and_then(|signer| signer.children.iter().find(|field| named(field).starts_with("sid: ")));
    roles(layer, &certificates, id);
    let Some(signer) = signer else { return };
    if let Some(version) = signer.text("version") {
        layer.word(F::SignerVersion, version);
    }
    if let Some(id) = id {
        layer.word(F::SignerId, identifier(id));
    }
    algorithm(layer, F::Digest, Some(F::DigestParameters), signer.child("digestAlgorithm"));
    algorithm(layer, F::SignatureAlgorithm, Some(F::SignatureParameters), signer.child("signatureAlgorithm"));
    if let Some(set) = signer.child("signedAttrs") {
        attributes(layer, set);
    }
    if let Some(set) = signer.child("unsignedAttrs") {
        layer.list(F::UnsignedAttributes, set.children.iter().map(attribute_name).collect());
    }
}

fn attributes(layer: &mut LayerFingerprint, set: &Element) {
    layer.list(F::Attributes, set.children.iter().map(attribute_name).collect());
    let keys: Option<Vec<_>> = set.children.iter().map(order_key).collect();
    let sorted = keys.is_some_and(|keys| keys.is_sorted());
    layer.word(F::AttributesSorted, if sorted { "yes" } else { "no" });
    let value = |dotted: &str| {
        let is_it = |attribute: &&Element| attribute.text("attrType").as_deref() == Some(dotted);
        set.children.iter().find(is_it)?.child("attrValues")?.children.first()
    };
    if let Some(time) = value(oid::ATTRIBUTE_SIGNING_TIME) {
        layer.word(F::SigningTime, if time.kind == "UTCTime" { "utc" } else { "generalized" });
    }
    if let Some(list) = value(oid::ATTRIBUTE_SMIME_CAPABILITIES) {
        layer.list(F::Capabilities, list.children.iter().map(capability).collect());
    }
}

fn attribute_name(attribute: &Element) -> String {
    let dotted = attribute.text("attrType").unwrap_or_default();
    oid_name(&dotted).map_or(dotted.clone(), str::to_owned)
}

/// What decides the order of attributes in DER (X.690 section 11.6): the
/// encoding of each begins with its length, and then comes its type. Where that
/// is the same the attribute occurs twice, which nobody writes.
fn order_key(attribute: &Element) -> Option<(u64, Vec<u8>)> {
    Some((attribute.length?, writer::oid(&attribute.text("attrType")?).ok()?))
}

/// An entry of SMIMECapabilities as a shape has it.
fn capability(entry: &Element) -> String {
    let dotted = entry.text("capabilityID").unwrap_or_default();
    let parameters = entry.children.get(1);
    let text = match parameters.map(|value| (value.kind.as_str(), value.value.as_deref())) {
        None => dotted,
        Some(("NULL", _)) => format!("{dotted}:null"),
        Some(("INTEGER", Some(number))) => format!("{dotted}:{number}"),
        Some((kind, _)) => format!("{dotted}:{kind}"),
    };
    text.parse::<Capability>().map_or(text, |known| known.to_string())
}

fn enveloped(layer: &mut LayerFingerprint, content: &Element) {
    let mut recipients: Vec<String> = Vec::new();
    let mut algorithms: Vec<String> = Vec::new();
    for recipient in content.child("recipientInfos").map_or(&[][..], |set| &set.children) {
        push_new(&mut recipients, recipient_form(recipient));
        if let Some(name) = recipient.child("keyEncryptionAlgorithm").and_then(algorithm_name) {
            push_new(&mut algorithms, name);
        }
    }
    if !recipients.is_empty() {
        layer.list(F::Recipients, recipients);
        layer.list(F::KeyEncryption, algorithms);
    }
    let Some(inner) = content.child("encryptedContentInfo").or_else(|| content.child("authEncryptedContentInfo"))
    else {
        return;
    };
    algorithm(layer, F::ContentCipher, None, inner.child("contentEncryptionAlgorithm"));
    let Some(segments) = inner.child("encryptedContent").and_then(|octets| octets.segments.as_ref()) else { return };
    let cipher = inner.child("contentEncryptionAlgorithm").and_then(|cipher| cipher.text("algorithm"));
    let block = cipher.and_then(|dotted| ContentCipher::from_oid(&dotted)).map(ContentCipher::block_len);
    encrypted_segments(layer, segments, block.unwrap_or_default() as u64);
}

/// `ktri v0 issuer-and-serial`; the name of each recipient of one agreement
/// stands inside it, and the first is enough.
fn recipient_form(recipient: &Element) -> String {
    let inner = recipient.child("recipientEncryptedKeys").and_then(|keys| keys.children.first()).unwrap_or(recipient);
    let id = inner.children.iter().find(|field| named(field).starts_with("rid: "));
    let version = recipient.text("version").map_or_else(String::new, |version| format!(" v{version}"));
    let id = id.map_or_else(String::new, |id| format!(" {}", identifier(id)));
    format!("{}{version}{id}", named(recipient))
}

fn push_new(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

fn identifier(element: &Element) -> &'static str {
    match named(element).split_once(": ") {
        Some((_, "issuerAndSerialNumber")) => "issuer-and-serial",
        _ => "subject-key-id",
    }
}

fn algorithm(layer: &mut LayerFingerprint, name: F, parameters: Option<F>, element: Option<&Element>) {
    let Some(element) = element else { return };
    if let Some(found) = algorithm_name(element) {
        layer.word(name, found);
    }
    if let Some(parameters) = parameters {
        let word = match element.children.get(1).map(|value| value.kind.as_str()) {
            None => "absent",
            Some("NULL") => "null",
            Some(_) => "present",
        };
        layer.word(parameters, word);
    }
}

fn algorithm_name(element: &Element) -> Option<String> {
    let dotted = element.text("algorithm")?;
    Some(oid_name(&dotted).map_or(dotted.clone(), str::to_owned))
}

/// How a content is cut.
struct Regular {
    /// Octets of a segment, or `uneven`.
    size: String,
    /// Octets of the last segment.
    last: u64,
}

/// What segments show: all but the last have one length, and the last is no longer.
fn regular(segments: &Segments) -> Option<Regular> {
    let count: u64 = segments.runs.iter().map(|(_, count)| count).sum();
    let (size, _) = segments.runs.first()?;
    let (last, _) = segments.runs.last()?;
    if count < 2 {
        return None;
    }
    let even = !segments.more
        && match segments.runs.as_slice() {
            [_] => true,
            [_, (last, 1)] => last < size,
            _ => false,
        };
    Some(Regular { size: if even { size.to_string() } else { "uneven".to_owned() }, last: *last })
}

/// Segments of encrypted content. Where the last one has the length of a cipher
/// block it may be what the cipher gave last, or a remainder: only what stands
/// before tells.
fn encrypted_segments(layer: &mut LayerFingerprint, segments: &Segments, block: u64) {
    let Some(whole) = regular(segments) else { return };
    let apart = (!segments.more && whole.last == block).then(|| without_last(segments));
    let Some(before) = apart else {
        layer.word(F::SegmentSize, whole.size);
        if !segments.more {
            layer.word(F::LastBlockApart, "no");
        }
        return;
    };
    match (whole.size.as_str(), regular(&before)) {
        // Only with the last block apart is there an order in them.
        ("uneven", Some(before)) => {
            layer.word(F::LastBlockApart, if before.size == "uneven" { "no" } else { "yes" });
            layer.word(F::SegmentSize, before.size);
        }
        // One piece that nobody would choose as a size, and a block.
        (size, None) if !is_round(size) => layer.word(F::LastBlockApart, "yes"),
        (size, _) => layer.word(F::SegmentSize, size),
    }
}

fn without_last(segments: &Segments) -> Segments {
    let mut before = segments.clone();
    match before.runs.last_mut() {
        Some((_, count)) if *count > 1 => *count -= 1,
        _ => drop(before.runs.pop()),
    }
    before
}

/// Whether a number of octets is one that programs choose: a power of two, or of ten.
fn is_round(size: &str) -> bool {
    size.parse::<u64>().is_ok_and(|size| size.is_power_of_two() || matches!(size, 1000 | 10_000 | 100_000))
}

/// What tells certificates apart.
struct Certificate {
    subject: String,
    issuer: String,
    serial: String,
}

impl Certificate {
    fn of(element: &Element) -> Option<Self> {
        let inner = element.child("tbsCertificate")?;
        let [subject, issuer, serial] = ["subject", "issuer", "serialNumber"].map(|name| inner.text(name));
        Some(Self { subject: subject?, issuer: issuer?, serial: serial? })
    }
}

fn roles(layer: &mut LayerFingerprint, certificates: &[Certificate], id: Option<&Element>) {
    let is_signer = |certificate: &&Certificate| {
        let (issuer, serial) = (id.and_then(|id| id.text("issuer")), id.and_then(|id| id.text("serialNumber")));
        issuer.as_ref() == Some(&certificate.issuer) && serial.as_ref() == Some(&certificate.serial)
    };
    let signer = certificates.iter().find(is_signer);
    let role = |certificate: &Certificate| {
        if is_signer(&certificate) {
            "signer"
        } else if certificate.subject == certificate.issuer {
            "root"
        } else if certificates.iter().any(|other| other.issuer == certificate.subject) {
            "ca"
        } else if signer.is_some_and(|signer| signer.subject == certificate.subject) {
            "subject"
        } else {
            "other"
        }
    };
    let roles: Vec<_> = certificates.iter().map(|certificate| role(certificate).to_owned()).collect();
    if roles.len() > 1 {
        let root = roles.iter().any(|role| role == "root");
        layer.word(F::RootIncluded, if root { "yes" } else { "no" });
    }
    layer.list(F::Certificates, roles);
}

fn named(element: &Element) -> &'static str {
    element.name.unwrap_or_default()
}

impl Element {
    /// The first element inside it of this name.
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == Some(name))
    }

    /// The value of that element.
    fn text(&self, name: &str) -> Option<String> {
        self.child(name)?.value.clone()
    }

    /// The names of the elements with indefinite lengths, this one's first.
    fn collect_indefinite(&self, out: &mut Vec<String>) {
        if self.length.is_none() {
            out.push(self.name.unwrap_or(&self.kind).to_owned());
        }
        for child in &self.children {
            child.collect_indefinite(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(runs: &[(u64, u64)]) -> (Option<String>, Option<String>) {
        let mut layer = LayerFingerprint::new(String::new(), Kind::Encrypted, None);
        encrypted_segments(&mut layer, &Segments { runs: runs.to_vec(), more: false }, 16);
        (layer.text(F::SegmentSize), layer.text(F::LastBlockApart))
    }

    #[test]
    fn what_segments_tell() {
        let told = |size: Option<&str>, apart: Option<&str>| (size.map(str::to_owned), apart.map(str::to_owned));
        assert_eq!(segments(&[(8192, 3), (6224, 1), (16, 1)]), told(Some("8192"), Some("yes")));
        assert_eq!(segments(&[(1024, 7), (512, 1)]), told(Some("1024"), Some("no")));
        // A remainder, or the last block: nobody can say.
        assert_eq!(segments(&[(1024, 7), (16, 1)]), told(Some("1024"), None));
        assert_eq!(segments(&[(6224, 1), (16, 1)]), told(None, Some("yes")));
        assert_eq!(segments(&[(3005, 1), (4096, 4), (160, 1)]), told(Some("uneven"), Some("no")));
        assert_eq!(segments(&[(160, 1)]), told(None, None));
        assert_eq!(segments(&[]), told(None, None));
    }
}
