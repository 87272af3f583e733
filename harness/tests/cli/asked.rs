//! What a person asked for happens, or is refused: nothing that was asked for is left out in silence.

use super::*;

#[test]
fn content_beside_a_mail_is_refused() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed.eml"));
    place.write("content", "something else\r\n");
    let anchors = "--anchor root.cert.pem --extra-cert intermediate.cert.pem";
    place.run(0, &format!("open signed.eml {anchors}"));
    let (_, error) = place.run(2, &format!("open signed.eml {anchors} --content content"));
    assert!(error.starts_with("error: --content: signed.eml: content of its own is for a bare CMS object"), "{error}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let place = Place::new();
    place.run(0, &format!("{SIGN} -o signed.eml"));
    let open = "open signed.eml --anchor root.cert.pem --extra-cert intermediate.cert.pem";
    place.run(0, &format!("{open} --from alice@example.test"));
    place.run(1, &format!("{open} --from bob@example.test"));
    for nonsense in ["nonsense", "@example.test", "alice@", "alice@b@example.test"] {
        let (_, error) = place.run(2, &format!("{open} --from {nonsense}"));
        assert!(error.contains(&format!("'{nonsense}' for '--from <ADDR>': not an address, such as ")), "{error}");
    }
}

#[test]
fn an_option_for_keys_that_no_recipient_has_is_refused() {
    let place = Place::new();
    for (keys, options) in [
        ("--to bob.cert.pem", "--oaep sha-256"),
        ("--to bob.cert.pem --to bob-ec.cert.pem", "--oaep sha-256 --kdf sha-256 --cofactor"),
        ("--to bob-x25519.cert.pem", "--kdf sha-512"),
    ] {
        place.run(0, &format!("encrypt mail {keys} {options}"));
    }
    for (keys, option, of) in [
        ("--to bob-ec.cert.pem", "--oaep sha-256", "of RSA"),
        ("--password x", "--oaep sha-256", "of RSA"),
        ("--to bob.cert.pem", "--kdf sha-256", "of ECDH, X25519 or ML-KEM"),
        ("--to bob-x25519.cert.pem", "--cofactor", "of ECDH"),
        ("--to bob-ec.cert.pem", "--sm2-agreement", "of SM2"),
    ] {
        for command in ["encrypt", "authenticate"] {
            let (_, error) = place.run(2, &format!("{command} mail {keys} {option} -o made"));
            let name = option.split(' ').next().unwrap();
            let expected = format!("error: {name}: none of the recipients has a key {of}\n");
            assert_eq!(error, expected, "{command} {keys} {option}");
            assert!(!place.path().join("made").exists(), "{command} {keys} {option}");
        }
    }
}
