//! How SM2 objects are written: the two families of messages, and the habits
//! of those who write them (GM/T 0009, GM/T 0010).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use waxseal_key::Sm2Form;
use waxseal_verdict::Dialect;

use super::{AttributeKind, IdentifierForm, Parameters, Shape};
use crate::ber::writer;
use crate::cms::oid;

/// Which content types and versions an object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Those of CMS (RFC 5652).
    #[default]
    Cms,
    /// Those of GM/T 0010: content types of its own, and version 1 throughout.
    Gmt,
}

impl Family {
    /// The content type of this family that has the structure of one of CMS.
    pub(super) fn content_type(self, standard: &str) -> &str {
        match self {
            Self::Cms => standard,
            Self::Gmt => oid::gmt(standard),
        }
    }

    /// The version that the rules of CMS give, or the only one that there is.
    pub(super) const fn version(self, of_cms: u64) -> u64 {
        match self {
            Self::Cms => of_cms,
            Self::Gmt => 1,
        }
    }
}

/// How SM2, SM3 and SM4 are named and encoded. The default is what most
/// readers of CMS read; for encryption there is no standard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sm2Shape {
    /// How a signature is named.
    pub signature: Sm2SignatureName,
    /// Parameters of the signature algorithm.
    pub signature_parameters: Parameters,
    /// What a signature is over.
    pub digest: Sm2Digest,
    /// How the encryption of a content key is named.
    pub encryption: Sm2EncryptionName,
    /// Parameters of that.
    pub encryption_parameters: Parameters,
    /// How an encrypted content key is written.
    #[serde(serialize_with = "write_form", deserialize_with = "read_form")]
    pub ciphertext: CiphertextForm,
    /// Whether SM4-CBC is named by the bare identifier of SM4.
    pub short_sm4: bool,
}

/// The form of an SM2 ciphertext; by default the SM2Cipher of GM/T 0009.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CiphertextForm(pub Sm2Form);

impl Default for CiphertextForm {
    fn default() -> Self {
        Self(Sm2Form::Asn1)
    }
}

fn write_form<S: Serializer>(form: &CiphertextForm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(form.0.name())
}

fn read_form<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CiphertextForm, D::Error> {
    let name = String::deserialize(deserializer)?;
    let form = Sm2Form::from_name(&name).ok_or_else(|| {
        let names = Sm2Form::ALL.map(Sm2Form::name).join(", ");
        serde::de::Error::custom(format!("{name:?} is no form of an SM2 ciphertext; there are {names}"))
    })?;
    Ok(CiphertextForm(form))
}

/// The identifier of an SM2 signature with SM3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sm2SignatureName {
    /// 1.2.156.10197.1.501, SM2 with SM3.
    #[default]
    WithSm3,
    /// 1.2.156.10197.1.301.1, SM2-1.
    Signature,
    /// 1.2.156.10197.1.301, the curve.
    Curve,
}

impl Sm2SignatureName {
    pub(super) const fn oid(self) -> &'static str {
        match self {
            Self::WithSm3 => oid::SM2_WITH_SM3,
            Self::Signature => oid::SM2_SIGNATURE,
            Self::Curve => oid::SM2_CURVE,
        }
    }
}

/// The identifier of SM2 encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sm2EncryptionName {
    /// 1.2.156.10197.1.301.3, SM2-3.
    #[default]
    Encryption,
    /// 1.2.156.10197.1.301.3.2.1, SM2 encryption with SM3, as Bouncy Castle names it.
    WithSm3,
    /// 1.2.156.10197.1.301.2, SM2-2, which is the key exchange.
    KeyExchange,
    /// 1.2.156.10197.1.301, the curve.
    Curve,
}

impl Sm2EncryptionName {
    pub(super) const fn oid(self) -> &'static str {
        match self {
            Self::WithSm3 => oid::SM2_ENCRYPTION_WITH_SM3,
            Self::Encryption => oid::SM2_ENCRYPTION,
            Self::KeyExchange => oid::SM2_KEY_EXCHANGE,
            Self::Curve => oid::SM2_CURVE,
        }
    }
}

/// What an SM2 signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sm2Digest {
    /// Z and the message (GM/T 0003.2 section 6).
    #[default]
    WithZ,
    /// The digest of the message alone, as OpenSSL 1.1.1 signs it.
    WithoutZ,
    /// The digest of the whole ContentInfo, as GmSSL 3 signs it.
    Gmssl3,
}

/// What stands before the content in a ContentInfo of GM/T 0010 data in DER:
/// the headers of SEQUENCE, `[0]` and, if wanted, OCTET STRING, with the type.
pub(crate) fn content_info_header(len: u64, octet_string: bool) -> Vec<u8> {
    let mut inner = Vec::new();
    if octet_string {
        inner = writer::header(writer::tag::OCTET_STRING, len);
    }
    let explicit = inner.len() as u64 + len;
    let outer = [writer::oid(oid::GMT_DATA).unwrap_or_default(), writer::header(writer::tag::context(0), explicit)];
    let all = outer.iter().map(|part| part.len() as u64).sum::<u64>() + explicit;
    [writer::header(writer::tag::SEQUENCE, all), outer.concat(), inner].concat()
}

impl Shape {
    /// The habits of those who write this dialect, in the place of those for
    /// SM2 that were there. The other habits stay.
    #[must_use]
    pub fn in_dialect(mut self, dialect: Dialect) -> Self {
        use AttributeKind::{ContentType, MessageDigest, SigningTime};
        self.sm2 = Sm2Shape::default();
        self.family = if dialect == Dialect::Cms { Family::Cms } else { Family::Gmt };
        match dialect {
            // GB/T 35275 as gmsm writes it.
            Dialect::Gmt0010 => {
                self.attributes = vec![ContentType, SigningTime, MessageDigest];
                self.sm2.signature = Sm2SignatureName::Signature;
                self.sm2.signature_parameters = Parameters::Null;
                self.sm2.encryption_parameters = Parameters::Null;
                self.digest_parameters = Parameters::Null;
            }
            // CFCA's SADK before version 3.2.
            Dialect::Cfca => {
                self.attributes = Vec::new();
                self.sm2.signature = Sm2SignatureName::Signature;
                self.sm2.signature_parameters = Parameters::Null;
                self.sm2.encryption_parameters = Parameters::Null;
                self.sm2.ciphertext = CiphertextForm(Sm2Form::BareC1C2C3);
                self.sm2.short_sm4 = true;
                self.digest_parameters = Parameters::Null;
                self.recipient_id = IdentifierForm::SubjectKeyId;
            }
            // GmSSL 3.1.1.
            Dialect::Gmssl3Digest => {
                self.attributes = Vec::new();
                self.sm2.encryption = Sm2EncryptionName::KeyExchange;
                self.sm2.digest = Sm2Digest::Gmssl3;
            }
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_a_shape_that_can_be_written_down() {
        for dialect in Dialect::ALL {
            let shape = Shape::default().in_dialect(*dialect);
            let text = toml::to_string(&shape).unwrap();
            assert_eq!(toml::from_str::<Shape>(&text).unwrap(), shape, "{text}");
        }
        assert_eq!(Shape::default().in_dialect(Dialect::Cms), Shape::default());
        assert!(toml::from_str::<Shape>("sm2.ciphertext = \"c2c1c3\"").is_err());
    }

    #[test]
    fn the_header_is_that_of_the_whole_element() {
        for len in [0_usize, 1, 100, 127, 128, 200, 255, 256, 70_000] {
            let content = vec![7; len];
            let explicit = writer::context(0, &writer::octet_string(&content));
            let whole = writer::sequence([writer::oid(oid::GMT_DATA).unwrap(), explicit]);
            assert_eq!([content_info_header(len as u64, true), content.clone()].concat(), whole, "{len}");
            let bare = writer::sequence([writer::oid(oid::GMT_DATA).unwrap(), writer::context(0, &content)]);
            assert_eq!([content_info_header(len as u64, false), content].concat(), bare, "{len}");
        }
    }
}
