//! What is odd about an SM2 signature, or an SM2 ciphertext: which dialect it
//! is (GM/T 0009, GM/T 0010, and the habits of their implementers).

use std::io::SeekFrom;

use waxseal_key::{Arithmetic, DigestAlgorithm, Sm2Form};
use waxseal_verdict::{Deviation, Dialect, Layer};

use crate::ber::writer;
use crate::cms::write::content_info_header;
use crate::cms::{AlgorithmIdentifier, RecipientInfo, SignerInfo, oid};
use crate::io::Source;
use crate::message::content;

/// Where a signature names its algorithms otherwise than its family does.
pub(super) fn naming(info: &SignerInfo, gmt: bool) -> Vec<Deviation> {
    let mut found = Vec::new();
    let algorithm = &info.signature_algorithm;
    let usual = if gmt { oid::SM2_SIGNATURE } else { oid::SM2_WITH_SM3 };
    if algorithm.oid != usual {
        found.push(Deviation::Sm2OidAlias);
    }
    // Parameters of 301.1 are NULL with some and absent with others; 501 has none anywhere.
    let null = algorithm.has_null() && algorithm.oid != oid::SM2_WITH_SM3;
    if algorithm.parameters.is_some() && !null {
        found.push(Deviation::SignatureParametersOdd);
    }
    found
}

/// Where key transport is named otherwise than its family does.
pub(super) fn transport_names(recipients: &[RecipientInfo], gmt: bool) -> Vec<Deviation> {
    let odd = |info: &RecipientInfo| {
        let RecipientInfo::KeyTransport { algorithm, .. } = info else { return false };
        match algorithm.oid.as_str() {
            oid::SM2_ENCRYPTION => false,
            // What Bouncy Castle writes in CMS, for which there is no standard.
            oid::SM2_ENCRYPTION_WITH_SM3 => gmt,
            other => oid::SM2_TRANSPORT.contains(&other),
        }
    };
    if recipients.iter().any(odd) { vec![Deviation::Sm2OidAlias] } else { Vec::new() }
}

/// Whether a digest is SM3 under the identifier of a signature.
pub(super) fn is_signature_for_digest(digest: &AlgorithmIdentifier) -> bool {
    digest.oid == oid::SM2_WITH_SM3
}

/// The digests that stand for the message in signatures without Z, with what
/// makes them: those of GmSSL 3, which hashes the whole ContentInfo, and the
/// one of the content alone, which OpenSSL 1.1.1 signs.
pub(super) fn digests_without_z(
    source: &mut dyn Source,
    arithmetic: &Arithmetic,
    gmt: bool,
) -> std::io::Result<Vec<(Deviation, Vec<u8>)>> {
    let mut prefixes = vec![(Deviation::Sm2WithoutZ, Vec::new())];
    if gmt {
        let mut len = 0;
        each_block(source, |block| len += block.len() as u64)?;
        // In signedAndEnvelopedData GmSSL leaves the header of the OCTET STRING out.
        prefixes.push((Deviation::Gmssl3Digest, content_info_header(len, true)));
        prefixes.push((Deviation::Gmssl3Digest, content_info_header(len, false)));
    }
    let mut hashers = Vec::new();
    for (deviation, prefix) in prefixes {
        let Ok(mut hasher) = arithmetic.hasher(DigestAlgorithm::Sm3) else { return Ok(Vec::new()) };
        hasher.update(&prefix);
        hashers.push((deviation, hasher));
    }
    each_block(source, |block| hashers.iter_mut().for_each(|(_, hasher)| hasher.update(block)))?;
    Ok(hashers.into_iter().map(|(deviation, hasher)| (deviation, hasher.finish())).collect())
}

/// Whether content that a signature without Z fits might be no content at all:
/// what stands under an ordinary signature, Z and a message, or under one of
/// GmSSL, the content with its headers. Anybody can make such content of a
/// signature that was made in earnest.
pub(super) fn is_like_signed(source: &mut dyn Source, zs: &[[u8; 32]]) -> std::io::Result<bool> {
    let mut head = vec![0; 64];
    source.seek(SeekFrom::Start(0))?;
    let mut filled = 0;
    while filled < head.len() {
        match content::read(source, &mut head[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    head.truncate(filled);
    let data = writer::oid(oid::GMT_DATA).unwrap_or_default();
    let content_info =
        head.first() == Some(&writer::tag::SEQUENCE) && head.windows(data.len()).any(|here| here == data);
    Ok(content_info || zs.iter().any(|z| head.starts_with(z)))
}

/// Reads a source from its start to its end. Where it ends, a source that makes
/// line ends canonical learns only so.
fn each_block(source: &mut dyn Source, mut take: impl FnMut(&[u8])) -> std::io::Result<()> {
    source.seek(SeekFrom::Start(0))?;
    let mut block = vec![0; 64 << 10];
    loop {
        match content::read(source, &mut block)? {
            0 => return Ok(()),
            read => take(&block[..read]),
        }
    }
}

/// Where the form of a ciphertext departs from the SM2Cipher of GM/T 0009.
pub(super) fn ciphertext(form: Sm2Form) -> Vec<Deviation> {
    let mut found = Vec::new();
    if form != Sm2Form::Asn1 {
        found.push(Deviation::Sm2CipherRaw);
    }
    if form.is_old_order() {
        found.push(Deviation::Sm2CipherOldOrder);
    }
    if form.is_bare() {
        found.push(Deviation::Sm2CipherBare);
    }
    if form.is_compressed() {
        found.push(Deviation::Sm2CipherCompressed);
    }
    found
}

/// Puts on a layer which dialect it is in; `habits` are those that versions and
/// recipients of an object of GM/T 0010 show.
pub(super) fn mark(layer: &mut Layer, content_type: &str, inner: Option<&str>, habits: Option<Dialect>) {
    let gmt = oid::is_gmt(content_type);
    let of_a_family = |inner: &str| oid::is_gmt(inner) || oid::gmt(inner) != inner;
    if inner.is_some_and(|inner| oid::is_gmt(inner) != gmt && of_a_family(inner)) {
        layer.deviate(Deviation::ContentTypesMixed);
    }
    let has = |deviation: Deviation| layer.deviations.contains(&deviation);
    layer.dialect = if has(Deviation::Gmssl3Digest) {
        Some(Dialect::Gmssl3Digest)
    } else if has(Deviation::Sm4OidShort) || has(Deviation::Sm2CipherBare) {
        Some(Dialect::Cfca)
    } else {
        gmt.then(|| habits.unwrap_or(Dialect::Gmt0010))
    };
}
