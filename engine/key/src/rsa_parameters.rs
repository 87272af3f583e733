//! Parameters of RSASSA-PSS and RSAES-OAEP in an AlgorithmIdentifier (RFC 4055).

use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use spki::{AlgorithmIdentifier, AlgorithmIdentifierRef};

use crate::{DigestAlgorithm, KeyError, algorithm::describe};

/// What RSASSA-PSS needs to know beside the digest of the message (RFC 4055
/// section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PssParameters {
    /// The digest of the mask generation function MGF1.
    pub mgf: DigestAlgorithm,
    /// Octets of the salt.
    pub salt_len: u32,
}

impl PssParameters {
    /// What RFC 4055 section 3.1 recommends beside a digest: the same one in
    /// MGF1, and a salt of its length.
    pub const fn usual(digest: DigestAlgorithm) -> Self {
        Self { mgf: digest, salt_len: digest.len_as_u32() }
    }

    /// Reads RSASSA-PSS-params: the digest of the message, and the rest.
    ///
    /// What is left out is SHA-1, MGF1 with SHA-1, 20 octets of salt and
    /// trailer field 1; the parameters of digests may be NULL or absent (RFC
    /// 4055 section 2.1). `None` is a signature without parameters, which
    /// section 3.1 forbids.
    ///
    /// # Errors
    /// There are none, they are damaged, or name an unknown algorithm.
    pub fn from_der(der: Option<&[u8]>) -> Result<(DigestAlgorithm, Self), KeyError> {
        let read: PssDer<'_> = read("rsassa-pss", der)?;
        if read.trailer_field.is_some_and(|field| field != 1) {
            return Err(bad("rsassa-pss", "a trailer field other than 1"));
        }
        let digest = read.hash.map_or(Ok(DigestAlgorithm::Sha1), |hash| digest("rsassa-pss", &hash))?;
        let mgf = read.mask.map_or(Ok(DigestAlgorithm::Sha1), |mask| mgf1("rsassa-pss", &mask))?;
        Ok((digest, Self { mgf, salt_len: read.salt_len.unwrap_or(20) }))
    }

    /// RSASSA-PSS-params in DER, for a message digest.
    #[must_use]
    pub fn to_der(&self, digest: DigestAlgorithm) -> Vec<u8> {
        write(&PssDer {
            hash: (digest != DigestAlgorithm::Sha1).then(|| identifier(digest)),
            mask: (self.mgf != DigestAlgorithm::Sha1).then(|| mask(self.mgf)),
            salt_len: (self.salt_len != 20).then_some(self.salt_len),
            trailer_field: None,
        })
    }
}

/// The parameters of RSAES-OAEP (RFC 4055 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OaepParameters {
    /// The digest of the label.
    pub digest: DigestAlgorithm,
    /// The digest of the mask generation function MGF1.
    pub mgf: DigestAlgorithm,
    /// The label, P in RFC 4055; mostly empty.
    pub label: Vec<u8>,
}

impl OaepParameters {
    /// One digest for both uses, and an empty label.
    pub const fn usual(digest: DigestAlgorithm) -> Self {
        Self { digest, mgf: digest, label: Vec::new() }
    }

    /// Reads RSAES-OAEP-params. What is left out is SHA-1, MGF1 with SHA-1
    /// and an empty label. `None` is an AlgorithmIdentifier without
    /// parameters, which RFC 4055 section 4.1 forbids.
    ///
    /// # Errors
    /// There are none, they are damaged, or name an unknown algorithm.
    pub fn from_der(der: Option<&[u8]>) -> Result<Self, KeyError> {
        let read: OaepDer<'_> = read("rsaes-oaep", der)?;
        let label = match read.source {
            None => Vec::new(),
            Some(source) if source.oid == P_SPECIFIED => {
                let label = source.parameters.map(|parameters| parameters.decode_as::<&OctetStringRef>());
                label
                    .and_then(Result::ok)
                    .ok_or_else(|| bad("rsaes-oaep", "a label that is no octet string"))?
                    .as_bytes()
                    .to_vec()
            }
            Some(source) => return Err(unknown("rsaes-oaep", &source.oid)),
        };
        Ok(Self {
            digest: read.hash.map_or(Ok(DigestAlgorithm::Sha1), |hash| digest("rsaes-oaep", &hash))?,
            mgf: read.mask.map_or(Ok(DigestAlgorithm::Sha1), |mask| mgf1("rsaes-oaep", &mask))?,
            label,
        })
    }

    /// RSAES-OAEP-params in DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        // Only a label of more than 4 GiB is none.
        let label = OctetStringRef::new(&self.label).ok().filter(|label| !label.is_empty());
        write(&OaepDer {
            hash: (self.digest != DigestAlgorithm::Sha1).then(|| identifier(self.digest)),
            mask: (self.mgf != DigestAlgorithm::Sha1).then(|| mask(self.mgf)),
            source: label
                .map(|label| AlgorithmIdentifierRef { oid: P_SPECIFIED, parameters: Some(AnyRef::from(label)) }),
        })
    }
}

const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const P_SPECIFIED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.9");

/// RSASSA-PSS-params (RFC 4055 section 3.1). Defaults are optional here: some
/// writers spell them out.
#[derive(Sequence)]
struct PssDer<'a> {
    #[asn1(context_specific = "0", optional = "true")]
    hash: Option<AlgorithmIdentifierRef<'a>>,
    #[asn1(context_specific = "1", optional = "true")]
    mask: Option<Mask<'a>>,
    #[asn1(context_specific = "2", optional = "true")]
    salt_len: Option<u32>,
    #[asn1(context_specific = "3", optional = "true")]
    trailer_field: Option<u32>,
}

/// RSAES-OAEP-params (RFC 4055 section 4.1).
#[derive(Sequence)]
struct OaepDer<'a> {
    #[asn1(context_specific = "0", optional = "true")]
    hash: Option<AlgorithmIdentifierRef<'a>>,
    #[asn1(context_specific = "1", optional = "true")]
    mask: Option<Mask<'a>>,
    #[asn1(context_specific = "2", optional = "true")]
    source: Option<AlgorithmIdentifierRef<'a>>,
}

/// The identifier of MGF1, with the digest as its parameters.
type Mask<'a> = AlgorithmIdentifier<AlgorithmIdentifierRef<'a>>;

fn read<'a, T: Decode<'a>>(algorithm: &str, der: Option<&'a [u8]>) -> Result<T, KeyError> {
    let der = der.ok_or_else(|| bad(algorithm, "there are none"))?;
    T::from_der(der).map_err(|_| bad(algorithm, "they are damaged"))
}

fn write(parameters: &impl Encode) -> Vec<u8> {
    parameters.to_der().unwrap_or_default()
}

fn digest(algorithm: &str, identifier: &AlgorithmIdentifierRef<'_>) -> Result<DigestAlgorithm, KeyError> {
    if identifier.parameters.is_some_and(|parameters| !parameters.is_null()) {
        return Err(bad(algorithm, "a digest with parameters other than NULL"));
    }
    DigestAlgorithm::from_oid(&identifier.oid.to_string())
        .filter(|digest| !digest.is_extendable())
        .ok_or_else(|| unknown(algorithm, &identifier.oid))
}

fn mgf1(algorithm: &str, mask: &Mask<'_>) -> Result<DigestAlgorithm, KeyError> {
    if mask.oid != MGF1 {
        return Err(unknown(algorithm, &mask.oid));
    }
    digest(algorithm, mask.parameters.as_ref().ok_or_else(|| bad(algorithm, "MGF1 without its digest"))?)
}

/// With NULL for SHA-1 and SHA-2 (RFC 4055 section 2.1), without for SHA-3
/// (RFC 9688 section 2) and all that is newer.
fn identifier(digest: DigestAlgorithm) -> AlgorithmIdentifierRef<'static> {
    let parameters = (digest <= DigestAlgorithm::Sha512).then_some(AnyRef::NULL);
    AlgorithmIdentifierRef { oid: ObjectIdentifier::new_unwrap(digest.oid()), parameters }
}

fn mask(digest: DigestAlgorithm) -> Mask<'static> {
    Mask { oid: MGF1, parameters: Some(identifier(digest)) }
}

fn bad(algorithm: &str, why: &str) -> KeyError {
    KeyError::BadParameters { algorithm: algorithm.to_owned(), why: why.to_owned() }
}

fn unknown(algorithm: &str, oid: &ObjectIdentifier) -> KeyError {
    KeyError::UnknownAlgorithm(format!("{} in the parameters of {algorithm}", describe(&oid.to_string())))
}
