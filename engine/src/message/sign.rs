//! Signing a mail (RFC 8551 section 3.5).

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError, PssParameters, Signer};
use waxseal_verdict::Form;

use super::compose::{
    Boundary, ComposeError, Entity, Head, Inserted, MimeShape, ProtectHeaders, armored, check_boundary, expand, fields,
    scan,
};
use crate::Limits;
use crate::certificate::{Certificate, Crl, OcspResponse};
use crate::cms::oid;
use crate::cms::write::{
    Content as _, ContentSigner, Digester, Digests, Encoding, Shape, SignedData, Tamper, WriteError,
};
use crate::io::{Sink, Source};
use crate::message::content;
use crate::overlap;

/// How a mail is signed. The result is a function of the request and the mail
/// alone, as far as the keys sign deterministically.
#[derive(Clone)]
pub struct SignRequest<'a> {
    /// Keys, each with its certificate.
    pub signers: &'a [(&'a dyn Signer, &'a Certificate)],
    /// Certificates that are sent along, after those of the signers.
    pub certificates: &'a [Certificate],
    /// The certificate to encrypt answers for; named by the key preference
    /// attributes.
    pub encryption_certificate: Option<&'a Certificate>,
    /// The digest, of every signer whose scheme does not want another (Ed25519,
    /// ML-DSA; see [`ContentSigner::new`]).
    pub digest: DigestAlgorithm,
    /// RSA keys sign with RSASSA-PSS and these parameters (RFC 4056), in place
    /// of RSA PKCS #1 v1.5.
    pub pss: Option<PssParameters>,
    /// CRLs that are sent along.
    pub crls: &'a [Crl],
    /// OCSP responses that are sent along.
    pub ocsp_responses: &'a [OcspResponse],
    /// Clear or opaque.
    pub form: Form,
    /// How the object is written.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
    /// The signingTime attribute, and the Date of a mail that has none.
    pub signing_time: Option<OffsetDateTime>,
    /// The boundary of the clear form.
    pub boundary: Boundary,
    /// Fields of the outer header, in the place of those of the same name.
    pub headers: Vec<(String, String)>,
    /// Whether the payload gets the header fields of the mail, and what stays
    /// outside of them; for a mail that is to be encrypted too, the signature is
    /// the place to say so.
    pub protect_headers: Option<ProtectHeaders>,
    /// Who hashes.
    pub arithmetic: &'a Arithmetic,
    /// How long a header may be.
    pub limits: Limits,
    /// What is wrong with it.
    pub tamper: Tamper,
}

impl<'a> SignRequest<'a> {
    /// A clear signature with SHA-256, in the default shapes.
    #[must_use]
    pub fn new(
        signers: &'a [(&'a dyn Signer, &'a Certificate)],
        signing_time: OffsetDateTime,
        boundary: Boundary,
        arithmetic: &'a Arithmetic,
    ) -> Self {
        Self {
            signers,
            certificates: &[],
            encryption_certificate: None,
            digest: DigestAlgorithm::Sha256,
            pss: None,
            crls: &[],
            ocsp_responses: &[],
            form: Form::Clear,
            shape: Shape::default(),
            mime: MimeShape::default(),
            signing_time: Some(signing_time),
            boundary,
            headers: Vec::new(),
            protect_headers: None,
            arithmetic,
            limits: Limits::default(),
            tamper: Tamper::default(),
        }
    }

    /// Whether [`sign`] reads the input once and from front to back, once it
    /// has seen the header: in opaque BER, without header protection, and if no
    /// signature is over the content itself (Ed25519, Ed448 and ML-DSA without
    /// signed attributes). A clear signature needs a boundary that does not
    /// occur in the content.
    #[must_use]
    pub fn reads_once(&self) -> bool {
        let over_content = |(signer, certificate): &(&dyn Signer, &Certificate)| {
            ContentSigner::new(*signer, certificate, self.digest, self.pss)
                .is_ok_and(|signer| signer.scheme.signs_message())
        };
        let hashed = !self.shape.attributes.is_empty() || !self.signers.iter().any(over_content);
        let in_one_pass = self.form == Form::Opaque && self.shape.encoding != Encoding::Der;
        in_one_pass && self.protect_headers.is_none() && hashed
    }
}

/// Why a mail could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The mail.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The signature.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Arithmetic outside of the signature.
    #[error(transparent)]
    Arithmetic(#[from] KeyError),
    /// Nobody to sign.
    #[error("no signer: signing needs a key and its certificate")]
    NoSigner,
}

/// Signs a mail or a MIME entity and writes a mail.
///
/// The `Content-…` fields of the input and its body are signed, in canonical
/// form (RFC 8551 section 3.1.1); all other fields stay outside, and are copied
/// inside only if they are to be protected. The input is read more than once
/// unless [`SignRequest::reads_once`]. After an error, what the output got is no
/// mail.
///
/// # Errors
/// The input is no mail, a key or certificate does not fit or refuses, or a
/// shape has no encoding; see [`SignError`].
pub fn sign(input: &mut dyn Source, out: &mut dyn Sink, request: &SignRequest<'_>) -> Result<(), SignError> {
    if request.signers.is_empty() {
        return Err(SignError::NoSigner);
    }
    let mut head = Head::prepare(input, request.limits.header_octets, &request.headers, request.signing_time)?;
    request.mime.check()?;
    let insertions = match request.protect_headers {
        Some(protection) => head.protect(input, protection, &request.limits)?,
        None => Vec::new(),
    };
    let mut input = Inserted::new(input, insertions);
    let mut entity = Entity::new(&mut input, &head);
    let signers = request
        .signers
        .iter()
        .map(|(signer, certificate)| ContentSigner::new(*signer, certificate, request.digest, request.pss));
    let signers = signers.collect::<Result<Vec<_>, _>>()?;
    let recipe = SignedData {
        signers: &signers,
        certificates: request.certificates,
        crls: request.crls,
        ocsp_responses: request.ocsp_responses,
        signing_time: request.signing_time,
        encryption_certificate: request.encryption_certificate,
        content_type: oid::DATA,
        shape: &request.shape,
        tamper: &request.tamper,
        arithmetic: request.arithmetic,
    };
    if request.form != Form::Opaque {
        return clear(&head, &mut entity, out, request, &recipe);
    }
    head.write_outer(out)?;
    out.write_all(&fields(&request.mime.opaque, "", "")).map_err(ComposeError::Write)?;
    let object = armored(out, request.mime.columns, |out| recipe.write(out, &mut entity));
    Ok(object.map_err(ComposeError::Write)??)
}

fn clear(
    head: &Head,
    entity: &mut Entity<'_>,
    out: &mut dyn Sink,
    request: &SignRequest<'_>,
    recipe: &SignedData<'_>,
) -> Result<(), SignError> {
    let mut digester = recipe.digester()?;
    let (boundary, eight_bit) = choose_boundary(entity, request, &mut digester)?;
    let hashed = digester.finish();
    let digests: Vec<_> = recipe.signers.iter().map(|signer| signer.digest).collect();
    let write = |out: &mut dyn Sink, octets: &[u8]| out.write_all(octets).map_err(ComposeError::Write);

    head.write_outer(out)?;
    // A multipart says what its parts need (RFC 2045 section 6.4).
    if entity.is_binary() {
        write(out, b"Content-Transfer-Encoding: binary\r\n")?;
    } else if eight_bit {
        write(out, b"Content-Transfer-Encoding: 8bit\r\n")?;
    }
    write(out, &fields(&request.mime.signed, &request.mime.micalg(&digests), &boundary))?;
    write(out, request.mime.preamble.as_bytes())?;
    write(out, format!("--{boundary}\r\n").as_bytes())?;
    copy(entity, out, &hashed)?;
    // The line end before a delimiter belongs to it, not to the signed part.
    write(out, format!("\r\n--{boundary}\r\n").as_bytes())?;
    write(out, &fields(&request.mime.signature, "", ""))?;
    let object = armored(out, request.mime.columns, |out| match request.tamper.content_in_detached {
        true => recipe.write(out, entity),
        false => recipe.write_detached(out, entity, &hashed),
    });
    object.map_err(ComposeError::Write)??;
    Ok(write(out, format!("\r\n--{boundary}--\r\n").as_bytes())?)
}

/// A boundary that does not occur in the content, and whether the content has
/// octets above 127. The content is hashed on the way.
fn choose_boundary(
    entity: &mut Entity<'_>,
    request: &SignRequest<'_>,
    digester: &mut Digester,
) -> Result<(String, bool), SignError> {
    let used = |boundary: String| {
        SignError::Compose(ComposeError::Boundary { boundary, why: "it occurs in the content: give another one" })
    };
    match &request.boundary {
        Boundary::Given(boundary) => {
            check_boundary(boundary)?;
            let found = scan(entity, boundary, |octets| digester.update(octets)).map_err(ComposeError::Read)?;
            if found.boundary { Err(used(boundary.clone())) } else { Ok((boundary.clone(), found.eight_bit)) }
        }
        Boundary::Random(seed) => {
            let mut boundary = String::new();
            // A second attempt is for a pattern with few random places.
            for attempt in 0..8 {
                boundary = expand(&request.mime.boundary, seed, attempt, request.arithmetic)?;
                check_boundary(&boundary)?;
                let hash = |octets: &[u8]| {
                    if attempt == 0 {
                        digester.update(octets);
                    }
                };
                let found = scan(entity, &boundary, hash).map_err(ComposeError::Read)?;
                if !found.boundary {
                    return Ok((boundary, found.eight_bit));
                }
            }
            Err(used(boundary))
        }
    }
}

/// Writes the content that was hashed.
fn copy(entity: &mut Entity<'_>, out: &mut dyn Sink, hashed: &Digests) -> Result<(), SignError> {
    let mut length = 0;
    entity.rewind().map_err(ComposeError::Read)?;
    let read = |block: &mut [u8]| {
        let read = content::read(entity, block)?;
        length += read as u64;
        Ok(read)
    };
    let copied = overlap::each_block(read, |block| out.write_all(block)).map_err(ComposeError::Write)?;
    copied.map_err(ComposeError::Read)?;
    if length != hashed.length() {
        let changed = std::io::Error::other("the input changed while it was read");
        return Err(ComposeError::Read(changed).into());
    }
    Ok(())
}
