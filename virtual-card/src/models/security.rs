//! The Security Object of PIV: the hashes of what nobody else has signed.

use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};
use zeroize::Zeroizing;

use super::{Issuer, ModelError, wrong};
use crate::{
    piv::{Piv, object},
    tlv,
};

/// `id-icao-ldsSecurityObject`, the content type of the signed hashes (SP
/// 800-73-4 part 1 section 3.1.7).
const LDS_SECURITY_OBJECT: &str = "1.3.27.1.1.1";

/// The octets of the identifier of SHA-256 (2.16.840.1.101.3.4.2.1).
const SHA_256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The value of the Security Object of a card; `None` where its issuer signs
/// nothing.
///
/// # Errors
/// The issuer cannot sign.
pub(super) fn object(piv: &Piv, issuer: &mut dyn Issuer) -> Result<Option<Zeroizing<Vec<u8>>>, ModelError> {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let (mut mapping, mut hashes) = (Vec::new(), Vec::new());
    for (number, (object, value)) in (1_u8..).zip(piv.unsigned_objects()) {
        mapping.push(number);
        mapping.extend(object.container.to_be_bytes());
        let hash = arithmetic.digest(DigestAlgorithm::Sha256, value).map_err(|error| wrong(error.to_string()))?;
        hashes.extend_from_slice(&tlv::constructed(0x30, &[&tlv::write(0x02, &[number]), &tlv::write(0x04, &hash)]));
    }
    // LDSSecurityObject: version, hashAlgorithm, dataGroupHashValues (ICAO Doc 9303 part 10).
    let algorithm = tlv::constructed(0x30, &[&tlv::write(0x06, &SHA_256)]);
    let lds = tlv::constructed(0x30, &[&tlv::write(0x02, &[0]), &algorithm, &tlv::write(0x30, &hashes)]);
    let signed = issuer.sign(LDS_SECURITY_OBJECT, &lds).map_err(|error| wrong(format!("security object: {error}")))?;
    Ok(signed.map(|signed| object::security_object(&mapping, &signed)))
}
