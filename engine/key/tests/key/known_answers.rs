//! Answers that standards publish.

use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, KeyError, ProviderChoice, SignatureScheme, Signer};

use crate::{hex, rustcrypto};

/// RFC 1321 appendix A.5, FIPS 180-4, FIPS 202 (the examples of NIST) and GB/T 32905
/// appendix A.1: the digests of `abc`.
const ABC: &[(DigestAlgorithm, &str)] = &[
    (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
    (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (DigestAlgorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        DigestAlgorithm::Sha384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        DigestAlgorithm::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (DigestAlgorithm::Sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
    (DigestAlgorithm::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    (
        DigestAlgorithm::Sha3_384,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    ),
    (
        DigestAlgorithm::Sha3_512,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
         10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
    // FIPS 202 with 512 bits of output, as OpenSSL's `dgst -shake256 -xoflen 64` gives it.
    (
        DigestAlgorithm::Shake256,
        "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739\
         d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4feb06bd8801e751e4",
    ),
    (DigestAlgorithm::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
];

#[test]
fn digests_of_abc() {
    for choice in ProviderChoice::ALL {
        for (digest, wanted) in ABC {
            match Arithmetic::new(choice).digest(*digest, b"abc") {
                Ok(value) => assert_eq!(hex(&value), *wanted, "{digest} by {choice}"),
                Err(KeyError::NotByThisProvider { .. }) => {
                    assert_eq!(choice, ProviderChoice::AwsLc);
                    use DigestAlgorithm::{Md5, Sha3_224, Shake256, Sm3};
                    assert!(matches!(digest, Md5 | Sha3_224 | Shake256 | Sm3));
                }
                Err(error) => panic!("{digest} by {choice}: {error}"),
            }
        }
    }
}

#[test]
fn digests_of_a_million_a_in_uneven_pieces() {
    // FIPS 180-4, the long example; 1 000 000 is no multiple of 997.
    let wanted = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    let octets = vec![b'a'; 1_000_000];
    for choice in ProviderChoice::ALL {
        let mut hasher = Arithmetic::new(choice).hasher(DigestAlgorithm::Sha256).unwrap();
        octets.chunks(997).for_each(|piece| hasher.update(piece));
        assert_eq!(hex(&hasher.finish()), wanted);
    }
}

/// NIST SP 800-38A appendix F.2: key, initialization vector, ciphertext of the
/// four blocks of plaintext.
const CBC: &[(ContentCipher, &str, &str)] = &[
    (
        ContentCipher::Aes128Cbc,
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
         73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    ),
    (
        ContentCipher::Aes192Cbc,
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
         571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    ),
    (
        ContentCipher::Aes256Cbc,
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
         39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    ),
];

const CBC_PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

#[test]
fn aes_in_cbc_mode() {
    let iv = unhex("000102030405060708090a0b0c0d0e0f");
    for choice in ProviderChoice::ALL {
        for (cipher, key, wanted) in CBC {
            let mut octets = unhex(CBC_PLAIN);
            let arithmetic = Arithmetic::new(choice);
            // In two pieces, so that the chaining is seen to go on.
            let mut encryptor = arithmetic.cbc_encryptor(*cipher, &unhex(key), &iv).unwrap();
            octets.chunks_mut(48).for_each(|piece| encryptor.process(piece));
            assert_eq!(hex(&octets), *wanted, "{cipher} by {choice}");
            let mut decryptor = arithmetic.cbc_decryptor(*cipher, &unhex(key), &iv).unwrap();
            octets.chunks_mut(16).for_each(|piece| decryptor.process(piece));
            assert_eq!(hex(&octets), CBC_PLAIN, "{cipher} by {choice}");
        }
    }
}

#[test]
fn triple_des_in_cbc_mode() {
    // NIST SP 800-67 appendix B gives ECB; CBC of one block with a zero vector is the same.
    let key = unhex("0123456789abcdef23456789abcdef01456789abcdef0123");
    let mut octets = *b"The qufc";
    rustcrypto().cbc_encryptor(ContentCipher::TripleDesCbc, &key, &[0; 8]).unwrap().process(&mut octets);
    assert_eq!(hex(&octets), "a826fd8ce53b855f");
    rustcrypto().cbc_decryptor(ContentCipher::TripleDesCbc, &key, &[0; 8]).unwrap().process(&mut octets);
    assert_eq!(&octets, b"The qufc");
}

/// One block of each old cipher; CBC with a zero vector is the bare cipher.
const BLOCKS: &[(ContentCipher, &str, &str, &str)] = &[
    // FIPS 81 appendix B.
    (ContentCipher::DesCbc, "0123456789abcdef", "4e6f772069732074", "3fa40e8a984d4815"),
    // RFC 2268 section 5.
    (ContentCipher::Rc2Cbc { effective_bits: 63 }, "0000000000000000", "0000000000000000", "ebb773f993278eff"),
    (ContentCipher::Rc2Cbc { effective_bits: 64 }, "ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
    (ContentCipher::Rc2Cbc { effective_bits: 64 }, "3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
    (ContentCipher::Rc2Cbc { effective_bits: 64 }, "88", "0000000000000000", "61a8a244adacccf0"),
    (ContentCipher::Rc2Cbc { effective_bits: 64 }, "88bca90e90875a", "0000000000000000", "6ccf4308974c267f"),
    (
        ContentCipher::Rc2Cbc { effective_bits: 64 },
        "88bca90e90875a7f0f79c384627bafb2",
        "0000000000000000",
        "1a807d272bbe5db1",
    ),
    (
        ContentCipher::Rc2Cbc { effective_bits: 128 },
        "88bca90e90875a7f0f79c384627bafb2",
        "0000000000000000",
        "2269552ab0f85ca6",
    ),
    (
        ContentCipher::Rc2Cbc { effective_bits: 129 },
        "88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e",
        "0000000000000000",
        "5b78d3a43dfff1f1",
    ),
    // RFC 2144 appendix B.1.
    (
        ContentCipher::Cast5Cbc { key_bits: 128 },
        "0123456712345678234567893456789a",
        "0123456789abcdef",
        "238b4fe5847e44b2",
    ),
    (ContentCipher::Cast5Cbc { key_bits: 80 }, "01234567123456782345", "0123456789abcdef", "eb6a711a2c02271b"),
    (ContentCipher::Cast5Cbc { key_bits: 40 }, "0123456712", "0123456789abcdef", "7ac816d16e9b302e"),
    // RFC 3713 appendix A.
    (
        ContentCipher::Camellia128Cbc,
        "0123456789abcdeffedcba9876543210",
        "0123456789abcdeffedcba9876543210",
        "67673138549669730857065648eabe43",
    ),
    (
        ContentCipher::Camellia192Cbc,
        "0123456789abcdeffedcba98765432100011223344556677",
        "0123456789abcdeffedcba9876543210",
        "b4993401b3e996f84ee5cee7d79b09b9",
    ),
    (
        ContentCipher::Camellia256Cbc,
        "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff",
        "0123456789abcdeffedcba9876543210",
        "9acc237dff16d76c20ef7c919e3a7509",
    ),
    // GB/T 32907 appendix A.1.
    (
        ContentCipher::Sm4Cbc,
        "0123456789abcdeffedcba9876543210",
        "0123456789abcdeffedcba9876543210",
        "681edf34d206965e86b3e94f536e4246",
    ),
];

#[test]
fn blocks_of_old_ciphers() {
    for (cipher, key, plain, wanted) in BLOCKS {
        let (key, iv) = (unhex(key), vec![0; cipher.iv_len()]);
        let mut octets = unhex(plain);
        rustcrypto().cbc_encryptor(*cipher, &key, &iv).unwrap().process(&mut octets);
        assert_eq!(hex(&octets), *wanted, "{cipher:?}");
        rustcrypto().cbc_decryptor(*cipher, &key, &iv).unwrap().process(&mut octets);
        assert_eq!(hex(&octets), *plain, "{cipher:?}");
    }
}

/// RFC 6979 appendix A.2.5 to A.2.7: the message `sample`.
#[test]
fn deterministic_ecdsa() {
    use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
    let p256 = ec_key("1.2.840.10045.3.1.7", "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let p384 = ec_key(
        "1.3.132.0.34",
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8\
         96d5724e4c70a825f872c9ea60d2edf5",
    );
    let p521 = ec_key(
        "1.3.132.0.35",
        "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc\
         1466f6d8fbec67db89ec0c08b0e996b83538",
    );
    let cases = [
        (&p256, Sha1, "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32"),
        (&p256, Sha224, "53b2fff5d1752b2c689df257c04c40a587fababb3f6fc2702f1343af7ca9aa3f"),
        (&p256, Sha256, "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
        (&p256, Sha384, "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719"),
        (&p256, Sha512, "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00"),
        (
            &p384,
            Sha384,
            "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
        ),
        (
            &p521,
            Sha512,
            "c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b5349\
             31d7d4e8455cc91f9b15bf05ec36e377fa",
        ),
    ];
    for (key, digest, r) in cases {
        let value = rustcrypto().digest(digest, b"sample").unwrap();
        let signature = key.sign_digest(SignatureScheme::Ecdsa, digest, &value).unwrap();
        assert!(hex(&signature).contains(r), "{digest} on {}: {}", key.algorithm(), hex(&signature));
        assert!(
            rustcrypto().verify_digest(key.public_key(), SignatureScheme::Ecdsa, digest, &value, &signature).unwrap()
        );
    }
}

/// A PrivateKeyInfo around a bare private number.
pub(crate) fn ec_key(curve: &str, number: &str) -> waxseal_key::PrivateKey {
    let number = unhex(number);
    let curve = der::asn1::ObjectIdentifier::new(curve).unwrap();
    let inner = tlv(0x30, &[tlv(0x02, &[1]), tlv(0x04, &number)].concat());
    let algorithm = [tlv(0x06, &unhex("2a8648ce3d0201")), tlv(0x06, curve.as_bytes())].concat();
    let info = [tlv(0x02, &[0]), tlv(0x30, &algorithm), tlv(0x04, &inner)].concat();
    waxseal_key::PrivateKey::from_pkcs8_der(&tlv(0x30, &info)).unwrap()
}

/// A PrivateKeyInfo of an algorithm without parameters, given by the octets of
/// its identifier.
pub(crate) fn private_key_info(oid: &str, private_key: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &tlv(0x06, &unhex(oid)));
    tlv(0x30, &[tlv(0x02, &[0]), algorithm, tlv(0x04, private_key)].concat())
}

/// A SubjectPublicKeyInfo of such an algorithm.
pub(crate) fn public_key_info(oid: &str, public_key: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &tlv(0x06, &unhex(oid)));
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], public_key].concat())].concat())
}

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=127 => out.push(len as u8),
        len @ 128..=255 => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    out.extend_from_slice(content);
    out
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
