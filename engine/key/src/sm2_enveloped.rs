//! SM2EnvelopedKey (GB/T 35276-2017, GM/T 0009 section 7.4): how an authority
//! hands out the private key of an encryption certificate, under the public key
//! of the signing certificate.

use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::{
    Arithmetic, Decryptor, KeyError, PrivateKey, ProviderChoice, PublicKeyAlgorithm, Random, Sm2Form,
    algorithm::describe,
    ber::{BIT_STRING, Elements, OCTET_STRING, OID, SEQUENCE},
    pkcs12::oid,
    public_key::{PublicKey, SM2},
    sm2::{LEN, element},
};

/// SM4 in ECB mode, which is what is written.
const SM4_ECB: &str = "1.2.156.10197.1.104.1";
/// SM4 without a mode; ECB is meant (gmsm reads it so, too).
const SM4: &str = "1.2.156.10197.1.104";
const SM4_BLOCK: usize = 16;

impl PrivateKey {
    /// Whether some octets have the shape of an SM2EnvelopedKey.
    #[must_use]
    pub fn is_sm2_enveloped(der: &[u8]) -> bool {
        Parts::read(der).is_ok()
    }

    /// Opens an SM2EnvelopedKey with the private key that it was made for.
    ///
    /// The private number is read with and without a padding: the standard does
    /// not say that there is none. That it belongs to the public key beside it
    /// is checked.
    ///
    /// # Errors
    /// The octets are no SM2EnvelopedKey; another cipher than SM4 is used; it is
    /// for another key ([`KeyError::DecryptionFailed`]); or the two keys in it
    /// are no pair.
    pub fn from_sm2_enveloped(der: &[u8], opener: &dyn Decryptor) -> Result<Self, KeyError> {
        let parts = Parts::read(der)?;
        if ![SM4_ECB, SM4].contains(&parts.cipher.as_str()) {
            return Err(KeyError::UnknownAlgorithm(format!("{} in an SM2EnvelopedKey", describe(&parts.cipher))));
        }
        let (key, _) = opener.unwrap_sm2(parts.encrypted_key)?;
        let cipher = sm4::Sm4::new_from_slice(&key).map_err(|_| bad(format!("a key of {} octets", key.len())))?;
        let mut octets = Zeroizing::new(parts.encrypted_private_key.to_vec());
        for block in octets.chunks_exact_mut(SM4_BLOCK) {
            cipher.decrypt_block(<&mut Array<u8, _>>::try_from(block).map_err(|_| bad("no whole block".to_owned()))?);
        }
        let number = private_number(&octets).ok_or_else(|| bad(format!("a private key of {} octets", octets.len())))?;
        let private = Self::from_number(number)?;
        let own = PublicKey::parse(private.public_key())?;
        if own.octets == parts.public_key { Ok(private) } else { Err(bad("its two keys are no pair".to_owned())) }
    }

    /// This key as an SM2EnvelopedKey for the holder of another SM2 key, given
    /// as DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// One of the two is no key of SM2.
    pub fn to_sm2_enveloped(&self, spki_der: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, KeyError> {
        if *self.algorithm() != PublicKeyAlgorithm::Sm2 {
            return Err(bad(format!("it holds a key of SM2, not one of the kind {}", self.algorithm())));
        }
        let pkcs8 = self.to_pkcs8_der();
        let number = number_of(&pkcs8)?;
        let mut key = Zeroizing::new([0; SM4_BLOCK]);
        random.fill(&mut *key);
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let encrypted_key = arithmetic.wrap_sm2(spki_der, &*key, Sm2Form::Asn1, random)?;
        let cipher = sm4::Sm4::new_from_slice(&*key).map_err(|_| bad("a key of SM4".to_owned()))?;
        let mut octets = Zeroizing::new(number.to_vec());
        for block in octets.chunks_exact_mut(SM4_BLOCK) {
            cipher.encrypt_block(<&mut Array<u8, _>>::try_from(block).map_err(|_| bad("no whole block".to_owned()))?);
        }
        let public = PublicKey::parse(self.public_key())?;
        let oid: ObjectIdentifier = ObjectIdentifier::new(SM4_ECB).map_err(|error| bad(error.to_string()))?;
        let fields = [
            element(SEQUENCE, &[element(OID, oid.as_bytes()), vec![5, 0]].concat()),
            encrypted_key,
            element(BIT_STRING, &[&[0], public.octets].concat()),
            element(BIT_STRING, &[&[0], octets.as_slice()].concat()),
        ];
        Ok(element(SEQUENCE, &fields.concat()))
    }

    fn from_number(number: &[u8; LEN]) -> Result<Self, KeyError> {
        let der = Zeroizing::new(
            [&[SEQUENCE, LEN as u8 + 5, 2, 1, 1, OCTET_STRING, LEN as u8][..], number.as_slice()].concat(),
        );
        let curve: ObjectIdentifier = ObjectIdentifier::new(SM2).map_err(|error| bad(error.to_string()))?;
        Self::from_sec1_der(&der, Some(curve))
    }
}

/// The octets of the private number in a PrivateKeyInfo of an elliptic curve
/// (RFC 5958, RFC 5915).
fn number_of(pkcs8: &[u8]) -> Result<&[u8], KeyError> {
    let mut info = Elements::new(pkcs8).expect(SEQUENCE, "PrivateKeyInfo")?.elements();
    info.integer("version")?;
    info.expect(SEQUENCE, "privateKeyAlgorithm")?;
    let key = info.expect(OCTET_STRING, "privateKey")?.content;
    let mut key = Elements::new(key).expect(SEQUENCE, "ECPrivateKey")?.elements();
    key.integer("version of ECPrivateKey")?;
    Ok(key.expect(OCTET_STRING, "privateKey of ECPrivateKey")?.content)
}

/// The number out of the blocks, whose padding of RFC 8018 section 6.1.1 may be
/// there.
fn private_number(octets: &[u8]) -> Option<&[u8; LEN]> {
    let (number, padding) = octets.split_first_chunk()?;
    (padding.is_empty() || padding == [SM4_BLOCK as u8; SM4_BLOCK]).then_some(number)
}

struct Parts<'a> {
    cipher: String,
    /// SM2Cipher, with tag and length.
    encrypted_key: &'a [u8],
    /// A point.
    public_key: &'a [u8],
    encrypted_private_key: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, KeyError> {
        let mut outer = Elements::new(der);
        let mut fields = outer.expect(SEQUENCE, "SM2EnvelopedKey")?.elements();
        let parts = Self {
            cipher: oid(&mut fields.expect(SEQUENCE, "symAlgID")?.elements(), "symAlgID")?,
            encrypted_key: fields.expect(SEQUENCE, "symEncryptedKey")?.whole,
            public_key: bits(&mut fields, "sm2PublicKey")?,
            encrypted_private_key: bits(&mut fields, "sm2EncryptedPrivateKey")?,
        };
        if !outer.is_empty() || !fields.is_empty() {
            return Err(bad("more octets than its fields".to_owned()));
        }
        Ok(parts)
    }
}

/// The octets of a BIT STRING of whole octets.
fn bits<'a>(fields: &mut Elements<'a>, what: &str) -> Result<&'a [u8], KeyError> {
    match fields.expect(BIT_STRING, what)?.content.split_first() {
        Some((0, octets)) => Ok(octets),
        _ => Err(bad(format!("{what} is no whole number of octets"))),
    }
}

fn bad(why: String) -> KeyError {
    KeyError::NotAKey(format!("a damaged SM2EnvelopedKey: {why}"))
}
