//! RecipientInfo (RFC 5652 section 6.2, RFC 9629 section 3): who can get at the
//! content key, and how.

use waxseal_verdict::Reason;

use crate::ber::{Class, Cursor, Element, Form, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::SignerIdentifier;
use crate::cms::oid;
use crate::cms::read::{must_hold_elements, object_identifier, version};
use crate::hex::hex;

/// One entry of recipientInfos.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipientInfo {
    /// The content key is encrypted with the recipient's public key (section 6.2.1).
    KeyTransport {
        /// CMSVersion.
        version: u64,
        /// Which certificate.
        id: SignerIdentifier,
        /// How the key is encrypted.
        algorithm: AlgorithmIdentifier,
        /// The encrypted key.
        encrypted_key: Vec<u8>,
    },
    /// The key that wraps the content key is agreed on (section 6.2.2).
    KeyAgreement(KeyAgreement),
    /// The content key is wrapped with a key that both sides have (section 6.2.3).
    KeyEncryptionKey {
        /// CMSVersion.
        version: u64,
        /// Which key.
        id: Vec<u8>,
        /// How the content key is wrapped.
        algorithm: AlgorithmIdentifier,
        /// The wrapped key.
        encrypted_key: Vec<u8>,
    },
    /// The content key is wrapped under a password (section 6.2.4).
    Password {
        /// CMSVersion.
        version: u64,
        /// How a key comes from the password; absent where both sides know.
        derivation: Option<AlgorithmIdentifier>,
        /// How the content key is wrapped.
        algorithm: AlgorithmIdentifier,
        /// The wrapped key.
        encrypted_key: Vec<u8>,
    },
    /// The key that wraps the content key is encapsulated (RFC 9629 section 3).
    KeyEncapsulation(KeyEncapsulation),
    /// Another kind, by the identifier of OtherRecipientInfo (section 6.2.5).
    Other {
        /// oriType, dotted.
        oid: String,
    },
}

/// KeyAgreeRecipientInfo (RFC 5652 section 6.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAgreement {
    /// CMSVersion.
    pub version: u64,
    /// Whose key the other half of the agreement is.
    pub originator: Originator,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
    /// The agreement; its parameters are the AlgorithmIdentifier of the key wrap.
    pub algorithm: AlgorithmIdentifier,
    /// One entry for each recipient that shares the parameters of the agreement.
    pub recipients: Vec<AgreedKey>,
}

/// OriginatorIdentifierOrKey (RFC 5652 section 6.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Originator {
    /// A certificate: static agreement.
    Certificate(SignerIdentifier),
    /// A key that was made for this message.
    Key {
        /// Its algorithm; parameters may be absent, they are the recipient's then.
        algorithm: AlgorithmIdentifier,
        /// The bits of the key.
        bits: Vec<u8>,
    },
}

/// RecipientEncryptedKey (RFC 5652 section 6.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedKey {
    /// Which certificate: issuerAndSerialNumber or the key identifier of rKeyId.
    pub id: SignerIdentifier,
    /// The wrapped content key.
    pub encrypted_key: Vec<u8>,
}

/// KEMRecipientInfo (RFC 9629 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEncapsulation {
    /// CMSVersion, always 0.
    pub version: u64,
    /// Which certificate.
    pub id: SignerIdentifier,
    /// The key encapsulation mechanism.
    pub kem: AlgorithmIdentifier,
    /// The encapsulated secret.
    pub ciphertext: Vec<u8>,
    /// How the key that wraps comes from the secret.
    pub kdf: AlgorithmIdentifier,
    /// Octets of that key.
    pub kek_length: u64,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
    /// How the content key is wrapped.
    pub wrap: AlgorithmIdentifier,
    /// The wrapped content key.
    pub encrypted_key: Vec<u8>,
}

impl RecipientInfo {
    /// Reads one RecipientInfo.
    ///
    /// # Errors
    /// It is of no kind, or malformed.
    pub(super) fn read(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let kind = match element.tag {
            Tag::SEQUENCE => 0,
            Tag { class: Class::Context, number: number @ 1..=4 } => number,
            tag => {
                let detail = format!("no kind of recipient has the tag {tag} at offset {}", element.offset);
                return Err(CmsError::new(Reason::BadBer, context, detail));
            }
        };
        must_hold_elements(element, context)?;
        let mut fields = element.inside();
        match kind {
            0 => Self::key_transport(&mut fields, context),
            1 => KeyAgreement::read(&mut fields, context).map(Self::KeyAgreement),
            2 => Self::key_encryption_key(&mut fields, context),
            3 => Self::password(&mut fields, context),
            _ => Self::other(&mut fields, context),
        }
    }

    /// The short name of its kind, as RFC 5652 section 6.2 abbreviates it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::KeyTransport { .. } => "ktri",
            Self::KeyAgreement(_) => "kari",
            Self::KeyEncryptionKey { .. } => "kekri",
            Self::Password { .. } => "pwri",
            Self::KeyEncapsulation(_) | Self::Other { .. } => "ori",
        }
    }

    fn key_transport(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let version = read_version(fields, context)?;
        let id = SignerIdentifier::read(fields, context)?;
        let algorithm = read_algorithm(fields, "keyEncryptionAlgorithm", context)?;
        let encrypted_key = read_key(fields, context)?;
        Ok(Self::KeyTransport { version, id, algorithm, encrypted_key })
    }

    fn key_encryption_key(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let version = read_version(fields, context)?;
        let id = fields.expect(Tag::SEQUENCE, "kekid (SEQUENCE)").within(context)?;
        let id = key_identifier(&mut id.inside(), context)?;
        let algorithm = read_algorithm(fields, "keyEncryptionAlgorithm", context)?;
        let encrypted_key = read_key(fields, context)?;
        Ok(Self::KeyEncryptionKey { version, id, algorithm, encrypted_key })
    }

    fn password(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let version = read_version(fields, context)?;
        let derivation = fields.take_if(Tag::context(0), Form::Constructed).within(context)?;
        let derivation = derivation
            .map(|element| AlgorithmIdentifier::read(&element, &format!("{context}.keyDerivationAlgorithm")))
            .transpose()?;
        let algorithm = read_algorithm(fields, "keyEncryptionAlgorithm", context)?;
        let encrypted_key = read_key(fields, context)?;
        Ok(Self::Password { version, derivation, algorithm, encrypted_key })
    }

    fn other(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let oid = fields.expect(Tag::OBJECT_IDENTIFIER, "oriType (OBJECT IDENTIFIER)").within(context)?;
        let oid = object_identifier(&oid, context)?;
        if oid != oid::KEM_RECIPIENT {
            return Ok(Self::Other { oid });
        }
        let context = format!("{context}.oriValue");
        let value = fields.expect(Tag::SEQUENCE, "KEMRecipientInfo (SEQUENCE)").within(&context)?;
        fields.end().within(&context)?;
        KeyEncapsulation::read(&mut value.inside(), &context).map(Self::KeyEncapsulation)
    }
}

impl KeyAgreement {
    fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let version = read_version(fields, context)?;
        let place = format!("{context}.originator");
        let outer = fields.expect(Tag::context(0), "originator ([0])").within(&place)?;
        must_hold_elements(&outer, &place)?;
        let originator = Originator::read(&mut outer.inside(), &place)?;
        let ukm = explicit_octets(fields, 1, &format!("{context}.ukm"))?;
        let algorithm = read_algorithm(fields, "keyEncryptionAlgorithm", context)?;
        let place = format!("{context}.recipientEncryptedKeys");
        let list = fields.expect(Tag::SEQUENCE, "recipientEncryptedKeys (SEQUENCE)").within(&place)?;
        fields.end().within(context)?;
        let mut recipients = Vec::new();
        let mut inside = list.inside();
        while !inside.is_empty() {
            let key = inside.expect(Tag::SEQUENCE, "a RecipientEncryptedKey (SEQUENCE)").within(&place)?;
            recipients.push(AgreedKey::read(&mut key.inside(), &place)?);
        }
        Ok(Self { version, originator, ukm, algorithm, recipients })
    }
}

impl Originator {
    fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let Some(key) = fields.take_if(Tag::context(1), Form::Constructed).within(context)? else {
            let id = SignerIdentifier::read(fields, context)?;
            fields.end().within(context)?;
            return Ok(Self::Certificate(id));
        };
        fields.end().within(context)?;
        let mut inside = key.inside();
        let algorithm = read_algorithm(&mut inside, "algorithm", context)?;
        let bits = inside.expect(Tag::BIT_STRING, "publicKey (BIT STRING)").within(context)?;
        inside.end().within(context)?;
        let bits = bits.bits().ok_or_else(|| {
            let detail = format!("a malformed BIT STRING at offset {}", bits.offset);
            CmsError::new(Reason::BadBer, context, detail)
        })?;
        Ok(Self::Key { algorithm, bits: bits.to_vec() })
    }

    /// DER of the SubjectPublicKeyInfo of a key that was made for this
    /// message. Absent parameters are those of the recipient's key, which is
    /// given as the AlgorithmIdentifier of its SubjectPublicKeyInfo (RFC 5753
    /// section 3.1.1).
    #[must_use]
    pub fn spki(&self, recipient_algorithm: &[u8]) -> Option<Vec<u8>> {
        use crate::ber::writer as w;
        let Self::Key { algorithm, bits } = self else { return None };
        let own = match &algorithm.parameters {
            // Writers put NULL where RFC 5753 wants nothing.
            None => recipient_algorithm.to_vec(),
            Some(null) if null == &[5, 0] => recipient_algorithm.to_vec(),
            Some(parameters) => w::sequence([w::oid(&algorithm.oid).ok()?, parameters.clone()]),
        };
        Some(w::sequence([own, w::bit_string(bits)]))
    }
}

impl AgreedKey {
    fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        let id = match fields.take_if(Tag::context(0), Form::Constructed).within(context)? {
            Some(key) => SignerIdentifier::SubjectKeyIdentifier(key_identifier(&mut key.inside(), context)?),
            None => SignerIdentifier::read(fields, context)?,
        };
        let encrypted_key = read_key(fields, context)?;
        Ok(Self { id, encrypted_key })
    }
}

impl KeyEncapsulation {
    fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        Ok(Self {
            version: read_version(fields, context)?,
            id: SignerIdentifier::read(fields, context)?,
            kem: read_algorithm(fields, "kem", context)?,
            ciphertext: fields.expect(Tag::OCTET_STRING, "kemct (OCTET STRING)").within(context)?.content.to_vec(),
            kdf: read_algorithm(fields, "kdf", context)?,
            kek_length: version(&fields.expect(Tag::INTEGER, "kekLength").within(context)?, context)?,
            ukm: explicit_octets(fields, 0, &format!("{context}.ukm"))?,
            wrap: read_algorithm(fields, "wrap", context)?,
            encrypted_key: read_key(fields, context)?,
        })
    }
}

/// For a person; empty where the kind names nobody.
impl std::fmt::Display for RecipientInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyTransport { id, .. } => id.fmt(f),
            Self::KeyEncapsulation(info) => info.id.fmt(f),
            Self::KeyEncryptionKey { id, .. } => write!(f, "kek={}", hex(id)),
            Self::KeyAgreement(info) => {
                for (index, key) in info.recipients.iter().enumerate() {
                    write!(f, "{}{}", if index > 0 { "; " } else { "" }, key.id)?;
                }
                Ok(())
            }
            Self::Password { .. } | Self::Other { .. } => Ok(()),
        }
    }
}

fn read_version(fields: &mut Cursor<'_>, context: &str) -> Result<u64, CmsError> {
    version(&fields.expect(Tag::INTEGER, "version").within(context)?, context)
}

fn read_algorithm(
    fields: &mut Cursor<'_>,
    field: &'static str,
    context: &str,
) -> Result<AlgorithmIdentifier, CmsError> {
    AlgorithmIdentifier::read(&fields.expect(Tag::SEQUENCE, field).within(context)?, &format!("{context}.{field}"))
}

/// encryptedKey, which is the last field of every kind.
fn read_key(fields: &mut Cursor<'_>, context: &str) -> Result<Vec<u8>, CmsError> {
    let key = fields.expect(Tag::OCTET_STRING, "encryptedKey").within(context)?.content.to_vec();
    fields.end().within(context)?;
    Ok(key)
}

/// The key identifier of KEKIdentifier or RecipientKeyIdentifier; date and
/// other attributes help to find a key that has no identifier of its own, and
/// are passed over.
fn key_identifier(fields: &mut Cursor<'_>, context: &str) -> Result<Vec<u8>, CmsError> {
    let id = fields.expect(Tag::OCTET_STRING, "a key identifier (OCTET STRING)").within(context)?;
    while fields.take().within(context)?.is_some() {}
    Ok(id.content.to_vec())
}

/// An OCTET STRING inside an explicit tag, if it is there.
fn explicit_octets(fields: &mut Cursor<'_>, number: u32, context: &str) -> Result<Option<Vec<u8>>, CmsError> {
    let Some(outer) = fields.take_if(Tag::context(number), Form::Constructed).within(context)? else {
        return Ok(None);
    };
    let mut inside = outer.inside();
    let octets = inside.expect(Tag::OCTET_STRING, "an OCTET STRING").within(context)?.content.to_vec();
    inside.end().within(context)?;
    Ok(Some(octets))
}

#[cfg(test)]
mod tests {
    use cms::enveloped_data as types;
    use der::Decode as _;

    use super::*;
    use crate::ber::writer as w;
    use crate::cms::testing::{Tree, check_fields};

    fn read(octets: &[u8]) -> Result<RecipientInfo, CmsError> {
        let mut cursor = Cursor::new(octets, 0);
        let element = cursor.take().within("recipient")?;
        let element = element.ok_or_else(|| CmsError::new(Reason::Truncated, "recipient", "nothing"))?;
        RecipientInfo::read(&element, "recipient")
    }

    fn algorithm(dotted: &str) -> Vec<u8> {
        w::sequence([w::oid(dotted).unwrap(), w::null()])
    }

    fn issuer_and_serial() -> Vec<u8> {
        w::sequence([w::sequence([b""]), w::integer(9)])
    }

    fn key_agreement() -> Tree {
        let rid = w::sequence([issuer_and_serial(), w::octet_string(&[1, 2])]);
        let key_id = w::context(0, &[w::octet_string(&[7, 8]), w::element(0x18, b"20250101000000Z")].concat());
        let by_key = w::sequence([key_id, w::octet_string(&[3, 4])]);
        let key = w::context(1, &[algorithm("1.2.840.10045.2.1"), w::bit_string(&[4, 5, 6])].concat());
        Tree::parse(&w::context(
            1,
            &[
                w::integer(3),
                w::context(0, &key),
                w::context(1, &w::octet_string(b"ukm")),
                algorithm("1.2.5"),
                w::sequence([rid, by_key]),
            ]
            .concat(),
        ))
    }

    #[test]
    fn key_agreement_field_by_field() {
        let RecipientInfo::KeyAgreement(info) = read(&key_agreement().der()).unwrap() else { panic!() };
        assert_eq!((info.version, info.ukm.as_deref(), info.algorithm.oid.as_str()), (3, Some(&b"ukm"[..]), "1.2.5"));
        let Originator::Key { algorithm, bits } = &info.originator else { panic!("{info:?}") };
        assert_eq!((algorithm.oid.as_str(), bits.as_slice()), ("1.2.840.10045.2.1", &[4, 5, 6][..]));
        let [first, second] = info.recipients.as_slice() else { panic!("{info:?}") };
        assert_eq!(first.encrypted_key, [1, 2]);
        assert_eq!(second.id, SignerIdentifier::SubjectKeyIdentifier(vec![7, 8]));
        assert_eq!(second.encrypted_key, [3, 4]);
        let shown = RecipientInfo::KeyAgreement(info).to_string();
        assert_eq!(shown, "issuer=, serial=09; ski=0708");
        let place = "recipient.originator";
        let keys = "recipient.recipientEncryptedKeys";
        check_fields(
            &key_agreement(),
            read,
            &[
                (&[0], "recipient", "expected version"),
                (&[1], place, "expected originator"),
                (&[1, 0], place, "expected issuerAndSerialNumber or [0]"),
                (&[1, 0, 0], place, "expected algorithm"),
                (&[1, 0, 1], place, "expected publicKey"),
                (&[4], keys, "expected recipientEncryptedKeys"),
                (&[4, 0, 0], keys, "expected issuerAndSerialNumber or [0]"),
                (&[4, 0, 1], keys, "expected encryptedKey"),
                (&[4, 1, 0, 0], keys, "expected a key identifier"),
            ],
            &[
                (&[2], "recipient", "expected keyEncryptionAlgorithm"),
                (&[4, 0], keys, "expected a RecipientEncryptedKey"),
            ],
            &[(&[], "recipient"), (&[1, 0], place), (&[4, 0], keys)],
        );
        read(&key_agreement().without(&[2]).der()).unwrap();
    }

    #[test]
    fn absent_parameters_of_an_originator_are_the_recipients() {
        let own = algorithm("1.2.840.10045.2.1");
        let recipient = w::sequence([w::oid("1.2.840.10045.2.1").unwrap(), w::oid("1.2.840.10045.3.1.7").unwrap()]);
        let RecipientInfo::KeyAgreement(mut info) = read(&key_agreement().der()).unwrap() else { panic!() };
        let completed = w::sequence([recipient.clone(), w::bit_string(&[4, 5, 6])]);
        assert_eq!(info.originator.spki(&recipient).unwrap(), completed);
        let Originator::Key { algorithm, .. } = &mut info.originator else { panic!() };
        algorithm.parameters = None;
        assert_eq!(info.originator.spki(&recipient).unwrap(), completed);
        let Originator::Key { algorithm, .. } = &mut info.originator else { panic!() };
        algorithm.parameters = Some(w::integer(1));
        let kept = w::sequence([w::oid("1.2.840.10045.2.1").unwrap(), w::integer(1)]);
        assert_eq!(info.originator.spki(&own).unwrap(), w::sequence([kept, w::bit_string(&[4, 5, 6])]));
    }

    #[test]
    fn keys_and_passwords_that_both_sides_have() {
        let kek = Tree::parse(&w::context(
            2,
            &[
                w::integer(4),
                w::sequence([w::octet_string(&[0xc0, 1]), w::element(0x18, b"20250101000000Z")]),
                algorithm("1.2.5"),
                w::octet_string(&[1]),
            ]
            .concat(),
        ));
        assert_eq!(read(&kek.der()).unwrap().to_string(), "kek=c001");
        let fields: &[(&[usize], &str, &str)] = &[
            (&[0], "recipient", "expected version"),
            (&[1, 0], "recipient", "expected a key identifier"),
            (&[2], "recipient", "expected keyEncryptionAlgorithm"),
            (&[3], "recipient", "expected encryptedKey"),
        ];
        check_fields(&kek, read, fields, &[(&[1], "recipient", "expected kekid")], &[(&[], "recipient")]);
        let password = Tree::parse(&w::context(
            3,
            &[w::integer(0), w::context(0, &w::oid("1.2.6").unwrap()), algorithm("1.2.5"), w::octet_string(&[1])]
                .concat(),
        ));
        let RecipientInfo::Password { derivation, .. } = read(&password.der()).unwrap() else { panic!() };
        assert_eq!(derivation.unwrap().oid, "1.2.6");
        let without = read(&password.without(&[1]).der()).unwrap();
        assert!(matches!(without, RecipientInfo::Password { derivation: None, .. }));
    }

    #[test]
    fn other_kinds_by_their_identifier() {
        let other = |oid: &str, value: &[u8]| w::context(4, &[&w::oid(oid).unwrap()[..], value].concat());
        let unknown = read(&other("1.2.3", &w::integer(5))).unwrap();
        assert_eq!((unknown.kind(), unknown.to_string()), ("ori", String::new()));
        let kem = w::sequence([
            w::integer(0),
            w::element(0x80, &[5]),
            algorithm("1.2.4"),
            w::octet_string(b"ct"),
            algorithm("1.2.5"),
            w::integer(16),
            w::context(0, &w::octet_string(b"ukm")),
            algorithm("1.2.6"),
            w::octet_string(b"key"),
        ]);
        let tree = Tree::parse(&other(oid::KEM_RECIPIENT, &kem));
        let RecipientInfo::KeyEncapsulation(info) = read(&tree.der()).unwrap() else { panic!() };
        assert_eq!((info.kem.oid.as_str(), info.kdf.oid.as_str(), info.wrap.oid.as_str()), ("1.2.4", "1.2.5", "1.2.6"));
        assert_eq!((info.kek_length, info.ukm.as_deref()), (16, Some(&b"ukm"[..])));
        assert_eq!((info.ciphertext.as_slice(), info.encrypted_key.as_slice()), (&b"ct"[..], &b"key"[..]));
        let place = "recipient.oriValue";
        check_fields(
            &tree,
            read,
            &[
                (&[1, 2], place, "expected kem"),
                (&[1, 3], place, "expected kemct"),
                (&[1, 4], place, "expected kdf"),
                (&[1, 5], place, "expected kekLength"),
                (&[1, 7], place, "expected wrap"),
                (&[1, 8], place, "expected encryptedKey"),
            ],
            &[],
            &[(&[], place), (&[1], place)],
        );
    }

    /// The kinds that the crate `cms` knows mean the same to it.
    #[test]
    fn another_reader_agrees() {
        let octets = key_agreement().without(&[4, 1, 0, 1]).der();
        let types::RecipientInfo::Kari(theirs) = types::RecipientInfo::from_der(&octets).unwrap() else { panic!() };
        let RecipientInfo::KeyAgreement(ours) = read(&octets).unwrap() else { panic!() };
        assert_eq!(ours.ukm.as_deref(), theirs.ukm.as_ref().map(|ukm| ukm.as_bytes()));
        assert_eq!(ours.algorithm.oid, theirs.key_enc_alg.oid.to_string());
        let keys = theirs.recipient_enc_keys.iter().map(|key| key.enc_key.as_bytes().to_vec());
        assert!(ours.recipients.iter().map(|key| key.encrypted_key.clone()).eq(keys));
    }
}
