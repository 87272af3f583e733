//! Changes inside the CMS object of the outermost layer.

use waxseal_engine::ber::writer;
use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, ProviderChoice, Signer};
use waxseal_model::{Attribute, AttributeChange, Border, Tampering};

use crate::tree::{Inside, Node};

/// What a change may need to know of the signature it changes.
pub(crate) struct Signed<'a> {
    /// The key of the first signer.
    pub(crate) key: PrivateKey,
    /// The digest.
    pub(crate) digest: DigestAlgorithm,
    /// The entity that was signed.
    pub(crate) content: &'a [u8],
}

/// The place of SignedData or EnvelopedData in ContentInfo (RFC 5652 section 3).
const DATA: [usize; 2] = [1, 0];
const CONSTRUCTED_0: u8 = 0xa0;
const CONSTRUCTED_1: u8 = 0xa1;
const CONSTRUCTED_2: u8 = 0xa2;
const PRIMITIVE_0: u8 = 0x80;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// The object after the change.
pub(crate) fn tamper(
    object: &[u8],
    with: &Tampering,
    signed: Option<&Signed<'_>>,
    certificates: impl FnOnce(&[String]) -> Result<Vec<Vec<u8>>, String>,
) -> Result<Vec<u8>, String> {
    let mut root = Node::read(object)?;
    match with {
        Tampering::Attribute { name, change, signed_again } => {
            attribute(&mut root, *name, *change)?;
            if *signed_again {
                sign_again(&mut root, signed.ok_or("there is no signature to be made again")?)?;
            }
        }
        Tampering::Signature {} => {
            let place = signature(&root)?;
            invert_last(root.at_mut(&place)?, 0)?;
        }
        Tampering::SignatureAlgorithm { name } => signature_algorithm(&mut root, name)?,
        Tampering::Certificates { of } => set_certificates(&mut root, certificates(of)?)?,
        Tampering::NoSigners {} => {
            let place = signer_infos(&root)?;
            root.at_mut(&place)?.children_mut()?.clear();
        }
        Tampering::AttachContent {} => {
            let content = signed.ok_or("there is no signed content to attach")?.content.to_vec();
            let octets = Node::octets(OCTET_STRING, content);
            root.at_mut(&place(&[2]))?.children_mut()?.push(Node::nodes(CONSTRUCTED_0, vec![octets]));
        }
        Tampering::DigestAlgorithms { name } => {
            let digest = DigestAlgorithm::from_name(name).ok_or_else(|| format!("{name:?} is no digest algorithm"))?;
            let oid = writer::oid(digest.oid()).map_err(|error| error.to_string())?;
            let algorithm = Node::read(&writer::sequence([oid]))?;
            *root.at_mut(&place(&[1]))?.children_mut()? = vec![algorithm];
        }
        Tampering::Content {} => content(&mut root)?,
        Tampering::Mac {} => {
            let index = code(&root)?;
            invert_last(root.at_mut(&place(&[index]))?, 0)?;
        }
        Tampering::EncryptedKey {} => {
            let place = encrypted_key(&root)?;
            invert_last(root.at_mut(&place)?, 0)?;
        }
        Tampering::Padding {} => padding(&mut root)?,
        Tampering::NoRecipients {} => {
            let place = recipient_infos(&root)?;
            root.at_mut(&place)?.children_mut()?.clear();
        }
        Tampering::RecipientIdentifier { of } => {
            let found = certificates(std::slice::from_ref(of))?;
            let certificate = Node::read(found.first().ok_or_else(|| format!("{of} has no certificate"))?)?;
            // RecipientInfo ::= SEQUENCE { version, rid, ... } (RFC 5652 section 6.2.1).
            let place = [recipient_infos(&root)?.as_slice(), &[0, 1]].concat();
            *root.at_mut(&place)? = issuer_and_serial(&certificate)?;
        }
        Tampering::Version { number } => root.at_mut(&place(&[0]))?.inside = Inside::Octets(vec![*number]),
        Tampering::Truncate { after } => {
            let whole = root.write();
            let end = border(&root, *after)?;
            if end >= whole.len() {
                return Err(format!("nothing follows {after}: the object would stay whole"));
            }
            return Ok(whole[..end].to_vec());
        }
        Tampering::Trailing {} => return Ok([root.write(), vec![0]].concat()),
        Tampering::Replace { at, put } => *root.at_mut(&place(at))? = der(put)?,
        Tampering::Insert { at, put } => {
            let (siblings, index) = siblings(&mut root, at)?;
            siblings.insert(index.min(siblings.len()), der(put)?);
        }
        Tampering::Remove { at } => {
            root.at(&place(at))?;
            let (siblings, index) = siblings(&mut root, at)?;
            siblings.remove(index);
        }
        Tampering::SignAgain {} => sign_again(&mut root, signed.ok_or("there is no signature to be made again")?)?,
    }
    Ok(root.write())
}

/// A place inside SignedData or EnvelopedData.
fn place(inside: &[usize]) -> Vec<usize> {
    [&DATA, inside].concat()
}

/// The element that a recipe has in hexadecimal.
fn der(hex: &str) -> Result<Node, String> {
    Node::read(&crate::hex::octets(hex).ok_or_else(|| format!("{hex:?} is not hexadecimal"))?)
}

/// The elements among which one stands, and its number.
fn siblings<'a>(root: &'a mut Node, at: &[usize]) -> Result<(&'a mut Vec<Node>, usize), String> {
    let (index, parent) = at.split_last().ok_or("the way to the element is empty")?;
    Ok((root.at_mut(&place(parent))?.children_mut()?, *index))
}

/// The place of the last child of SignedData that has this tag.
fn tagged(root: &Node, tag: u8, what: &str) -> Result<Vec<usize>, String> {
    let children = root.at(&DATA)?.children();
    let index =
        children.iter().rposition(|child| child.tag == tag).ok_or_else(|| format!("the object has no {what}"))?;
    Ok(place(&[index]))
}

fn signer_infos(root: &Node) -> Result<Vec<usize>, String> {
    let place = tagged(root, SET, "signerInfos")?;
    // digestAlgorithms is a SET too, and comes second.
    if place.last() == Some(&1) { Err("the object has no signerInfos".to_owned()) } else { Ok(place) }
}

fn signer(root: &Node) -> Result<Vec<usize>, String> {
    let mut place = signer_infos(root)?;
    place.push(0);
    root.at(&place).map(|_| place)
}

fn signed_attributes(root: &Node) -> Result<Vec<usize>, String> {
    let mut place = signer(root)?;
    place.push(3);
    if root.at(&place)?.tag == CONSTRUCTED_0 {
        Ok(place)
    } else {
        Err("the signer has no signed attributes".to_owned())
    }
}

/// authAttrs of AuthEnvelopedData and AuthenticatedData: right before the
/// authentication code (RFC 5083 section 2.1, RFC 5652 section 9.1).
fn authenticated_attributes(root: &Node) -> Result<Vec<usize>, String> {
    let index = code(root)?.checked_sub(1).ok_or("nothing stands before the authentication code")?;
    let place = place(&[index]);
    if matches!(root.at(&place)?.tag, CONSTRUCTED_1 | CONSTRUCTED_2) {
        Ok(place)
    } else {
        Err("the object has no authenticated attributes".to_owned())
    }
}

/// The place of the authentication code, or digest, among the fields.
fn code(root: &Node) -> Result<usize, String> {
    let data = root.at(&DATA)?.children();
    let index = data.iter().rposition(|child| child.tag == OCTET_STRING);
    index.ok_or_else(|| "the object has no authentication code and no digest".to_owned())
}

fn signature(root: &Node) -> Result<Vec<usize>, String> {
    let mut place = signer(root)?;
    let children = root.at(&place)?.children();
    let index =
        children.iter().position(|child| child.tag == OCTET_STRING).ok_or("the signer has no signature value")?;
    place.push(index);
    Ok(place)
}

fn signature_algorithm(root: &mut Node, name: &str) -> Result<(), String> {
    let row = waxseal_key::algorithm::by_name(name).ok_or_else(|| format!("{name:?} is no algorithm"))?;
    let oid = writer::oid(row.oid).map_err(|error| error.to_string())?;
    let mut place = signature(root)?;
    // SignerInfo ::= SEQUENCE { ..., signatureAlgorithm, signature, ... } (RFC 5652 section 5.3).
    let index = place.pop().and_then(|index| index.checked_sub(1)).ok_or("there is no signature algorithm")?;
    place.push(index);
    *root.at_mut(&place)? = Node::read(&writer::sequence([oid, vec![5, 0]]))?;
    Ok(())
}

fn recipient_infos(root: &Node) -> Result<Vec<usize>, String> {
    tagged(root, SET, "recipientInfos")
}

/// encryptedKey of the first recipient: the last element of every kind, but of
/// key agreement in the last element (RFC 5652 section 6.2).
fn encrypted_key(root: &Node) -> Result<Vec<usize>, String> {
    let mut place = recipient_infos(root)?;
    place.push(0);
    loop {
        let node = root.at(&place)?;
        if node.tag == OCTET_STRING {
            return Ok(place);
        }
        let last = node.children().len().checked_sub(1).ok_or("the first recipient has no encrypted key")?;
        place.push(last);
    }
}

/// EncryptedContentInfo: after recipientInfos.
fn encrypted_content_info(root: &Node) -> Result<Vec<usize>, String> {
    let mut place = recipient_infos(root)?;
    if let Some(index) = place.last_mut() {
        *index += 1;
    }
    Ok(place)
}

fn attribute(root: &mut Node, name: Attribute, change: AttributeChange) -> Result<(), String> {
    let oid = match name {
        Attribute::ContentType => "1.2.840.113549.1.9.3",
        Attribute::MessageDigest => "1.2.840.113549.1.9.4",
        Attribute::SigningTime => "1.2.840.113549.1.9.5",
        other => return Err(format!("the attribute {other} is not known here")),
    };
    let oid = writer::oid(oid).map_err(|error| error.to_string())?;
    let place = if signer_infos(root).is_ok() { signed_attributes(root)? } else { authenticated_attributes(root)? };
    let attributes = root.at_mut(&place)?.children_mut()?;
    let is_it = |attribute: &Node| attribute.children().first().is_some_and(|kind| kind.write() == oid);
    let index = attributes.iter().position(is_it).ok_or_else(|| format!("there is no attribute {name}"))?;
    let values = attributes[index].at_mut(&[1])?;
    match change {
        // The last octet of a time is its Z, which nobody would take for a time any more.
        AttributeChange::Alter => invert_last(values, usize::from(name == Attribute::SigningTime))?,
        AttributeChange::Remove => drop(attributes.remove(index)),
        AttributeChange::Repeat => attributes.insert(index, attributes[index].clone()),
        AttributeChange::TwoValues => {
            let values = values.children_mut()?;
            let first = values.first().cloned().ok_or("the attribute has no value")?;
            values.push(first);
        }
        other => return Err(format!("the change {other} is not known here")),
    }
    Ok(())
}

/// Signs the attributes as they now are, in DER order (RFC 5652 section 5.4).
fn sign_again(root: &mut Node, signed: &Signed<'_>) -> Result<(), String> {
    let said = |error: waxseal_key::KeyError| error.to_string();
    let attributes = signed_attributes(root)?;
    let nodes = root.at_mut(&attributes)?.children_mut()?;
    nodes.sort_by_key(Node::write);
    let set = writer::set_of(nodes.iter().map(Node::write).collect());
    let scheme = signed.key.signature_scheme().ok_or("the key does not sign")?;
    let value = if scheme.signs_message() {
        signed.key.sign_message(scheme, &mut std::io::Cursor::new(&set)).map_err(said)?
    } else {
        let digest = Arithmetic::new(ProviderChoice::RustCrypto).digest(signed.digest, &set).map_err(said)?;
        signed.key.sign_digest(scheme, signed.digest, &digest).map_err(said)?
    };
    let place = signature(root)?;
    root.at_mut(&place)?.inside = Inside::Octets(value);
    Ok(())
}

fn set_certificates(root: &mut Node, certificates: Vec<Vec<u8>>) -> Result<(), String> {
    let nodes = certificates.iter().map(|der| Node::read(der)).collect::<Result<Vec<_>, _>>()?;
    let data = root.at_mut(&DATA)?.children_mut()?;
    data.retain(|child| child.tag != CONSTRUCTED_0);
    if !nodes.is_empty() {
        // After encapContentInfo (RFC 5652 section 5.1).
        data.insert(3, Node::nodes(CONSTRUCTED_0, nodes));
    }
    Ok(())
}

/// IssuerAndSerialNumber of a certificate of version 3 (RFC 5652 section 10.2.4).
fn issuer_and_serial(certificate: &Node) -> Result<Node, String> {
    let (serial, issuer) = (certificate.at(&[0, 1])?, certificate.at(&[0, 3])?);
    Ok(Node::nodes(SEQUENCE, vec![issuer.clone(), serial.clone()]))
}

/// Inverts the last bit of an octet in the middle of the content: of the `[0]`
/// in encapContentInfo or EncryptedContentInfo, whatever the object is.
fn content(root: &mut Node) -> Result<(), String> {
    let held = |node: &Node| node.children().iter().position(|child| matches!(child.tag, CONSTRUCTED_0 | PRIMITIVE_0));
    let children = root.at(&DATA)?.children().iter().enumerate();
    let mut infos = children.filter(|(_, child)| child.tag == SEQUENCE);
    let found = infos.find_map(|(index, child)| Some([index, held(child)?]));
    let place = place(&found.ok_or("the object holds no content")?);
    let mut leaves = root.at_mut(&place)?.leaves_mut();
    let total: usize = leaves.iter().map(|leaf| leaf.len()).sum();
    octet(&mut leaves, total / 2).map(|octet| *octet ^= 1)
}

/// Inverts the first bit of the last padding octet: CBC hands a change in one
/// block of ciphertext on to the same bit of the next block of plaintext.
fn padding(root: &mut Node) -> Result<(), String> {
    let info = encrypted_content_info(root)?;
    let iv =
        root.at_mut(&[info.as_slice(), &[1, 1]].concat())?.leaves_mut().iter().map(|leaf| leaf.len()).sum::<usize>();
    let mut leaves = root.at_mut(&[info.as_slice(), &[2]].concat())?.leaves_mut();
    let total: usize = leaves.iter().map(|leaf| leaf.len()).sum();
    let place = total.checked_sub(iv + 1).ok_or("the content has one block only")?;
    octet(&mut leaves, place).map(|octet| *octet ^= 0x80)
}

/// One octet of a string that may be in segments.
fn octet<'a>(leaves: &'a mut [&mut Vec<u8>], mut place: usize) -> Result<&'a mut u8, String> {
    for leaf in leaves {
        if place < leaf.len() {
            return Ok(&mut leaf[place]);
        }
        place -= leaf.len();
    }
    Err("the content is empty".to_owned())
}

/// Inverts the last bit of the octet that many places before the end.
fn invert_last(node: &mut Node, before_end: usize) -> Result<(), String> {
    let mut leaves = node.leaves_mut();
    let leaf = leaves.last_mut().ok_or("the value is empty")?;
    let index = leaf.len().checked_sub(before_end + 1).ok_or("the value is empty")?;
    leaf[index] ^= 1;
    Ok(())
}

/// The offset at which the object ends.
fn border(root: &Node, border: Border) -> Result<usize, String> {
    let header = |place: &[usize]| Ok::<_, String>(root.offset(place)? + root.at(place)?.header_len());
    let end = |place: &[usize]| Ok::<_, String>(root.offset(place)? + root.at(place)?.write().len());
    let below = |mut place: Vec<usize>, index: usize| {
        place.push(index);
        place
    };
    match border {
        Border::ContentInfo => header(&[]),
        Border::ContentType => end(&[0]),
        Border::Content => header(&[1]),
        Border::Data => header(&DATA),
        Border::Version => end(&place(&[0])),
        Border::DigestAlgorithms => end(&place(&[1])),
        Border::EncapsulatedContent => end(&place(&[2])),
        Border::Certificates => end(&tagged(root, CONSTRUCTED_0, "certificates")?),
        Border::SignerInfos => header(&signer_infos(root)?),
        Border::SignerIdentifier => end(&below(signer(root)?, 1)),
        Border::SignedAttributes => end(&signed_attributes(root)?),
        Border::Signature => Ok(end(&signature(root)?)? - 1),
        Border::RecipientInfos => end(&recipient_infos(root)?),
        Border::EncryptedContentType => end(&below(encrypted_content_info(root)?, 0)),
        Border::ContentCipher => end(&below(encrypted_content_info(root)?, 1)),
        Border::HalfContent => {
            let place = below(encrypted_content_info(root)?, 2);
            let start = header(&place)?;
            Ok(start + (end(&place)? - start) / 2)
        }
        Border::EncryptedContent => end(&below(encrypted_content_info(root)?, 2)),
        other => Err(format!("the border {other} is not known here")),
    }
}
